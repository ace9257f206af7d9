"""The commands about printed numbers: audit, and records from another study's table."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.cli.main import OK, USER_MISTAKE, main

WRONG = """
[citation]
title = "<b>A study</b>"

[[table]]
name = "T"
n = 28

[[table.variable]]
name = "a"
mean = "5.19"
sd = "1.02"

[[table.variable]]
name = "b"
sd = "1.00"
correlations = [".30"]

[[scale]]
variables = ["a"]
step = "1"
"""


@pytest.fixture
def study(in_folder: Path) -> Path:
    """A study with a mean that no 28 whole numbers have."""
    (in_folder / "study.toml").write_text(WRONG, encoding="utf-8")
    return in_folder / "study.toml"


def test_contradictions_are_printed_first_and_are_no_error(study: Path, capsys):
    """With what was assumed and how it bears on the conclusion; exit status 0."""
    assert main(["audit", "study.toml"]) == OK
    text = capsys.readouterr().out
    head, _, rest = text.partition("Not checkable")
    assert "mean of a: printed 5.19, recomputed 5.179 to 5.214" in head
    assert "Bearing: The mean" in head
    assert "Assumed: Scores are in steps" in head
    assert "It does not say which one is" in " ".join(rest.split())
    assert main(["audit", "study.toml", "--all"]) == OK
    assert "- correlations of T: printed 1 correlations" in capsys.readouterr().out


def test_json_has_everything(study: Path, capsys):
    assert main(["audit", "study.toml", "--json"]) == OK
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["status"], document["mistakes"]) == ("audit", OK, [])
    found = document["result"]
    assert found["counts"] == dict(sp.audit(study).counts)
    (grim,) = [row for row in found["findings"] if row["rule"] == "GRIM"]
    assert (grim["printed"], grim["verdict"]) == ("5.19", "inconsistent")
    assert grim["low"] == pytest.approx(145 / 28)


def test_the_default_is_the_published_study(capsys):
    assert main(["audit"]) == OK
    assert "17 inconsistent" in capsys.readouterr().out


def test_what_is_shown_is_escaped(study: Path):
    """A title is not taken for HTML."""
    shown = sp.audit(study)._repr_html_()
    assert "&lt;b&gt;A study" in shown
    assert "<b>A study" not in shown
    assert len(sp.audit(study).table) == len(sp.audit(study).findings)


@pytest.mark.parametrize("command", [["audit"], ["reconstruct", "--out", "new.csv"]])
def test_a_study_that_cannot_be_read_is_a_mistake_and_leaves_nothing(command, in_folder: Path, capsys):
    """All of its problems in one message, and no file."""
    (in_folder / "bad.toml").write_text("[[table]]\nn = 1.5\n[[tabel]]\n", encoding="utf-8")
    assert main([command[0], "bad.toml", *command[1:]]) == USER_MISTAKE
    message = capsys.readouterr().err
    assert message.startswith("bayes_sp: bad.toml: ")
    for words in ("citation: is missing", "table[1].n", 'tabel: unknown key; did you mean "table"?'):
        assert words in message
    assert not (in_folder / "new.csv").exists()


def test_records_of_another_study_are_written_marked_and_compared(study: Path, capsys):
    """What does not come back is named, and the mark goes with the file."""
    assert main(["reconstruct", "study.toml", "--out", "new.csv", "--seed", "4", "--table", "T"]) == OK
    text = capsys.readouterr().out
    assert text.startswith("28 records reconstructed from published moments of study (seed 4): new.csv\nNo real")
    assert "3 of 4 printed means, SDs and correlations come back after rounding." in text
    assert "GRIM: mean of a" in text
    assert "mean of a: printed 5.19, 5.1786 here" in text
    records = pd.read_csv("new.csv")
    assert round(records["a"].std(), 2) == 1.02
    assert round(records["a"].corr(records["b"]), 2) == 0.30
    assert set(records["origin"]) == {"reconstructed from published moments of study (seed 4)"}
    assert main(["reconstruct", "--out", "x.csv", "--table", "T"]) == USER_MISTAKE
    assert "--table: goes with STUDY.toml" in capsys.readouterr().err
