"""``compare`` and ``priors``: what they refuse, what they keep and reuse, and their exit status."""

from __future__ import annotations

import re
import tomllib

import pandas as pd
import pytest
import tomli_w
from matplotlib.figure import Figure

from bayes_sp.cli.main import NOT_TRUSTWORTHY, OK, USER_MISTAKE, main
from bayes_sp.errors import FitWarning
from bayes_sp.report.folders.compared import Wanted, is_same
from bayes_sp.report.folders.disclosed import disclosed
from bayes_sp.report.folders.finished import read_run
from bayes_sp.report.text import models as report

QUICK = ["--data", "clinic.csv", "--method", "laplace"]


@pytest.fixture
def clinic(in_folder, small_tables, make_user_survey):
    """Work in a folder with two specifications and a survey of one's own."""
    (in_folder / "own.toml").write_text(tomli_w.dumps(small_tables), encoding="utf-8")
    small_tables["title"] = "Without age"
    del small_tables["covariates"]["age"]
    (in_folder / "less.toml").write_text(tomli_w.dumps(small_tables), encoding="utf-8")
    make_user_survey(100).records.to_csv(in_folder / "clinic.csv", index=False)
    return in_folder


def warned(arguments: list[str]) -> int:
    """Return the status of a command that says beforehand that its draws are too few."""
    with pytest.warns(FitWarning, match="these results will not be usable"):
        return main(arguments)


@pytest.mark.slow
def test_specifications_are_fitted_saved_and_taken_again(clinic, capsys, monkeypatch):
    """One run for each, one comparison; the second time nothing is fitted."""
    arguments = ["compare", "own.toml", "less.toml", *QUICK, "--out", "both", "--bootstrap", "50"]
    assert main(arguments) == OK
    first = capsys.readouterr().out
    assert "Taken from" not in first
    runs = [path for path in (clinic / "both").iterdir() if path.is_dir()]
    assert sorted(re.sub("-.*", "", path.name) for path in runs) == ["less", "own"]
    assert all(read_run(path).info["verdict"]["trustworthy"] for path in runs)
    table = pd.read_csv(clinic / "both" / "compare.csv")
    own = read_run(next(path for path in runs if path.name.startswith("own"))).effects
    total = own.query("path == 'total' and scale == 'difference'").iloc[0]
    row = table.query("specification == 'own' and effect == 'total' and scale == 'difference'").iloc[0]
    assert row["mean"] == pytest.approx(total["mean"], rel=1e-9)
    assert table.query("specification == 'less'")["elpd_difference"].notna().all()  # the same visits, other columns
    kept = (clinic / "both" / "compare.txt").read_text(encoding="utf-8")
    assert first.split("\n\n")[1].splitlines()[1].strip() in kept
    assert first.endswith("\nSaved in both; --verbose prints all of its compare.txt\n")
    assert (clinic / "both" / "compare.png").stat().st_size > 10_000
    assert [one.path for one in disclosed(clinic / "both") if one.findings] == []

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(report, "analyse", fail)
    monkeypatch.setattr("bayes_sp.analysis.fit.Fit.loo", fail)
    monkeypatch.setattr(report, "read_run", fail)  # not even the draws are read
    assert main([*arguments, "--overwrite", "--cores", "1"]) == OK
    again = capsys.readouterr().out
    assert again.count("Taken from a finished run: ") == 2
    assert first.splitlines() == [line for line in again.splitlines() if not line.startswith("Taken from")]
    pd.testing.assert_frame_equal(pd.read_csv(clinic / "both" / "compare.csv"), table)


