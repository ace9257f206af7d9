"""The margin of a column drawn anew: the same mean, SD and scale, and no value that a single patient gave it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.names import LEAST_COUNT
from bayes_sp.records.published import margins
from bayes_sp.records.published.margins import Steps, UnreachableError, Window
from bayes_sp.records.small_counts import starts_of

FEW_STEPS = 20  # of a scale whose ends belong to it
ROUNDING = 1e-6
MOST_STEPS = 400
SD_TOLERANCE = 0.002  # relative
NICE = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, eq=False)
class Scale:
    """Values that a column may take: ``origin`` and ``step`` times the whole numbers from ``low`` to ``high``."""

    # origin, step: in the column's unit.
    origin: float
    step: float
    low: int
    high: int
    weights: Array  # how often each value is to occur, (high - low + 1,)


def scale_of(values: Array, least: int = LEAST_COUNT) -> Scale:
    """Return a column's scale and the shape of its values, told by groups of ``least`` neighbouring values or more.

    The step is the largest of which all differences are multiples, or coarser where the values are more than 400 steps
    apart. The ends of a scale of few values belong to it; any other ends at a round number beyond them, or at 0.

    The shape depends on no fewer than ``least`` values.
    """
    lowest, highest = float(values.min()), float(values.max())
    width = highest - lowest
    unit = _common_step(values - lowest)
    steps = round(width / unit)
    origin, step, low, high = lowest, unit, 0, steps
    if steps > FEW_STEPS:
        edge = 10.0 ** math.floor(math.log10(width))
        bottom, top = math.floor(lowest / edge) * edge, math.ceil(highest / edge) * edge
        bottom = max(bottom, 0.0) if lowest >= 0 else bottom
        if steps > MOST_STEPS:
            origin, step = bottom, max(unit, round(_nice(width / MOST_STEPS) / unit) * unit)
        low, high = math.ceil((bottom - origin) / step - ROUNDING), math.floor((top - origin) / step + ROUNDING)
    places = np.clip(np.round((values - origin) / step).astype(int), low, high) - low
    counts = np.bincount(places, minlength=high - low + 1).astype(float)
    starts = starts_of(counts, least)
    widths = np.diff([*starts, len(counts)])
    return Scale(origin, step, low, high, np.repeat(np.add.reduceat(counts, starts) / widths, widths))


def draw_margin(values: Array, n: int, rng: np.random.Generator, least: int = LEAST_COUNT) -> tuple[Steps, Scale]:
    """Draw n values with the mean and the SD of the known values of a column.

    Returns whole numbers, (n,), in no meaningful order, and the scale that they stand for.

    Raises UnreachableError where no such values are found.
    """
    scale = scale_of(values, least)
    mean, sd = (float(values.mean()) - scale.origin) / scale.step, float(values.std(ddof=1)) / scale.step
    total = round(n * mean)
    if scale.high - scale.low == 1:
        ones = total - n * scale.low
        return np.repeat([scale.low, scale.high], [n - ones, ones]).astype(np.int64), scale
    tolerance = max(SD_TOLERANCE, 2.0 / ((n - 1) * sd * sd))
    window = Window(n, scale.low, scale.high, (total,), sd * (1 - tolerance), sd * (1 + tolerance))
    try:
        return margins.draw(window, scale.weights, rng, total=total), scale
    except UnreachableError:
        return margins.draw(window, np.ones(len(scale.weights)), rng, total=total), scale


def _common_step(distances: Array) -> float:
    """Return the largest step of which all distances are multiples, to a millionth of the largest."""
    unit = 10.0 ** (math.floor(math.log10(distances.max())) - 6)
    for step in (1.0, unit):
        whole = distances / step
        if np.allclose(whole, np.round(whole), rtol=0, atol=1e-6) or step == unit:
            return float(np.gcd.reduce(np.unique(np.round(whole).astype(np.int64)))) * step
    raise AssertionError("unreachable: the last step is always taken")


def _nice(value: float) -> float:
    """Return the next number above a value that is 1, 2, 5 or 10 times a power of ten."""
    unit = 10.0 ** math.floor(math.log10(value))
    return next(factor * unit for factor in NICE if factor * unit >= value * (1 - 1e-12))
