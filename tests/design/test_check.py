"""A check says everything at once: what a fit would refuse, what is odd, and what the survey holds."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.outliers_influence import variance_inflation_factor

import bayes_sp as sp
from bayes_sp.cli.main import main
from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.design.checks.inflated import inflated_columns, inflations
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.nonresponders import Moment, NonResponders
from bayes_sp.records.survey import Survey
from bayes_sp.report.text.survey import _pooled, check_text

NORMAL = {"dist": "normal", "mu": 0, "sigma": 5, "why": "wide"}
POSITIVE = {"dist": "lognormal", "mu": 0, "sigma": 2, "why": "wide"}


@pytest.fixture
def model():
    """Return a chain walks -> mood -> visits with covariates."""
    return load_model(
        {
            "title": "t", "exposure": "walks", "outcome": "visits", "missing_codes": [-99],
            "variables": {"mood": {"min": 1, "max": 10}},
            "covariates": {"age": {"center": 50, "scale": 10}, "years": {}, "town": {"levels": [1, 2, 3]}},
            "equation": [
                {"response": "mood", "family": "normal"}, {"response": "visits", "family": "negative_binomial"},
            ],
            "priors": {"intercept": NORMAL, "slope": NORMAL, "sigma": POSITIVE, "phi": POSITIVE},
        },
        name="mine",
    )  # fmt: skip


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return a survey that fits the chain."""
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "patient": np.arange(1, 201),
            "walks": rng.integers(0, 8, 200),
            "mood": rng.uniform(1, 10, 200).round(1),
            "visits": rng.negative_binomial(1, 0.2, 200),
            "age": rng.integers(20, 90, 200),
            "years": rng.integers(0, 20, 200),
            "town": rng.integers(1, 4, 200),
        }
    )


def test_a_sound_survey_passes(model, frame, tmp_path, capsys):
    """In every form; the command ends with 0, and nobody's row is printed."""
    frame.to_csv(tmp_path / "s.csv", index=False)
    for given in (frame, Survey(frame, "memory", "a table"), tmp_path / "s.csv"):
        found = sp.check(given, model)
        assert found.passed
        assert found.warnings == ()
        assert found.table().empty
        assert found.moments["variable"].tolist() == list(model.columns)
    assert main(["check", str(tmp_path / "s.csv")]) == 0
    printed = capsys.readouterr().out
    assert "s.csv, 200 rows: passes; no problem and no warning." in printed
    assert ",".join(map(str, frame.iloc[0])) not in printed


def test_everything_is_said_at_once(model, frame, tmp_path, capsys):
    """Columns, cells, equations, rows and doubts stand in one report, each with its row as the file counts."""
    frame["mood"] = frame["mood"].astype(object)
    frame.loc[3, "mood"], frame.loc[5, "mood"] = 11, "high"
    frame["visits"] = frame["visits"].astype(float)
    frame.loc[7, "visits"], frame.loc[8, "visits"] = 2.5, -1
    frame["years"] = frame["age"] * 2
    frame.loc[9, "patient"] = 1
    bad = pd.concat([frame, frame.iloc[20:32].assign(patient=range(777, 789))])
    bad.to_csv(tmp_path / "s.csv", index=False)
    found = sp.check(tmp_path / "s.csv", model)
    assert not found.passed
    table = found.table().set_index(["column", "row"])
    assert table.loc[("mood", "row 5"), "value"] == "11"
    assert table.loc[("mood", "row 7"), "value"] == "'high'"
    assert table.loc[("visits", "row 9"), "value"] == "2.5"
    assert table.loc[("visits", "row 10"), "value"] == "-1"
    assert table.loc[("patient", "row 11"), "severity"] == "warning"
    assert any("row 22 and row 202" in warning for warning in found.warnings), found.warnings
    assert any('column "years" follows exactly from' in problem for problem in found.problems)
    assert "5 problems and 2 warnings" in found.sentence
    with pytest.raises(SurveyError) as caught:
        read_survey(tmp_path / "s.csv", model)
    assert set(caught.value.problems) <= set(found.problems)
    assert main(["check", str(tmp_path / "s.csv"), "--model", str(tmp_path / "no.toml")]) == 2
    capsys.readouterr()


