"""A synthetic table has the moments and scales of the records, and none of its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import bayes_sp as sp
from bayes_sp.cli.main import main
from bayes_sp.errors import SurveyError
from bayes_sp.records.survey import Survey
from bayes_sp.records.synthetic.disclosure import nearness
from bayes_sp.records.synthetic.margins import scale_of

FORMULAS = ("mood ~ walks + age + C(housing)", "visits ~ walks + mood + age + visits_before + C(housing)")


@pytest.fixture
def survey(make_user_survey) -> Survey:
    return make_user_survey(300, 2)


@pytest.mark.fixed_seed
def test_least_squares_on_it_gives_the_coefficients_of_the_records(survey):
    """Of both equations, to a tenth of their standard errors; so do means, SDs and shares of categories."""
    made = sp.synthesize(survey, categories=["housing"], seed=3)
    for formula in FORMULAS:
        own, new = smf.ols(formula, survey.records).fit(), smf.ols(formula, made.records).fit()
        assert (np.abs(new.params - own.params) < 0.25 * own.bse).all()
        np.testing.assert_allclose(new.bse, own.bse, rtol=0.05)
    numbers = ["walks", "mood", "visits", "age", "visits_before"]
    own, new = survey.records[numbers], made.records[numbers]
    assert (np.abs(new.mean() - own.mean()) < 0.01 * own.std()).all()
    np.testing.assert_allclose(new.std(), own.std(), rtol=0.01)
    assert made.records["housing"].value_counts().to_dict() == survey.records["housing"].value_counts().to_dict()
    assert made.origin == "simulation"
    assert made.nearness.replicated == 0
    assert made.nearness.unique == 300


def test_a_data_frame_is_read_as_everywhere_else(survey):
    """The same table as of the survey that it is read as."""
    frame = survey.records[["walks", "mood", "visits"]]
    made = sp.synthesize(frame, seed=2).records
    pd.testing.assert_frame_equal(made, sp.synthesize(sp.read_survey(frame), seed=2).records)


def test_scales_stay_and_single_values_do_not(survey):
    """Whole numbers stay whole, tenths tenths, two values two; a patient's extreme value is on no scale."""
    records = survey.records.assign(two=np.where(np.arange(300) % 3, 2.5, 7.0), odd=np.arange(300) % 4 * 2 + 1)
    records.loc[0, ["visits", "mood"]] = 73, 9.73
    made = sp.synthesize(replace(survey, records=records), seed=1).records
    assert set(made["two"]) == {2.5, 7.0}
    assert set(made["odd"]) == {1, 3, 5, 7}
    assert made["visits"].dtype == int
    assert made["visits"].min() >= 0
    assert scale_of(records["visits"].to_numpy(dtype=float)).high == 80
    assert set(made["walks"]) <= set(range(8))
    mood = records["mood"].drop(0).to_numpy()
    assert scale_of(mood).step == pytest.approx(0.1)


def test_cells_are_missing_as_often_and_where_the_same_values_are(survey):
    """What goes together with a missing cell still does; few missing cells are filled."""
    rng = np.random.default_rng(1)
    records = survey.records.copy()
    gone = rng.random(300) < 1 / (1 + np.exp(2.5 - 0.05 * (records["age"] - 20)))
    records["mood"] = records["mood"].mask(gone)
    records.loc[:3, "visits"] = np.nan
    made = sp.synthesize(replace(survey, records=records), seed=1).records
    assert made["mood"].isna().sum() == gone.sum()
    assert not made["visits"].isna().any()
    apart = [
        table.loc[table["mood"].isna(), "age"].mean() - table["age"].mean() for table in (records.astype(float), made)
    ]
    assert apart[1] == pytest.approx(apart[0], abs=1.0)


def test_copies_are_found():
    """A table that holds records says so."""
    rng = np.random.default_rng(1)
    records = pd.DataFrame(rng.normal(size=(50, 3)))
    found = nearness(records, records.iloc[:7])
    assert (found.replicated, found.unique, found.near) == (7, 50, True)
    far = nearness(records, records + 9.0)
    assert (far.replicated, far.near) == (0, False)


def test_what_cannot_be_made_is_refused_or_left_out(survey):
    """A wrong name, few records; words and rare values are named in the note."""
    with pytest.raises(SurveyError, match=r'"mod" is missing; did you mean "mood"'):
        sp.synthesize(survey, ["mod"])
    with pytest.raises(SurveyError, match="at least 20"):
        sp.synthesize(replace(survey, records=survey.records.head(19)))
    records = survey.records.assign(name=[f"patient {i}" for i in range(300)], rare=(np.arange(300) < 4).astype(int))
    made = sp.synthesize(replace(survey, records=records))
    assert not {"name", "rare"} & set(made.records)
    assert "Left out: name" in made.note
    assert "rare (" in made.note


def test_the_command_writes_a_table_that_says_what_it_is(survey, in_folder, capsys):
    """Table and note, or nothing; read back it is no survey of patients."""
    survey.records.assign(practice=np.resize(["Elm", "=Oak"], 300)).to_csv("own.csv", index=False)
    assert main(["synthesize", "own.csv", "--out", "new.csv", "--seed", "4"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("SYNTHETIC: no patient stands behind a row.")
    note = (in_folder / "new.csv.note.txt").read_text(encoding="utf-8")
    assert " ".join(note.split()) in " ".join(said.split())
    back = sp.read_survey("new.csv")
    assert back.origin == "simulation"
    assert back.mark.startswith("300 records from a synthetic table from the moments of 300 records (seed 4)")
    assert set(back.records["practice"]) == {"Elm", "=Oak"}
    assert main(["synthesize", "own.csv", "--out", "new.csv"]) == 2
    assert main(["synthesize", "own.csv", "--out", "."]) == 2
    assert main(["synthesize", "own.csv", "--out", "own.csv", "--overwrite"]) == 2
    assert main(["synthesize", "own.csv", "--columns", "mod", "--out", "third.csv"]) == 2
    assert not list(in_folder.glob("third*"))