@pytest.mark.slow
def test_a_specification_that_is_new_is_fitted_and_compared_with_the_first(clinic, capsys, small_tables):
    """What is kept of the others is taken; the first one's draws are read, since elpd is compared by patient."""
    assert main(["compare", "own.toml", "less.toml", *QUICK, "--bootstrap", "0"]) == OK
    small_tables["title"] = "Without housing"
    del small_tables["covariates"]["housing"]
    (clinic / "third.toml").write_text(tomli_w.dumps(small_tables), encoding="utf-8")
    capsys.readouterr()
    names = ["own.toml", "less.toml", "third.toml"]
    assert main(["compare", *names, *QUICK, "--bootstrap", "0"]) == OK
    assert capsys.readouterr().out.count("Taken from a finished run: ") == 2
    tables = [pd.read_csv(clinic / "runs" / name / "compare.csv") for name in ("compare-1-2", "compare-1")]
    both = [table[table["specification"] != "third"].reset_index(drop=True) for table in tables]
    pd.testing.assert_frame_equal(*both)
    assert tables[0].query("specification == 'third'")["elpd_difference"].notna().all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["own.toml", "--data", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["own.toml", "--out", "taken"], "holds thesis.txt, which no comparison wrote"),
        (["own.toml", "--out", "clinic.csv"], "clinic.csv: is not a folder"),
        (["own.toml", "--out", "lost"], "lost: is not a folder"),
        (["own.toml", "--out", "x" * 255], "cannot be written (File name too long)"),
        (["own.toml", "--data", "clinic.csv", "--reconstruction", "2"], "--reconstruction: goes without --data"),
        (["own.toml", "--data", "clinic.csv", "--overwrite"], "--overwrite: replaces what is in --out"),
        (["own.toml", "nosuch", "broken.toml", "--data", "clinic.csv"], "  - nosuch: is neither a shipped"),
        (
            ["own.toml", "broken.toml", "nosuch", "--data", "clinic.csv", "--out", "new/deep"],
            "  - broken.toml: title: ",
        ),
        (["own.toml", "primary", "--data", "clinic.csv"], 'primary: column "belonging_t1" is missing'),
        (["primary", "own.toml"], "own.toml: needs your records: name their file with --data"),
    ],
)
def test_a_comparison_that_cannot_start_is_refused(clinic, capsys, arguments, words):
    """Before anything is fitted, with nothing written."""
    (clinic / "taken").mkdir()
    (clinic / "taken" / "thesis.txt").touch()
    (clinic / "lost").symlink_to("nowhere")
    (clinic / "broken.toml").write_text("title = 1", encoding="utf-8")
    before = sorted(clinic.rglob("*"))
    assert main(["compare", *arguments]) == USER_MISTAKE
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""
    assert sorted(clinic.rglob("*")) == before


def test_a_fit_that_cannot_be_used_ends_with_status_3(clinic, capsys):
    """Too few draws: the table says NO, the runs are kept, and scripts see the status."""
    arguments = [
        "compare",
        "own.toml",
        "--data",
        "clinic.csv",
        "--out",
        "few",
        "--draws",
        "40",
        "--chains",
        "2",
        "--verbose",
    ]
    assert warned(arguments) == NOT_TRUSTWORTHY
    printed = capsys.readouterr().out
    assert re.search(r"own +negative binomial +0 +NO", printed)
    assert "DO NOT USE THESE RESULTS" in printed


@pytest.mark.slow
def test_a_run_without_draws_of_missing_cells_is_fitted_again(clinic, capsys):
    """Effects average over them; a run with records has them, and a second comparison writes no second run."""
    rows = (clinic / "clinic.csv").read_text(encoding="utf-8").splitlines()
    place = rows[0].split(",").index("age")
    cells = [row.split(",") for row in rows]
    for row in cells[1:6]:
        row[place] = ""
    (clinic / "clinic.csv").write_text("\n".join(",".join(row) for row in cells), encoding="utf-8")
    few = ["--data", "clinic.csv", "--draws", "50", "--bootstrap", "0"]
    assert warned(["fit", "own.toml", *few]) == NOT_TRUSTWORTHY
    compared = ["compare", "own.toml", *few, "--out", "one", "--overwrite"]
    for command in (warned, main):  # the second time the comparison itself is read, and nothing fitted
        capsys.readouterr()
        assert command(compared) == NOT_TRUSTWORTHY
        printed = " ".join(capsys.readouterr().out.split())
        assert command is main or re.search(
            r"Fitted again: own\. \S+ does not keep draws of missing cells of age\.", printed
        )
        assert "not fitted" not in printed
        assert len([path for path in (clinic / "one").iterdir() if path.is_dir()]) <= 1
    assert warned(["fit", "own.toml", *few, "--keep-records", "--out", "runs/whole"]) == NOT_TRUSTWORTHY
    assert main(["compare", "own.toml", *few, "--out", "two"]) == NOT_TRUSTWORTHY
    assert "Taken from a finished run: own from " in capsys.readouterr().out


