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
    COUNT,
    HURDLE,
    LOGIT,
    OPTIONS,
    PROBIT,
    ZERO_INFLATED,
    add,
    coupled,
    divide,
    fill,
    join,
    normal_cdf,
    overlap,
    point,
    positive_mean,
    probabilities,
)
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "f4df46cb01a653ad"
_compile = cached(njit, **OPTIONS)
HERMITE, REACH = 24, 8.0  # of `nodes`, which needs no compiler


@_compile
def _own_nodes(sd, share, x, w, nodes, weights):
    """Fill nodes and weights (Q,) of one draw of a hurdle, whose mean grows as exp(sd x), and return how many they are.

    Beyond `HERMITE` nodes those of the trapezoidal rule from -8 to 8 + sd, where the rest is below 1e-15 of the mean;
    ``share`` of them, which its width asks for, but not fewer than `HERMITE`.
    """
    used, total = len(x), 0.0
    if used <= HERMITE:
        for q in range(used):
            nodes[q], weights[q] = x[q], w[q]
        return used
    used = max(HERMITE, math.ceil(share * used))
    step = (2.0 * REACH + sd) / (used - 1)
    for q in range(used):
        nodes[q] = q * step - REACH
        weights[q] = math.exp(-0.5 * nodes[q] * nodes[q])
        total += weights[q]
    for q in range(used):
        weights[q] /= total
    return used