def test_missing_columns_do_not_hide_cells(model, frame, tmp_path):
    """For a fit too: a column that is missing and a cell that is off its scale are told together."""
    frame.loc[3, "mood"] = 11
    frame.rename(columns={"age": "Age"}).to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(SurveyError) as caught:
        read_survey(tmp_path / "s.csv", model)
    missing, cell = caught.value.problems
    assert 'did you mean "Age"?' in missing
    assert "on its scale, at most 10; found at row 5 (11)" in cell
    assert set(sp.check(tmp_path / "s.csv", model).problems) == {missing, cell}
    assert set(sp.check(frame.rename(columns={"age": "Age"}), model).problems) == {
        missing.replace("row 5", "row 3 (from 0)"), cell.replace("row 5", "row 3 (from 0)"),
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"a,a\n1,2\n", b"a,b\n", b"\xff\xfe\x00", b'a,"b\n1,2'])
def test_what_cannot_be_read_is_a_problem(tmp_path, content):
    """And no error: the report holds it."""
    (tmp_path / "s.csv").write_bytes(content)
    found = sp.check(tmp_path / "s.csv")
    assert not found.passed
    assert check_text(found)
    assert main(["check", str(tmp_path / "s.csv")]) == 2


def test_codes_of_the_specification_are_missing(model, frame):
    """In its own columns and in others; without it they are odd."""
    frame.loc[[1, 2], "mood"] = -99
    frame["mood_t0"], frame["mood_t1"] = frame["mood"], frame["mood"] + 1.0
    frame.loc[[3, 4], "mood_t1"] = -99
    found = sp.check(frame, model)
    assert found.passed
    moments = found.moments.set_index("variable")
    assert moments.loc[["mood", "mood_t0", "mood_t1"], "missing"].tolist() == [2, 2, 2]
    assert found.repeated["n"].tolist() == [196]
    assert any('column "mood": holds -99' in warning for warning in sp.check(frame).warnings)


def test_inflation_is_that_of_statsmodels(model, frame):
    """For single columns; that of a category does not depend on which level is the first."""
    frame["years"] = frame["age"] + np.random.default_rng(1).integers(0, 20, 200)
    frame["town"] = np.where(np.arange(200) < 4, 3, frame["town"].clip(upper=2))
    found = list(inflations(model, design_arrays(model, Survey(frame, "memory", "t"))))
    columns = equation_matrix(model, design_arrays(model, Survey(frame, "memory", "t")), 1)
    for k, name in enumerate(model.terms(model.equations[1])):
        if name in ("walks", "mood", "age", "years"):
            assert found[1].factors[name] == pytest.approx(variance_inflation_factor(columns, k))
    turned = frame.assign(town=frame["town"].map({1: 3, 2: 2, 3: 1}))
    other = list(inflations(model, design_arrays(model, Survey(turned, "memory", "t"))))
    assert other[1].factors["town"] == pytest.approx(found[1].factors["town"])
    standardised = (columns[:, 1:] - columns[:, 1:].mean(axis=0)) / columns[:, 1:].std(axis=0)
    assert found[1].condition == pytest.approx(np.linalg.cond(standardised))


def test_near_collinear_columns_are_told_once(model, frame):
    """With factors and condition number, before a fit too; related columns that can be told apart are not."""
    frame["years"] = frame["age"] * 2 + np.arange(200) % 3
    design = design_arrays(model, Survey(frame, "memory", "t"))
    (told,) = inflated_columns(model, design)
    assert told.startswith("mood: age (")
    assert "condition number" in told
    with pytest.warns(sp.errors.SurveyWarning, match="nearly follow from the others"):
        read_survey(frame, model)
    frame["years"] = frame["age"] + np.random.default_rng(0).integers(-30, 30, 200)
    assert list(inflated_columns(model, design_arrays(model, Survey(frame, "memory", "t")))) == []