def test_another_seed_or_other_records_are_another_run(clinic):
    """A run is taken only where everything that its draws depend on is the same."""
    from bayes_sp.design.read import read_survey
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.model.reading.load import load_model

    few = ["--bootstrap", "0", "--draws", "50"]
    assert warned(["fit", "own.toml", "--data", "clinic.csv", "--out", "run", *few]) == NOT_TRUSTWORTHY
    model = load_model("own.toml")
    survey, options = read_survey("clinic.csv", model), SamplerOptions(draws=50)
    run = clinic / "run"
    assert is_same(run, Wanted(model, survey, 1, options))
    assert is_same(run, Wanted(model, survey, 1, SamplerOptions(draws=50, cores=1)))
    assert not is_same(run, Wanted(model, survey, 2, options))
    assert not is_same(run, Wanted(model, survey, 1, SamplerOptions(draws=51)))
    assert not is_same(run, Wanted(load_model("less.toml"), survey, 1, options))
    text = (clinic / "clinic.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (clinic / "clinic.csv").write_text("".join(text[:-1]), encoding="utf-8")
    assert not is_same(run, Wanted(model, read_survey("clinic.csv", model), 1, options))
    (run / "run.toml").write_text("x = ", encoding="utf-8")
    assert not is_same(run, Wanted(model, survey, 1, options))


@pytest.mark.slow
def test_a_checked_fit_says_and_keeps_its_criticism(clinic, capsys):
    """``--check`` adds sections to the summary and files to the run; ``run.toml`` has the time that it took."""
    arguments = "fit own.toml --data clinic.csv --out run --bootstrap 0 --check --verbose"
    assert main(arguments.split()) == OK
    printed = capsys.readouterr().out
    assert "Would the model have produced these records?" in printed
    assert "Does one patient carry the result?" in printed
    assert {"predictive.csv", "loo.csv", "predictive.png", "loo_pit.png"} < {
        path.name for path in (clinic / "run").iterdir()
    }
    assert "criticism" in tomllib.loads((clinic / "run" / "run.toml").read_text(encoding="utf-8"))["seconds"]


def test_priors_are_told_and_drawn(clinic, capsys):
    """Before any fit; the figure only where it was asked for."""
    assert main(["priors", "own.toml", "--data", "clinic.csv"]) == OK
    assert "mean over patients below 0" in capsys.readouterr().out
    assert not list(clinic.glob("*.png"))
    assert main(["priors", "own.toml", "--data", "clinic.csv", "--figure", "priors.png"]) == OK
    assert capsys.readouterr().out.endswith("\nSaved priors.png\n")
    assert (clinic / "priors.png").stat().st_size > 10_000
    first = (clinic / "priors.png").read_bytes()
    for figure, words in (("nowhere/priors.png", "cannot be written"), ("priors.png", "exists already"),
                          ("clinic.csv", "exists already"), (".", "is a folder; name a file")):  # fmt: skip
        assert main(["priors", "own.toml", "--data", "clinic.csv", "--figure", figure]) == USER_MISTAKE
        captured = capsys.readouterr()
        assert (captured.out, f"{figure}: {words}" in captured.err) == ("", True)
    assert main(["priors", "own.toml", "--data", "clinic.csv", "--figure", "priors.png", "--overwrite"]) == OK
    assert (clinic / "priors.png").read_bytes() == first
    assert main(["priors", "own.toml", "--data", "clinic.csv", "--overwrite"]) == USER_MISTAKE
    assert sorted(path.name for path in clinic.iterdir()) == ["clinic.csv", "less.toml", "own.toml", "priors.png"]


def test_two_comparisons_at_once_keep_both(clinic, monkeypatch):
    """The second to end finds a comparison in its folder that was not there before, and goes beside it."""
    from bayes_sp.analysis.comparison.models import multiverse
    from bayes_sp.report.folders.models import new_comparison_folder, save_comparison

    monkeypatch.setattr("bayes_sp.report.folders.models.plot_models", lambda _: Figure())
    found = multiverse([])
    with new_comparison_folder(None, 1) as one, new_comparison_folder(None, 1) as two:
        assert (str(one), str(two)) == ("runs/compare-1", "runs/compare-1-2")
        assert save_comparison(found, one, "one", {}) == one
        assert save_comparison(found, one, "also one", {}) == clinic.relative_to(clinic) / "runs" / "compare-1-3"
        assert save_comparison(found, one, "again", {}, overwrite=True) == one
    assert sorted(path.name for path in (clinic / "runs").iterdir()) == ["compare-1", "compare-1-3"]
    texts = [
        (clinic / "runs" / name / "compare.txt").read_text(encoding="utf-8") for name in ("compare-1", "compare-1-3")
    ]
    assert texts == ["again", "also one"]
    assert all(len(list(path.iterdir())) == 4 for path in (clinic / "runs").iterdir())
