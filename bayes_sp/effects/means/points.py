"""Compiled parts that the loops share: mean outcomes at a point, probabilities of levels, coupling of two worlds.

A number "in representation" is exp(-eta) for `LOGIT` and `BETA`, exp(eta) for `EXP`, `ZERO_INFLATED` and `HURDLE` and
eta itself for `IDENTITY`, `PROBIT` and both kinds of counts, of which probabilities are summed (`COUNT`) or the mean is
known as a function of eta (`COUNT_MEAN`); zeta is always exp(zeta).
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
def fill(x, value):
    """Set every element by a loop: to assign to a slice brings messages about shapes, which take long to compile."""
    for r in range(len(x)):
        x[r] = value


@_compile
def divide(x, by):
    """Divide every element."""
    for r in range(len(x)):
        x[r] /= by


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
def count_probabilities(e, phi, values, cuts, p):
    """Fill p with a count's probabilities at values given its predictor e = eta; return how many are worth having.

    cuts (3 L,) of a draw (`counts.Grid`): logarithms of Gamma(phi + k) / (Gamma(phi) k!) (1 / k! for a Poisson count,
    of infinite phi) with the weights of blocks; ratios to the following; probabilities from which on, above the mean,
    the rest is left out.
    """
    count, mu = len(values), math.exp(e)
    level, unit = mu, e
    if phi < math.inf:
        spread = math.log1p(mu / phi)
        level, unit = phi * spread, e - math.log(phi) - spread
    ratio, now = math.exp(unit), math.exp(-level)
    for k in range(count):
        if level > 600.0 or values[k] > k:  # the first probability is too small to begin with; or a block
            now = math.exp(cuts[k] + values[k] * unit - level)
        p[k] = now
        if now <= cuts[2 * count + k] and values[k] >= mu:
            fill(p[k + 1 :], 0.0)
            return k + 1
        now *= ratio * cuts[count + k]
    return count


@_compile
def probabilities(link, e, cuts, precision, table, p):
    """Fill p with the probabilities of a mediator's levels given its predictor in representation; return how many.

    Or with the weights of a beta's nodes.

    Count: as `count_probabilities` has them, with phi in ``precision`` and the values in ``table`` (1, L). Beta:
    E T_n(x) of x = 2 B - 1 by (p + n) t_{n+1} = 2 (a - b) t_n - (p - n) t_{n-1}, times ``table`` (N, N).
    """
    last = len(cuts)
    if link == COUNT:
        return count_probabilities(e, precision, table[0], cuts, p)
    if link == BETA:
        shift = 2.0 / (1.0 + e) - 1.0
        before, now = 1.0, shift
        for r in range(len(p)):
            p[r] = table[0, r]
        for n in range(1, len(p)):
            for r in range(len(p)):
                p[r] += now * table[n, r]
            before, now = now, (2.0 * precision * shift * now - (precision - n) * before) / (precision + n)
        return len(p)
    above = 1.0
    for k in range(last):
        following = 1.0 / (1.0 + e * cuts[k]) if link == LOGIT else normal_cdf(e - cuts[k])
        p[k] = max(above - following, 0.0)
        above = following
    p[last] = above
    return last + 1


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
def overlap(p, q, cells, widths):
    """Fill cells (2, 2 L) with levels (k, m) of equal ranks, and widths with their probabilities; return how many."""
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


@_compile
def fill_sums(kind, d, e, p, steps, f, q):
    """Do the same where m2 enters by a factor or a term of its own: three sums over its values serve both u_D.

    sum_r f_r q_r = e (or 1) with the mean of m2's factor (or term) at u_D = d: (0, mean, 0) or (0, 0, mean).
    """
    if kind == EXP:
        f[0], f[1], f[2] = 0.0, 0.0, 0.0
        f[1 + d] = e
    else:
        f[0], f[1], f[2] = e, 0.0, 0.0
        f[1 + d] = 1.0
    q[0] = 1.0
    for other in range(2):
        total = 0.0
        for r in range(len(p)):
            total += p[r] * steps[other, r]
        q[1 + other] = total


@_compile
def fill_beta_sums(kind, e2, precision, steps, q):
    """Do the same for a beta m2 in closed form: steps[d] = (what its origin adds, what its whole interval adds).

    E exp(t B) = 1F1(a, p, t) for B ~ Beta(a, p - a), and exp(t) 1F1(p - a, p, -t) for t < 0: all terms are positive.
    """
    mu = 1.0 / (1.0 + e2)
    for d in range(2):
        t = steps[d, 1]
        if kind == IDENTITY:
            q[1 + d] = steps[d, 0] + t * mu
            continue
        a = precision * (mu if t >= 0.0 else 1.0 - mu)
        size = abs(t)
        total, term, n = 1.0, 1.0, 0.0
        while term > 1e-17 * total or n < size:
            term *= (a + n) * size / ((precision + n) * (n + 1.0))
            total += term
            n += 1.0
        q[1 + d] = total * math.exp(steps[d, 0] + min(t, 0.0))


@_compile
def fill_known_mean(kind, link, e2, precision, steps, curves, span, q):
    """Do the same for an m2 whose mean factor is a function of its predictor e2 = eta.

    Normal: steps[d] = (slope b, b^2 sigma^2 / 2). Count: steps[d] = (b, 0) where it enters as itself, by its moment
    generating function; else curves[d] holds Chebyshev coefficients on the interval span = (middle, half width), of the
    mean or of its logarithm.
    """
    for d in range(2):
        if d == 1 and steps[0, 0] == steps[1, 0]:
            q[2] = q[1]
            continue
        b = steps[d, 0]
        if link == IDENTITY:
            total = b * e2 + steps[d, 1]
            q[1 + d] = math.exp(total) if kind == EXP else b * e2
        elif curves.shape[1] == 0:
            mu = math.exp(e2)
            if kind == IDENTITY:
                q[1 + d] = b * mu
            elif precision == math.inf:
                q[1 + d] = math.exp(mu * math.expm1(b))
            else:
                q[1 + d] = math.exp(-precision * math.log1p(-mu * math.expm1(b) / precision))
        else:
            beyond = max(e2 - span[0] - span[1], 0.0)
            x = 2.0 * (e2 - beyond - span[0]) / span[1]
            now, before = 0.0, 0.0
            for n in range(curves.shape[1] - 1, 0, -1):
                now, before = x * now - before + curves[d, n], now
            total = 0.5 * x * now - before + curves[d, 0] + b * beyond
            q[1 + d] = math.exp(total) if kind == EXP else total
