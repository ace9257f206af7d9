"""Two normal equations whose errors correlate: their likelihood from one QR factor. Compiled as part of `density`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled
from bayes_sp.inference.engine.compiled_rows import HALF_LOG_2PI, dot


@compiled
def pair(ints: Any, floats: Any, v: Any, dv: Any) -> float:
    """Return the log-likelihood, and add its derivatives by natural parameters; 0 where there is no such pair.

    With residuals r1, r2, a = |r1|^2 / s1^2, b = r1.r2 / (s1 s2), c = |r2|^2 / s2^2 and q = 1 - rho^2 it is
    -(a - 2 rho b + c) / 2q - n log(s1 s2) - n log(q) / 2 - n log(2 pi).
    """
    record = ints[at.PAIR]
    if record == at.NONE:
        return 0.0
    columns = (ints[record + at.PAIR_COLUMNS], ints[record + at.PAIR_COLUMNS + 1])
    size = columns[0] + columns[1] + 2
    factor, n = ints[record + at.PAIR_FACTOR], float(ints[record + at.PAIR_RECORDS])
    rho = v[ints[record + at.PAIR_RHO]]
    left = 1.0 - rho * rho
    residual = np.empty((2, size))
    for side in range(2):
        sigma, beta = v[ints[record + at.PAIR_SIGMA + side]], ints[record + at.PAIR_BETA + side]
        y, x = factor + (size - 2 + side) * size, factor + side * columns[0] * size
        for i in range(size):
            residual[side, i] = floats[y + i] / sigma
        for c in range(columns[side]):
            slope = v[beta + c] / sigma
            for i in range(size):
                residual[side, i] -= floats[x + c * size + i] * slope
    first, second = residual[0], residual[1]
    a, b, c2 = dot(first, 0, first, 0, size), dot(first, 0, second, 0, size), dot(second, 0, second, 0, size)
    whole = a - 2.0 * rho * b + c2
    dv[ints[record + at.PAIR_RHO]] += n * rho / left + b / left - rho * whole / (left * left)
    value = -0.5 * whole / left - 0.5 * n * math.log(left) - 2.0 * n * HALF_LOG_2PI
    pulled = np.empty(size)
    for side in range(2):
        place, beta = ints[record + at.PAIR_SIGMA + side], ints[record + at.PAIR_BETA + side]
        sigma, x = v[place], factor + side * columns[0] * size
        value -= n * math.log(sigma)
        own = a if side == 0 else c2
        dv[place] += ((own - rho * b) / left - n) / sigma
        for i in range(size):
            pulled[i] = (residual[side, i] - rho * residual[1 - side, i]) / (left * sigma)
        for c in range(columns[side]):
            dv[beta + c] += dot(floats, x + c * size, pulled, 0, size)
    return value
