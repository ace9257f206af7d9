"""What may be said of patients who did not come back, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.nonresponders import Moment, nonresponders_from_moments, nonresponders_from_records
from bayes_sp.records.survey import Survey

COVARIATES = ["age", "visits_before", "housing"]
MOMENTS = """
n = 452
source = "an article"
[moments]
age = { mean = 51.56, sd = 15.01 }
walks_before = { mean = 1.5 }
"""


@pytest.fixture
def rows(make_user_survey) -> pd.DataFrame:
    return make_user_survey(7).records[COVARIATES]


def problems_of(call, *arguments) -> tuple[str, ...]:
    with pytest.raises(SurveyError) as caught:
        call(*arguments)
    return caught.value.problems


def test_records_may_be_a_table_a_survey_or_a_file(small_model, rows, tmp_path):
    """All three give the same patients; exposure, mediators and outcome are not needed."""
    path = tmp_path / "absent.csv"
    rows.assign(visits="", walks="").to_csv(path, index=False)
    survey = Survey(rows, "memory", "a clinic's list")
    found = [nonresponders_from_records(small_model, source) for source in (rows, survey, path, str(path))]
    for one in found:
        pd.testing.assert_frame_equal(one.records, rows, check_dtype=False)
        assert one.n == 7
        assert one.moments == ()
    assert "a clinic's list" in found[1].source
    assert "absent.csv" in found[2].source
    assert str(rows["age"].iloc[0]) not in repr(found[0]), "no patient in a log"


def test_every_mistake_in_records_is_named(small_model, rows):
    """A missing column with the nearest name; then values off their scale and cells that are empty."""
    (missing,) = problems_of(nonresponders_from_records, small_model, rows.rename(columns={"housing": "houses"}))
    assert 'column "housing" is missing' in missing
    assert '"houses"' in missing
    wrong = rows.astype(float)
    wrong.loc[1, "housing"], wrong.loc[2, "visits_before"] = 4, -2
    off_scale = problems_of(nonresponders_from_records, small_model, wrong)
    assert len(off_scale) == 2
    assert "row 2 (4)" in "".join(off_scale)
    assert "row 3 (-2)" in "".join(off_scale)
    empty = rows.astype(float)
    empty.loc[3, "age"] = empty.loc[4, "age"] = None
    (cells,) = problems_of(nonresponders_from_records, small_model, empty)
    assert "row 4 (empty), row 5 (empty)" in cells
    assert "imputation" in cells
    assert problems_of(nonresponders_from_records, small_model, rows.iloc[:0]) == (
        "there is no row: nobody who did not come back",
    )


def test_empty_cells_of_a_file_are_counted_as_a_spreadsheet_does(small_model, rows, tmp_path):
    """The columns' names are row 1."""
    path = tmp_path / "absent.csv"
    rows.assign(age=["NA", *rows["age"][1:]]).to_csv(path, index=False)
    (cells,) = problems_of(nonresponders_from_records, small_model, path)
    assert 'column "age"' in cells
    assert "row 2 (empty)" in cells


def test_patients_who_answered_are_refused(small_model, rows, tmp_path):
    """Whoever has a mediator or the outcome came back: in a table, and in a file."""
    answered = rows.assign(mood=[float("nan")] * 6 + [4.0], visits=[3.0] + [float("nan")] * 6)
    path = tmp_path / "all.csv"
    answered.to_csv(path, index=False)
    for source, first in ((answered, 1), (path, 2)):
        found = "".join(problems_of(nonresponders_from_records, small_model, source))
        assert 'column "visits": must be empty, because these patients did not come back' in found
        assert f"leave those who did out of the records; found at row {first}" in found
        assert f"row {first + 6}" in found


def test_groups_may_all_be_one(small_tables, rows):
    """Those who did not come back may all be of one practice; the patients of a fit may not."""
    small_tables["equation"][1]["varying"] = "practice"
    small_tables["priors"]["tau"] = {"dist": "half_normal", "sigma": 0.5, "why": "small"}
    model = load_model(small_tables, name="small")
    found = nonresponders_from_records(model, rows.assign(practice="north"))
    assert set(found.records["practice"]) == {"north"}
    (problem,) = problems_of(nonresponders_from_records, model, rows.assign(practice=["north", None] + ["south"] * 5))
    assert 'column "practice": must have a group in every row' in problem


def test_a_model_without_covariates_needs_only_to_know_how_many(small_model):
    """Rows without a needed column are still patients."""
    bare = replace(small_model, covariates=())
    found = nonresponders_from_records(bare, pd.DataFrame({"name": ["a", "b", "c"]}))
    assert (found.n, len(found.records), list(found.records)) == (3, 3, [])


def test_moments_are_read_from_a_file_or_from_tables(tmp_path):
    """Means, and SDs where they are known."""
    path = tmp_path / "moments.toml"
    path.write_text(MOMENTS)
    tables = {
        "n": 452,
        "source": "an article",
        "moments": {"age": {"mean": 51.56, "sd": 15.01}, "walks_before": {"mean": 1.5}},
    }
    for source in (path, str(path), tables):
        found = nonresponders_from_moments(source)
        assert found.moments == (Moment("age", 51.56, 15.01), Moment("walks_before", 1.5, None))
        assert (found.n, found.source, found.records) == (452, "an article", None)


def test_every_mistake_in_moments_is_named_at_once():
    """Key paths, what was found, the nearest known key."""
    tables = {
        "n": 4.5, "sauce": "x", "moments": {"age": {"mean": "old", "sd": -1}, "b": {"men": 1}, "c": 5},
    }  # fmt: skip
    found = "\n".join(problems_of(nonresponders_from_moments, tables))
    for part in (
        "n: must be a whole number of at least 1, found 4.5",
        "source: is missing",
        'sauce: unknown key; did you mean "source"',
        "moments.age.mean: must be a finite number, found 'old'",
        "moments.age.sd: must be > 0",
        "moments.b.mean: is missing",
        "moments.b.men: unknown key",
        "moments.c: must be a table, found 5",
    ):
        assert part in found
    one = {"n": 1, "source": "x", "moments": {"age": {"mean": 5, "sd": 1}}}
    assert problems_of(nonresponders_from_moments, one) == ("moments.age.sd: one patient has no SD; leave it out",)
    assert problems_of(nonresponders_from_moments, {"n": 2, "source": "x"}) == ("moments: is missing",)


def test_files_that_cannot_be_read_are_named(tmp_path: Path):
    """Not there, not TOML, not text."""
    broken, binary = tmp_path / "broken.toml", tmp_path / "binary.toml"
    broken.write_text("n = = 2")
    binary.write_bytes(b"\xff\xfe")
    for path, words in ((tmp_path / "none.toml", "cannot be read"), (broken, "not valid TOML"), (binary, "not UTF-8")):
        (problem,) = problems_of(nonresponders_from_moments, path)
        assert words in problem
