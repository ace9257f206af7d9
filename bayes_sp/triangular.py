"""Triangular factors of tables with very many rows: block by block, each of which stays in the processor's cache."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array

TALL = 100_000  # rows from which on blocks are a fifth of the work
CELLS = 8192  # of a block: from 9216 on BLAS may share it between threads, which then cost a hundred times what they do


def triangle(table: Array) -> Array:
    """Return R of table = Q R, (min(n, p), p): of a tall table from the factors of its blocks, one above the other."""
    n, columns = table.shape
    size = CELLS // max(columns, 1)
    if n < TALL or size < 4 * columns:
        return np.linalg.qr(table, mode="r")
    blocks = n // size
    factors = np.linalg.qr(table[: blocks * size].reshape(blocks, size, columns), mode="r")
    return triangle(np.concatenate([factors.reshape(-1, columns), table[blocks * size :]]))


def least_squares(table: Array, target: Array) -> Array:
    """Return the coefficients b of least length, (p,), for which |target - table b| is least.

    Of several targets, (n, k), a column of coefficients each. LAPACK holds the interpreter while it works on one table,
    which for a million rows and many columns is too long for a signal to wait.
    """
    if len(table) >= TALL:
        factor, columns = triangle(np.column_stack([table, target])), table.shape[1]
        table, target = factor[:, :columns], factor[:, columns if target.ndim == 1 else slice(columns, None)]
    return np.linalg.lstsq(table, target)[0]
