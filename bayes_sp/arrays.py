"""Types of arrays: numbers, whole-number codes, yes or no; and their SD in any unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]


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
