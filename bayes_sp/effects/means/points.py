"""Compiled parts that the loops share: mean outcomes at a point, probabilities of levels, coupling of two worlds.

A number "in representation" is exp(-eta) for `LOGIT` and `BETA`, exp(eta) for `EXP`, `ZERO_INFLATED` and `HURDLE` and
eta itself for `IDENTITY`, `PROBIT` and both kinds of counts (whose probabilities are summed, or whose mean is known as a
function of eta); zeta is always exp(zeta).
"""

# ruff: noqa: ANN001, ANN201 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

IDENTITY, EXP, LOGIT, PROBIT, ZERO_INFLATED, HURDLE, BETA, COUNT, COUNT_MEAN = range(9)
OPTIONS = {"nogil": True, "fastmath": {"reassoc", "contract", "arcp"}}
_compile = njit(**OPTIONS)


@_compile
def join(kind, a, b):
    """Sum of two linear predictors in representation."""
    return a + b if kind in (IDENTITY, PROBIT, COUNT, COUNT_MEAN) else a * b


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

    Count: ``cuts`` holds log Gamma(phi + k) / (Gamma(phi) k!) (-log k! for a Poisson count, of infinite precision phi),
    -inf beyond the last count of the draw, and ``table`` the counts k, (1, L). Beta: E T_n(x) of x = 2 B - 1 by (p + n) t_{n+1} = 2 (a - b) t_n - (p - n) t_{n-1}, times ``table`` (N, N).
    """
    last = len(cuts)
    if link == COUNT:
        level, unit = math.exp(e), e
        if precision < math.inf:
            spread = math.log1p(level / precision)
            level, unit = precision * spread, e - math.log(precision) - spread
        for k in range(len(p)):
            p[k] = math.exp(cuts[k] + table[0, k] * unit - level)
        return
    if link == BETA:
        shift = 2.0 / (1.0 + e) - 1.0
        before, now = 1.0, shift
        p[:] = table[0, :]
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


@_compile
def known(cuts):
    """Return how many counts a draw has: those before the first whose logarithm is -inf."""
    count = len(cuts)
    while count > 1 and cuts[count - 1] == -math.inf:
        count -= 1
    return count


@_compile
def overlap(p, q, cells, widths):
    """Fill cells (2, 2 L) with the levels (k, m) of equal ranks, and widths with their probabilities; return how many."""
    k, m, found = 0, 0, 0
    left, right = p[0], q[0]
    while True:
        width = min(left, right)
        if width > 0.0:
            cells[0, found], cells[1, found], widths[found] = k, m, width
            found += 1
        left -= width
        right -= width
        if left <= 0.0:
            k += 1
            if k == len(p):
                return found
            left = p[k]
        if right <= 0.0:
            m += 1
            if m == len(q):
                return found
            right = q[m]
