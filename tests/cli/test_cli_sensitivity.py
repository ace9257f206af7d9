"""``sensitivity``: what it refuses, what it makes, what it keeps, and its exit status."""

from __future__ import annotations

import importlib.util
import re
import tomllib

import pandas as pd
import pytest
import tomli_w
from scripted import RESPONSES, Scripted, chain_records, chain_tables, fits_made_once, scripted_places

from bayes_sp.cli.arguments import MOST
from bayes_sp.cli.main import NOT_TRUSTWORTHY, OK, USER_MISTAKE, _parser, _parts, main
from bayes_sp.errors import RunnerError
from bayes_sp.names import PARTS
from bayes_sp.shown import WIDTH

OWN = ["sensitivity", "own.toml", "--data", "clinic.csv"]
FEW = ["--priors", "few.toml"]  # the default grid has 30 cells and a figure more
SAMPLER = ["--draws", "1000", "--tune", "500", "--chains", "4", "--cores", "2", "--workers", "1"]


@pytest.fixture(scope="module", autouse=True)
def _fits_made_once():
    with fits_made_once():
        yield


@pytest.fixture
def clinic(in_folder, monkeypatch):
    """Work in a folder with a specification and a survey of one's own; refits are answered by a formula."""
    (in_folder / "own.toml").write_text(tomli_w.dumps(chain_tables()), encoding="utf-8")
    few = {"title": "Few", "named": ["sceptical", "wide"]}
    (in_folder / "few.toml").write_text(tomli_w.dumps(few), encoding="utf-8")
    chain_records().to_csv(in_folder / "clinic.csv", index=False)
    monkeypatch.setattr("bayes_sp.analysis.batch.runner.fitted_here", scripted_places(Scripted()))
    return in_folder


@pytest.fixture
def gaps(clinic):
    """Return the survey's name where 40 patients did not come back."""
    records = chain_records()
    for name in (RESPONSES[0], RESPONSES[2]):
        records[name] = records[name].astype(object)
        records.loc[160:, name] = ""
    records.to_csv(clinic / "gaps.csv", index=False)
    return "gaps.csv"


def refusal(capsys, *arguments: str) -> str:
    """Return the message of a command that ends with a user's mistake and prints nothing else."""
    assert main(arguments) == USER_MISTAKE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert any(line.startswith("bayes_sp: ") for line in captured.err.splitlines())
    assert "Traceback" not in captured.err
    return captured.err


def made(capsys, *arguments: str, status: int = OK) -> str:
    """Return what a command prints that ends with this status."""
    assert main([*arguments, *SAMPLER, "--verbose"]) == status
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= WIDTH
    return printed


