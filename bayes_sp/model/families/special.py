"""Special functions that numba lacks, in plain Python that it can compile."""

from __future__ import annotations

import math
from typing import Any

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
TABLE = 1024  # counts whose log Gamma differences stand in a table; beyond, they follow from the last one there


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


def rising(phi: float, y: float, table: Any) -> tuple[float, float]:
    """Return log Gamma(phi + y) - log Gamma(phi) for a count y, and its derivative with respect to phi.

    ``table[0, k]`` and ``table[1, k]`` hold both for k up to the last K. Beyond, Stirling's series gives what
    phi + y has more than a = phi + K: with b = phi + y, log Gamma(b) - log Gamma(a) =
    (a - 1/2) log(b/a) + (b - a) (log b - 1) + (1/b - 1/a) / 12 - (1/b^3 - 1/a^3) / 360, where what is left out is below
    a^-5 / 1260: 1e-18 for K of 1023 (Abramowitz & Stegun 1964, 6.1.41 and 6.3.18).
    """
    k = int(y)
    last = table.shape[1] - 1
    if k <= last:
        return table[0, k], table[1, k]
    a, b, more = phi + last, phi + y, y - last
    log_ratio = math.log1p(more / a)
    p, q = 1.0 / a, 1.0 / b
    log_gamma = (a - 0.5) * log_ratio + more * (math.log(b) - 1.0) + (q - p) / 12.0 - (q**3 - p**3) / 360.0
    slope = log_ratio - (q - p) / 2.0 - (q * q - p * p) / 12.0 + (q**4 - p**4) / 120.0
    return table[0, last] + log_gamma, table[1, last] + slope
