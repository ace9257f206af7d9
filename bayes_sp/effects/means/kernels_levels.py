"""Compiled loop where the last mediator has levels, or is a beta variable or a count (see `kernels`)."""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from numba import njit

from bayes_sp.effects.means.points import (
    BETA,
    COUNT_MEAN,
    EXP,
    HURDLE,
    IDENTITY,
    LOGIT,
    OPTIONS,
    ZERO_INFLATED,
    divide,
    fill,
    fill_beta_sums,
    fill_known_mean,
    fill_sums,
    join,
    overlap,
    point,
    positive_mean,
    probabilities,
)
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "f4df46cb01a653ad"
_compile = cached(njit, **OPTIONS)


@_compile
def _fill_points(kind, e, z, steps, zsteps, cuts, phi, out):
    """Mean outcome at each value of m2: e and z joined with its steps."""
    count = len(out)
    if kind == LOGIT:
        fill(out, 0.0)
        for k in range(len(cuts)):
            a = e * cuts[k]
            for r in range(count):
                out[r] += 1.0 / (1.0 + a * steps[r])
    elif kind == ZERO_INFLATED:
        for r in range(count):
            out[r] = e * steps[r] / (1.0 + z * zsteps[r])
    elif kind == HURDLE:
        for r in range(count):
            out[r] = positive_mean(e * steps[r], phi) / (1.0 + z * zsteps[r])
    else:
        for r in range(count):
            out[r] = point(kind, join(kind, e, steps[r]), 0.0, cuts, phi)


@_compile
def _add_levels(p, kappa, apart, f, q, mixed, cells, widths, count, out):
    """Add `count` such patients' 16 worlds where m1 has levels of probabilities p (2, L): sums of f q over its pairs.

    One level where u_1 = u_3 (unless apart); else kappa * (equal ranks) + (1 - kappa) * (independent), and the latter
    is a product of two sums: mixed (2, 2, 2, R).
    """
    levels, last = p.shape[1], f.shape[3]
    if apart or kappa < 1.0:
        for i, d, a in np.ndindex(2, 2, 2):
            fill(mixed[i, d, a], 0.0)
        for d, a, k, r in np.ndindex(2, 2, levels, last):
            mixed[0, d, a, r] += p[a, k] * f[d, 0, k, r]
            mixed[1, d, a, r] += p[a, k] * q[d, 0, k, r]
    for a, b in np.ndindex(2, 2):
        same = (1.0 if a == b else kappa) * (0.0 if apart else 1.0)
        if same > 0.0:
            found = levels if a == b else overlap(p[a], p[b], cells, widths)
            for c in range(found):
                k, m = (c, c) if a == b else (cells[0, c], cells[1, c])
                weight = count * same * (p[a, c] if a == b else widths[c])
                for d, u in np.ndindex(2, 2):
                    h = 0.0
                    for r in range(last):
                        h += f[d, 0, k, r] * q[u, 0, m, r]
                    out[8 * d + 4 * a + 2 * u + b] += weight * h
        if same < 1.0:
            for d, u in np.ndindex(2, 2):
                h = 0.0
                for r in range(last):
                    h += mixed[0, d, a, r] * mixed[1, u, b, r]
                out[8 * d + 4 * a + 2 * u + b] += count * (1.0 - same) * h


@_compile
def _add_nodes(w, factor, apart, f, q, mixed, count, out):
    """Add `count` such patients' 16 worlds where m1 is normal: over its nodes, in two worlds by factor' factor."""
    for d, a, j in np.ndindex(2, 2, len(factor)):  # mixed[0] = factor f, mixed[1] = factor q
        fill(mixed[0, d, a, j], 0.0)
        fill(mixed[1, d, a, j], 0.0)
        for k in range(len(w)):
            for r in range(f.shape[3]):
                mixed[0, d, a, j, r] += factor[j, k] * f[d, a, k, r]
                mixed[1, d, a, j, r] += factor[j, k] * q[d, a, k, r]
    for d, a, u, b in np.ndindex(2, 2, 2, 2):
        one, two = mixed[0, d, a], mixed[1, u, b]
        one_error = len(factor) == 0 or (a == b and not apart)
        if one_error:
            one, two = f[d, a], q[u, b]
        for k in range(len(one)):
            part = 0.0
            for r in range(one.shape[1]):
                part += one[k, r] * two[k, r]
            out[8 * d + 4 * a + 2 * u + b] += count * (w[k] * part if one_error else part)