def test_those_who_did_not_come_back_are_compared(model, frame):
    """By the last wave, by the responses where there are no waves, or with moments that are known."""
    frame[["mood", "visits"]] = frame[["mood", "visits"]].astype(float)
    frame.loc[150:, ["mood", "visits"]] = np.nan
    found = sp.check(frame, model)
    assert found.responders["variable"].tolist() == ["walks", "age", "years", "town"]
    assert found.responders["n_nonresponders"].unique().tolist() == [50]
    absent = NonResponders(30, "a report", moments=(Moment("age", 60.0, 10.0), Moment("years", 3.0)))
    known = sp.check(frame, model, nonresponders=absent)
    assert known.responders["variable"].tolist() == ["age"]
    assert known.nonresponders == "a report"


def test_rare_patterns_cannot_be_worked_out():
    """Those of fewer than ten patients are pooled with at least one other, of ten patients together at least."""
    for counts, shown in (([90, 20, 4], 1), ([90, 4, 3, 2], 0), ([90, 30, 6, 5], 2), ([90, 30], 2), ([3], 0)):
        patterns = pd.DataFrame({"missing": "x", "columns": 1, "patients": counts})
        kept, pooled = _pooled(patterns)
        assert len(kept) == shown
        assert len(kept) + len(pooled) == len(counts)


def test_the_study_is_checked(capsys):
    """Without a file: Table 2, the article's tests, and which of them come back."""
    assert main(["check", "--model", "primary"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert re.search(r"t\(628\) = -3\.[12]\d", printed)
    assert re.search(r"F\(1, 177\) = 9\.[1-7]", printed)  # 9.10 to 9.73 by the rounding of the printed moments
    for words in ("does not come back", "no problem and no warning"):
        assert words in printed
    assert "significant" not in printed
    assert main(["check", "x.csv", "--reconstruction", "2"]) == 2
    assert main(["check", "--nonresponders", "x.csv"]) == 2


def test_a_check_shows_itself_shortly(model, frame):
    """In a console and in a notebook: what was found, and each variable; nothing is taken for HTML."""
    found = sp.check(frame.rename(columns={"years": "<b>years"}), model)
    assert repr(found).startswith("SurveyCheck: the data frame, 200 rows for the specification")
    assert len(repr(found).splitlines()) < 20
    assert "<b>years" not in found._repr_html_()


def test_a_category_of_numbers_has_no_mean(model, frame):
    """The numbers of towns are names: their count is given, as in the table of a fit."""
    row = next(line for line in repr(sp.check(frame, model)).splitlines() if line.startswith("town"))
    assert row.split() == ["town", "200", "0", "3"]


def test_the_example_survey_is_checked_by_its_codebook(tmp_path, capsys):
    """Scores stand for their items; waves are the codebook's; what does not fit it is said, and the file shown."""
    folder = tmp_path / "example"
    assert main(["example", "--out", str(folder)]) == 0
    book = str(folder / "codebook.toml")
    found = sp.check(folder / "survey.csv", codebook=book)
    assert found.passed
    assert found.repeated["variable"].tolist() == ["belonging", "visits", "loneliness", "groups"]
    assert found.responders["n_nonresponders"].max() == 26
    assert not any("lonely1_t0" in row for row in found.correlations["row"])
    assert main(["check", str(folder / "survey.sav"), "--codebook", book]) == 0
    frame = pd.read_csv(folder / "survey.csv", sep=None, engine="python", dtype=str)
    frame.loc[4, "Q5_1_T0"] = "17"
    frame.to_csv(folder / "bad.csv", index=False)
    bad = sp.check(folder / "bad.csv", codebook=book)
    assert not bad.passed
    assert any("Q5_1_T0" in problem and "row 6" in problem for problem in bad.problems)
    assert len(bad.moments) > 30
    capsys.readouterr()
    assert main(["check", "--codebook", book]) == 2
    assert "--codebook: goes with FILE" in capsys.readouterr().err
