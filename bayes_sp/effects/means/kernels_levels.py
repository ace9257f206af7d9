"""Compiled loop where the last mediator has levels, or is a beta variable at its nodes (see `kernels`)."""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

from bayes_sp.effects.means.points import (
    BETA,
    EXP,
    HURDLE,
    IDENTITY,
    LOGIT,
    OPTIONS,
    ZERO_INFLATED,
    add,
    coupled,
    join,
    point,
    positive_mean,
    probabilities,
)
from bayes_sp.jit import cached

# numba's cache of these kernels sees this file alone: the digest of `points` here makes them new when that changes.
POINTS = "09ace6ce2e33c341"
_compile = cached(njit, **OPTIONS)


@_compile
def _fill_points(kind, e, z, steps, zsteps, cuts, phi, out):
    """Mean outcome at each value of m2: e and z joined with its steps."""
    count = len(out)
    if kind == LOGIT:
        for r in range(count):
            out[r] = 0.0
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
def _fill_sums(kind, d, e, p, steps, f, q):
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
def _fill_beta_sums(kind, e2, precision, steps, q):
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
def _add_levels(joint, f, q, count, out):
    """Add `count` such patients' 16 worlds where m1 has levels: sum over (k, m) of joint * sum_r f q."""
    for k, m in np.ndindex(joint.shape[2], joint.shape[2]):
        if joint[0, 0, k, m] + joint[0, 1, k, m] + joint[1, 0, k, m] + joint[1, 1, k, m] > 0.0:
            for d, u in np.ndindex(2, 2):
                h = 0.0
                for r in range(f.shape[3]):
                    h += f[d, 0, k, r] * q[u, 0, m, r]
                add(count * h, joint, k, m, d, u, out)


@_compile
def _add_nodes(w, factor, apart, f, q, mixed, count, out):
    """Add `count` such patients' 16 worlds where m1 is normal: over its nodes, in two worlds by factor' factor."""
    for d, a, j in np.ndindex(2, 2, len(factor)):  # mixed[0] = factor f, mixed[1] = factor q
        for r in range(f.shape[3]):
            mixed[0, d, a, j, r], mixed[1, d, a, j, r] = 0.0, 0.0
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
    kind, links, first, first_shift, first_cuts, w, factor, second, second_shift, second_cuts, precision, table,
    eta, zeta, steps1, steps2, zsteps1, zsteps2, cuts, phi, kappa, apart, counts, out,
):  # fmt: skip
    """Mean over patients of the 16 worlds where m2 has levels (or the nodes of a beta) and m1 levels or normal nodes.

    first, first_shift, first_cuts: as in `levels_then_normal`; unused where m1 is normal, with weights w (Q,) and
    factor (J, Q) instead (J = 0: kappa = 1). second (2, B, n) by u_2, second_shift (B, 2, V, L1): m2's predictor and
    what (u_2, u_3, the m1 that it sees) add; steps1, zsteps1 (B, 2, V, L1) by (u_D, u_1); steps2, zsteps2 (B, 2, L2) by
    u_D, or where m2 is a beta variable and the outcome linear or exponential (B, 2, 2) as `_fill_beta_sums` wants it.
    V = 2 where m1 is normal: its nodes' values depend on the exposure; V = 1 for levels. counts (n,): how many
    patients each one stands for, n in all, or empty for one each.
    """
    own, n1, n2 = steps1.shape[2], steps1.shape[3], steps2.shape[2]
    p, joint = np.empty((2, n1)), np.empty((2, 2, n1, n1))
    sums = kind in (EXP, IDENTITY)
    beta_sums, n3 = sums and links[1] == BETA, 3 if sums else n2
    q, f = np.empty((2, own, n1, n3)), np.empty((2, own, n1, n3))
    mixed, each = np.empty((2, 2, 2, len(factor), n3)), np.empty(n2)
    for s in range(out.shape[0]):
        for v in range(out.shape[1]):
            out[s, v] = 0.0
        for i in range(eta.shape[2]):
            for u, v, k in np.ndindex(2, own, n1):
                e2 = join(links[1], second[u, s, i], second_shift[s, u, v, k])
                if not beta_sums:
                    probabilities(links[1], e2, second_cuts[s], precision[s], table, each)
                e1 = join(kind, eta[u, s, i], steps1[s, u, v, k])
                if sums:
                    _fill_sums(kind, u, e1, each, steps2[s], f[u, v, k], q[u, v, k])
                    if beta_sums:
                        _fill_beta_sums(kind, e2, precision[s], steps2[s], q[u, v, k])
                    continue
                for r in range(n2):
                    q[u, v, k, r] = each[r]
                z1 = zeta[u, s, i] * zsteps1[s, u, v, k]
                _fill_points(kind, e1, z1, steps2[s, u], zsteps2[s, u], cuts[s], phi[s], f[u, v, k])
            if own == 2:
                _add_nodes(w, factor, apart, f, q, mixed, counts[i] if len(counts) else 1.0, out[s])
                continue
            for u in range(2):
                e1 = join(links[0], first[s, i], first_shift[s, u])
                probabilities(links[0], e1, first_cuts[s], precision[s], table, p[u])
            coupled(p, kappa, apart, joint)
            _add_levels(joint, f, q, counts[i] if len(counts) else 1.0, out[s])
        for v in range(out.shape[1]):
            out[s, v] /= eta.shape[2]
