"""Special functions that numba lacks."""

from __future__ import annotations

import math

from typing import Any

import numba

# Division by zero gives inf or nan, which the caller looks for; nothing here is called from Python, so no wrappers.
compiled: Any = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@compiled
def digamma(x: float) -> float:
    """Return the derivative of log Gamma at x > 0.

    Recurrence up to 10, then the asymptotic series: log x - 1/(2x) - sum B_2k / (2k x^2k), to about 1e-14.
    """
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    r = 1.0 / (x * x)
    series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760 - r / 12))))))
    return total + math.log(x) - 0.5 / x - series
