"""What comes from files and users is shown as text: never as a command to a terminal, never as HTML."""

from __future__ import annotations

import pandas as pd
import pytest

from bayes_sp.errors import BayesSpError
from bayes_sp.safe_text import control_problem, html, one_line, printable

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
    shown = html(HOSTILE, HOSTILE, [HOSTILE], table, strong=HOSTILE)
    assert "<img" not in shown
    assert shown.count("&lt;img src=x onerror=alert(1)&gt;") == 7
    assert "\x1b" not in shown
    assert "<td>1.23</td>" in shown
    assert html("a\nb", ["c"], strong="d") == "<p><b>d</b> a<br>b</p><ul><li>c</li></ul>"
