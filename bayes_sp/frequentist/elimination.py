"""Normal equations of many regressions at once, by elimination vectorised over the regressions.

A batched LAPACK call raises as soon as one of its matrices is singular and does not see one that is singular to
rounding. Here each system keeps its own verdict, so that a resample without, say, any patient of a category is
counted instead of stopping the bootstrap. The replicates are the last axis: every step is then elementwise along
contiguous memory, and a replicate's result does not depend on its neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Share of a predictor's sum of squares that the predictors before it leave unexplained, below which the predictor
# counts as a linear combination of them. Rounding leaves about 1e-15; real predictors leave far more than 1e-10.
COLLINEAR = 1e-10


def solve_normal(matrix: Array, rhs: Array) -> tuple[Array, Array]:
    """Solve symmetric positive definite systems A x = b by Gaussian elimination without pivoting.

    Parameters
    ----------
    matrix
        A, (p, p, R).
    rhs
        Right-hand sides b, (p, m, R).

    Returns
    -------
    solution : Array
        x, (p, m, R); NaN for the systems that are not positive definite to rounding.
    unexplained : Array
        Pivot j divided by A_jj: the share of variable j that the variables before it leave unexplained, (p, R).
    """
    a, x = matrix.copy(), rhs.copy()
    size = len(a)
    diagonal = np.einsum("jjr->jr", matrix)
    for j in range(size):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # judged below
            ratio = a[j + 1 :, j] / a[j, j]
            a[j + 1 :, j + 1 :] -= ratio[:, None] * a[j, None, j + 1 :]
            x[j + 1 :] -= ratio[:, None] * x[j, None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        unexplained = np.einsum("jjr->jr", a) / diagonal
        for j in reversed(range(size)):
            x[j] = (x[j] - (a[j, j + 1 :, None] * x[j + 1 :]).sum(axis=0)) / a[j, j]
    x[..., ~definite(unexplained)] = np.nan
    return x, unexplained


def definite(unexplained: Array) -> NDArray[np.bool_]:
    """Whether each system is positive definite to rounding: (p, R) to (R,). NaN counts as not."""
    return np.asarray((unexplained > COLLINEAR).all(axis=0))
