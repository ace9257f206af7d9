"""Patients with several rows, one for each value that a missing cell may have. Compiled as part of `density`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled


@compiled
def begun(ints: Any, floats: Any, size: int, ell: int) -> Any:
    """Return ``work`` of a size, 0 but for what the log-densities of rows of patients with several begin with."""
    work = np.zeros(size)
    constants = ints[at.ROW_CONSTANTS]
    if constants != at.NONE:
        for r in range(ints[at.SINGLE], ints[at.ROWS]):
            work[ell + r] = floats[constants + r]
    return work


@compiled
def split_weights(ints: Any, work: Any, ell: int, weight: int) -> float:
    """Return sum over split patients of log sum over rows of exp(ell); write each row's share of that sum."""
    value = 0.0
    for r in range(ints[at.SINGLE]):
        work[weight + r] = 1.0
    for s in range(ints[ints[at.SPLIT]]):
        first = ints[ints[at.SPLIT] + 1 + 2 * s]
        last = first + ints[ints[at.SPLIT] + 2 + 2 * s]
        top = -math.inf
        for r in range(first, last):
            top = max(top, work[ell + r])
        norm = 0.0
        for r in range(first, last):
            work[weight + r] = math.exp(work[ell + r] - top)
            norm += work[weight + r]
        for r in range(first, last):
            work[weight + r] /= norm
        value += top + math.log(norm)
    return value
