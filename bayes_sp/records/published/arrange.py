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
    """Correlations to reach with p columns for n patients, of which the first ``anchored`` stay where they are.

    Attributes
    ----------
    targets
        Reachable correlations to aim at, (p, p).
    printed, half_units
        Correlations as printed and half of their last digits, (p, p): the end is within rounding of *these*.
    anchored
        Number of leading columns whose arrangement is fixed.
    """

    targets: Array
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

    Parameters
    ----------
    columns
        Whole-number columns, (p, n); the anchored ones are left as they are.
    problem
        The targets.
    basis
        Anchored columns that are linearly independent.
    rng
        Generator.

    Returns
    -------
    ndarray
        The columns arranged, (p, n).
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

    Raises
    ------
    UnreachableError
        If ``max_sweeps`` rounds over the columns do not suffice.
    """
    x = columns.copy()
    p, n = x.shape
    totals = x.sum(axis=1)
    norms = np.sqrt((x * x).sum(axis=1) - totals * totals / n)
    scale = np.sqrt(float(n)) * _GRID
    z = np.round((x - totals[:, None] / n) / norms[:, None] * scale)
    weights = np.ones((p, p))
    between = np.empty((n, n))
    other = [np.delete(np.arange(p), k) for k in range(p)]
    for _ in range(max_sweeps):
        moved = False
        for k in range(problem.anchored, p):
            others = other[k]
            w = weights[k, others]
            products = x[others] @ x[k] - totals[others] * totals[k] / n
            miss = products / (norms[others] * norms[k]) - problem.targets[k, others]
            weighted, miss = np.round(z[others] * w[:, None]), np.round(miss * w * norms[k] * scale)
            np.matmul(weighted.T, weighted, out=between)
            gain, a, b = _best_exchange(x[k], between, 2.0 * (miss @ weighted))
            # A gain under 1e-7 in squared misses could come from the rounding of z alone and run in a circle.
            if gain < -1e-7 * (norms[k] * scale) ** 2:
                x[k, [a, b]] = x[k, [b, a]]
                z[k, [a, b]] = z[k, [b, a]]
                moved = True
        beyond = excess(x, problem) > -1e-9
        if not beyond.any():
            return x
        if not moved:
            weights[beyond] = np.minimum(1.5 * weights[beyond], _MAX_WEIGHT)
    raise UnreachableError(f"{int(beyond.sum()) // 2} correlations remain beyond rounding")


@cached(numba.njit, nogil=True, fastmath={"nnan", "nsz"})
def _best_exchange(v: Array, products: Array, pull: Array) -> tuple[float, int, int]:
    """Best exchange in a column with scores ``v`` (n,): change of the objective (scaled), and the two patients.

    ``products`` are z'z of the other columns' weighted scores (n, n), ``pull`` is 2 u of `exchange` (n,).
    """
    own, row = np.diag(products).copy(), np.empty(len(v))
    least, first, second = 0.0, 0, 0
    for a in range(len(v) - 1):
        values, pulls, sums, between = v[a + 1 :], pull[a + 1 :], own[a + 1 :], products[a, a + 1 :]
        lowest = 0.0
        for b in range(len(values)):
            dv = v[a] - values[b]
            row[b] = ((own[a] + sums[b] - 2.0 * between[b]) * dv - pull[a] + pulls[b]) * dv
            lowest = min(lowest, row[b])
        if lowest < least:
            least, first = lowest, a
            second = a + 1 + int(np.argmin(row[: len(values)]))
    return least, first, second
