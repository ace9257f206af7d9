"""Compiled loops for mean outcomes without a closed form: patients' means of every world, one batch of draws at a time.

A *world* says which of two exposures each path sees. Everything that differs between patients enters as one factor
per patient and linear predictor, everything else as factors per draw, so that no exponential stands in the inner loops.
A number "in representation" is exp(-eta) for `LOGIT`, exp(eta) for `EXP`, `ZERO_INFLATED` and `HURDLE` and eta itself
for `IDENTITY` and `PROBIT`; zeta is always exp(zeta).

All compiled code that one kernel uses stands in this file: numba's cache looks at no other.
"""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

IDENTITY, EXP, LOGIT, PROBIT, ZERO_INFLATED, HURDLE, BETA = range(7)
_compile = njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "arcp"})


@_compile
def _join(kind, a, b):
    """Sum of two linear predictors in representation."""
    return a + b if kind == IDENTITY or kind == PROBIT else a * b


@_compile
def _normal_cdf(x):
    return 0.5 * math.erfc(-0.7071067811865476 * x)


@_compile
def _positive_mean(mu, phi):
    """Mean of a negative binomial count given that it is above 0: mu / (1 - (1 + mu/phi)^(-phi))."""
    if mu < 1e-12:
        return 1.0
    return mu / -math.expm1(-phi * math.log1p(mu / phi))


@_compile
def _fill_tables(kind, cov, x, tab):
    """Tables of one draw for normal errors in eta and zeta with covariance cov = (V, C, V_zeta); tab (Q + 2, Q).

    Row 0 holds each node's factor in eta, rows 1 to Q those in zeta: given eta's node where both are integrated
    (`HURDLE`). The last row holds exp(V/2), exp(C), 1/sqrt(1 + V), zeta's nodes, and 0 if nothing is to integrate.
    """
    v, c, vz = cov
    nodes, end = len(x), len(x) + 1
    sd = math.sqrt(v)
    tab[end, 0], tab[end, 1], tab[end, 2] = math.exp(0.5 * v), math.exp(c), 1.0 / math.sqrt(1.0 + v)
    tab[end, 3], tab[end, 4] = nodes, nodes
    if kind == LOGIT:
        tab[end, 4] = 0 if v == 0.0 else nodes
        tab[0, :] = np.exp(-sd * x)
    elif kind == ZERO_INFLATED:
        tab[end, 4] = 0 if vz == 0.0 else nodes
        tab[1, :] = np.exp(math.sqrt(vz) * x)
    elif kind == HURDLE:
        tab[end, 4] = 0 if v == 0.0 and vz == 0.0 else nodes
        tab[0, :] = np.exp(sd * x)
        slope = c / sd if sd > 0.0 else 0.0
        left = math.sqrt(max(vz - slope * slope, 0.0))
        if left <= 1e-7 * math.sqrt(vz):  # zeta follows from eta
            tab[end, 3], left = 1, 0.0
        for q in range(nodes):
            for p in range(nodes):
                tab[1 + q, p] = math.exp(slope * x[q] + left * x[p])


@_compile
def _point(kind, e, z, cuts, phi):
    """Mean outcome given eta and zeta, both in representation (cutpoints too)."""
    total = 0.0
    if kind == LOGIT:
        for k in range(len(cuts)):
            total += 1.0 / (1.0 + e * cuts[k])
        return total
    if kind == PROBIT:
        for k in range(len(cuts)):
            total += _normal_cdf(e - cuts[k])
        return total
    if kind == ZERO_INFLATED:
        return e / (1.0 + z)
    if kind == HURDLE:
        return _positive_mean(e, phi) / (1.0 + z)
    return e


@_compile
def _over_normal(kind, e, z, cuts, phi, tab, w):
    """Mean outcome where eta and zeta have normal errors."""
    nodes, end, total = len(w), len(w) + 1, 0.0
    if kind == IDENTITY:
        return e
    if kind == EXP:
        return e * tab[end, 0]
    if kind == PROBIT:
        for k in range(len(cuts)):
            total += _normal_cdf((e - cuts[k]) * tab[end, 2])
        return total
    if kind == ZERO_INFLATED:  # E exp(eta) g(zeta) = exp(V/2) E g(zeta + C)
        e, z = e * tab[end, 0], z * tab[end, 1]
    if tab[end, 4] == 0.0:
        return _point(kind, e, z, cuts, phi)
    if kind == LOGIT:
        for k in range(len(cuts)):
            a = e * cuts[k]
            for q in range(nodes):
                total += w[q] / (1.0 + a * tab[0, q])
        return total
    if kind == ZERO_INFLATED:
        for q in range(nodes):
            total += w[q] / (1.0 + z * tab[1, q])
        return total * e
    for q in range(nodes):
        share = 0.0
        if tab[end, 3] == 1.0:
            share = 1.0 / (1.0 + z * tab[1 + q, 0])
        else:
            for p in range(nodes):
                share += w[p] / (1.0 + z * tab[1 + q, p])
        total += w[q] * share * _positive_mean(e * tab[0, q], phi)
    return total


