"""Compiled loop where m1 has levels or is a count, and the outcome's mean is linear or exponential (see `kernels`)."""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

from bayes_sp.effects.means.points import (
    BETA,
    COUNT_MEAN,
    IDENTITY,
    OPTIONS,
    divide,
    fill,
    fill_beta_sums,
    fill_known_mean,
    fill_sums,
    join,
    overlap,
    probabilities,
)
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "f4df46cb01a653ad"
_compile = cached(njit, **OPTIONS)


@_compile
def _fill_seen(kind, link, second, shift, cuts, precision, table, steps, curves, span, work, seen):
    """Fill seen (2, 2, L) with the mean of what m2 adds by u_2, u_D and the m1 that it sees; work: its arrays."""
    each, f, q = work
    for u, m in np.ndindex(2, seen.shape[2]):
        e2 = join(link, second[u], shift[u, m])
        if link == BETA:
            fill_beta_sums(kind, e2, precision, steps, q)
        elif link in (IDENTITY, COUNT_MEAN):
            fill_known_mean(kind, link, e2, precision, steps, curves, span, q)
        else:
            probabilities(link, e2, cuts, precision, table, each)
            fill_sums(kind, u, 1.0, each, steps, f, q)
        seen[u, 0, m], seen[u, 1, m] = q[1], q[2]


@_compile
def _dot(x, y):
    """Sum of products, without a call to BLAS."""
    total = 0.0
    for k in range(len(x)):
        total += x[k] * y[k]
    return total


@_compile
def _pairs(kind, p, kappa, apart, own, seen, cells, widths, found):
    """Fill found (2, 2) with E own(m1) seen(m1') by the worlds of m1 and m1', from p (2, L), own (L,), seen (L,).

    Or with the sum of both means where the outcome is linear.
    """
    for a in range(2):
        fill(found[a], 0.0)
    if kind == IDENTITY:
        for a, b in np.ndindex(2, 2):
            found[a, b] = _dot(p[a], own) + _dot(p[b], seen)
        return
    count = p.shape[1]
    if not apart:
        for a in range(2):
            total = 0.0
            for k in range(count):
                total += p[a, k] * own[k] * seen[k]
            found[a, a] = total
        if kappa > 0.0:
            for c in range(len(widths)):
                k, m = cells[0, c], cells[1, c]
                found[0, 1] += kappa * widths[c] * own[k] * seen[m]
                found[1, 0] += kappa * widths[c] * own[m] * seen[k]
    if apart or kappa < 1.0:
        for a, b in np.ndindex(2, 2):
            if apart or a != b:
                left = 1.0 if apart else 1.0 - kappa
                found[a, b] += left * _dot(p[a], own) * _dot(p[b], seen)


@_compile
def levels_first(
    kind, links, first, first_shift, first_cuts, precisions, tables, second, second_shift, second_cuts, curves, spans,
    eta, steps1, steps2, kappa, apart, counts, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds; arguments as in `kernels_levels.before_levels`.

    A linear mean is a sum over m1 of what each copy adds, and needs no pairs. Where m2 is normal, what a patient's
    predictor adds to it is a factor (or a term), so that only the probabilities of m1 are different for each patient.
    Sums over pairs that are the same for both exposures, as without interactions, are made once.
    """
    link, n1, n2 = links[1], steps1.shape[3], second_cuts.shape[1] + 1
    p, seen, found = np.empty((2, n1)), np.empty((2, 2, n1)), np.empty((2, 2, 2, 2))
    cells, widths = np.empty((2, 2 * n1), dtype=np.int64), np.empty(2 * n1)
    work, beside = (np.empty(n2), np.empty(3), np.empty(3)), np.zeros(2)
    normal = link == IDENTITY
    for s in range(out.shape[0]):
        fill(out[s], 0.0)
        own, shift = steps1[s, :, 0], second_shift[s, :, 0]
        same_d = np.array_equal(own[0], own[1]) and np.array_equal(steps2[s, 0], steps2[s, 1])
        same_u = normal and np.array_equal(shift[0], shift[1])
        for i in range(eta.shape[2]):
            last = 0
            for u in range(2):
                e1 = join(links[0], first[s, i], first_shift[s, u])
                last = max(last, probabilities(links[0], e1, first_cuts[s], precisions[0, s], tables[0], p[u]))
            here = beside if normal else second[:, s, i]
            if i == 0 or not normal:
                _fill_seen(
                    kind,
                    link,
                    here,
                    shift,
                    second_cuts[s],
                    precisions[1, s],
                    tables[1],
                    steps2[s],
                    curves[s],
                    spans[s],
                    work,
                    seen if normal else seen[:, :, :last],
                )
            pairs = 0 if kind == IDENTITY or kappa == 0.0 or apart else overlap(p[0, :last], p[1, :last], cells, widths)
            for d, u in np.ndindex(2, 2):
                b = steps2[s, d, 0] if normal else 0.0
                done = (0 if same_d else d, 0 if same_u else u)
                if done == (d, u):
                    _pairs(
                        kind, p[:, :last], kappa, apart, own[d, :last], seen[u, d, :last], cells[:, :pairs],
                        widths[:pairs], found[d, u],
                    )  # fmt: skip
                for a, c in np.ndindex(2, 2):
                    if kind == IDENTITY:
                        mean = eta[d, s, i] + b * second[u, s, i] + found[done[0], done[1], a, c]
                    else:
                        mean = eta[d, s, i] * math.exp(b * second[u, s, i]) * found[done[0], done[1], a, c]
                    out[s, 8 * d + 4 * a + 2 * u + c] += (counts[i] if len(counts) else 1.0) * mean
        divide(out[s], eta.shape[2])
