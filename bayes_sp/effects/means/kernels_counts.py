"""Compiled loop where the first mediator is a count and the outcome's mean linear or exponential (see `kernels`)."""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from numba import njit

from bayes_sp.effects.means.points import (
    BETA,
    COUNT_MEAN,
    IDENTITY,
    OPTIONS,
    count_probabilities,
    fill_beta_sums,
    fill_known_mean,
    fill_sums,
    join,
    overlap,
    probabilities,
)
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "6d4fe3be6dbbb5c1"
_compile = cached(njit, **OPTIONS)


@_compile
def _fill_seen(kind, link, second, shift, cuts, precision, table, steps, curves, span, work, seen):
    """Fill seen (L, 2, 2) with the mean of what m2 adds, by the m1 that it sees, u_D, u_2; work: levels, three sums."""
    each, f, q = work
    for u, m in np.ndindex(2, len(seen)):
        e2 = join(link, second[u], shift[u, m])
        if link == BETA:
            fill_beta_sums(kind, e2, precision, steps, q)
        elif link in (IDENTITY, COUNT_MEAN):
            fill_known_mean(kind, link, e2, precision, steps, curves, span, q)
        else:
            probabilities(link, e2, cuts, precision, table, each)
            fill_sums(kind, u, 1.0, each, steps, f, q)
        seen[m, 0, u], seen[m, 1, u] = q[1], q[2]


@_compile
def _add_pairs(kind, p, kappa, apart, own, seen, mixed, cells, widths, count, out):
    """Add `count` such patients' 16 worlds: sums of own (2, L) and seen (L, 2, 2) over pairs of values of m1.

    A linear mean is a sum of both, so that no pair matters. mixed (2, 2, 6): the means in each world of m1.
    """
    levels = p.shape[1]
    for a in range(2):
        mixed[a] = 0.0
        for k in range(levels):
            for d in range(2):
                mixed[a, d] += p[a, k] * own[d, k]
                for u in range(2):
                    mixed[a, 2 + 2 * d + u] += p[a, k] * seen[k, d, u]
    for a, b in np.ndindex(2, 2):
        same = (1.0 if a == b else kappa) * (0.0 if apart else 1.0)
        if kind == IDENTITY:
            for d, u in np.ndindex(2, 2):
                out[8 * d + 4 * a + 2 * u + b] += count * (mixed[a, d] + mixed[b, 2 + 2 * d + u])
            continue
        if same > 0.0:
            found = levels if a == b else overlap(p[a], p[b], cells, widths)
            for c in range(found):
                k, m = (c, c) if a == b else (cells[0, c], cells[1, c])
                weight = count * same * (p[a, c] if a == b else widths[c])
                for d, u in np.ndindex(2, 2):
                    out[8 * d + 4 * a + 2 * u + b] += weight * own[d, k] * seen[m, d, u]
        if same < 1.0:
            for d, u in np.ndindex(2, 2):
                out[8 * d + 4 * a + 2 * u + b] += count * (1.0 - same) * mixed[a, d] * mixed[b, 2 + 2 * d + u]


@_compile
def count_first(
    kind, link, first, first_shift, first_cuts, precisions, tables, second, second_shift, second_cuts, curves, spans,
    eta, steps1, steps2, kappa, apart, counts, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds; arguments as in `kernels_levels.before_levels`."""
    values, n2 = tables[0][0], second_cuts.shape[1] + 1
    n1 = len(values)
    p, own, seen, mixed = np.empty((2, n1)), np.empty((2, n1)), np.empty((n1, 2, 2)), np.empty((2, 6))
    cells, widths = np.empty((2, 2 * n1), dtype=np.int64), np.empty(2 * n1)
    work = (np.empty(n2), np.empty(3), np.empty(3))
    for s in range(out.shape[0]):
        out[s, :] = 0.0
        for i in range(eta.shape[2]):
            last = 0
            for u in range(2):
                e1 = first[s, i] + first_shift[s, u]
                last = max(last, count_probabilities(e1, precisions[0, s], values, first_cuts[s], p[u]))
            for d in range(2):
                for k in range(last):
                    own[d, k] = join(kind, eta[d, s, i], steps1[s, d, 0, k])
            _fill_seen(
                kind,
                link,
                second[:, s, i],
                second_shift[s, :, 0],
                second_cuts[s],
                precisions[1, s],
                tables[1],
                steps2[s],
                curves[s],
                spans[s],
                work,
                seen[:last],
            )
            patients = counts[i] if len(counts) else 1.0
            _add_pairs(kind, p[:, :last], kappa, apart, own, seen, mixed, cells, widths, patients, out[s])
        out[s, :] /= eta.shape[2]
