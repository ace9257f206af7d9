"""Which values go together: exchanges within columns until every correlation, those of changes too, is as printed.

Exchanging two patients' values in a column keeps its mean and SD and moves its products with every other column by
-(x_a - x_b) (z_a - z_b). All correlations, and the SDs of differences of columns, follow from these products alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.jit import cached

type Flags = NDArray[np.bool_]

_INSIDE = 0.96  # of a rounding interval is aimed at: its edges belong to floating point
_LEAST = 1e-100  # sum of squares of a constant column
_HOT, _COLD = 2.0, 1e-3  # temperatures, in half units of rounding


@dataclass(frozen=True, eq=False)
class Goal:
    """What is printed of columns and their differences.

    Attributes
    ----------
    parts
        Every variable as a difference of two columns: places of both, (v, 2); -1 in the second for a column itself.
    low, high
        Ends of the rounding interval of every correlation, (v, v); wider than 2 where none is printed.
    sd_low, sd_high
        Ends of every SD's, (v,); used for differences.
    """

    parts: Array
    low: Array
    high: Array
    sd_low: Array
    sd_high: Array


def copula(columns: Array, correlation: Array, rng: np.random.Generator) -> Array:
    """Arrange columns (p, n) by the ranks of normal scores with a correlation matrix (p, p)."""
    p, n = columns.shape
    values, vectors = np.linalg.eigh(correlation)
    scores = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.standard_normal((p, n))
    arranged = np.empty_like(columns)
    for k in range(p):
        arranged[k, np.argsort(scores[k], kind="stable")] = np.sort(columns[k])
    return arranged


def exchange(columns: Array, goal: Goal, proposals: int, rng: np.random.Generator) -> tuple[Array, float]:
    """Anneal the arrangement of columns (p, n); return it, and the sum of the misses that are left."""
    count, n = len(goal.parts), columns.shape[1]
    # Variable = signs @ columns.
    signs = np.zeros((count, len(columns)))
    signs[np.arange(count), goal.parts[:, 0]] = 1.0
    differences = goal.parts[:, 1] >= 0
    signs[differences, goal.parts[differences, 1]] = -1.0
    x = columns - columns.mean(axis=1, keepdims=True)
    z = np.ascontiguousarray(signs @ x)
    ranks = np.tile(np.arange(n), (len(columns), 1))
    printed = (
        0.5 * (goal.low + goal.high), 0.5 * (goal.high - goal.low),
        0.5 * (goal.sd_low + goal.sd_high), 0.5 * (goal.sd_high - goal.sd_low),
    )  # fmt: skip
    sums = np.ascontiguousarray((z[:, None, :] * z[None, :, :]).sum(axis=2))  # no BLAS: the same on every machine
    left = _anneal(np.ascontiguousarray(x), z, ranks, signs, sums, differences, printed, proposals, rng)
    return np.take_along_axis(columns, ranks, axis=1), float(left)


@cached(numba.njit, nogil=True)
def _miss(value: float, centre: float, half: float) -> float:
    """Return the distance d beyond a little less than the rounding interval, in half units, as d + d^2.

    The first part keeps a correlation that cannot be reached from moving those that can.
    """
    if half > 1.0 or half <= 0.0:
        return 0.0
    beyond = abs(value - centre) / half - _INSIDE
    return beyond * (1.0 + beyond) if beyond > 0.0 else 0.0


@cached(numba.njit, nogil=True)
def _misses(v: int, sums: Array, difference: Flags, n: int, printed: tuple[Array, ...], out: Array) -> None:
    """Write the misses of every correlation of variable v, and of its SD where it is a difference, into ``out``."""
    centre, half, sd_centre, sd_half = printed
    own = max(sums[v, v], _LEAST)
    for u in range(len(sums)):
        r = sums[v, u] / np.sqrt(own * max(sums[u, u], _LEAST))
        out[u] = _miss(r, centre[v, u], half[v, u])
    out[v] = _miss(np.sqrt(own / (n - 1)), sd_centre[v], sd_half[v]) if difference[v] else 0.0


@cached(numba.njit, nogil=True)
def _anneal(
    x: Array,
    z: Array,
    order: NDArray[np.int64],
    signs: Array,
    sums: Array,
    difference: Flags,
    printed: tuple[Array, ...],
    proposals: int,
    rng: np.random.Generator,
) -> float:
    """Exchange values of random pairs of patients; ``x``, ``z`` and ``order`` are changed in place.

    With d_u the difference between two patients of what of variable u is not column k, and s_u the sign of k in it, the
    exchange changes the sum of products of v and u by -dx (s_v d_u + s_u d_v).
    """
    (p, n), count = x.shape, len(z)
    misses = np.zeros((count, count))
    for v in range(count):
        _misses(v, sums, difference, n, printed, misses[v])
    new, rows, apart, before = np.zeros((count, count)), np.zeros((count, count)), np.zeros(count), 0.0
    cooling, temperature = (_COLD / _HOT) ** (1.0 / proposals), _HOT
    for _ in range(proposals):
        temperature *= cooling
        k, a, b = int(rng.random() * p), int(rng.random() * n), int(rng.random() * n)
        dx = x[k, a] - x[k, b]
        if dx == 0.0:
            continue
        for u in range(count):
            apart[u] = z[u, a] - z[u, b] - signs[u, k] * dx
        for v in range(count):
            if signs[v, k] != 0.0:
                for u in range(count):
                    rows[v, u] = sums[v, u]
        for v in range(count):
            if signs[v, k] != 0.0:
                for u in range(count):
                    moved = rows[v, u] - dx * (signs[v, k] * apart[u] + signs[u, k] * apart[v])
                    sums[v, u] = sums[u, v] = moved
        before, then = 0.0, 0.0
        for v in range(count):
            if signs[v, k] != 0.0:
                _misses(v, sums, difference, n, printed, new[v])
                for u in range(count):
                    share = 0.5 if signs[u, k] != 0.0 and u != v else 1.0
                    before += share * misses[v, u]
                    then += share * new[v, u]
        accepted = then <= before or rng.random() < np.exp((before - then) / temperature)
        for v in range(count):
            if signs[v, k] != 0.0:
                for u in range(count):
                    if accepted:
                        misses[v, u] = misses[u, v] = new[v, u]
                    else:
                        sums[v, u] = sums[u, v] = rows[v, u]
                if accepted:
                    z[v, a] -= signs[v, k] * dx
                    z[v, b] += signs[v, k] * dx
        if accepted:
            x[k, a], x[k, b] = x[k, b], x[k, a]
            order[k, a], order[k, b] = order[k, b], order[k, a]
            if then == 0.0 and misses.sum() == 0.0:
                break
    return 0.5 * (misses.sum() + np.trace(misses))