def test_every_part_has_an_option():
    """And is made with ``--all``."""
    options = _parser().parse_args(["sensitivity", "--all"])
    assert not set(PARTS) - set(vars(options)), "an option in `add_sensitivity` of cli/arguments.py"
    assert _parts(options) == PARTS


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], f"name the analyses that you want: --{', --'.join(PARTS)}, or --all"),
        (["--nonresponders", "others.csv", "--kappa"], "--nonresponders: goes with --attrition or --all"),
        (["--attrition", "--nonresponders", "nowhere.csv"], "nowhere.csv: is not a file"),
        (["--all", "--nonresponders", "bad.csv"], 'column "age" is missing'),
        (["--all", "--nonresponders", "bad.toml"], "n: must be a whole number of at least 1"),
        (["--kappa", "--effect", "walks -> moods -> visits"], 'did you mean "walks -> mood -> visits"?'),
        (["--kappa", "--reconstruction", "2"], "--reconstruction: goes without --data"),
        (["--kappa", "--out", "taken"], "taken: exists already; name another folder with --out, or add --overwrite"),
        (["--kappa", "--out", "taken", "--overwrite"], "taken: is not the folder of a run"),
        (["--kappa", "--out", "clinic.csv/x"], "clinic.csv is not a folder that you may write to"),
        (["--kappa", "--overwrite"], "--overwrite: replaces what is in --out: name that folder"),
        (["--kappa", "--cells", "clinic.csv"], "clinic.csv: is not a folder that you may write to"),
        (["--kappa", "--cells", "x" * 300], "cannot be written (File name too long)"),
        (["--priors", "nowhere.toml"], '"nowhere.toml": is neither a shipped grid of priors nor the path'),
        (
            ["--priors", "own.toml"],
            "own.toml: is a specification and not a grid of priors; to analyse it, name it before",
        ),
        (["--priors", "primary"], '"primary": is a specification and not a grid of priors'),
        (["--priors", "broken.toml"], "broken.toml: is not valid TOML"),
        (["--attrition"], "clinic.csv: nothing is known of patients who did not come back"),
    ],
)
def test_what_cannot_start_is_refused(clinic, capsys, arguments, words):
    """With status 2, in one message, and nothing written."""
    (clinic / "taken").mkdir()
    (clinic / "taken" / "thesis.txt").touch()
    (clinic / "broken.toml").write_text("title", encoding="utf-8")
    (clinic / "others.csv").write_text("age,before\n40,1\n", encoding="utf-8")
    (clinic / "bad.csv").write_text("before\n1\n", encoding="utf-8")
    (clinic / "bad.toml").write_text('n = 0\nsource = "a"\n[moments]\nage = { mean = 1 }\n', encoding="utf-8")
    before = sorted(clinic.rglob("*"))
    assert words in refusal(capsys, *OWN, *arguments, *SAMPLER)
    assert sorted(clinic.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch", "--kappa"], '"nosuch": is neither a shipped specification nor the path of a TOML file'),
        (["own.toml", "--kappa"], "own: needs your records: name their file with --data"),
        (["own.toml", "--kappa", "--data", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["own.toml", "--kappa", "--data", "empty.csv"], "empty.csv"),
    ],
)
def test_a_wrong_model_or_survey_is_refused(clinic, capsys, arguments, words):
    """As with every command."""
    (clinic / "empty.csv").touch()
    assert words in refusal(capsys, "sensitivity", *arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "0"], "--workers: must be a whole number from 1"),
        (["--kapa"], "unrecognized arguments: --kapa"),
        (["--nonrespond", "x"], "unrecognized arguments: --nonrespond"),
        (["--seed", str(MOST + 1)], "--seed: must be a whole number"),
        (["--cells", ""], "--cells: must name a file or folder"),
    ],
)
def test_wrong_options_end_with_status_2(arguments, words, capsys):
    """Told with what would be right; no option is abbreviated."""
    with pytest.raises(SystemExit) as stop:
        main(["sensitivity", *arguments])
    assert stop.value.code == USER_MISTAKE
    assert words in capsys.readouterr().err


def test_every_mistake_of_a_grid_is_named(clinic, capsys):
    """All at once, each with its key and the nearest known name."""
    grid = {
        "titel": "A grid",
        "named": ["sceptcal"],
        "cross": {"slpe.sigma": [1.0], "slope.sigma": [-1.0], "phi.sigma": []},
        "scale": {"path": [1.0]},
        "alternative": [{"name": "colleague", "priors": {"slope": {"dist": "normal", "mu": 0.0, "sigma": 1.0}}}],
    }
    (clinic / "grid.toml").write_text(tomli_w.dumps(grid), encoding="utf-8")
    message = refusal(capsys, *OWN, "--priors", "grid.toml")
    for words in ("title", 'did you mean "sceptical"?', "slpe.sigma", "cross.slope.sigma", "phi.sigma", "scale.path",
                  "alternative[1].why", "titel"):  # fmt: skip
        assert words in message
    assert re.search(r"grid.toml: \d+ problems", message)


def test_nothing_is_announced_before_a_refusal(clinic, capsys):
    """Where nothing is known of those who did not come back, and nothing else is asked, no minutes are announced."""
    message = refusal(capsys, *OWN, "--attrition", *SAMPLER)
    assert "minutes" not in message
    assert "fitted" not in message
    assert not list(clinic.rglob("summary.txt"))


@pytest.mark.parametrize("parts", [pytest.param(["--priors"], marks=pytest.mark.slow), ["--all"]])
def test_a_scheduler_that_cannot_be_used_is_a_mistake(clinic, capsys, parts):
    """Also where other analyses could go on: status 2, and a message that says what to do."""
    message = refusal(capsys, *OWN, *parts, "--scheduler", "127.0.0.1:nowhere", *SAMPLER)
    missing = importlib.util.find_spec("distributed") is None
    assert ("pip install 'bayes_sp[dask]'" if missing else "give tcp://host:port") in message
    assert not list(clinic.rglob("summary.txt"))