@_compile
def _fill_tables(kind, cov, share, x, w, tab):
    """Tables of one draw for normal errors in eta and zeta with covariance cov = (V, C, V_zeta); tab (Q + 3, Q).

    Row 0 holds each node's factor in eta, rows 1 to Q those in zeta: given eta's node where both are integrated
    (`HURDLE`), whose weights are in the last row. The row before it holds exp(V/2), exp(C), 1/sqrt(1 + V), zeta's
    nodes, and eta's nodes, 0 if nothing is to integrate.
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
        own = np.empty(nodes)
        used = _own_nodes(sd, share, x, w, own, tab[end + 1])
        tab[end, 4] = 0 if v == 0.0 and vz == 0.0 else used
        slope = c / sd if sd > 0.0 else 0.0
        left = math.sqrt(max(vz - slope * slope, 0.0))
        if left <= 1e-7 * math.sqrt(vz):  # zeta follows from eta
            tab[end, 3], left = 1, 0.0
        for q in range(used):
            tab[0, q] = math.exp(sd * own[q])
            for p in range(int(tab[end, 3])):
                tab[1 + q, p] = math.exp(slope * own[q] + left * x[p])


@_compile
def _over_normal(kind, e, z, cuts, phi, tab, w):
    """Mean outcome where eta and zeta have normal errors; not linear or exponential, which have closed forms."""
    nodes, end, total = len(w), len(w) + 1, 0.0
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
    for q in range(int(tab[end, 4])):
        share = 0.0
        if tab[end, 3] == 1.0:
            share = 1.0 / (1.0 + z * tab[1 + q, 0])
        else:
            for p in range(nodes):
                share += w[p] / (1.0 + z * tab[1 + q, p])
        total += tab[end + 1, q] * share * positive_mean(e * tab[0, q], phi)
    return total


@_compile
def normal_worlds(kind, eta, zeta, slopes_class, shift, zshift, cov, share, cuts, phi, x, w, counts, out):
    """Mean over patients of every world where all mediators are normal.

    eta, zeta (C, B, n): each class of slopes; slopes_class (W,); shift, zshift (B, W); cov (B, W, 3); share (B,) of the
    nodes; cuts (B, L - 1); phi (B,); x, w (Q,) nodes and weights of a standard normal variable, Q >= 5; counts (n,):
    how many patients each one stands for, n in all, or empty for one each; out (B, W).
    """
    tab = np.empty((len(x) + 3, len(x)))
    n = eta.shape[2]
    for s in range(out.shape[0]):
        for v in range(out.shape[1]):
            _fill_tables(kind, cov[s, v], share[s], x, w, tab)
            c, total = slopes_class[v], 0.0
            for i in range(n):
                e = join(kind, eta[c, s, i], shift[s, v])
                h = _over_normal(kind, e, zeta[c, s, i] * zshift[s, v], cuts[s], phi[s], tab, w)
                total += counts[i] * h if len(counts) else h
            out[s, v] = total / n


@_compile
def levels_then_normal(
    kind, link, first, first_shift, first_cuts, first_phi, table, eta, zeta, own, seen, zown, zseen, cov, share, cuts,
    phi, x, w, kappa, apart, counts, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds (u_D, u_1, u_2, u_3) where m1 has levels and m2 is normal.

    first (B, n), first_shift (B, 2), first_cuts (B, L - 1) or of a count (B, L), first_phi (B,), table: m1's predictor
    and what `probabilities` wants; eta, zeta (2, B, n) by u_D; own, zown (B, 2, L) and seen, zseen (B, 2, 2, L): what
    (u_D, m1) and (u_D, u_2, the m1 that m2 sees) add; cov (B, 2, 3) by u_D, share and counts as in `normal_worlds`;
    out (B, 16).
    """
    count, n = own.shape[2], eta.shape[2]
    p, tab = np.empty((2, count)), np.empty((2, len(x) + 3, len(x)))
    few = 1 if link == COUNT else count  # a count has too many pairs of values for a table of them
    joint, cells, widths = np.empty((2, 2, few, few)), np.empty((2, 2 * count), dtype=np.int64), np.empty(2 * count)
    for s in range(out.shape[0]):
        fill(out[s], 0.0)
        for d in range(2):
            _fill_tables(kind, cov[s, d], share[s], x, w, tab[d])
        for i in range(n):
            count = 0
            for u in range(2):
                e1 = join(link, first[s, i], first_shift[s, u])
                count = max(count, probabilities(link, e1, first_cuts[s], first_phi[s], table, p[u]))
            patients = counts[i] if len(counts) else 1.0
            if link != COUNT:
                coupled(p, kappa, apart, joint)
                for k, m in np.ndindex(count, count):
                    if joint[0, 0, k, m] + joint[0, 1, k, m] + joint[1, 0, k, m] + joint[1, 1, k, m] > 0.0:
                        for d, u in np.ndindex(2, 2):
                            e = join(kind, eta[d, s, i], join(kind, own[s, d, k], seen[s, d, u, m]))
                            z = zeta[d, s, i] * zown[s, d, k] * zseen[s, d, u, m]
                            h = _over_normal(kind, e, z, cuts[s], phi[s], tab[d], w)
                            add(patients * h, joint, k, m, d, u, out[s])
                continue
            for a, b in np.ndindex(2, 2):
                same = (1.0 if a == b else kappa) * (0.0 if apart else 1.0)
                found = 0
                if same > 0.0:
                    found = count if a == b else overlap(p[a, :count], p[b, :count], cells, widths)
                apiece = count * count if same < 1.0 else 0
                for c in range(found + apiece):
                    k, m, weight = c, c, same * p[a, min(c, count - 1)]
                    if c >= found:  # independent: every pair
                        k, m = (c - found) // count, (c - found) % count
                        weight = (1.0 - same) * p[a, k] * p[b, m]
                    elif a != b:
                        k, m, weight = cells[0, c], cells[1, c], same * widths[c]
                    if weight <= (1e-17 if kind in (LOGIT, PROBIT) else 0.0):
                        continue
                    for d, u in np.ndindex(2, 2):
                        e = join(kind, eta[d, s, i], join(kind, own[s, d, k], seen[s, d, u, m]))
                        z = zeta[d, s, i] * zown[s, d, k] * zseen[s, d, u, m]
                        h = _over_normal(kind, e, z, cuts[s], phi[s], tab[d], w)
                        out[s, 8 * d + 4 * a + 2 * u + b] += patients * weight * h
        divide(out[s], n)
