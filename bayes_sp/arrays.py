"""Types of arrays: numbers, whole-number codes, yes or no; their spread in any unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]


def own_unit(values: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """Return the power of two next to the largest value, 1 where all are 0 or one is not finite; axes are kept.

    Dividing by it changes no digit, and squares of what is left neither overflow nor vanish.
    """
    largest = np.abs(values).max(axis=axis, keepdims=True, initial=0.0)
    usual = np.isfinite(largest) & (largest > 0)
    return np.where(usual, np.exp2(np.frexp(np.where(usual, largest, 1.0))[1] - 1.0), 1.0)


def spread(values: Array, axis: int | tuple[int, ...] | None = None, ddof: int = 0) -> Array:
    """Return the standard deviation in any unit: of 1e-200 it is not 0, and of 1e300 not infinite."""
    unit = own_unit(values, axis)
    with np.errstate(invalid="ignore"):  # of infinite values it is NaN
        found = np.std(values / unit, axis=axis, ddof=ddof, keepdims=True) * unit
    return np.asarray(np.squeeze(found, axis=axis))