def test_a_cluster_that_is_lost_on_the_way_keeps_what_was_finished(clinic, capsys, monkeypatch):
    """Status 3, as something is written by then; the answers are there for the next start."""

    def lost(cells, _cores):
        places = scripted_places(Scripted())(cells[:3], 1)
        yield from places
        raise RunnerError("the cluster", ["was lost; start again"])

    monkeypatch.setattr("bayes_sp.analysis.batch.runner.fitted_here", lost)
    assert main([*OWN, "--all", "--cells", "kept", *SAMPLER]) == NOT_TRUSTWORTHY
    message = capsys.readouterr().err
    assert "was lost; start again" in message
    assert "finished fits are kept in kept; the same command goes on there" in message
    assert len(list((clinic / "kept").iterdir())) == 3


# --- what is made -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_all_parts_of_ones_own_survey(clinic, capsys):
    """Status 0; attrition, of which nothing is known, has its reason; the folder holds what was printed."""
    printed = made(capsys, *OWN, "--all", "--out", "what_if", "--verbose")
    assert "Not done, attrition: nothing is known of patients who did not come back" in printed
    for title in (
        "1. Other priors",
        "2. Kappa: what a mediator's",
        "3. A confounder that nobody measured",
        "4. Patients who did not",
    ):
        assert f"\n{title}" in printed
    for word in ("reconstruct", "belonging", "loneliness", "appointment", "article", "published"):
        assert word not in printed.lower()
    assert printed.endswith("\nSaved in what_if\n")
    assert (clinic / "what_if" / "summary.txt").read_text(encoding="utf-8") + "\nSaved in what_if\n" == printed
    assert {"findings.csv", "prior_grid.png", "kappa.png", "confounding.png"} <= {
        p.name for p in (clinic / "what_if").iterdir()
    }
    assert "exists already" in refusal(capsys, *OWN, "--kappa", "--out", "what_if")
    again = made(capsys, *OWN, "--kappa", "--out", "what_if", "--overwrite", "--verbose")
    assert "1. Kappa: what a mediator's" in again
    assert not (clinic / "what_if" / "prior_grid.png").exists()


@pytest.mark.parametrize(
    ("option", "files"),
    [
        pytest.param("--priors", "prior_tipping.csv", marks=pytest.mark.slow),
        ("--kappa", "kappa.csv"),
        ("--confounding", "confounding.csv"),
    ],
)
def test_each_part_alone(clinic, capsys, option, files):
    """In the default folder, named after model, data and seed."""
    made(capsys, *OWN, option, "--seed", "7")
    (folder,) = (path for path in (clinic / "runs").iterdir() if path.name != "cells")
    assert re.fullmatch(r"sensitivity-own-[0-9a-f]{8}-7", folder.name)
    assert (folder / files).is_file()
    info = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
    assert info["sensitivity"]["analyses"] == [option.removeprefix("--")]


def test_rows_without_answers_are_shifted(clinic, gaps, capsys, monkeypatch):
    """Those who did not come back are in the file: nothing else is needed."""
    monkeypatch.setenv("COLUMNS", "200")
    printed = made(capsys, "sensitivity", "own.toml", "--data", gaps, "--attrition", "--verbose")
    assert "all 200 patients (40 without the outcome), missing at random" in " ".join(printed.split())
    assert "Not done" not in printed


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        pytest.param(["--attrition"], "others.csv", marks=pytest.mark.slow),
        (["--attrition"], "others.toml"),
        pytest.param(["--all"], "others.csv", marks=pytest.mark.slow),
        pytest.param(["--all"], "others.toml", marks=pytest.mark.slow),
    ],
)
def test_non_responders_in_a_file_of_their_own(clinic, capsys, parts, name):
    """Their records, or their number and means."""
    chain_records(50, seed=3)[["age", "before"]].to_csv(clinic / "others.csv", index=False)
    known = {"n": 50, "source": "the register", "moments": {"age": {"mean": 60.0}}}
    (clinic / "others.toml").write_text(tomli_w.dumps(known), encoding="utf-8")
    printed = made(capsys, *OWN, *parts, "--nonresponders", name)
    assert "over all 250" in " ".join(printed.split())
    assert "Not done" not in printed


def test_another_effect_is_asked_of_every_part(clinic, capsys):
    """The text and the record name it."""
    printed = made(capsys, *OWN, "--kappa", "--effect", "walks -> visits", "--out", "direct")
    assert "The effect in question: direct, difference of" in printed
    info = tomllib.loads((clinic / "direct" / "run.toml").read_text(encoding="utf-8"))
    assert info["sensitivity"]["effect"]["path"] == "walks -> visits"


