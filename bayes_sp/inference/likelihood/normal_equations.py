"""Normal equations of many regressions at once: made by one matrix product, solved by vectorised elimination.

A batched LAPACK call raises as soon as one of its matrices is singular and does not see one that is singular to
rounding. Here each system keeps its own verdict, so that a resample without, say, any patient of a category is
counted instead of stopping the bootstrap. The replicates are the last axis: every step is then elementwise along
contiguous memory, and a replicate's result does not depend on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array

Flags = NDArray[np.bool_]

# Share of a predictor's sum of squares that the predictors before it leave unexplained, below which the predictor
# counts as a linear combination of them. Rounding leaves about 1e-15; real predictors leave far more than 1e-10.
COLLINEAR = 1e-10

# Numbers in a table of products, 64 MiB; beyond it each weighting multiplies the variables anew.
_MOST_PRODUCTS = 2**23


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """Variables, and the products of pairs of them that every weighting of the patients shares."""

    z: Array  # variables, (n, p)
    products: Array | None  # z_ij z_ik for j <= k, (n, p (p + 1) / 2); None where they would take too much memory
    unpack: NDArray[np.intp]  # place of the pair (j, k) among the products, (p, p)


def cross_products(z: Array) -> CrossProducts:
    """Multiply every pair of variables, (n, p), patient by patient."""
    first, second = np.triu_indices(z.shape[1])
    unpack = np.zeros((z.shape[1], z.shape[1]), dtype=np.intp)
    unpack[first, second] = unpack[second, first] = np.arange(len(first))
    small = len(z) * len(first) <= _MOST_PRODUCTS
    return CrossProducts(z, z[:, first] * z[:, second] if small else None, unpack)


def weighted_gram(cross: CrossProducts, weights: Array) -> Array:
    """Weigh the patients: Z' diag(w_r) Z for each row of the weights, (R, n) to (p, p, R)."""
    if cross.products is not None:
        return np.asarray((cross.products.T @ weights.T)[cross.unpack])
    return np.stack([(cross.z.T * row) @ cross.z for row in weights], axis=-1)


def solve_normal(matrix: Array, rhs: Array, keep: Flags | None = None, least: float = COLLINEAR) -> tuple[Array, Array]:
    """Solve symmetric positive definite systems A x = b by Gaussian elimination without pivoting.

    For A (p, p, R) and b (p, m, R) returns x, (p, m, R), NaN for systems that are not positive definite to rounding,
    and pivot j divided by A_jj, (p, R): the share of variable j that the variables before it leave unexplained, at
    least ``least``. Variables that are not in ``keep``, (p, R), get the solution 0.
    """
    size = len(matrix)
    if keep is not None:
        matrix = np.where(keep[:, None] & keep[None], matrix, np.eye(size)[..., None])
        rhs = np.where(keep[:, None], rhs, 0.0)
    both = np.concatenate([matrix, rhs], axis=1)  # A and b go through the same steps
    a, x = both[:, :size], both[:, size:]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # judged by the pivots
        for j in range(size):
            ratio = a[j + 1 :, j] / a[j, j]
            both[j + 1 :, j + 1 :] -= ratio[:, None] * both[j, None, j + 1 :]
        unexplained = np.einsum("jjr->jr", a) / np.einsum("jjr->jr", matrix)
        for j in reversed(range(size)):
            x[j] = (x[j] - np.einsum("kr,kmr->mr", a[j, j + 1 :], x[j + 1 :])) / a[j, j]
    x[..., ~definite(unexplained, least)] = np.nan
    return x, unexplained


def definite(unexplained: Array, least: float = COLLINEAR) -> Flags:
    """Whether each system is positive definite to rounding: (p, R) to (R,). NaN counts as not."""
    return np.asarray((unexplained > least).all(axis=0))


def independent(matrix: Array) -> Flags:
    """Return which variables are no linear combination of kept ones before them: A, (p, p, R) to (p, R).

    Leaving out the others changes no fitted value, and no coefficient outside of the combination: a level of a category
    that a resample does not hold leaves the coefficients of exposure and mediators alone.
    """
    size = len(matrix)
    a, keep = matrix.copy(), np.zeros((size, matrix.shape[-1]), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a variable that is 0 for every patient
        for j in range(size):
            keep[j] = a[j, j] / matrix[j, j] > COLLINEAR
            ratio = np.where(keep[j], a[j + 1 :, j] / a[j, j], 0.0)
            a[j + 1 :, j + 1 :] -= ratio[:, None] * a[j, None, j + 1 :]
    return keep
