"""Compiled loops where the last mediator is normal: patients' means of every world, one batch of draws at a time.

A *world* says which of two exposures each path sees. Everything that differs between patients enters as one factor
per patient and linear predictor, everything else as factors per draw, so that no exponential stands in the inner loops.
"""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

from bayes_sp.effects.means.points import (
    EXP,
    HURDLE,
    IDENTITY,
    LOGIT,
    OPTIONS,
    PROBIT,
    ZERO_INFLATED,
    add,
    coupled,
    join,
    normal_cdf,
    point,
    positive_mean,
    probabilities,
)
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "09ace6ce2e33c341"
_compile = cached(njit, **OPTIONS)


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
        for q in range(nodes):
            tab[0, q] = math.exp(-sd * x[q])
    elif kind == ZERO_INFLATED:
        tab[end, 4] = 0 if vz == 0.0 else nodes
        for q in range(nodes):
            tab[1, q] = math.exp(math.sqrt(vz) * x[q])
    elif kind == HURDLE:
        tab[end, 4] = 0 if v == 0.0 and vz == 0.0 else nodes
        for q in range(nodes):
            tab[0, q] = math.exp(sd * x[q])
        slope = c / sd if sd > 0.0 else 0.0
        left = math.sqrt(max(vz - slope * slope, 0.0))
        if left <= 1e-7 * math.sqrt(vz):  # zeta follows from eta
            tab[end, 3], left = 1, 0.0
        for q in range(nodes):
            for p in range(nodes):
                tab[1 + q, p] = math.exp(slope * x[q] + left * x[p])


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
            total += normal_cdf((e - cuts[k]) * tab[end, 2])
        return total
    if kind == ZERO_INFLATED:  # E exp(eta) g(zeta) = exp(V/2) E g(zeta + C)
        e, z = e * tab[end, 0], z * tab[end, 1]
    if tab[end, 4] == 0.0:
        return point(kind, e, z, cuts, phi)
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
        total += w[q] * share * positive_mean(e * tab[0, q], phi)
    return total


@_compile
def normal_worlds(kind, eta, zeta, slopes_class, shift, zshift, cov, cuts, phi, x, w, counts, out):
    """Mean over patients of every world where all mediators are normal.

    eta, zeta (C, B, n): each class of slopes; slopes_class (W,); shift, zshift (B, W); cov (B, W, 3); cuts (B, L - 1);
    phi (B,); x, w (Q,) nodes and weights of a standard normal variable, Q >= 5; counts (n,):
    how many patients each one stands for, n in all, or empty for one each; out (B, W).
    """
    tab = np.empty((len(x) + 2, len(x)))
    n = eta.shape[2]
    for s in range(out.shape[0]):
        for v in range(out.shape[1]):
            _fill_tables(kind, cov[s, v], x, tab)
            c, total = slopes_class[v], 0.0
            for i in range(n):
                e = join(kind, eta[c, s, i], shift[s, v])
                h = _over_normal(kind, e, zeta[c, s, i] * zshift[s, v], cuts[s], phi[s], tab, w)
                total += counts[i] * h if len(counts) else h
            out[s, v] = total / n


@_compile
def levels_then_normal(
    kind, link, first, first_shift, first_cuts, eta, zeta, steps, zsteps, cov, cuts, phi, x, w, kappa, apart, counts,
    out,
):  # fmt: skip
    """Mean over patients of the 16 worlds (u_D, u_1, u_2, u_3) where m1 has levels and m2 is normal.

    first (B, n), first_shift (B, 2), first_cuts (B, L - 1): m1's predictor; eta, zeta (2, B, n) by u_D;
    steps, zsteps (B, 2, L, 2, L): what (u_D, m1, u_2, the m1 that m2 sees) add; cov (B, 2, 3) by u_D; counts as in
    `normal_worlds`; out (B, 16).
    """
    count, n = first_cuts.shape[1] + 1, eta.shape[2]
    p, joint, tab = np.empty((2, count)), np.empty((2, 2, count, count)), np.empty((2, len(x) + 2, len(x)))
    table = np.empty((0, 0))
    for s in range(out.shape[0]):
        for v in range(out.shape[1]):
            out[s, v] = 0.0
        for d in range(2):
            _fill_tables(kind, cov[s, d], x, tab[d])
        for i in range(n):
            for u in range(2):
                probabilities(link, join(link, first[s, i], first_shift[s, u]), first_cuts[s], 0.0, table, p[u])
            coupled(p, kappa, apart, joint)
            for k, m in np.ndindex(count, count):
                if joint[0, 0, k, m] + joint[0, 1, k, m] + joint[1, 0, k, m] + joint[1, 1, k, m] > 0.0:
                    for d, u in np.ndindex(2, 2):
                        e = join(kind, eta[d, s, i], steps[s, d, k, u, m])
                        z = zeta[d, s, i] * zsteps[s, d, k, u, m]
                        h = _over_normal(kind, e, z, cuts[s], phi[s], tab[d], w)
                        add(counts[i] * h if len(counts) else h, joint, k, m, d, u, out[s])
        for v in range(out.shape[1]):
            out[s, v] /= n