@pytest.mark.slow
def test_a_grid_of_ones_own(clinic, capsys):
    """Its named sets and crossings, and nothing of the default grid."""
    grid = {"title": "Mine", "named": ["flat"], "cross": {"slope.sigma": [0.25, 0.5]}}
    (clinic / "grid.toml").write_text(tomli_w.dumps(grid), encoding="utf-8")
    printed = made(capsys, *OWN, "--priors", "grid.toml", "--out", "mine")
    assert "Fitted again with slope.sigma\n" in printed
    assert "sceptical  " not in printed
    table = pd.read_csv(clinic / "mine" / "prior_grid.csv")
    assert sorted(table["case"].unique()) == ["crossed", "flat"]
    assert sorted(table["slope.sigma"].dropna().unique()) == [0.25, 0.5]


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_finished_fits_are_kept_and_not_made_again(clinic, capsys, monkeypatch):
    """The second run fits nothing, and says the same."""
    first = made(capsys, *OWN, *FEW, "--cells", "kept", "--out", "one")
    kept = sorted((clinic / "kept").iterdir())
    assert len(kept) > 5
    assert all(b".123456" not in path.read_bytes() for path in kept)

    runner = Scripted()
    monkeypatch.setattr("bayes_sp.analysis.batch.runner.fitted_here", scripted_places(runner))
    again = made(capsys, *OWN, *FEW, "--cells", "kept", "--out", "two")
    assert runner.asked == []
    assert again.replace("Saved in two", "Saved in one") == first
    assert sorted((clinic / "kept").iterdir()) == kept
    for name in ("findings.csv", "prior_grid.csv", "prior_tipping.csv"):
        assert (clinic / "one" / name).read_bytes() == (clinic / "two" / name).read_bytes()


def test_an_interrupted_run_keeps_its_fits_and_leaves_no_folder(clinic, capsys, monkeypatch):
    """Status 130, no half folder, and a message that says where it goes on."""
    with monkeypatch.context() as patch:
        patch.setattr("bayes_sp.analysis.batch.runner.fitted_here", scripted_places(Scripted(), stop_after=1))
        assert main([*OWN, *FEW, "--cells", "kept", "--out", "what_if", *SAMPLER]) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "finished fits are kept in kept; the same command goes on there" in captured.err
    assert sorted(path.name for path in clinic.iterdir()) == ["clinic.csv", "few.toml", "kept", "own.toml"]
    assert len(list((clinic / "kept").iterdir())) == 1
    runner = Scripted()
    monkeypatch.setattr("bayes_sp.analysis.batch.runner.fitted_here", scripted_places(runner))
    made(capsys, *OWN, *FEW, "--cells", "kept", "--out", "what_if")
    assert len(runner.asked) == len(list((clinic / "kept").iterdir())) - 1


def is_wide(cell) -> bool:
    return cell.name == "wide"


@pytest.mark.parametrize("how", ["failing", pytest.param("doubtful", marks=pytest.mark.slow)])
def test_a_fit_that_fails_is_told_by_the_status(clinic, capsys, monkeypatch, how):
    """Status 3; the other cases and the folder are there."""
    monkeypatch.setattr("bayes_sp.analysis.batch.runner.fitted_here", scripted_places(Scripted(**{how: is_wide})))
    printed = made(capsys, *OWN, *FEW, "--out", "what_if", status=NOT_TRUSTWORTHY)
    assert re.search(r"wide +(not fitted|.*failed the diagnostics)", printed)
    assert re.search(r"sceptical +-\d", printed)
    assert (clinic / "what_if" / "findings.csv").is_file()


def test_a_folder_that_cannot_be_written_does_not_lose_the_result(clinic, capsys, monkeypatch):
    """The text is printed before the error."""
    from bayes_sp.errors import RunError

    def fail(*_: object, **__: object) -> None:
        raise RunError("what_if", ["cannot be written (No space left on device)"])

    monkeypatch.setattr("bayes_sp.report.folders.sensitivity.save_sensitivity", fail)
    assert main([*OWN, "--kappa", "--out", "what_if", *SAMPLER]) == USER_MISTAKE
    captured = capsys.readouterr()
    assert "1. Kappa: what a mediator's equation leaves unexplained" in captured.out
    assert captured.err == "bayes_sp: what_if: cannot be written (No space left on device)\n"
