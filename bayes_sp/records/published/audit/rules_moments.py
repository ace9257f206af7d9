"""Rules for means and SDs: what whole-number scores, bounded scales and printed totals allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from bayes_sp.records.published.audit import granular
from bayes_sp.records.published.audit.finding import INCONSISTENT, Found, Rule, judged, unknown
from bayes_sp.records.published.audit.granular import Grid
from bayes_sp.records.published.study.parts import Scale, Table, Variable
from bayes_sp.records.published.study.results import Study

_SAME_PATIENTS = "The number of patients is that of the table; a variable with missing values has fewer."


def grid_of(scale: Scale | None) -> Grid | None:
    """Return the scores that a scale allows; None for a measure that is not in steps."""
    if scale is None or scale.step is None:
        return None
    low, high, step = scale.minimum, scale.maximum, scale.step.exact
    if low is None:
        return Grid(step)
    steps = None if high is None else int((high.exact - low.exact) / step)
    return Grid(step, low.exact, bounded_below=True, steps=steps)


def _rows(study: Study) -> Iterator[tuple[Table, Variable, int, Grid | None]]:
    """Yield every variable of every table with its number of patients and its scores."""
    for table in study.tables:
        for variable in table.variables:
            yield table, variable, variable.n or table.n, grid_of(study.scale_of(variable.name))


def _grim(study: Study) -> Iterator[Found]:
    for table, variable, n, grid in _rows(study):
        if variable.mean is None or grid is None:
            continue
        subject, printed, place = f"mean of {variable.name}", variable.mean.text, variable.place or table.place
        found = granular.totals(variable.mean, n, grid)
        if not found:
            near = _nearest_means(variable.mean.exact, n, grid)
            yield Found(
                subject, printed, *near, INCONSISTENT, f"the nearest means of {n} scores", place, variable.bearing
            )
        elif granular.every_mean_passes(variable.mean, n, grid):
            scores = f"{n} scores in steps of {float(grid.step):g}"
            why = f"every mean of {variable.mean.decimals} decimals is possible for {scores}"
            yield unknown(subject, printed, why, place=place)
        else:
            low, high = (float(grid.origin + t * grid.step / n) for t in (found[0], found[-1]))
            yield judged(subject, variable.mean, low, high, place=place)


def _nearest_means(mean: Fraction, n: int, grid: Grid) -> tuple[float, float]:
    """Return the possible means just below and just above a mean."""
    below = (mean - grid.origin) * n / grid.step // 1
    return float(grid.origin + below * grid.step / n), float(grid.origin + (below + 1) * grid.step / n)


def _grimmer(study: Study) -> Iterator[Found]:
    for table, variable, n, grid in _rows(study):
        if variable.mean is None or variable.sd is None or grid is None or not granular.totals(variable.mean, n, grid):
            continue
        subject, place = f"SD of {variable.name}", variable.place or table.place
        found = [(total, sums) for total, sums in granular.grimmer(variable.mean, variable.sd, n, grid)]
        if found and granular.every_sd_passes(variable.sd, n, grid):
            why = f"every SD of {variable.sd.decimals} decimals within its bounds is possible for {n} scores"
            yield unknown(subject, variable.sd.text, why, place=place)
        elif found:
            ends = [_sd(total, q, n, grid) for total, sums in found for q in (sums[0], sums[-1])]
            yield judged(subject, variable.sd, min(ends), max(ends), place=place)
        else:
            why = f"no {n} scores in steps of {float(grid.step):g} have this SD with the mean {variable.mean}"
            yield Found(subject, variable.sd.text, None, None, INCONSISTENT, why, place, variable.bearing)


def _sd(total: int, squares: int, n: int, grid: Grid) -> float:
    """Return the SD of n scores from their total and sum of squares, in steps."""
    return float(grid.step) * float((squares - Fraction(total * total, n)) / (n - 1)) ** 0.5


def _bounds(study: Study) -> Iterator[Found]:
    for table, variable, n, grid in _rows(study):
        scale = study.scale_of(variable.name)
        if variable.mean is None or scale is None or scale.minimum is None or scale.maximum is None:
            continue
        place, mean = variable.place or table.place, variable.mean
        yield judged(
            f"mean of {variable.name} within its scale", mean, scale.minimum.value, scale.maximum.value, place=place
        )
        inside = mean.high >= scale.minimum.value and mean.low <= scale.maximum.value
        if variable.sd is None or not inside:
            continue
        if grid is not None and granular.totals(mean, n, grid):
            low, high = granular.sd_bounds(mean, n, grid)
        else:
            low, high = 0.0, _greatest_sd(mean.interval, scale.minimum.value, scale.maximum.value, n)
        yield judged(f"SD of {variable.name} within its scale", variable.sd, low, high, place=place)


def _greatest_sd(mean: tuple[float, float], low: float, high: float, n: int) -> float:
    """Return the largest SD of n numbers in [low, high] with a mean in an interval: all at the ends."""
    centre = min(max((low + high) / 2, mean[0]), mean[1])
    return float(max((centre - low) * (high - centre), 0.0) * n / (n - 1)) ** 0.5


def _debit(study: Study) -> Iterator[Found]:
    for table, variable, n, grid in _rows(study):
        if grid is None or grid.steps != 1 or variable.mean is None or variable.sd is None:
            continue
        subject, place = f"SD of {variable.name} from its share", variable.place or table.place
        whole = Grid(grid.step, grid.origin, bounded_below=True, steps=1)
        if granular.totals(variable.mean, n, whole):
            yield judged(subject, variable.sd, *granular.debit(variable.mean, n, whole), place=place)
        else:
            yield unknown(subject, variable.sd.text, f"no {n} patients have the mean {variable.mean}", place=place)


def _totals(study: Study) -> Iterator[Found]:
    for item in study.totals:
        table = study.table_of(item.variable)
        variable = None if table is None else table.variable(item.variable)
        subject = f"total of {item.variable}"
        if table is None or variable is None or variable.mean is None:
            yield unknown(subject, item.total.text, "no mean is printed", place=item.place)
            continue
        n = item.n or variable.n or table.n
        grid = grid_of(study.scale_of(item.variable))
        if grid is None:
            low, high = n * variable.mean.low, n * variable.mean.high
            yield judged(subject, item.total, low, high, place=item.place, bearing=item.bearing)
            continue
        found = granular.totals(variable.mean, n, grid)
        if not found:
            yield unknown(
                subject, item.total.text, f"no total of {n} scores has the mean {variable.mean}", place=item.place
            )
            continue
        low, high = (float(n * grid.origin + t * grid.step) for t in (found[0], found[-1]))
        detail = f"{n} x the mean {variable.mean}"
        yield judged(subject, item.total, low, high, place=item.place, bearing=item.bearing, detail=detail)


def _ranges(study: Study) -> Iterator[Found]:
    for table, variable, _, _ in _rows(study):
        if variable.mean is None or (variable.minimum is None and variable.maximum is None):
            continue
        low = -math.inf if variable.minimum is None else variable.minimum.value
        high = math.inf if variable.maximum is None else variable.maximum.value
        subject, place = f"mean of {variable.name} within the printed range", variable.place or table.place
        yield judged(subject, variable.mean, low, high, place=place, bearing=variable.bearing)


RULES = (
    Rule(
        "GRIM",
        "whether a total of whole-number scores has a mean that rounds to the printed one",
        f"Scores are in steps of the stated size. {_SAME_PATIENTS}",
        "The mean, the number of patients or the step is printed otherwise than it was; what is computed from this "
        "mean moves with it.",
        _grim,
    ),
    Rule(
        "GRIMMER",
        "whether whole-number scores with the printed mean have an SD that rounds to the printed one",
        f"Scores are in steps of the stated size; the SD has the divisor n - 1. {_SAME_PATIENTS}",
        "The SD, the mean or the number of patients is printed otherwise than it was; tests that use the SD move "
        "with it.",
        _grimmer,
    ),
    Rule(
        "bounds of a scale",
        "the means and SDs that scores between the ends of a scale can have",
        "Every score lies on the stated scale; the SD has the divisor n - 1.",
        "The mean, the SD or the scale is printed otherwise than it was.",
        _bounds,
    ),
    Rule(
        "DEBIT",
        "the SD of a variable with two values from its mean: sqrt(m (1 - m) n / (n - 1))",
        f"The variable has two values; the SD has the divisor n - 1. {_SAME_PATIENTS}",
        "The share or its SD is printed otherwise than it was.",
        _debit,
    ),
    Rule(
        "total of a mean",
        "the totals that round to the printed mean",
        _SAME_PATIENTS,
        "The total and the mean are of different patients, or one of them is printed otherwise than it was.",
        _totals,
    ),
    Rule(
        "range in the table",
        "whether a mean lies within the range printed beside it",
        "The range is the possible or the observed one.",
        "The range is printed otherwise than it was; no result uses it.",
        _ranges,
    ),
)