@_compile
def before_levels(
    kind, links, first, first_shift, first_cuts, precisions, tables, w, factor, second, second_shift, second_cuts,
    curves, spans, eta, zeta, steps1, steps2, zsteps1, zsteps2, cuts, phi, kappa, apart, counts, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds where m2 has levels (or the nodes of a beta) and m1 levels or normal nodes.

    Or where one is a count, whose values count as levels, and m2 any of which the mean factor is known.
    first, first_shift, first_cuts: as in `levels_then_normal`; unused where m1 is normal, with weights w (Q,) and
    factor (J, Q) instead (J = 0: kappa = 1). precisions (2, B), tables: of both mediators, as `probabilities` wants
    them. second (2, B, n) by u_2, second_shift (B, 2, V, L1): m2's predictor and
    what (u_2, u_3, the m1 that it sees) add; steps1, zsteps1 (B, 2, V, L1) by (u_D, u_1); steps2, zsteps2 (B, 2, L2) by
    u_D, or where the outcome is linear or exponential and m2 a beta variable, normal or a count (B, 2, 2), with curves
    (B, 2, N) and spans (B, 2), as `fill_beta_sums` and `fill_known_mean` want it.
    V = 2 where m1 is normal: its nodes' values depend on the exposure; V = 1 for levels. counts (n,): how many
    patients each one stands for, n in all, or empty for one each.
    """
    own, n1, n2 = steps1.shape[2], steps1.shape[3], steps2.shape[2]
    p = np.empty((2, n1))
    sums = kind in (EXP, IDENTITY)
    beta_sums, n3 = sums and links[1] == BETA, 3 if sums else n2
    means = sums and links[1] in (IDENTITY, COUNT_MEAN)
    q, f = np.empty((2, own, n1, n3)), np.empty((2, own, n1, n3))
    mixed, each = np.empty((2, 2, 2, len(factor), n3)), np.empty(n2)
    alone, cells, widths = np.empty((2, 2, 2, n3)), np.empty((2, 2 * n1), dtype=np.int64), np.empty(2 * n1)
    for s in range(out.shape[0]):
        fill(out[s], 0.0)
        for i in range(eta.shape[2]):
            n1 = steps1.shape[3]
            if own == 1:
                n1 = 0
                for u in range(2):
                    e1 = join(links[0], first[s, i], first_shift[s, u])
                    n1 = max(n1, probabilities(links[0], e1, first_cuts[s], precisions[0, s], tables[0], p[u]))
            last = 0
            for u, v, k in np.ndindex(2, own, n1):
                e2 = join(links[1], second[u, s, i], second_shift[s, u, v, k])
                if not (beta_sums or means):
                    last = max(last, probabilities(links[1], e2, second_cuts[s], precisions[1, s], tables[1], each))
                if sums:
                    e1 = join(kind, eta[u, s, i], steps1[s, u, v, k])
                    fill_sums(kind, u, e1, each, steps2[s], f[u, v, k], q[u, v, k])
                    if beta_sums:
                        fill_beta_sums(kind, e2, precisions[1, s], steps2[s], q[u, v, k])
                    elif means:
                        fill_known_mean(
                            kind, links[1], e2, precisions[1, s], steps2[s], curves[s], spans[s], q[u, v, k]
                        )
                else:
                    for r in range(len(each)):
                        q[u, v, k, r] = each[r]
            if not sums:
                for u, v, k in np.ndindex(2, own, n1):
                    e1 = join(kind, eta[u, s, i], steps1[s, u, v, k])
                    z1 = zeta[u, s, i] * zsteps1[s, u, v, k]
                    _fill_points(
                        kind, e1, z1, steps2[s, u, :last], zsteps2[s, u, :last], cuts[s], phi[s], f[u, v, k, :last]
                    )
            last, patients = 3 if sums else last, counts[i] if len(counts) else 1.0
            if own == 2:
                _add_nodes(w, factor, apart, f[..., :last], q[..., :last], mixed[..., :last], patients, out[s])
            else:
                _add_levels(
                    p[:, :n1],
                    kappa,
                    apart,
                    f[:, :, :n1, :last],
                    q[:, :, :n1, :last],
                    alone[..., :last],
                    cells,
                    widths,
                    patients,
                    out[s],
                )
        divide(out[s], eta.shape[2])
