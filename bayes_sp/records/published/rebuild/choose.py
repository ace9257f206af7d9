"""Totals and sums of squares with which every printed correlation can be reached by whole numbers.

The sum of products of two columns of whole steps is a whole number S, so that their correlation moves in steps of
1 / (norm x norm): r = (S - T T' / n) / (norm norm'), norm^2 = Q - T^2 / n. Of a column's allowed totals T and sums of
squares Q those are kept for which some S gives the printed correlation with every column chosen before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.records.published.margins import UnreachableError
from bayes_sp.records.published.rebuild.changes import suited
from bayes_sp.records.published.rebuild.columns import Measure, Options
from bayes_sp.records.published.study.parts import Change, Table
from bayes_sp.records.published.study.results import Study

_DRAWS = 30  # of a column from the totals and sums that are kept
_FREE = 60  # of a column with free levels
_TRIPLE = 3  # correlations of a change with its parts and between these
_MOST_PRODUCTS = 200
_INSIDE = 0.96  # of a rounding interval counts


@dataclass(frozen=True)
class Sums:
    """Total and sum of squares of a column in steps, and the step in the unit that all columns share."""

    total: int
    squares: int
    n: int
    step: float

    @property
    def norm(self) -> float:
        """Root of the sum of squared deviations, in steps."""
        return float(np.sqrt(self.squares - self.total * self.total / self.n))


def choose(study: Study, table: Table, printed: Mapping[str, Measure], rng: np.random.Generator) -> Array:
    """Draw a column of each measure, (p, n), in the order of ``printed``.

    Columns with the fewest choices come first. Where no choice reaches every correlation, one that reaches most is
    taken.

    Raises UnreachableError if a column on its own cannot be made.
    """
    measures, changes = dict(printed), []
    for change in study.changes:
        derived = change.score in table.names and change.score not in measures
        if derived and {change.before, change.after} <= measures.keys():
            measures |= suited(change, table, measures, rng)
            changes.append(change)
    options = {name: measure.options() for name, measure in measures.items()}
    order = sorted(measures, key=lambda name: (not len(options[name]), len(options[name])))
    drawn: dict[str, Array] = {}
    known: dict[str, Sums] = {}
    for name in order:
        drawn[name], sums = _column(measures[name], options[name], known, table, changes, rng)
        if sums is not None:
            known[name] = sums
    return np.stack([drawn[name] for name in measures])


def _column(
    measure: Measure, options: Options, known: Mapping[str, Sums], table: Table, changes: list[Change],
    rng: np.random.Generator,
) -> tuple[Array, Sums | None]:  # fmt: skip
    """Draw one column, and return its sums where it is in steps."""
    if measure.grid is None:
        return measure.free(rng), None
    step = float(measure.grid.step)
    if not len(options):
        tried: list[tuple[int, int, Array, Sums]] = []
        for _ in range(_FREE):
            values = measure.free(rng)
            steps = np.round((values - float(measure.grid.origin)) / step).astype(np.int64)
            sums = Sums(int(steps.sum()), int((steps * steps).sum()), measure.n, step)
            off = int(_missed(measure, np.array([[sums.total, sums.squares]]), known, table, changes)[0])
            tried.append((off, len(tried), values, sums))
            if not off:
                break
        _, _, values, sums = min(tried, key=lambda one: one[:2])
        return values, sums
    missed = _missed(measure, options, known, table, changes)
    away = np.zeros(len(options))
    if measure.aim is not None:
        sds = np.sqrt(np.maximum(options[:, 1] - options[:, 0] ** 2 / measure.n, 0.0) / (measure.n - 1)) * step
        away = np.abs(sds - measure.aim)
    reason = UnreachableError(measure.name)
    for place in np.lexsort((rng.random(len(options)), away, missed))[:_DRAWS]:
        total, squares = map(int, options[place])
        try:
            return measure.make(total, squares, rng), Sums(total, squares, measure.n, step)
        except UnreachableError as found_none:
            reason = found_none
    raise reason


def _missed(
    measure: Measure, options: Options, known: Mapping[str, Sums], table: Table, changes: list[Change]
) -> NDArray[np.int64]:
    """Return how many printed correlations each choice of a column cannot reach, (k,)."""
    totals, n = options[:, 0], measure.n
    norms = np.sqrt(np.maximum(options[:, 1] - totals**2 / n, 1e-12))
    missed = np.zeros(len(options), dtype=np.int64)
    products: dict[str, tuple[Array, Array]] = {}
    for name, sums in known.items():
        r = table.r(measure.name, name)
        if r is not None:
            reach = _INSIDE * float(r.half_unit)
            free, scale = totals * sums.total / n, norms * sums.norm
            low, high = np.ceil((r.value - reach) * scale + free), np.floor((r.value + reach) * scale + free)
            missed += high < low
            products[name] = low, high
    for change in changes:
        parts = {change.before: change.after, change.after: change.before}
        if parts.get(measure.name) in known:
            missed += _TRIPLE * _triple_missed(measure, options, known[parts[measure.name]], table, change)
        elif measure.name not in parts and {change.before, change.after} <= products.keys():
            missed += _change_missed(measure, (totals.astype(float), norms), known, table, change, products)
    return missed


def _change_missed(
    measure: Measure, own: tuple[Array, Array], known: Mapping[str, Sums], table: Table, change: Change,
    products: Mapping[str, tuple[Array, Array]],
) -> NDArray[np.bool_]:  # fmt: skip
    """Return for which choices the sums of products with both parts leave none for their difference, (k,)."""
    r, sd = table.r(measure.name, change.score), table.variable(change.score).sd
    before, after = known[change.before], known[change.after]
    totals, norms = own
    if r is None or sd is None or before.step != after.step:
        return np.zeros(len(totals), dtype=bool)
    reach = _INSIDE * float(r.half_unit)
    scale = norms * sd.value / before.step * np.sqrt(measure.n - 1)
    free = totals * (after.total - before.total) / measure.n
    low, high = np.ceil((r.value - reach) * scale + free), np.floor((r.value + reach) * scale + free)
    (low0, high0), (low1, high1) = products[change.before], products[change.after]
    return np.asarray(np.minimum(high, high1 - low0) < np.maximum(low, low1 - high0))


def _triple_missed(measure: Measure, options: Options, other: Sums, table: Table, change: Change) -> NDArray[np.bool_]:
    """Return for which choices of one part no sum of products with the other gives all that is printed of the change.

    With S the sum of products, the change has the squared norm N0 + N1 - 2 P, where P = S - T0 T1 / n, and the sums of
    products P - N0 and N1 - P with its parts.
    """
    r = table.r(change.before, change.after)
    step = other.step
    if r is None or measure.grid is None or float(measure.grid.step) != step:
        return np.zeros(len(options), dtype=bool)
    first = measure.name == change.before
    own = np.maximum(options[:, 1] - options[:, 0] ** 2 / measure.n, 1e-12)
    theirs = np.full(len(options), other.norm**2)
    n0, n1 = (own, theirs) if first else (theirs, own)
    free, scale = options[:, 0] * other.total / measure.n, np.sqrt(n0 * n1)
    reach = _INSIDE * float(r.half_unit)
    low, high = np.ceil((r.value - reach) * scale + free), np.floor((r.value + reach) * scale + free)
    count = int(min(max((high - low).max() + 1, 1), _MOST_PRODUCTS))
    s = low[:, None] + np.arange(count)
    p = s - free[:, None]
    changed = np.maximum(n0[:, None] + n1[:, None] - 2 * p, 1e-12)
    fits = s <= high[:, None]
    sd = table.variable(change.score).sd
    for printed, value in (
        (table.r(change.score, change.before), (p - n0[:, None]) / np.sqrt(changed * n0[:, None])),
        (table.r(change.score, change.after), (n1[:, None] - p) / np.sqrt(changed * n1[:, None])),
        (sd, step * np.sqrt(changed / (measure.n - 1))),
    ):
        if printed is not None:
            fits &= np.abs(value - printed.value) <= _INSIDE * float(printed.half_unit)
    return np.asarray(~fits.any(axis=1))
