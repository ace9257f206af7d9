"""Data sets that multiple imputation completed: one long file, or a file for each."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.cli.main import OK, USER_MISTAKE, main
from bayes_sp.design.read import read_sets
from bayes_sp.errors import SurveyError, SurveyWarning
from bayes_sp.report.folders.finished import read_run

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
MODEL = sp.load_model(EXAMPLES / "walks.toml")
FEW = sp.SamplerOptions(draws=1000, cores=1, method="laplace")
SETS = 3


def completed(column: str = ".imp", original: bool = True) -> pd.DataFrame:
    """Return a long table: the staff survey with holes in its sleep (0), and thrice with these filled at random."""
    staff, rng = pd.read_csv(EXAMPLES / "staff.csv"), np.random.default_rng(4)
    holes = rng.random(len(staff)) < 0.2
    parts = [staff.assign(sleep=staff["sleep"].mask(holes), **{column: 0})] if original else []
    for number in range(1, SETS + 1):
        filled = staff["sleep"].mask(holes, pd.Series(rng.permutation(staff["sleep"])))
        parts.append(staff.assign(sleep=filled, **{column: number}))
    return pd.concat(parts, ignore_index=True)


def draws(fit: sp.Fit) -> np.ndarray:
    return fit.effects().columns()


def test_a_long_table_is_the_list_of_its_sets():
    """The same draws from the column as from a list; the original is left out, and that is said."""
    table = completed()
    found = sp.fit(MODEL, table, imputations=".imp", options=FEW)
    parts = [own.drop(columns=".imp") for number, own in table.groupby(".imp") if number]
    listed = sp.fit(MODEL, parts, options=FEW)
    np.testing.assert_array_equal(draws(found), draws(listed))
    assert found.survey.mark.endswith("(3 imputations by .imp; the original, .imp = 0, is left out)")
    share = found.shares().set_index(["path", "scale", "decomposition"])["share"]
    assert 0 < share.loc["walks_per_week -> sleep -> days_off", "difference", "average"] < 1
    assert "should be 41 % larger" in repr(found)  # sqrt(4 / 2) for three sets


@pytest.mark.parametrize("column", [".imp", "_mi_m", "Imputation_"])
def test_a_long_file_is_not_taken_for_so_many_people(column, tmp_path):
    """The columns of mice, Stata and SPSS are known; without being named they are warned of, and then not."""
    completed(column, original=column != "_mi_m").to_csv(tmp_path / "long.csv", index=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sp.read_survey(tmp_path / "long.csv", MODEL)
    assert all(issubclass(one.category, SurveyWarning) for one in caught)
    assert any("numbers the completed data sets" in str(w.message) and column in str(w.message) for w in caught)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sets = read_sets([tmp_path / "long.csv"], MODEL, imputations=column)
    assert len(sets.each) == SETS
    assert len(sets) == 150
    assert ("left out" in sets.mark) == (column != "_mi_m")
    assert sets.set_labels[0] == "long.csv, imputation 1"


def test_mistakes_of_a_long_file_are_named():
    """A column that is not there or numbers nothing, sets of different people, a single one, a wrong cell."""
    table = completed()
    for wrong, words in (
        (table.rename(columns={".imp": "imp"}), 'has no column ".imp" of imputations; did you mean "imp"'),
        (table.assign(**{".imp": table[".imp"] + 0.5}), "must be the number of a completed data set"),
        (table.iloc[:-2], "every completed set must hold the same people; 150 rows are usual, 3 has 148"),
        (table[table[".imp"] < 2], "numbers 1 completed data sets; 2 or more are pooled"),
    ):
        with pytest.raises(SurveyError, match="imp") as caught:
            read_sets([wrong], MODEL, imputations=".imp")
        assert words in str(caught.value)
    table.loc[200, "days_off"] = -1
    with pytest.raises(SurveyError, match=r"days_off.*row 200"):
        read_sets([table], MODEL, imputations=".imp")


@pytest.mark.slow
def test_several_files_on_the_command_line(in_folder, capsys):
    """Each file is a set; the run holds the shares of variance, each set's effects and Rubin's rules."""
    for number, own in completed(original=False).groupby(".imp"):
        own.drop(columns=".imp").to_csv(f"imputed{number}.csv", index=False)
    model = str(EXAMPLES / "walks.toml")
    files = [word for number in range(1, SETS + 1) for word in ("--data", f"imputed{number}.csv")]
    arguments = [
        "fit",
        model,
        *files,
        "--method",
        "laplace",
        "--bootstrap",
        "90",
        "--out",
        "run",
        "--keep-records",
        "--verbose",
    ]
    assert main([*arguments, "--keep-records", "--verbose"]) == OK
    printed = capsys.readouterr().out
    assert "Data: 150 records from 3 sets of records: imputed1.csv, imputed2.csv, imputed3.csv.\n" in printed
    assert "What comes from not having the cells that were imputed: 3 sets of records" in printed
    assert "reconstruct" not in printed
    run = read_run("run")
    assert run.info["data"]["sets"] == ["imputed1.csv", "imputed2.csv", "imputed3.csv"]
    assert set(run.members["member"]) == {1, 2, 3}
    assert run.pooled["share"].between(0, 1).all()
    rules = pd.read_csv("run/rubin.csv")
    assert (rules["se"] ** 2).to_numpy() == pytest.approx(
        (rules["within_sd"] ** 2 + (1 + 1 / SETS) * rules["between_sd"] ** 2).to_numpy()
    )
    assert len(pd.read_csv("run/records.csv")) == 150 * SETS
    assert main(["fit", model, "--imputations", ".imp"]) == USER_MISTAKE
    assert "--imputations: goes with --data" in capsys.readouterr().err
