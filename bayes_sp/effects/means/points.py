"""Compiled parts that the loops share: mean outcomes at a point, probabilities of levels, coupling of two worlds.

A number "in representation" is exp(-eta) for `LOGIT` and `BETA`, exp(eta) for `EXP`, `ZERO_INFLATED` and `HURDLE` and
eta itself for `IDENTITY` and `PROBIT`; zeta is always exp(zeta).
"""

# ruff: noqa: ANN001, ANN201 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

IDENTITY, EXP, LOGIT, PROBIT, ZERO_INFLATED, HURDLE, BETA = range(7)
OPTIONS = {"nogil": True, "fastmath": {"reassoc", "contract", "arcp"}}
_compile = njit(**OPTIONS)


@_compile
def join(kind, a, b):
    """Sum of two linear predictors in representation."""
    return a + b if kind in (IDENTITY, PROBIT) else a * b


@_compile
def normal_cdf(x):
    """P(Z <= x) of a standard normal variable."""
    return 0.5 * math.erfc(-0.7071067811865476 * x)


@_compile
def positive_mean(mu, phi):
    """Mean of a negative binomial count given that it is above 0: mu / (1 - (1 + mu/phi)^(-phi))."""
    if mu < 1e-12:
        return 1.0
    return mu / -math.expm1(-phi * math.log1p(mu / phi))


@_compile
def point(kind, e, z, cuts, phi):
    """Mean outcome given eta and zeta, both in representation (cutpoints too)."""
    total = 0.0
    if kind == LOGIT:
        for k in range(len(cuts)):
            total += 1.0 / (1.0 + e * cuts[k])
        return total
    if kind == PROBIT:
        for k in range(len(cuts)):
            total += normal_cdf(e - cuts[k])
        return total
    if kind == ZERO_INFLATED:
        return e / (1.0 + z)
    if kind == HURDLE:
        return positive_mean(e, phi) / (1.0 + z)
    return e


@_compile
def probabilities(link, e, cuts, precision, table, p):
    """Probabilities of a mediator's levels given its linear predictor in representation; or weights of a beta's nodes.

    Beta: E T_n(x) of x = 2 B - 1 by (p + n) t_{n+1} = 2 (a - b) t_n - (p - n) t_{n-1}, times ``table`` (N, N).
    """
    last = len(cuts)
    if link == BETA:
        shift = 2.0 / (1.0 + e) - 1.0
        before, now = 1.0, shift
        for r in range(len(p)):
            p[r] = table[0, r]
        for n in range(1, len(p)):
            for r in range(len(p)):
                p[r] += now * table[n, r]
            before, now = now, (2.0 * precision * shift * now - (precision - n) * before) / (precision + n)
        return
    above = 1.0
    for k in range(last):
        following = 1.0 / (1.0 + e * cuts[k]) if link == LOGIT else normal_cdf(e - cuts[k])
        p[k] = max(above - following, 0.0)
        above = following
    p[last] = above


@_compile
def coupled(p, kappa, apart, joint):
    """Joint probabilities of a mediator's levels in the worlds u_1, u_3: joint (2, 2, L, L) from p (2, L).

    kappa * (comonotone) + (1 - kappa) * (independent) where u_1 != u_3; one variable where u_1 = u_3, unless apart.
    """
    count = p.shape[1]
    for a, b in np.ndindex(2, 2):
        mix = 0.0 if apart else (1.0 if a == b else kappa)
        low_a = 0.0
        for k in range(count):
            low_b = 0.0
            for m in range(count):
                overlap = min(low_a + p[a, k], low_b + p[b, m]) - max(low_a, low_b)
                if a == b:
                    overlap = p[a, k] if k == m else 0.0
                joint[a, b, k, m] = mix * max(overlap, 0.0) + (1.0 - mix) * p[a, k] * p[b, m]
                low_b += p[b, m]
            low_a += p[a, k]


@_compile
def add(h, joint, k, m, d, u, out):
    """Add the mean h given (u_D, m1 = k, u_2, m1 that m2 sees = m) to the worlds with its weight in each."""
    out[8 * d + 2 * u] += h * joint[0, 0, k, m]
    out[8 * d + 2 * u + 1] += h * joint[0, 1, k, m]
    out[8 * d + 4 + 2 * u] += h * joint[1, 0, k, m]
    out[8 * d + 5 + 2 * u] += h * joint[1, 1, k, m]
