"""Derivatives of where hidden values lie, see `compiled_hidden`. Compiled by numba as part of `density`."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled
from bayes_sp.inference.engine.compiled_hidden import planes, shares, solve, solve_transposed
from bayes_sp.inference.engine.compiled_rows import copy_into, dot, fill, pull


@compiled
def pull_settled(
    ints: Any, floats: Any, v: Any, dv: Any, s: Any, w: Any, z: Any, by_w: Any, work: Any, weight: int
) -> None:
    """Carry what the equations ask of w (``by_w``, members by rows) to z and to all that the statements depend on."""
    rows, members = ints[at.LINK_ROWS], ints[at.MEMBERS]
    share = work[weight + ints[at.LINK_FIRST] : weight + ints[at.LINK_FIRST] + rows]
    p, inner = np.empty((members, rows)), np.zeros((members * members, rows))
    for i in range(members):
        asked, own, its = by_w[i], w[i], p[i]
        for r in range(rows):
            asked[r] -= share[r] * own[r]
            its[r] = asked[r]
    solve(ints, s, p, 0)
    for number in range(ints[at.LINK_COUNT]):
        link = ints[at.LINKS] + number * at.LINK
        m = ints[at.HEAD + ints[link + at.LINKED] * at.EQUATION + at.MEMBER]
        if m != at.NONE:
            for r in range(rows):
                if ints[ints[link + at.ROW_Z] + r] != at.NONE:
                    dv[ints[ints[link + at.ROW_Z] + r]] += p[m, r] + share[r] * z[m, r]
    u = by_w
    for i in range(members):
        asked, its = u[i], p[i]
        for r in range(rows):
            asked[r] = its[r]
    solve_transposed(ints, s, u, 0)
    _pull_factor(ints, s, w, u, p, share, inner)
    _pull_statements(ints, floats, v, dv, s, u, inner)


@compiled
def _pull_factor(ints: Any, s: Any, w: Any, u: Any, p: Any, share: Any, out: Any) -> None:
    """Write d/d(I + sum q a a') into ``out``, from u = d/d(sum q a b) and p = L'u.

    By the derivative of a Cholesky factor (Murray 2016, arXiv:1602.07527): with S = L' dL, lower triangle, diagonal
    halved, it is the symmetric part of L'^-1 S L^-1.
    """
    rows, members = ints[at.LINK_ROWS], ints[at.MEMBERS]
    _, _, _, _, _, root, y, _, _ = planes(ints)
    slope, line = np.empty(rows), np.empty((members, rows))
    for k in range(members):
        for j in range(k + 1):
            for r in range(rows):
                slope[r] = -w[k, r] * p[j, r] - u[k, r] * s[y + j, r]
                if j == k:
                    slope[r] -= share[r] / s[root + k * members + k, r]
            for i in range(j, k + 1):
                half = 0.5 if i == j else 1.0
                own, factors = out[i * members + j], s[root + k * members + i]
                for r in range(rows):
                    own[r] += half * factors[r] * slope[r]
    for j in range(members):  # L'^-1 S, then that times L^-1
        for i in range(members):
            copy_into(line[i], out[i * members + j])
        solve_transposed(ints, s, line, 0)
        for i in range(members):
            copy_into(out[i * members + j], line[i])
    for i in range(members):
        solve_transposed(ints, s, out, i * members)
    for i in range(members):
        for j in range(i):
            own, other = out[i * members + j], out[j * members + i]
            for r in range(rows):
                own[r] = 0.5 * (own[r] + other[r])
                other[r] = own[r]


@compiled
def _pull_statements(ints: Any, floats: Any, v: Any, dv: Any, s: Any, u: Any, inner: Any) -> None:
    """Find the derivatives by each statement's a, b and q, and carry them on."""
    rows, links, members = ints[at.LINK_ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    _, a, b, q, _, _, _, _, _ = planes(ints)
    da, db, dq = np.zeros((links * members, rows)), np.zeros((links, rows)), np.zeros((links, rows))
    along, through = np.empty(rows), np.empty(rows)
    for number in range(links):
        link = ints[at.LINKS] + number * at.LINK
        reach = ints[link + at.REACH] if ints[link + at.TARGET] != at.NONE else 0
        precision, distance, by_q, by_b = s[q + number], s[b + number], dq[number], db[number]
        fill(along, 0.0)
        for i in range(reach):
            own, its = s[a + number * members + i], u[i]
            fill(through, 0.0)
            for j in range(reach):
                other, between = s[a + number * members + j], inner[i * members + j]
                for r in range(rows):
                    through[r] += between[r] * other[r]
            by_a = da[number * members + i]
            for r in range(rows):
                along[r] += own[r] * its[r]
                by_q[r] += own[r] * through[r]
                by_a[r] = precision[r] * (2.0 * through[r] + distance[r] * its[r])
        for r in range(rows):
            by_q[r] += distance[r] * along[r]
            by_b[r] = precision[r] * along[r]
    pull_look(ints, floats, v, dv, s, da, db, dq)


@compiled
def pull_look(ints: Any, floats: Any, v: Any, dv: Any, s: Any, da: Any, db: Any, dq: Any) -> None:
    """Carry derivatives by a (links x members), b and q (links) back to all parameters.

    ``db`` becomes the derivatives by the linked equations' predictors.
    """
    rows, members = ints[at.LINK_ROWS], ints[at.MEMBERS]
    _, a, b, _, slope, _, _, _, _ = planes(ints)
    dmu, dload = np.zeros((members, rows)), np.zeros((members * members, rows))
    by_share = np.empty(rows)
    for number in range(ints[at.LINK_COUNT] - 1, -1, -1):
        link = ints[at.LINKS] + number * at.LINK
        e = at.HEAD + ints[link + at.LINKED] * at.EQUATION
        if ints[e + at.UNMEASURED]:
            continue
        m, by_mean = ints[e + at.MEMBER], db[number]
        if ints[link + at.TARGET] != at.NONE and ints[e + at.AUX]:
            dv[ints[ints[e + at.AUX_PLACES]]] += dot(dq[number], 0, s[slope + number], 0, rows)
        for r in range(rows):
            by_mean[r] = -by_mean[r]
        if m != at.NONE:
            share, _, dshare, dsd, _ = shares(ints, floats, e, v)
            measured = floats[ints[link + at.IS_MEASURED] : ints[link + at.IS_MEASURED] + rows]
            asked, own, distance = dmu[m], dload[m * members + m], s[b + number]
            for r in range(rows):
                by_share[r] = asked[r] * distance[r]  # where it is measured, b is its own distance
                by_mean[r] += (1.0 - share * measured[r]) * asked[r]
            for i in range(ints[link + at.REACH]):
                its, through, by_a = dload[m * members + i], s[a + number * members + i], da[number * members + i]
                for r in range(rows):
                    by_share[r] -= its[r] * through[r]
                    by_a[r] += (1.0 - share * measured[r]) * its[r]
            total = 0.0
            for r in range(rows):
                total += measured[r] * (by_share[r] * dshare + own[r] * dsd) + (1.0 - measured[r]) * own[r]
            dv[ints[ints[e + at.AUX_PLACES]]] += total
        for t in range(ints[link + at.OPEN_COUNT]):
            _pull_term(ints, floats, ints[link + at.OPEN] + t * at.OPEN_TERM, v, dv, s, da, number, by_mean, dmu, dload)
    _pull_predictors(ints, floats, v, dv, db)


@compiled
def _pull_term(
    ints: Any, floats: Any, term: int, v: Any, dv: Any, s: Any, da: Any, number: int, by_mean: Any, dmu: Any, dload: Any
) -> None:
    rows, members, load = ints[at.LINK_ROWS], ints[at.MEMBERS], ints[at.MEMBERS]
    parent, place = ints[term + at.PARENT], ints[term + at.OPEN_COEFFICIENT]
    times = floats[ints[term + at.TIMES] : ints[term + at.TIMES] + rows]
    slope, total = v[place], 0.0
    value, asked = s[parent], dmu[parent]
    for r in range(rows):
        total += times[r] * by_mean[r] * value[r]
        asked[r] += slope * times[r] * by_mean[r]
    for i in range(parent + 1):
        by_a, its, by_load = da[number * members + i], s[load + parent * members + i], dload[parent * members + i]
        for r in range(rows):
            total += times[r] * by_a[r] * its[r]
            by_load[r] += slope * times[r] * by_a[r]
    dv[place] += total


@compiled
def _pull_predictors(ints: Any, floats: Any, v: Any, dv: Any, by: Any) -> None:
    """Carry derivatives by the linked equations' predictors, (links, R), to columns' coefficients and groups."""
    rows, first = ints[at.LINK_ROWS], ints[at.LINK_FIRST]
    padded = np.zeros((2 + ints[at.MOST_AUX]) * rows)
    for number in range(ints[at.LINK_COUNT]):
        e = at.HEAD + ints[ints[at.LINKS] + number * at.LINK + at.LINKED] * at.EQUATION
        if not ints[e + at.UNMEASURED]:
            copy_into(padded, by[number])
            pull(ints, floats, e, v, dv, padded, first, first + rows, 0, rows, 0)
