"""Which values go together: moves within columns until every correlation, those of changes too, is as printed.

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
_SWAPS, _LOOKS = 0.6, 12  # share of exchanges among moves; patients looked at for the fourth of a move
_LEAST = 1e-100  # sum of squares of a constant column
_HOT, _COLD = 2.0, 1e-3  # temperatures, in half units of rounding


@dataclass(frozen=True, eq=False)
class Goal:
    """What is printed of columns and their differences."""

    # Every variable as a difference of two columns: places of both, (v, 2); -1 in the second for a column itself.
    parts: Array
    # low, high: ends of the rounding interval of every correlation, (v, v); wider than 2 where none is printed.
    low: Array
    high: Array
    # sd_low, sd_high: ends of every SD's, (v,); used for differences.
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


def exchange(
    columns: Array, goal: Goal, proposals: int, rng: np.random.Generator, shapes: Array | None = None
) -> tuple[Array, float]:
    """Anneal the arrangement of columns (p, n); return it, and the sum of the misses that are left.

    ``shapes`` are step, smallest and largest score of every column, (p, 3): where the step is above 0 four patients'
    scores may also move by one step each so that total and sum of squares stay.
    """
    count = len(goal.parts)
    # Variable = signs @ columns.
    signs = np.zeros((count, len(columns)))
    signs[np.arange(count), goal.parts[:, 0]] = 1.0
    differences = goal.parts[:, 1] >= 0
    signs[differences, goal.parts[differences, 1]] = -1.0
    means = columns.mean(axis=1, keepdims=True)
    x = np.ascontiguousarray(columns - means)
    z = np.ascontiguousarray(signs @ x)
    limits = np.zeros((len(columns), 3)) if shapes is None else np.column_stack([shapes[:, :1], shapes[:, 1:] - means])
    printed = (
        0.5 * (goal.low + goal.high), 0.5 * (goal.high - goal.low),
        0.5 * (goal.sd_low + goal.sd_high), 0.5 * (goal.sd_high - goal.sd_low),
    )  # fmt: skip
    sums = np.ascontiguousarray((z[:, None, :] * z[None, :, :]).sum(axis=2))  # no BLAS: the same on every machine
    left = _anneal(x, z, limits, signs, sums, differences, printed, proposals, rng)
    return x + means, float(left)


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
def _propose(own: Array, limits: Array, rng: np.random.Generator, patients: Array, shifts: Array) -> int:
    """Write a move of one column into ``patients`` and ``shifts``; return how many patients it moves, 0 for none.

    Two patients change places, or one of two goes up a step and the other down, which changes the sum of squares by
    2 step (x_up - x_down) + 2 step^2, and two more make up for it.
    """
    n, step = len(own), limits[0]
    for i in range(4):
        patients[i] = int(rng.random() * n)
    a, b, c, d = patients
    if step <= 0.0 or rng.random() < _SWAPS:
        shifts[0], shifts[1] = own[b] - own[a], own[a] - own[b]
        return 0 if abs(shifts[0]) < 1e-9 else 2
    wanted = own[c] + own[a] - own[b] + 2.0 * step
    for _ in range(_LOOKS):
        if abs(own[d] - wanted) < 0.25 * step:
            break
        d = int(rng.random() * n)
    edge = 0.25 * step
    if abs(own[d] - wanted) > edge or a in (b, c, d) or b in (c, d) or c == d:
        return 0
    if max(own[a], own[c]) + step > limits[2] + edge or min(own[b], own[d]) - step < limits[1] - edge:
        return 0
    patients[3] = d
    shifts[0], shifts[1], shifts[2], shifts[3] = step, -step, step, -step
    return 4


@cached(numba.njit, nogil=True)
def _halved(misses: Array) -> float:
    """Return the sum of a symmetric table in which each pair counts once, and so does the diagonal."""
    total = 0.0
    for v in range(len(misses)):
        for u in range(v + 1):
            total += misses[v, u]
    return total


@cached(numba.njit, nogil=True)
def _anneal(
    x: Array,
    z: Array,
    limits: Array,
    signs: Array,
    sums: Array,
    difference: Flags,
    printed: tuple[Array, ...],
    proposals: int,
    rng: np.random.Generator,
) -> float:
    """Move scores within columns; ``x`` and ``z`` are changed in place.

    With d_u the sum over the patients moved of their shift times what of variable u is not column k, and s_u the sign
    of k in u, a move that keeps the sum of squares changes the sum of products of v and u by s_v d_u + s_u d_v.
    """
    (p, n), count = x.shape, len(z)
    misses = np.zeros((count, count))
    for v in range(count):
        _misses(v, sums, difference, n, printed, misses[v])
    new, rows, apart = np.zeros((count, count)), np.zeros((count, count)), np.zeros(count)
    patients, shifts = np.zeros(4, dtype=np.int64), np.zeros(4)
    cooling, temperature = (_COLD / _HOT) ** (1.0 / proposals), _HOT
    for _ in range(proposals):
        temperature *= cooling
        k = int(rng.random() * p)
        moved = _propose(x[k], limits[k], rng, patients, shifts)
        if moved == 0:
            continue
        for u in range(count):
            apart[u] = 0.0
            for i in range(moved):
                apart[u] += shifts[i] * (z[u, patients[i]] - signs[u, k] * x[k, patients[i]])
        before, then = 0.0, 0.0
        for v in range(count):
            if signs[v, k] != 0.0:
                for u in range(count):
                    rows[v, u] = sums[v, u]
        for v in range(count):
            if signs[v, k] != 0.0:
                for u in range(count):
                    sums[v, u] = sums[u, v] = rows[v, u] + signs[v, k] * apart[u] + signs[u, k] * apart[v]
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
        for i in range(moved if accepted else 0):
            x[k, patients[i]] += shifts[i]
            for u in range(count):
                z[u, patients[i]] += signs[u, k] * shifts[i]
        if accepted and then == 0.0 and _halved(misses) == 0.0:
            break
    return _halved(misses)
