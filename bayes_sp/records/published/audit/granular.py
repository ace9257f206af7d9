"""Which means and SDs whole-number scores can have, in exact fractions: GRIM, GRIMMER, DEBIT, bounds of the SD.

Scores are counted in steps from the scale's minimum (from 0 where there is none), so that totals and sums of squares
are whole numbers. GRIM: Brown & Heathers (2017), GRIMMER: Anaya (2016) with Allard's (2018) parity, DEBIT: Heathers &
Brown (2019).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from bayes_sp.records.published.study.figures import Figure


@dataclass(frozen=True)
class Grid:
    """The scores that one patient can have."""

    step: Fraction  # between two scores
    origin: Fraction = Fraction(0)  # the score from which steps are counted: the minimum, or 0
    bounded_below: bool = False  # whether the origin is the smallest score
    steps: int | None = None  # steps from the origin to the largest score; None without a largest


_ZERO_OR_ONE = Grid(Fraction(1), bounded_below=True, steps=1)


def totals(mean: Figure, n: int, grid: Grid) -> range:
    """Return the totals, in steps, of n scores whose mean rounds to the printed one; an empty range if none does."""
    low, high = mean.exact - mean.half_unit, mean.exact + mean.half_unit
    first = math.ceil(n * (low - grid.origin) / grid.step)
    last = math.floor(n * (high - grid.origin) / grid.step)
    if grid.bounded_below:
        first = max(first, 0)
        if grid.steps is not None:
            last = min(last, n * grid.steps)
    return range(first, last + 1)


def every_mean_passes(mean: Figure, n: int, grid: Grid) -> bool:
    """Whether every mean with these decimals is possible, so that GRIM says nothing."""
    return grid.step / n <= 2 * mean.half_unit


def least_squares_sum(total: int, n: int) -> int:
    """Return the smallest sum of squares of n whole numbers with this total: all as equal as can be."""
    each, more = divmod(total, n)
    return (n - more) * each**2 + more * (each + 1) ** 2


def greatest_squares_sum(total: int, steps: int) -> int:
    """Return the largest sum of squares of enough whole numbers from 0 to ``steps`` with a total: all at the ends."""
    full, rest = divmod(total, steps)
    return full * steps**2 + rest**2


def squares(total: int, sd: Figure, n: int, grid: Grid) -> range:
    """Return the sums of squares, in steps, that a total and a printed SD (divisor n - 1) allow.

    Each has the parity of the total, since x and x^2 are both even or both odd.
    """
    low, high = max(sd.exact - sd.half_unit, Fraction(0)) / grid.step, (sd.exact + sd.half_unit) / grid.step
    between = Fraction(total * total, n)
    first = max(math.ceil(low * low * (n - 1) + between), least_squares_sum(total, n))
    last = math.floor(high * high * (n - 1) + between)
    if grid.bounded_below and grid.steps is not None:
        last = min(last, greatest_squares_sum(total, grid.steps))
    return range(first + (first - total) % 2, last + 1, 2)


def grimmer(mean: Figure, sd: Figure, n: int, grid: Grid) -> Iterator[tuple[int, range]]:
    """Yield every total that the mean allows with the sums of squares that the SD allows, where there are any."""
    for total in totals(mean, n, grid):
        if found := squares(total, sd, n, grid):
            yield total, found


def every_sd_passes(sd: Figure, n: int, grid: Grid) -> bool:
    """Whether neighbouring sums of squares give SDs less than a printed unit apart, so that GRIMMER says nothing.

    With SS = (n - 1) SD^2 in steps a sum of squares more by 2 moves the SD by at most 2 / (2 SD (n - 1)).
    """
    low = max(sd.exact - sd.half_unit, Fraction(0)) / grid.step
    return low > 0 and 1 / (low * (n - 1)) <= 2 * sd.half_unit / grid.step


def sd_bounds(mean: Figure, n: int, grid: Grid) -> tuple[float, float]:
    """Return the smallest and largest SD of n scores on a bounded scale whose mean rounds to the printed one.

    Raises ValueError if no scores have this mean, or the scale has no end.
    """
    found = totals(mean, n, grid)
    if not found or grid.steps is None:
        raise ValueError("no scores have this mean")
    centre = min(max(n * grid.steps // 2, found[0]), found[-1])
    # Least: all scores next to each other; most: all at the ends, and more so the nearer the mean is to the middle.
    low = min(least_squares_sum(t, n) - Fraction(t * t, n) for t in _few(found))
    high = max(greatest_squares_sum(t, grid.steps) - Fraction(t * t, n) for t in {*_few(found), centre})
    scale = float(grid.step) / math.sqrt(n - 1)
    return math.sqrt(low) * scale, math.sqrt(high) * scale


_MOST_TOTALS = 2000


def _few(found: range) -> list[int]:
    """Return all totals, of very many those near the ends and evenly between."""
    if len(found) <= _MOST_TOTALS:
        return list(found)
    return [*found[:: len(found) // _MOST_TOTALS + 1], found[-1]]


def debit(mean: Figure, n: int, grid: Grid = _ZERO_OR_ONE) -> tuple[float, float]:
    """Return the SDs (divisor n - 1) that n scores of two values can have whose mean rounds to the printed one.

    For 0 and 1, SD = sqrt(m (1 - m) n / (n - 1)) for a whole number n m.

    Raises ValueError if no scores have this mean.
    """
    found = totals(mean, n, grid)
    if not found:
        raise ValueError("no scores have this mean")
    nearest_half = min(max(n // 2, found[0]), found[-1])
    sums = [ones * (n - ones) for ones in (found[0], found[-1], nearest_half)]
    low, high = (float(grid.step) * (s / (n * (n - 1))) ** 0.5 for s in (min(sums), max(sums)))
    return low, high
