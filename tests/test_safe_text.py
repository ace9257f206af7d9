"""What comes from files and users is shown as text: never as a command to a terminal, never as HTML."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from bayes_sp.design.read import read_survey
from bayes_sp.errors import BayesSpError
from bayes_sp.safe_text import (
    as_meant,
    control_problem,
    csv_text,
    harmless,
    html,
    one_line,
    printable,
    restored,
    write_csv,
)
from bayes_sp.shown import in_cells

HOSTILE = "<img src=x onerror=alert(1)>&\"'"
CONTROLS = ["\x1b[31m", "\x07", "\x00", "\r", "\x85", "\x9b31m", "\u202e", "\u2066", "\u2028", "\ud800"]


@pytest.mark.parametrize("control", CONTROLS)
def test_control_characters_are_written_out(control):
    """Escapes, carriage returns, signs that turn the direction of writing, halves of pairs."""
    for text in (printable(f"a{control}b"), one_line(f"a{control}b"), str(BayesSpError(control, [control]))):
        assert control[0] not in text
        assert "\\" in text
    assert "control character \\" in control_problem(control)


def test_other_text_is_left_alone():
    """Letters of every script, joiners that some need, tabs and ends of lines; those end no name, though."""
    text = "Größe 中文 עברית می‌خواهم 👩‍⚕️\tx\ny"
    assert printable(text) == text
    assert one_line("a\tb\nc") == "a\\x09b\\x0ac"
    assert control_problem("Größe 中文") == ""


def test_nothing_is_taken_for_html():
    """Heads, paragraphs, lists, names of columns, cells of any column, whatever its type."""
    table = pd.DataFrame({HOSTILE: [1.23456, float("nan")], "mixed": [HOSTILE, 2], "text\x1b": ["a", HOSTILE]})
    shown = html(HOSTILE, HOSTILE, [HOSTILE], in_cells(table), strong=HOSTILE)
    assert "<img" not in shown
    assert shown.count("&lt;img src=x onerror=alert(1)&gt;") == 7
    assert "\x1b" not in shown
    assert '<td style="text-align: right">1.235</td>' in shown
    assert html("a\nb", ["c"], strong="d") == "<p><b>d</b> a<br>b</p><ul><li>c</li></ul>"


FORMULAS = ["=1+1", "+cmd", "-2+3", "@sum", "\tx", "\rx", "'=1", "''@", "＝1"]
PLAIN = ["-1.5", "+3", ".5", "-1e-3", "-inf", "Elm Street", "'tis", "a=b", "", "x -> y"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_exported_cell_is_a_formula_and_all_read_back(cell):
    """An apostrophe stands before whatever a spreadsheet would compute, in cells and in names."""
    table = pd.DataFrame({cell: [1.5], "words": [cell]})
    text = csv_text(table)
    cells = next(csv.reader(io.StringIO(text, newline="")))[0], list(csv.reader(io.StringIO(text, newline="")))[1][1]
    assert cells == (f"'{cell}", f"'{cell}")
    back = restored(pd.read_csv(io.StringIO(text), dtype={"words": str}))
    assert back.columns[0] == cell
    assert back["words"].tolist() == [cell]


@pytest.mark.parametrize("cell", PLAIN)
def test_numbers_and_other_words_are_written_as_they_are(cell):
    """-1.5 stays a number."""
    assert harmless(cell) == cell == as_meant(cell)


def test_what_is_written_is_read_as_it_was_by_the_reader_of_surveys(tmp_path):
    """Groups with signs before their names; an apostrophe of the user's own stays."""
    table = pd.DataFrame({"group": [*FORMULAS[:4], "'tis", "-1.5"] * 5, "+x": [*range(30)]})
    write_csv(table, tmp_path / "t.csv")
    found = read_survey(tmp_path / "t.csv").records
    assert found["group"].tolist() == table["group"].tolist()
    assert found["+x"].tolist() == table["+x"].tolist()
