"""The line after each cell."""

from __future__ import annotations

import pytest

from bayes_sp.analysis.batch.progress import Tally, duration


def test_the_line_counts_cells_and_tells_the_time_left():
    """Cells of the store take no time, and the first of this call is not like the others."""
    now = [0.0]
    tally = Tally(total=100, taken=3, clock=lambda: now[0])
    assert str(tally) == "3 of 100 cells (3 taken from the store)"
    now[0] = 30.0
    tally.add(1, failed=False)
    assert str(tally) == "4 of 100 cells (3 taken from the store)"
    for i in range(33):
        now[0] += 0.7
        tally.add(1, failed=i == 0)
    assert str(tally) == "37 of 100 cells (3 taken from the store, 1 failed), about 44 s left"


def test_the_last_line_has_no_time_left():
    """Everything is done; equal cells count as many."""
    tally = Tally(total=4, taken=0)
    for cells in (1, 2, 1):
        tally.add(cells, failed=False)
    assert str(tally) == "4 of 4 cells"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 s"), (40.4, "40 s"), (119, "119 s"), (150, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_durations_have_a_fitting_unit(seconds, words):
    """Nobody wants to know 9,000 seconds."""
    assert duration(seconds) == words
