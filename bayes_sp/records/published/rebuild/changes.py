"""Totals and SDs of two columns that suit the printed mean, SD and correlations of their difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayes_sp.records.published.rebuild.columns import Measure
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Change, Table

_POINTS = 61  # of each SD's rounding interval, and of the correlation's
_INSIDE = 0.97  # of rounding intervals is aimed at


def suited(change: Change, table: Table, measures: dict[str, Measure], rng: np.random.Generator) -> dict[str, Measure]:
    """Return the measures of both parts with totals and SDs that suit the change, drawn from those that do.

    Where none do the nearest are taken.
    """
    score, before, after = table.variable(change.score), measures[change.before], measures[change.after]
    if score.mean is not None and before.totals and after.totals:
        before, after = _totals(score.mean, before, after, rng)
    aims = _sds(change, table, rng)
    if aims is not None:
        before, after = replace(before, aim=aims[0]), replace(after, aim=aims[1])
    return {change.before: before, change.after: after}


def _totals(mean: Figure, before: Measure, after: Measure, rng: np.random.Generator) -> tuple[Measure, Measure]:
    """Return both measures with one total each, whose difference in means rounds to the printed mean of the change."""
    if before.grid is None or after.grid is None:
        return before, after
    means0 = {t: before.grid.origin + t * before.grid.step / before.n for t in before.totals}
    means1 = {t: after.grid.origin + t * after.grid.step / after.n for t in after.totals}
    misses = {
        (t0, t1): max(abs(m1 - m0 - mean.exact) - mean.half_unit, 0)
        for t0, m0 in means0.items()
        for t1, m1 in means1.items()
    }
    least = min(misses.values())
    best = [pair for pair, miss in misses.items() if miss == least]
    t0, t1 = best[int(rng.integers(len(best)))]
    return replace(before, totals=(t0,)), replace(after, totals=(t1,))


def _sds(change: Change, table: Table, rng: np.random.Generator) -> tuple[float, float] | None:
    """Return SDs of both parts for which some correlation of theirs gives all that is printed of the change.

    With k = s1 / s0, r the correlation of the parts and q^2 = 1 + k^2 - 2 k r: r(change, before) = (k r - 1) / q,
    r(change, after) = (k - r) / q and SD(change) = s0 q.
    """
    score, sd0, sd1 = table.variable(change.score), table.variable(change.before).sd, table.variable(change.after).sd
    if sd0 is None or sd1 is None:
        return None
    r_parts = table.r(change.before, change.after)
    low, high = (-1.0, 1.0) if r_parts is None else r_parts.interval
    s0, s1 = _points(sd0), _points(sd1)
    r = np.linspace(low, high, _POINTS if r_parts is not None else 20 * _POINTS)[None, None, :]
    k = (s1[None, :] / s0[:, None])[:, :, None]
    q = np.sqrt(np.maximum(1.0 + k * k - 2.0 * k * r, 1e-12))
    worst = np.zeros(np.broadcast_shapes(k.shape, r.shape))
    for printed, value in (
        (table.r(change.score, change.before), (k * r - 1.0) / q),
        (table.r(change.score, change.after), (k - r) / q),
        (score.sd, s0[:, None, None] * q),
        (r_parts, r + 0.0 * k),
    ):
        if printed is not None:
            worst = np.maximum(worst, np.abs(value - printed.value) / max(float(printed.half_unit), 1e-9))
    least = np.maximum(worst.min(axis=2), _INSIDE).ravel()
    i, j = divmod(int(rng.choice(np.flatnonzero(least <= least.min() + 1e-9))), _POINTS)
    return float(s0[i]), float(s1[j])


def _points(sd: Figure) -> np.ndarray:
    """Return SDs evenly over most of a rounding interval."""
    reach = _INSIDE * float(sd.half_unit)
    return np.maximum(np.linspace(sd.value - reach, sd.value + reach, _POINTS), 1e-9)
