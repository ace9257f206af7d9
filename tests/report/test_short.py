"""The short printout, word for word, and texts within the width of a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayes_sp.report.text.summary import short_text, summary_text
from bayes_sp.shown import page

GOLDEN = Path(__file__).parents[1] / "golden" / "short_small.txt"
NUMBER = re.compile(r"-?\d+\.\d{2,3}")


@pytest.mark.fixed_seed
def test_the_short_printout_word_for_word(analyse_by_hand, small_model, make_user_survey):
    """The whole text is the one on file; read the difference before replacing it. Last decimals may differ by one."""
    found, expected = short_text(analyse_by_hand(small_model, make_user_survey()), width=80), GOLDEN.read_text("utf-8")
    assert NUMBER.sub("#", found) == NUMBER.sub("#", expected)
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (found, expected)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.011)


@pytest.mark.parametrize("name", ["own_analysis", "study_analysis"])
@pytest.mark.parametrize("width", [80, 100])
def test_every_line_fits_the_terminal(name, width, request):
    """Tables are divided, paragraphs and headings wrap; a kept summary has its own width, whatever the terminal."""
    analysis = request.getfixturevalue(name)
    for text in (short_text(analysis, width=width), summary_text(analysis, width=width)):
        assert max(map(len, text.splitlines())) <= width
    with page(width):
        assert summary_text(analysis) == summary_text(analysis, width=120)


def test_the_answer_comes_first_and_the_rest_on_request(own_analysis):
    """A third of the lines or less; its first sentence holds the effect in question as the table has it."""
    short, whole = short_text(own_analysis), summary_text(own_analysis)
    assert len(short.splitlines()) <= len(whole.splitlines()) / 3
    table = own_analysis.effects.intervals().set_index(["path", "scale", "decomposition"])
    row = table.loc[("walks -> mood -> visits", "difference", "average")]
    said = " ".join(short.split("\n\n")[1].split())
    assert f"{row['median']:.3f} visits" in said
    assert f"[{row['lower']:.3f}, {row['upper']:.3f}]" in said
