"""Types of arrays: numbers, whole-number codes, yes or no; their SD in any unit; triangular factors, block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

TALL = 100_000  # rows from which on blocks are a fifth of the work
CELLS = 8192  # of a block: from 9216 on BLAS may share it between threads, which then cost a hundred times what they do


def unit_of(values: Array, axis: int | tuple[int, ...] = 0) -> Array:
    """Return the power of two at or above the largest numbers along some axes, which stay; 1 of 0 and of infinities.

    To divide by it changes no digit, and squares of what is left are numbers, whatever the unit.
    """
    size = np.abs(values).max(axis=axis, keepdims=True, initial=0.0)
    known = np.isfinite(size) & (size > 0.0)
    return np.where(known, np.ldexp(1.0, np.minimum(np.frexp(np.where(known, size, 1.0))[1], 1023)), 1.0)


def sd_of(values: Array, axis: int | tuple[int, ...] = 0, ddof: int = 0) -> Array:
    """Return the SD along some axes of numbers in any unit; NaN where one is infinite."""
    unit = unit_of(values, axis)
    with np.errstate(invalid="ignore"):  # infinity less infinity
        found = (values / unit).std(axis=axis, ddof=ddof)
    return np.asarray(found * unit.reshape(np.shape(found)))


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
