"""The command line: exit statuses, messages without tracebacks, and two real fits."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w

from bayes_sp.cli.main import NOT_TRUSTWORTHY, OK, USER_MISTAKE, main
from bayes_sp.design.read import read_survey
from bayes_sp.errors import FitError, RunError
from bayes_sp.model.reading.load import shipped_models
from bayes_sp.records.published.article import published
from bayes_sp.report.folders.finished import read_run

PROGRAM = [sys.executable, "-m", "bayes_sp"]


@pytest.fixture
def clinic(in_folder, small_tables, make_user_survey):
    """Work in a folder with a specification and a survey of one's own."""
    (in_folder / "own.toml").write_text(tomli_w.dumps(small_tables), encoding="utf-8")
    make_user_survey(100).records.to_csv(in_folder / "clinic.csv", index=False)
    return in_folder


def refusal(capsys, *arguments: str) -> str:
    """Return the message of a command that ends with a user's mistake and prints nothing else."""
    assert main(arguments) == USER_MISTAKE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("bayes_sp: ")
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["fti"], "invalid choice: 'fti'"),
        (["fit", "--nope"], "unrecognized arguments: --nope"),
        (["fit", "--save"], "unrecognized arguments: --save"),  # an abbreviation must not write patients' records
        (["fit", "--seed", "one"], "--seed: must be a whole number from 0 to 4294967295, found 'one'"),
        (["fit", "--seed", "-1"], "--seed: must be a whole number from 0 to 4294967295, found '-1'"),
        (["fit", "--seed", "1.5"], "--seed: must be a whole number from 0 to 4294967295, found '1.5'"),
        (["fit", "--seed", "4294967296"], "--seed: must be a whole number from 0 to 4294967295"),
        (["fit", "--seed", "\u00b2"], "--seed: must be a whole number from 0 to 4294967295"),
        (["fit", "--seed", ""], "--seed: must be a whole number from 0 to 4294967295, found ''"),
        (["fit", "--draws", "3"], "--draws: must be a whole number from 4 to 4294967295, found '3'"),
        (["fit", "--members", "1001"], "--members: must be a whole number from 1 to 1000, found '1001'"),
        (["fit", "--tune", "0"], "--tune: must be a whole number from 1"),
        (["fit", "--chains", "0"], "--chains: must be a whole number from 1"),
        (["fit", "--cores", "0"], "--cores: must be a whole number from 1"),
        (["fit", "--bootstrap", "-1"], "--bootstrap: must be a whole number from 0"),
        (["fit", "--out", ""], "--out: must name a file or folder, found nothing"),
        (["fit", "primary", "extra"], "unrecognized arguments: extra"),
        (["reconstruct"], "the following arguments are required: --out"),
    ],
)
def test_wrong_arguments_end_with_status_2(arguments, words, capsys):
    """A wrong command or option is told with what would be right."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == USER_MISTAKE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], '"nosuch": is neither a shipped specification nor the path of a TOML file'),
        (["primry"], 'did you mean "primary"?'),
        (["."], '".": is a folder'),
        (["broken.toml"], "broken.toml: is not valid TOML"),
        (["own.toml", "--data", "nowhere.csv"], "nowhere.csv: there is no such file; --data needs a CSV file"),
        (["own.toml", "--data", "."], ".: is not a file; --data needs a CSV file"),
        (["own.toml", "--data", "~nobody_of_this_name/a.csv"], "there is no such file"),
        (["own.toml", "--data", "bad.csv"], "column \"mood\": must be a number; found at row 2 ('fine')"),
        (["own.toml", "--data", "few.csv"], "few.csv: 3 records are too few"),
        (["own.toml"], "own: needs your records: name their file with --data (columns walks, mood, visits, age, "),
        (["--data", "clinic.csv", "--reconstruction", "2"], "--reconstruction: goes without --data"),
        (["own.toml", "--data", "clinic.csv", "--members", "3"], "--members: goes without --data"),
        (["own.toml", "--data", "clinic.csv", "--overwrite"], "--overwrite: replaces what is in --out: name that"),
        (["own.toml", "--data", "clinic.csv", "--out", "x" * 253], "cannot be written (File name too long)"),
        (["own.toml", "--data", "x" * 300], "there is no such file; --data needs a CSV file"),
        (["x" * 300], "is neither a shipped specification nor the path of a TOML file"),
        (["--data", "clinic.csv"], 'column "belonging_t1" is missing (the specification "primary" needs it)'),
        (["own.toml", "--data", "clinic.csv", "--out", "taken"], "taken: exists already; name another folder"),
        (["own.toml", "--data", "clinic.csv", "--out", "taken", "--overwrite"], "is not the folder of a run"),
        (
            ["own.toml", "--data", "clinic.csv", "--out", "own.toml/run"],
            "own.toml is not a folder that you may write to",
        ),
        (["twin.toml", "--data", "clinic.csv"], 'twin: twin: "proces6"'),
    ],
)
def test_a_fit_that_cannot_start_is_refused_before_any_work(clinic, capsys, arguments, words):
    """Every mistake that can be seen before sampling is told in one message with status 2, and nothing is written."""
    (clinic / "broken.toml").write_text("title", encoding="utf-8")
    text = (clinic / "own.toml").read_text(encoding="utf-8")
    (clinic / "twin.toml").write_text(f'twin = "proces6"\n{text}', encoding="utf-8")
    (clinic / "bad.csv").write_text("walks,mood,visits,age,visits_before,housing\n1,fine,2,40,3,1\n", encoding="utf-8")
    lines = (clinic / "clinic.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (clinic / "few.csv").write_text("".join(lines[:4]), encoding="utf-8")
    (clinic / "taken").mkdir()
    (clinic / "taken" / "thesis.txt").touch()
    before = sorted(clinic.rglob("*"))
    message = refusal(capsys, "fit", *arguments)
    assert words in message
    assert "Traceback" not in message
    assert sorted(clinic.rglob("*")) == before


def test_the_shipped_models_are_listed(capsys):
    """Each has its name, title, chain and question."""
    assert main(["models"]) == OK
    printed = capsys.readouterr().out
    assert re.findall(r"^(\w+): ", printed, flags=re.MULTILINE) == list(shipped_models())
    chain = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    assert printed.count(chain) == len(shipped_models()) - 2  # all but process4 and reversed


def test_every_published_number_is_printed_with_its_place(capsys):
    """One line for each number, the citation first."""
    assert main(["published"]) == OK
    head, _, body = capsys.readouterr().out.partition("\n\n")
    assert "10.1136/bmjopen-2019-033137" in head
    lines = body.splitlines()
    assert len(lines) == len(list(published().all_numbers()))
    assert all(re.fullmatch(r".+ = .+ {4}\[.+\]", line) for line in lines)


def test_reconstructed_records_are_written_and_marked(in_folder, capsys):
    """The file has the records, the message says what they are, and another seed gives others."""
    assert main(["reconstruct", "--out", "one.csv"]) == OK
    assert capsys.readouterr().out == (
        "178 records reconstructed from published moments (seed 1): one.csv\nNo real patient stands behind a row.\n"
    )
    records = pd.read_csv(in_folder / "one.csv")
    assert len(records) == published().n
    np.testing.assert_array_equal(records["group_change"], records["groups_t1"] - records["groups_t0"])
    again = read_survey("one.csv", "primary")
    assert again.mark == "178 records reconstructed from published moments (seed 1)"  # it goes with the file
    assert "exists already" in refusal(capsys, "reconstruct", "--out", "one.csv")
    assert main(["reconstruct", "--seed", "2", "--out", "one.csv", "--overwrite"]) == OK
    assert not pd.read_csv(in_folder / "one.csv").equals(records)
    assert "(seed 2): one.csv" in capsys.readouterr().out
    assert "is a folder; name a file" in refusal(capsys, "reconstruct", "--out", ".", "--overwrite")
    assert "must end in .csv" in refusal(capsys, "reconstruct", "--out", "two.xlsx")
    assert [path.name for path in in_folder.iterdir()] == ["one.csv"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "clinic.csv"], ["design", "clinic.csv"], ["reconstruct", "clinic.csv", "--out", "r.csv"],
        ["fit", "own.toml", "--data", "clinic.csv", "--codebook", "clinic.csv"],
        ["sensitivity", "own.toml", "--data", "clinic.csv", "--priors", "clinic.csv"],
    ],
)  # fmt: skip
def test_records_where_a_toml_file_belongs_are_not_shown(clinic, capsys, arguments):
    """No line of theirs is in the message."""
    assert refusal(capsys, *arguments) == "bayes_sp: clinic.csv: is not a TOML file; name one that ends in .toml\n"
    assert "is a TOML file by its name" in refusal(capsys, "fit", "own.toml", "--data", "own.toml")


def test_places_of_simulations_are_looked_at_first(clinic, capsys):
    """A folder that cannot be made is refused before anything is simulated; a figure is a PNG file."""
    own = ["own.toml", "--data", "clinic.csv"]
    for command in (["calibrate", *own, "--out", "clinic.csv/x"], ["priors", *own, "--figure", "priors.gif"]):
        assert re.search("cannot be written|must end in one of", refusal(capsys, *command))


def test_a_reader_that_leaves_early_is_no_error():
    """``published | head`` ends quietly."""
    process = subprocess.Popen([*PROGRAM, "published"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), errors) == (OK, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
@pytest.mark.parametrize("arguments", [["models"], ["published"], ["--help"], ["fit", "--help"], ["--version"]])
def test_an_output_that_is_full_is_told(arguments):
    """Status 2 and one line, where nothing but the output was asked for."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == USER_MISTAKE
    assert re.fullmatch(r"bayes_sp.*: standard output: cannot be written \(No space left on device\)\n", done.stderr)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_what_is_saved_is_told_where_the_output_is_full(in_folder):
    """The work is done: its status stands, and the message says where it is."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([*PROGRAM, "reconstruct", "--out", "a.csv"], stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False)  # fmt: skip
    assert done.returncode == OK
    assert done.stderr.endswith("; the records are saved in a.csv\n")
    assert len(pd.read_csv(in_folder / "a.csv")) == published().n


@pytest.mark.parametrize("closed", [pytest.param(">&-", marks=pytest.mark.slow), "<&- >&- 2>&-"])
def test_streams_may_be_closed(in_folder, closed):
    """What a process prints then goes nowhere, and into no file of ours."""
    command = f"{shlex.join(PROGRAM)} reconstruct --out a.csv {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)  # noqa: S607 - bash, wherever it is
    assert (done.returncode, done.stderr) == (OK, "")
    assert len(pd.read_csv(in_folder / "a.csv")) == published().n


def test_a_current_folder_that_has_been_removed_is_told(in_folder):
    """Status 2 and what to do."""
    (in_folder / "gone").mkdir()
    command = f"cd gone; rmdir ../gone; {shlex.join(PROGRAM)} models"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)  # noqa: S607 - bash, wherever it is
    assert done.returncode == USER_MISTAKE
    assert done.stderr.splitlines()[-1].startswith("bayes_sp: the current folder: is not there any more")


def test_the_version_is_told(capsys):
    """As the installed package has it."""
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert (stop.value.code, capsys.readouterr().out) == (0, f"bayes_sp {version('bayes_sp')}\n")


def test_no_argument_reaches_the_terminal_as_a_command(in_folder, capsys):
    """Control characters in names are written out, in messages of ours and of the parser's."""
    assert main(["fit", "\x1b[31mred\u202e.toml"]) == USER_MISTAKE
    assert r"\x1b[31mred\u202e.toml" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fit", "--\x1b[31m"])
    assert r"unrecognized arguments: --\x1b[31m" in capsys.readouterr().err


def test_a_terminal_without_a_sign_shows_its_code(monkeypatch):
    """An output that is ASCII only does not end the program."""
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert main(["published"]) == OK
    plain.seek(0)
    assert "\\u" in plain.read()


def test_a_run_that_cannot_be_saved_still_prints_its_result(clinic, capsys, monkeypatch):
    """When the disk fails at the end, the summary is printed before the error."""

    def fail(*_: object, **__: object) -> None:
        raise RunError("run", ["cannot be written (No space left on device)"])

    verdict = type("Verdict", (), {"trustworthy": True})
    monkeypatch.setattr(
        "bayes_sp.analysis.workflow.analyse", lambda *_, **__: type("Analysis", (), {"verdict": verdict})
    )
    monkeypatch.setattr("bayes_sp.report.text.summary.summary_text", lambda *_, **__: "the summary\n")
    monkeypatch.setattr("bayes_sp.report.text.summary.short_text", lambda *_, **__: "the answer\n")
    monkeypatch.setattr("bayes_sp.report.folders.analysis.begin_drawing", lambda *_: None)
    monkeypatch.setattr("bayes_sp.report.folders.analysis.save_analysis", fail)
    assert main(["fit", "own.toml", "--data", "clinic.csv"]) == USER_MISTAKE
    captured = capsys.readouterr()
    assert captured.out == "the summary\n\n"
    assert captured.err == "bayes_sp: run: cannot be written (No space left on device)\n"


def test_a_fit_that_fails_ends_with_status_3(clinic, capsys, monkeypatch):
    """A model that cannot be sampled is not the user's mistake: the message names the records, the status is 3."""

    def fail(*_: object, **__: object) -> None:
        raise FitError("clinic.csv", ['the model "own" could not be sampled: no start'])

    monkeypatch.setattr("bayes_sp.analysis.workflow.analyse", fail)
    assert main(["fit", "own.toml", "--data", "clinic.csv"]) == NOT_TRUSTWORTHY
    assert capsys.readouterr().err == 'bayes_sp: clinic.csv: the model "own" could not be sampled: no start\n'


def test_options_reach_the_analysis(clinic, monkeypatch):
    """Seed, draws, warm-up, chains, cores and resamples are handed on, and the folder is named after what it holds."""
    seen = {}

    def analyse(model, survey, **options):
        seen.update(options, model=model.name, records=len(survey))
        return type("Analysis", (), {"verdict": type("Verdict", (), {"trustworthy": True})})

    monkeypatch.setattr("bayes_sp.analysis.workflow.analyse", analyse)
    monkeypatch.setattr("bayes_sp.report.text.summary.summary_text", lambda *_, **__: "the summary\n")
    monkeypatch.setattr("bayes_sp.report.text.summary.short_text", lambda *_, **__: "the answer\n")
    monkeypatch.setattr("bayes_sp.report.folders.analysis.begin_drawing", lambda _, *asked: asked[:2])
    monkeypatch.setattr(
        "bayes_sp.report.folders.analysis.save_analysis",
        lambda _, place, **options: seen.update(options, folder=place.folder),
    )
    arguments = "--seed 7 --draws 11 --tune 12 --chains 3 --cores 2 --bootstrap 21 --keep-records --figures svg"
    assert main(["fit", "own.toml", "--data", "clinic.csv", *arguments.split()]) == OK
    sampler = seen["options"]
    assert (sampler.draws, sampler.tune, sampler.chains, sampler.cores) == (11, 12, 3, 2)
    assert (seen["seed"], seen["replicates"], seen["model"], seen["records"]) == (7, 21, "own", 100)
    assert (seen["keep_records"], seen["summary"]) == (True, "the summary\n")
    assert seen["drawn"] == (0, ("png", "svg"))
    assert re.fullmatch(r"runs/own-[0-9a-f]{8}-7", str(seen["folder"]))


# --- two real fits ----------------------------------------------------------------------------------------------------


@pytest.mark.fixed_seed  # of other records a mean may not exist, which is said first
def test_a_survey_of_ones_own_is_fitted_from_end_to_end(clinic, capsys):
    """Other columns, one mediator: status 0, a summary without a word of the study, and a run that reads back."""
    arguments = ["own.toml", "--data", "clinic.csv", "--seed", "3", "--out", "run", "--bootstrap", "200"]
    assert main(["fit", *arguments, "--verbose", "--figures", "svg"]) == OK
    printed, errors = capsys.readouterr()
    assert errors == ""
    assert printed.startswith("own: Walks, mood and visits\nData: 100 records from clinic.csv.\n\nVerdict: The fit ")
    assert printed.endswith("\n\nSaved in run\n")
    for word in ("reconstruct", "belonging", "loneliness", "appointment", "article"):
        assert word not in printed.lower()
    run = read_run(clinic / "run")
    assert run.info["verdict"]["trustworthy"] is True
    assert run.info["seed"] == 3
    assert list(run.effects["path"].unique()) == [
        "walks -> visits",
        "walks -> mood -> visits",
        "total_indirect",
        "total",
    ]
    serial = run.effects.query("path == 'walks -> mood -> visits' and scale == 'coefficient'").iloc[0]
    # what the records were made with, at most 4 SDs away
    assert abs(serial["median"] - 0.3 * -0.12) < serial["upper"] - serial["lower"]
    kept = (clinic / "run" / "summary.txt").read_text(encoding="utf-8")
    (head,), (own,) = (re.findall(r"^ +n  missing .*?(?=\n\n)", text, re.S | re.M) for text in (printed, kept))
    assert kept.replace(own, head) + "\nSaved in run\n" == printed  # the ends of variables are printed and not kept
    records = pd.read_csv("clinic.csv")
    line = next(line.split() for line in head.splitlines() if line.split()[0] == "age")
    assert line[1:3] == ["100", "0"]
    found = [records["age"].agg(of) for of in ("mean", "std", "min", "max")]
    assert [float(cell) for cell in line[3:]] == pytest.approx(found, rel=1e-3)
    assert own.splitlines()[-1].strip().startswith("min and max where 10 patients have them")
    assert sorted(path.name for path in clinic.iterdir()) == ["clinic.csv", "own.toml", "run"]


@pytest.mark.slow
def test_a_fit_that_cannot_be_trusted_ends_with_status_3(clinic):
    """Too few draws, said before: the first line says not to use the results, as does the status; the run is kept.

    A backend for figures that there is not does not matter.
    """
    done = subprocess.run(
        [*PROGRAM, *shlex.split("fit own.toml --data clinic.csv --draws 50 --tune 20 --chains 2 --bootstrap 0")],
        capture_output=True,
        text=True,
        cwd=clinic,
        env=os.environ | {"MPLBACKEND": "nonsense"},
        check=False,
    )
    said = "bayes_sp: warning: these results will not be usable: 2 chains of 50 draws are fewer than the 400 effective"
    assert done.returncode == NOT_TRUSTWORTHY
    (line,) = done.stderr.splitlines()
    assert line.startswith(said)
    assert done.stdout.startswith("DO NOT USE THESE RESULTS: ")
    (folder,) = (clinic / "runs").iterdir()
    assert re.fullmatch(r"own-[0-9a-f]{8}-1", folder.name)
    assert (folder / "paths.png").stat().st_size > 10_000
    info = read_run(folder).info
    assert info["verdict"]["trustworthy"] is False
    assert info["verdict"]["reasons"]


@pytest.mark.slow
def test_without_data_an_ensemble_is_fitted(in_folder, capsys):
    """The printout says from what the sets are drawn and what pooling changes; the run holds every set's effects."""
    sampler = "--members 3 --bootstrap 90 --reconstruction 5 --out run --verbose"
    assert main(["fit", "process6", *sampler.split()]) == OK
    printed = capsys.readouterr().out
    assert "Data: 178 records reconstructed from published moments (3 sets, seeds 5 to 7).\n" in printed
    assert "Verdict: The pool passes every check: 3 of 3 sets of records pass on their own" in printed
    for words in ("What comes from not having the records: 3 sets of records", "extreme shapes", "30 of each set",
                  "Members differ in seed", "What pooling changes", "use 20 or more"):  # fmt: skip
        assert words in " ".join(printed.split()), words
    run = read_run("run")
    assert run.info["data"]["sets"][0].startswith("seed 5, ")
    assert set(run.members["member"]) == {0, 1, 2, 3}
    rows = run.pooled[run.pooled["path"].str.count("->") == 3].set_index("scale")
    row = rows.loc["difference"]
    assert row["share"] < 0.05  # moments are all that normal likelihoods see
    assert row["lowest"] <= row["median"] <= row["highest"]
    assert run.posterior["posterior"].sizes["chain"] == 3 * 4
