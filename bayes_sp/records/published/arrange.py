"""Arranging margins into patients: which values go together so that every correlation comes out.

Exchanging two patients' values within a column keeps the column's mean and SD and moves only its correlations. The
start is a Gaussian copula; then, column by column, the best of all n (n - 1) / 2 exchanges is made until every
correlation is within rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.jit import cached
from bayes_sp.records.published.margins import UnreachableError

# Standardised scores are rounded to 1 / _GRID. Every product and sum below is then a whole number under 2^53, which
# floating point holds exactly: the records do not depend on the order in which a machine's linear algebra adds.
_GRID = 512.0
_MAX_WEIGHT = 8.0
_COPULA_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Problem:
    """Correlations to reach with p columns for n patients, of which the first ``anchored`` stay where they are."""

    targets: Array  # reachable correlations to aim at, (p, p)
    # printed, half_units: correlations as printed and half of their last digits, (p, p): the end is within rounding of
    # *these*.
    printed: Array
    half_units: Array
    anchored: int


def correlations(columns: Array) -> Array:
    """Correlations between rows of ``columns`` (p, n), from exact whole-number sums, (p, p)."""
    n = columns.shape[1]
    totals = columns.sum(axis=1)
    deviations = columns @ columns.T - np.outer(totals, totals) / n
    norms = np.sqrt(np.diag(deviations))
    r: Array = deviations / np.outer(norms, norms)
    return r


def copula(columns: Array, problem: Problem, basis: list[int], rng: np.random.Generator) -> Array:
    """Arrange the free columns by the ranks of Gaussian scores that have the target correlations in this very sample.

    Ranks of skewed or coarse columns correlate less than the scores do, so the scores' correlations are moved by what
    is missing, a few times over.

    Columns are whole numbers, (p, n); the anchored ones are left as they are, those in ``basis`` are linearly
    independent.
    """
    n = columns.shape[1]
    free = np.arange(problem.anchored, len(columns))
    fixed = columns[basis] - columns[basis].mean(axis=1, keepdims=True)
    fixed = (fixed / np.linalg.norm(fixed, axis=1, keepdims=True)).T
    noise = rng.standard_normal((n, len(free)))
    # Orthogonal to the constant and to the anchored columns, hence exactly uncorrelated with them.
    noise = np.linalg.qr(np.column_stack([np.ones(n), fixed, noise]))[0][:, 1 + len(basis) :]
    values = np.sort(columns[free], axis=1)
    joint = problem.targets[np.ix_(free, free)].copy()
    cross = problem.targets[np.ix_(basis, free)].copy()
    arranged = columns.copy()
    for _ in range(_COPULA_ROUNDS):
        slopes = np.linalg.solve(fixed.T @ fixed, cross)
        eigenvalues, vectors = np.linalg.eigh(joint - cross.T @ slopes)
        # The symmetric root changes little from round to round; other roots would turn the scores.
        root = (vectors * np.sqrt(np.maximum(eigenvalues, 1e-3))) @ vectors.T
        scores = fixed @ slopes + noise @ root
        for row, column in enumerate(free):
            arranged[column, np.argsort(scores[:, row], kind="stable")] = values[row]
        missing = problem.targets - correlations(arranged)
        joint += missing[np.ix_(free, free)]
        cross += missing[np.ix_(basis, free)]
    return arranged


def excess(columns: Array, problem: Problem) -> Array:
    """Distance of each correlation beyond rounding, (p, p): negative within; among anchored columns minus infinity."""
    beyond = np.abs(correlations(columns) - problem.printed) - problem.half_units
    beyond[: problem.anchored, : problem.anchored] = -np.inf
    np.fill_diagonal(beyond, -np.inf)
    return beyond


def exchange(columns: Array, problem: Problem, max_sweeps: int = 80) -> Array:
    """Exchange values within columns until every correlation that is not anchored is within rounding.

    For column k with scores v, other columns' standardised scores z_j, misses e_j = r_jk - target_jk and weights w_j,
    exchanging patients a and b changes the weighted sum of squared misses by an amount proportional to

        dv^2 D_ab - 2 dv (u_a - u_b),   dv = v_a - v_b,   u = sum_j w_j^2 e_j z_j,   D_ab = sum_j w_j^2 (z_ja - z_jb)^2

    so all pairs are compared in one step. Where no exchange helps any column, the weights of the correlations that are
    still beyond rounding grow by half.

    Raises UnreachableError if ``max_sweeps`` rounds over the columns do not suffice.
    """
    x = columns.copy()
    weights = np.ones((len(x), len(x)))
    for _ in range(max_sweeps):
        moved = _sweep(x, problem.targets, weights, problem.anchored)
        beyond = excess(x, problem) > -1e-9
        if not beyond.any():
            return x
        if not moved:
            weights[beyond] = np.minimum(1.5 * weights[beyond], _MAX_WEIGHT)
    raise UnreachableError(f"{int(beyond.sum()) // 2} correlations remain beyond rounding")


@cached(numba.njit, nogil=True, fastmath={"nnan", "nsz"})
def _best_exchange(v: Array, weighted: Array, pull: Array) -> tuple[float, int, int]:
    """Best exchange in a column with scores ``v`` (n,): change of the objective (scaled), and the two patients.

    ``weighted`` are the other columns' weighted scores (p, n), ``pull`` is 2 u of `exchange` (n,).
    """
    together = np.dot(weighted.T, weighted)
    least, first, second = 0.0, 0, 0
    for a in range(len(v) - 1):
        lowest, row = 0.0, together[a]
        for b in range(a + 1, len(v)):
            dv = v[a] - v[b]
            row[b] = ((row[a] + together[b, b] - 2.0 * row[b]) * dv - pull[a] + pull[b]) * dv
            lowest = min(lowest, row[b])
        if lowest < least:
            least, first, second = lowest, a, a + 1
            while row[second] > lowest:
                second += 1
    return least, first, second


@numba.njit(fastmath={"nnan", "nsz"})
def _product(u: Array, v: Array) -> float:
    total = 0.0
    for i in range(len(u)):
        total += u[i] * v[i]
    return total


# Loops, not slices: the messages of slices that do not fit would take longer to compile than all the rest.
@cached(numba.njit, nogil=True, fastmath={"nnan", "nsz"})
def _sweep(x: Array, targets: Array, weights: Array, anchored: int) -> bool:
    """Make the best exchange within each column of ``x`` (p, n) that is not anchored, in place: whether one was made.

    ``targets`` and ``weights`` of correlations are (p, p); the objective is that of `exchange`.
    """
    p, n = x.shape
    totals, norms, z = np.empty(p), np.empty(p), np.empty((p, n))
    scale = np.sqrt(float(n)) * _GRID
    for j in range(p):
        totals[j] = 0.0
        for i in range(n):
            totals[j] += x[j, i]
        norms[j] = np.sqrt(_product(x[j], x[j]) - totals[j] * totals[j] / n)
        for i in range(n):
            z[j, i] = np.rint((x[j, i] - totals[j] / n) / norms[j] * scale)
    moved = False
    weighted, pull = np.zeros((p, n)), np.empty(n)
    for k in range(anchored, p):
        for i in range(n):
            pull[i] = 0.0
        for j in range(p):
            w = 0.0 if j == k else weights[k, j]
            product = _product(x[j], x[k]) - totals[j] * totals[k] / n
            miss = np.rint((product / (norms[j] * norms[k]) - targets[k, j]) * w * norms[k] * scale)
            for i in range(n):
                weighted[j, i] = np.rint(z[j, i] * w)
                pull[i] += 2.0 * miss * weighted[j, i]
        gain, a, b = _best_exchange(x[k], weighted, pull)
        # A gain under 1e-7 in squared misses could come from the rounding of z alone and run in a circle.
        if gain < -1e-7 * (norms[k] * scale) ** 2:
            x[k, a], x[k, b] = x[k, b], x[k, a]
            z[k, a], z[k, b] = z[k, b], z[k, a]
            moved = True
    return moved