@_compile
def normal_worlds(kind, eta, zeta, slopes_class, shift, zshift, cov, cuts, phi, x, w, out):
    """Mean over patients of every world where all mediators are normal.

    eta, zeta (C, B, n): each class of slopes; slopes_class (W,); shift, zshift (B, W); cov (B, W, 3); cuts (B, L - 1);
    phi (B,); x, w (Q,) nodes and weights of a standard normal variable, Q >= 5; out (B, W).
    """
    tab = np.empty((len(x) + 2, len(x)))
    n = eta.shape[2]
    for s in range(out.shape[0]):
        for v in range(out.shape[1]):
            _fill_tables(kind, cov[s, v], x, tab)
            c, total = slopes_class[v], 0.0
            for i in range(n):
                e = _join(kind, eta[c, s, i], shift[s, v])
                total += _over_normal(kind, e, zeta[c, s, i] * zshift[s, v], cuts[s], phi[s], tab, w)
            out[s, v] = total / n


@_compile
def _probabilities(link, e, cuts, grid, ratio, p):
    """Probabilities of a mediator's levels given its linear predictor in representation; or of a beta's nodes.

    grid = (step in z, precision) and ratio (R, 2): z, and each node's base weight over the one before.
    """
    if link == BETA:
        _beta_probabilities(e, grid[0], grid[1], ratio, p)
        return
    above = 1.0
    last = len(cuts)
    for k in range(last):
        following = 1.0 / (1.0 + e * cuts[k]) if link == LOGIT else _normal_cdf(e - cuts[k])
        p[k] = max(above - following, 0.0)
        above = following
    p[last] = above


@_compile
def _beta_probabilities(e, step, precision, ratio, p):
    """Trapezoidal rule in z = logit(position): weight exp(a z) (1 + exp(z))^(-precision), from the mode outwards."""
    count = len(p)
    mu = 1.0 / (1.0 + e)
    a = precision * mu
    growth = math.exp((a - 0.5 * precision) * step)  # the other half is in the ratios, against overflow
    mode = int(min(max((-math.log(max(e, 1e-300)) - ratio[0, 0]) / step, 0.0), count - 1.0))
    p[mode] = 1.0
    for r in range(mode + 1, count):
        p[r] = p[r - 1] * growth * ratio[r, 1]
    for r in range(mode, 0, -1):
        p[r - 1] = p[r] / (growth * ratio[r, 1])
    p[0] /= -math.expm1(-max(a * step, 1e-300))  # the nodes beyond the grid, where weights are pure powers: a series
    p[count - 1] /= -math.expm1(-max((precision - a) * step, 1e-300))
    total = 0.0
    for r in range(count):
        total += p[r]
    for r in range(count):
        p[r] /= total


@_compile
def _coupled(p, kappa, apart, joint):
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
def _add(h, joint, k, m, d, u, out):
    """Add the mean h given (u_D, m1 = k, u_2, m1 that m2 sees = m) to the worlds with its weight in each."""
    out[8 * d + 2 * u] += h * joint[0, 0, k, m]
    out[8 * d + 2 * u + 1] += h * joint[0, 1, k, m]
    out[8 * d + 4 + 2 * u] += h * joint[1, 0, k, m]
    out[8 * d + 5 + 2 * u] += h * joint[1, 1, k, m]


@_compile
def levels_then_normal(
    kind, link, first, first_shift, first_cuts, eta, zeta, steps, zsteps, cov, cuts, phi, x, w, kappa, apart, out
):
    """Mean over patients of the 16 worlds (u_D, u_1, u_2, u_3) where m1 has levels and m2 is normal.

    first (B, n), first_shift (B, 2), first_cuts (B, L - 1): m1's predictor; eta, zeta (2, B, n) by u_D;
    steps, zsteps (B, 2, L, 2, L): what (u_D, m1, u_2, the m1 that m2 sees) add; cov (B, 2, 3) by u_D; out (B, 16).
    """
    count, n = first_cuts.shape[1] + 1, eta.shape[2]
    p, joint, tab = np.empty((2, count)), np.empty((2, 2, count, count)), np.empty((2, len(x) + 2, len(x)))
    grid, ratio = np.empty(2), np.empty((0, 2))
    for s in range(out.shape[0]):
        out[s, :] = 0.0
        for d in range(2):
            _fill_tables(kind, cov[s, d], x, tab[d])
        for i in range(n):
            for u in range(2):
                _probabilities(link, _join(link, first[s, i], first_shift[s, u]), first_cuts[s], grid, ratio, p[u])
            _coupled(p, kappa, apart, joint)
            for k, m in np.ndindex(count, count):
                if np.sum(joint[:, :, k, m]) > 0.0:
                    for d, u in np.ndindex(2, 2):
                        e = _join(kind, eta[d, s, i], steps[s, d, k, u, m])
                        z = zeta[d, s, i] * zsteps[s, d, k, u, m]
                        h = _over_normal(kind, e, z, cuts[s], phi[s], tab[d], w)
                        _add(h, joint, k, m, d, u, out[s])
        out[s, :] /= n


