"""Compiled loop where both mediators have levels before an outcome that is neither linear nor exponential (`kernels`).

Blocks of patients stand in the innermost loops, which so do the same to many numbers side by side.
"""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from numba import njit

from bayes_sp.effects.means.points import LOGIT, OPTIONS, divide, fill, join, point, probabilities
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "f4df46cb01a653ad"
_compile = cached(njit, **OPTIONS)
BLOCK = 64  # patients; their numbers stay in a processor's second cache


@_compile
def _fill_levels(link, e, cuts, precision, table, each, p):
    """Fill p (L, block) with a mediator's `probabilities` given the predictors e (block,) in representation."""
    if link != LOGIT:
        for w in range(BLOCK):
            probabilities(link, e[w], cuts, precision, table, each)
            for r in range(len(p)):
                p[r, w] = each[r]
        return
    fill(p[0], 1.0)
    for k in range(len(p) - 1):
        for w in range(BLOCK):
            above = 1.0 / (1.0 + e[w] * cuts[k])
            p[k, w] = max(p[k, w] - above, 0.0)
            p[k + 1, w] = above


@_compile
def _fill_outcomes(kind, e, z, steps, zsteps, cuts, phi, out):
    """Fill out (L2, block) with the mean outcome at each value of m2: e and z joined with its steps."""
    for r in range(len(out)):
        fill(out[r], 0.0)
        if kind == LOGIT:
            for k in range(len(cuts)):
                a = cuts[k] * steps[r]
                for w in range(BLOCK):
                    out[r, w] += 1.0 / (1.0 + e[w] * a)
        else:
            for w in range(BLOCK):
                out[r, w] = point(kind, join(kind, e[w], steps[r]), z[w] * zsteps[r], cuts, phi)


@_compile
def _fill_means(f, q, h):
    """Fill h (block,) with sum_r f_r q_r."""
    fill(h, 0.0)
    for r in range(len(f)):
        for w in range(BLOCK):
            h[w] += f[r, w] * q[r, w]


@_compile
def _total(h, weight, patients):
    """Sum over a block."""
    total = 0.0
    for w in range(BLOCK):
        total += h[w] * weight[w] * patients[w]
    return total


@_compile
def _add_together(p, below, kappa, f, q, h, weight, patients, out):
    """Add a block's worlds with one m1 where u_1 = u_3, and with levels of equal ranks, kappa of them, where not.

    below (2, L1 + 1, block): cumulative probabilities, between which the ranks of a level lie.
    """
    for k, m in np.ndindex(p.shape[1], p.shape[1]):
        most = 0.0
        for w in range(BLOCK):
            upper, lower = min(below[0, k + 1, w], below[1, m + 1, w]), max(below[0, k, w], below[1, m, w])
            weight[w] = kappa * max(upper - lower, 0.0)
            most = max(most, weight[w])
        if most == 0.0 and k != m:
            continue
        for d, u in np.ndindex(2, 2):
            world = 8 * d + 2 * u
            _fill_means(f[d, k], q[u, m], h)
            out[world + 1] += _total(h, weight, patients)
            if k == m:
                out[world] += _total(h, p[0, k], patients)
                out[world + 5] += _total(h, p[1, k], patients)
            else:
                _fill_means(f[d, m], q[u, k], h)
            out[world + 4] += _total(h, weight, patients)


@_compile
def _add_apart(p, share, apart, f, q, mixed, h, weight, patients, out):
    """Add a block's worlds with independent m1, a share of them, where u_1 != u_3; everywhere if apart."""
    for d, a in np.ndindex(2, 2):
        for r in range(f.shape[2]):
            fill(mixed[0, d, a, r], 0.0)
            fill(mixed[1, d, a, r], 0.0)
            for k in range(f.shape[1]):
                for w in range(BLOCK):
                    mixed[0, d, a, r, w] += p[a, k, w] * f[d, k, r, w]
                    mixed[1, d, a, r, w] += p[a, k, w] * q[d, k, r, w]
    fill(weight, share)
    for d, a, u, b in np.ndindex(2, 2, 2, 2):
        if apart or a != b:
            _fill_means(mixed[0, d, a], mixed[1, u, b], h)
            out[8 * d + 4 * a + 2 * u + b] += _total(h, weight, patients)


@_compile
def both_levels(
    kind, links, first, first_shift, first_cuts, precisions, tables, second, second_shift, second_cuts, eta, zeta,
    steps1, steps2, zsteps1, zsteps2, cuts, phi, kappa, apart, counts, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds; arguments as in `kernels_levels.before_levels`, where m1 has levels.

    The last block is filled with patients who count for nothing.
    """
    n, n1, n2 = eta.shape[2], steps1.shape[3], steps2.shape[2]
    p, below = np.empty((2, n1, BLOCK)), np.zeros((2, n1 + 1, BLOCK))
    f, q, mixed = np.empty((2, n1, n2, BLOCK)), np.empty((2, n1, n2, BLOCK)), np.empty((2, 2, 2, n2, BLOCK))
    e, z, h, weight, patients = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    each, who = np.empty(max(n1, n2)), np.empty(BLOCK, dtype=np.int64)
    for s in range(out.shape[0]):
        fill(out[s], 0.0)
        for start in range(0, n, BLOCK):
            for w in range(BLOCK):
                who[w] = min(start + w, n - 1)
                patients[w] = 0.0 if start + w >= n else counts[who[w]] if len(counts) else 1.0
            for u in range(2):
                for w in range(BLOCK):
                    e[w] = join(links[0], first[s, who[w]], first_shift[s, u])
                _fill_levels(links[0], e, first_cuts[s], precisions[0, s], tables[0], each[:n1], p[u])
                for k in range(n1):
                    for w in range(BLOCK):
                        below[u, k + 1, w] = below[u, k, w] + p[u, k, w]
                        e[w] = join(links[1], second[u, s, who[w]], second_shift[s, u, 0, k])
                    _fill_levels(links[1], e, second_cuts[s], precisions[1, s], tables[1], each[:n2], q[u, k])
                    for w in range(BLOCK):
                        e[w] = join(kind, eta[u, s, who[w]], steps1[s, u, 0, k])
                        z[w] = zeta[u, s, who[w]] * zsteps1[s, u, 0, k]
                    _fill_outcomes(kind, e, z, steps2[s, u], zsteps2[s, u], cuts[s], phi[s], f[u, k])
            if not apart:
                _add_together(p, below, kappa, f, q, h, weight, patients, out[s])
            if apart or kappa < 1.0:
                share = 1.0 if apart else 1.0 - kappa
                _add_apart(p, share, apart, f, q, mixed, h, weight, patients, out[s])
        divide(out[s], n)
