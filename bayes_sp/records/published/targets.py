"""Correlations to aim at: those that whole-number records can reach within the rounding of the printed ones.

The sum of products of two whole-number columns is a whole number, so with few values their correlation moves in
coarse steps: about .02 between two binary columns. Aiming at the reachable value nearest to the printed one, and
redrawing margins where none is within rounding, lets the search for an arrangement end.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.records.published.article import PublishedStudy
from bayes_sp.records.published.margins import Steps, Window

# A target may use this share of the rounding interval: its edge belongs to floating point.
_INSIDE = 0.98


@dataclass(frozen=True)
class ChangeScore:
    """Sums of a change score's two parts that come nearest to the printed moments of all three."""

    # squares_t0, squares_t1: sums of squares at T0 and T1.
    squares_t0: int
    squares_t1: int
    products: int  # sum of products of T0 and T1
    excess: float  # how far beyond rounding the worst of r(change, T0), r(change, T1), r(T0, T1) remains


@dataclass(frozen=True, eq=False)
class Column:
    """A margin, with what its correlations need: total, and root of the sum of squared deviations."""

    scores: Steps
    total: int
    norm: float

    @classmethod
    def of(cls, scores: Steps) -> Column:
        """Column of scores in steps."""
        total = int(scores.sum())
        return cls(scores, total, math.sqrt(int((scores * scores).sum()) - total * total / len(scores)))


@functools.cache
def change_score(t0: Window, t1: Window, total_t0: int, total_t1: int, printed: tuple[float, ...]) -> ChangeScore:
    """Find the whole-number sums that bring a change score and its parts nearest to their printed moments.

    With s0, s1 the SDs and c the covariance of the parts, the change has variance s^2 = s0^2 + s1^2 - 2 c,
    r(change, T0) = (c - s0^2) / (s s0), r(change, T1) = (s1^2 - c) / (s s1) and r(T0, T1) = c / (s0 s1). All sums that
    keep the three SDs inside rounding are tried.

    ``printed`` holds the lowest and highest SD of the change, the printed r(change, T0), r(change, T1) and r(T0, T1),
    and half of their last digit.
    """
    n = t0.n
    low, high, r_change_t0, r_change_t1, r_parts, half_unit = printed
    (low0, high0), (low1, high1) = t0.squares(total_t0), t1.squares(total_t1)
    q0 = np.arange(low0, high0 + 1, 2)[:, None, None]
    q1 = np.arange(low1, high1 + 1, 2)[None, :, None]
    v0, v1 = (q0 - total_t0**2 / n) / (n - 1), (q1 - total_t1**2 / n) / (n - 1)
    middle = r_parts * math.sqrt(float(v0.mean() * v1.mean())) * (n - 1) + total_t0 * total_t1 / n
    products = np.arange(math.floor(middle) - 30, math.ceil(middle) + 31)[None, None, :]
    c = (products - total_t0 * total_t1 / n) / (n - 1)
    sd = np.sqrt(v0 + v1 - 2.0 * c)
    misses = np.stack(
        np.broadcast_arrays(
            (c - v0) / (sd * np.sqrt(v0)) - r_change_t0,
            (v1 - c) / (sd * np.sqrt(v1)) - r_change_t1,
            c / np.sqrt(v0 * v1) - r_parts,
        )
    )
    excess = np.where((sd > low) & (sd < high), np.abs(misses).max(axis=0) - half_unit, np.inf)
    i, j, k = np.unravel_index(int(np.argmin(excess)), excess.shape)
    return ChangeScore(int(q0[i, 0, 0]), int(q1[0, j, 0]), int(products[0, 0, k]), max(float(excess[i, j, k]), 0.0))


def nearest_correlation(a: Column, b: Column, r: float) -> float:
    """Correlation nearest to ``r`` that some arrangement of two whole-number columns can have."""
    independent = a.total * b.total / len(a.scores)
    return (round(r * a.norm * b.norm + independent) - independent) / (a.norm * b.norm)


def nearest_triple(z: Column, parts: tuple[Column, Column, Column], r: Array, half_units: Array) -> tuple[Array, float]:
    """Correlations of a column with a change score and its parts, jointly reachable and nearest to the printed ones.

    ``parts`` are change, T0 and T1: the sum of products of ``z`` with the change is the difference of those with T1 and
    T0. Returns reachable correlations, (3,), and the largest distance from the printed ones in half units: at most 1 is
    within rounding.
    """
    norms = np.array([part.norm * z.norm for part in parts])
    free = np.array([part.total * z.total / len(z.scores) for part in parts])
    centre, reach = r * norms + free, half_units * norms
    products = [np.arange(math.floor(centre[i] - reach[i]), math.ceil(centre[i] + reach[i]) + 1) for i in (1, 2)]
    s0, s1 = products[0][:, None], products[1][None, :]
    s = np.stack(np.broadcast_arrays(s1 - s0, s0, s1))
    reachable = (s - free[:, None, None]) / norms[:, None, None]
    worst = (np.abs(reachable - r[:, None, None]) / half_units[:, None, None]).max(axis=0)
    i, j = np.unravel_index(int(np.argmin(worst)), worst.shape)
    return reachable[:, i, j], float(worst[i, j])


def reachable_row(name: str, z: Column, placed: dict[str, Column], study: PublishedStudy) -> Array | None:
    """Reachable correlations of a column with all columns placed so far, or None if one is beyond rounding.

    ``placed`` must hold the change of groups and its two parts, first and in this order; targets are in its order.
    """
    row = study.names.index(name)
    where = [study.names.index(other) for other in placed]
    printed, half_units = study.correlations[row, where], study.correlation_half_units[row, where]
    change, t0, t1, *rest = placed.values()
    triple, worst = nearest_triple(z, (change, t0, t1), printed[:3], half_units[:3])
    others = np.array([nearest_correlation(z, other, r) for other, r in zip(rest, printed[3:], strict=True)])
    off = np.abs(others - printed[3:]) / half_units[3:]
    if worst > _INSIDE or np.any(off > _INSIDE):
        return None
    return np.concatenate([triple, others])
