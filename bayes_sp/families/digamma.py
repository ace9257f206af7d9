"""Special functions that numba lacks, in plain Python that it can compile."""

from __future__ import annotations

import math


def digamma(x: float) -> float:
    """Return psi(x) = d/dx log Gamma(x) for x > 0, elsewhere nan.

    The recurrence psi(x) = psi(x + 1) - 1/x up to x >= 8, then the asymptotic series, whose first term left out is
    below 2e-15 (Abramowitz & Stegun 1964, 6.3.5 and 6.3.18).
    """
    if not x > 0.0:
        return math.nan
    below = 0.0
    while x < 8.0:
        below += 1.0 / x
        x += 1.0
    r = 1.0 / (x * x)
    series = 1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760 - r / 12)))
    return math.log(x) - 0.5 / x - r * (1 / 12 - r * (1 / 120 - r * series)) - below
