"""What commands print: the answer first, within the terminal's width, in colour where it shows, as JSON, or nothing."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tomli_w

from bayes_sp.cli.main import OK, USER_MISTAKE, _parser, main
from bayes_sp.cli.terminal import as_json, coloured
from bayes_sp.report.folders.finished import read_run

LAPLACE = ["--method", "laplace", "--draws", "1000", "--bootstrap", "20", "--out", "run"]


def commands() -> list[str]:
    return list(next(a.choices for a in _parser()._actions if isinstance(a.choices, dict)))


@pytest.fixture
def clinic(in_folder, small_tables, make_user_survey):
    """Work in a folder with a specification and a survey of one's own."""
    (in_folder / "own.toml").write_text(tomli_w.dumps({**small_tables, "people": "members"}), encoding="utf-8")
    make_user_survey(100).records.to_csv(in_folder / "clinic.csv", index=False)
    return in_folder


def test_colour_only_on_a_terminal_that_shows_it(monkeypatch, capsys):
    """A pipe gets none, a terminal some, and none with NO_COLOR or on a dumb terminal; the text is the same."""
    assert main(["fit", "nosuch"]) == USER_MISTAKE
    plain = capsys.readouterr().err
    assert "\x1b" not in plain
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["fit", "nosuch"])
    shown = capsys.readouterr().err
    assert "\x1b[1;31m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as context:
            context.setenv(name, value)
            main(["fit", "nosuch"])
        assert capsys.readouterr().err == plain


def test_what_must_be_seen_first_stands_out():
    """A verdict against the fit in red, doubts in yellow, headings in bold, and nothing else."""
    text = "DO NOT USE THESE RESULTS: x.\nLook first: y.\n1. Effects\n   total  0.1\n"
    assert coloured(text).splitlines() == [
        "\x1b[1;31mDO NOT USE THESE RESULTS: x.\x1b[0m", "\x1b[33mLook first:\x1b[0m y.", "\x1b[1m1. Effects\x1b[0m",
        "   total  0.1",
    ]  # fmt: skip


def test_json_knows_tables_and_numbers_that_json_has_not():
    """NaN and infinity are null, NumPy's numbers are numbers, tables are rows."""
    table = pd.DataFrame({"a": [1, 2], "b": [np.nan, 0.5], "c": ["x", None]})
    found = as_json({"table": table, "n": np.int64(3), "bad": float("inf"), "list": (np.float64(1.5), True)})
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "table": [{"a": 1, "b": None, "c": "x"}, {"a": 2, "b": 0.5, "c": None}], "n": 3, "bad": None,
        "list": [1.5, True],
    }  # fmt: skip


@pytest.mark.fixed_seed  # of other records a mean may not exist, which is said first
def test_a_fit_in_each_form(clinic, capsys):
    """The short text names where the rest is; JSON holds the tables of the run; a quiet fit prints nothing at all."""
    fit = ["fit", "own.toml", "--data", "clinic.csv", *LAPLACE]
    assert main([*fit, "--figures", "svg,pdf"]) == OK
    printed = capsys.readouterr().out
    assert printed.startswith("own: Walks, mood and visits\nData: 100 records from clinic.csv.\n")
    assert printed.endswith("\nSaved in run; --verbose prints all of its summary.txt\n")
    for ending, begins in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        assert (clinic / "run" / f"paths.{ending}").read_bytes().startswith(begins)
    assert "resamples of members" in " ".join((clinic / "run" / "summary.txt").read_text("utf-8").split())
    assert main([*fit, "--overwrite", "--json"]) == OK
    found = json.loads(capsys.readouterr().out)
    assert (found["command"], found["status"], found["saved"], found["mistakes"]) == ("fit", OK, "run", [])
    effects = read_run("run").effects
    assert [row["median"] for row in found["result"]["tables"]["effects"]] == pytest.approx(list(effects["median"]))
    assert found["result"]["answer"][0] in " ".join(printed.split())
    assert main([*fit, "--overwrite", "--quiet"]) == OK
    assert capsys.readouterr() == ("", "")


def test_mistakes_are_in_the_document_too(clinic, capsys):
    """Status 2, each problem, no result; the message is on standard error as ever."""
    (clinic / "broken.toml").write_text('exposure = "x"', encoding="utf-8")
    assert main(["fit", "broken.toml", "--json"]) == USER_MISTAKE
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["status"] == USER_MISTAKE
    assert len(found["mistakes"]) == err.count("\n  - ") > 1


@pytest.mark.parametrize("name", ["models", "published", "audit"])
def test_every_command_has_a_document(name, capsys):
    """Those without a result of their own have their text in it."""
    assert main([name, "--json"]) == OK
    found = json.loads(capsys.readouterr().out)
    assert found["command"] == name
    assert found["result"]


@pytest.mark.parametrize("name", commands())
def test_help_has_examples_that_can_be_typed(name):
    """Each is one that the parser takes, and stands in lines of a narrow terminal as a shell takes them."""
    parser = _parser()
    command = next(a.choices for a in parser._actions if isinstance(a.choices, dict))[name]
    assert command.examples, f"{name}: the command's parser needs `examples`"
    for example in (*parser.examples, *command.examples):
        parser.parse_args(shlex.split(example))
        shown = re.sub(r" \\\n +", " ", command.format_help() + parser.format_help())
        assert f"bayes_sp {example}\n" in shown


@pytest.mark.slow
@pytest.mark.fixed_seed  # of other draws a fit or a calibration may not pass
def test_every_example_in_help_runs(in_folder, capsys):
    """One after the other, as they stand: from the example survey to a report."""
    parser = _parser()
    commands = next(a.choices for a in parser._actions if isinstance(a.choices, dict)).values()
    for example in dict.fromkeys([*parser.examples, *(one for command in commands for one in command.examples)]):
        assert main(shlex.split(example)) == OK, f"{example}: {capsys.readouterr().err}"


@pytest.mark.parametrize("name", commands())
def test_help_fits_a_narrow_terminal(name, monkeypatch):
    """In 80 columns; what is called by a place, such as a file, has a name in capitals."""
    monkeypatch.setenv("COLUMNS", "80")
    command = next(a.choices for a in _parser()._actions if isinstance(a.choices, dict))[name]
    assert max(map(len, command.format_help().splitlines())) <= 80
    assert [a.dest for a in command._actions if not a.option_strings and a.metavar is None] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_is_printed(shell, capsys):
    """A script that knows the commands; bash completes an option."""
    with pytest.raises(SystemExit) as stop:
        main(["--print-completion", shell])
    script = capsys.readouterr().out
    assert stop.value.code == OK
    assert "sensitivity" in script
    if shell == "bash":
        typed = 'COMP_WORDS=(bayes_sp fit --fig); COMP_CWORD=2; _shtab_bayes_sp; echo "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", f"{script}\n{typed}"], capture_output=True, text=True, check=True)  # noqa: S607 - bash, wherever it is
        assert done.stdout.split() == ["--figures"]


def test_formats_of_figures_are_checked(capsys):
    """An unknown one is refused with those that are known."""
    with pytest.raises(SystemExit):
        main(["fit", "--figures", "png,tiff"])
    assert "knows png, svg, pdf, found 'tiff'" in capsys.readouterr().err


def test_help_loads_no_completion_and_no_tables():
    """What help needs is loaded at once, and no more."""
    code = "import sys; from bayes_sp.cli.main import _parser; _parser().format_help(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"shtab", "pandas", "numpy", "pymc", "matplotlib"} & set(done.stdout.split())
