"""A DataFrame is read as strictly as a file, and gives the same survey."""

import io

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.errors import SurveyError


@pytest.fixture
def frame(make_user_survey) -> pd.DataFrame:
    return make_user_survey().records.reset_index(drop=True)


def test_a_frame_and_its_file_are_one_survey(frame, small_model, tmp_path):
    """Cells, missing ones, columns of other things, any index and any type of number."""
    frame = frame.assign(note="x, y", mood=frame["mood"].where(frame.index > 3))
    frame.to_csv(tmp_path / "file.csv", index=False)
    typed = frame.astype({"mood": "Float64", "visits": "Int64", "walks": np.int8}).set_index(frame.index[::-1] * 7)
    from_file, from_frame = sp.read_survey(tmp_path / "file.csv", small_model), sp.read_survey(typed, small_model)
    pd.testing.assert_frame_equal(from_file.records, from_frame.records)
    assert from_file.digest == from_frame.digest
    assert (from_frame.origin, from_frame.source) == ("memory", "the data frame")
    assert from_frame.records["mood"].isna().sum() == 4


def test_every_float_is_read_as_it_is(small_model, frame):
    """Text between is exact: 0.1 + 0.2 stays what it is."""
    frame = frame.assign(mood=0.1 + 0.2)
    assert (sp.read_survey(frame, small_model).records["mood"] == 0.1 + 0.2).all()
    longer = frame.assign(mood=frame["mood"].to_numpy(dtype=np.longdouble))
    assert (sp.read_survey(longer, small_model).records["mood"] == 0.1 + 0.2).all()


def test_mistakes_of_a_frame_are_told_at_once_with_their_rows(frame, small_model):
    frame = frame.astype(object)
    frame.loc[2, "mood"], frame.loc[5, "visits"], frame.loc[6, "walks"] = "often", 1.5, np.inf
    with pytest.raises(SurveyError) as raised:
        sp.read_survey(frame.drop(columns="age"), small_model)
    assert "the data frame" in str(raised.value)
    assert "age" in str(raised.value)
    with pytest.raises(SurveyError) as raised:
        sp.read_survey(frame, small_model)
    text = str(raised.value)
    for column, cell, row in (("mood", "often", 2), ("visits", "1.5", 5), ("walks", "inf", 6)):
        assert f"row {row} (from 0)" in text
        assert column in text
        assert cell in text


def test_a_frame_without_rows_or_with_a_name_twice_is_refused(frame, small_model):
    with pytest.raises(SurveyError, match="no row of values"):
        sp.read_survey(frame.iloc[:0], small_model)
    with pytest.raises(SurveyError, match="mood"):
        sp.read_survey(pd.concat([frame, frame[["mood"]]], axis=1), small_model)


def test_true_and_false_are_one_and_zero(small_tables):
    """As a binary variable has them."""
    variables = {**small_tables["variables"], "walks": {"kind": "binary"}}
    model = sp.load_model({**small_tables, "variables": variables, "contrast": [0, 1]})
    text = "walks,mood,visits,age,visits_before,housing\n"
    rows = [f"{k % 2},{4 + k % 3},{k % 5},{30 + k},{k % 4},{1 + k % 3}" for k in range(40)]
    table = pd.read_csv(io.StringIO(text + "\n".join(rows)))
    plain, truth = (sp.read_survey(each, model) for each in (table, table.astype({"walks": bool})))
    assert plain.digest == truth.digest


def test_zeros_have_no_sign_and_missing_values_no_kind(frame):
    """A number that was rounded to -0.0, and any NaN, are what they are as text."""
    first, second = frame.astype({"mood": float}), frame.astype({"mood": float})
    first.loc[:1, "mood"], second.loc[:1, "mood"] = [0.0, np.nan], [-0.0, -np.nan]
    assert sp.Survey(first, "memory", "a").digest == sp.Survey(second, "memory", "a").digest
    second.loc[0, "mood"] = 5e-324
    assert sp.Survey(first, "memory", "a").digest != sp.Survey(second, "memory", "a").digest