@_compile
def _add_levels(joint, f, q, out):
    """Add one patient's 16 worlds where m1 has levels: sum over (k, m) of joint * sum_r f q."""
    for k, m in np.ndindex(joint.shape[2], joint.shape[2]):
        if np.sum(joint[:, :, k, m]) > 0.0:
            for d, u in np.ndindex(2, 2):
                h = 0.0
                for r in range(f.shape[3]):
                    h += f[d, 0, k, r] * q[u, 0, m, r]
                _add(h, joint, k, m, d, u, out)


@_compile
def _add_nodes(w, factor, apart, f, q, mixed, out):
    """Add one patient's 16 worlds where m1 is normal: over its nodes, coupled across worlds by factor' factor."""
    for d, a, j in np.ndindex(2, 2, len(factor)):  # mixed[0] = factor f, mixed[1] = factor q
        mixed[:, d, a, j, :] = 0.0
        for k in range(len(w)):
            for r in range(f.shape[3]):
                mixed[0, d, a, j, r] += factor[j, k] * f[d, a, k, r]
                mixed[1, d, a, j, r] += factor[j, k] * q[d, a, k, r]
    for d, a, u, b in np.ndindex(2, 2, 2, 2):
        coupled = len(factor) == 0 or (a == b and not apart)
        for k in range(len(w) if coupled else len(factor)):
            part = 0.0
            for r in range(f.shape[3]):
                part += f[d, a, k, r] * q[u, b, k, r] if coupled else mixed[0, d, a, k, r] * mixed[1, u, b, k, r]
            out[8 * d + 4 * a + 2 * u + b] += w[k] * part if coupled else part


@_compile
def before_levels(
    kind, links, first, first_shift, first_cuts, w, factor, second, second_shift, second_cuts, grid, ratio,
    eta, zeta, steps1, steps2, zsteps1, zsteps2, cuts, phi, kappa, apart, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds where m2 has levels (or the nodes of a beta) and m1 levels or normal nodes.

    first, first_shift, first_cuts: as in `levels_then_normal`; unused where m1 is normal, with weights w (Q,) and
    factor (J, Q) instead (J = 0: kappa = 1). second (2, B, n) by u_2, second_shift (B, 2, V, L1): m2's predictor and
    what (u_2, u_3, the m1 that it sees) add; steps1, zsteps1 (B, 2, V, L1) by (u_D, u_1); steps2, zsteps2 (B, 2, L2) by
    u_D. V = 2 where m1 is normal: its nodes' values depend on the exposure; V = 1 for levels.
    """
    own, n1, n2 = steps1.shape[2], steps1.shape[3], steps2.shape[2]
    p, joint = np.empty((2, n1)), np.empty((2, 2, n1, n1))
    q, f = np.empty((2, own, n1, n2)), np.empty((2, own, n1, n2))
    mixed = np.empty((2, 2, 2, len(factor), n2))
    for s in range(out.shape[0]):
        out[s, :] = 0.0
        for i in range(eta.shape[2]):
            for u, v, k in np.ndindex(2, own, n1):
                e2 = _join(links[1], second[u, s, i], second_shift[s, u, v, k])
                _probabilities(links[1], e2, second_cuts[s], grid[s], ratio[s], q[u, v, k])
                e1 = _join(kind, eta[u, s, i], steps1[s, u, v, k])
                z1 = zeta[u, s, i] * zsteps1[s, u, v, k]
                for r in range(n2):
                    e = _join(kind, e1, steps2[s, u, r])
                    f[u, v, k, r] = _point(kind, e, z1 * zsteps2[s, u, r], cuts[s], phi[s])
            if own == 2:
                _add_nodes(w, factor, apart, f, q, mixed, out[s])
                continue
            for u in range(2):
                e1 = _join(links[0], first[s, i], first_shift[s, u])
                _probabilities(links[0], e1, first_cuts[s], grid[s], ratio[s], p[u])
            _coupled(p, kappa, apart, joint)
            _add_levels(joint, f, q, out[s])
        out[s, :] /= eta.shape[2]
