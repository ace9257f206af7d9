r"""Where each patient's hidden values lie, and the derivatives of that. Compiled by numba as part of `density`.

A patient's hidden values (unmeasured confounders, missing numbers, what is measured with error) are linear in
standardised ones, w ~ N(0, I): a confounder is its w, a missing value is eta + sigma w, and one behind a measurement y
with an error of SD s is eta + k (y - eta) + sigma sqrt(1 - k) w, k = sigma^2 / (sigma^2 + s^2), that is
N(eta, sigma^2) given y. What a later response says is a statement on w, with b its distance from the prediction at
w = 0, a = d prediction / dw, and q its precision. All of them together say::

    L L' = I + sum q a a',    w = L'^-1 (L^-1 sum q a b + z),    log N(w) - log N(z) + log |dw / dz| = change

and the sampler sees z. For normal responses z is what w is known to be given them, standardised: N(0, 1) whatever the
parameters, so that z = 0 with log N(z) left out gives the density with the hidden values integrated out. For others
the statement is approximate and the change of variables still exact.
"""

from __future__ import annotations

import math
from typing import Any

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled
from bayes_sp.inference.engine.compiled_rows import fill, predict


@compiled
def planes(ints: Any) -> Any:
    """Return where arrays of R rows each begin: see `look` and `factor`; last, how many there are."""
    members, links = ints[at.MEMBERS], ints[at.LINK_COUNT]
    load = members
    a = load + members * members
    b = a + links * members
    q = b + links
    slope = q + links
    root = slope + links
    y = root + members * members
    return load, a, b, q, slope, root, y, y + members, y + members + 1


@compiled
def shares(ints: Any, floats: Any, e: int, v: Any) -> Any:
    """Return (k, sd, dk / dsigma, dsd / dsigma) of what is measured with error, eta + k (y - eta) + sd w; and sigma."""
    sigma = v[ints[ints[e + at.AUX_PLACES]]]
    s = floats[ints[e + at.FIXED_VALUES]] if ints[e + at.FIXED] else 1.0
    spread = sigma * sigma + s * s
    root = math.sqrt(spread)
    ratio = s / root
    return sigma * sigma / spread, sigma * ratio, 2.0 * sigma * ratio * ratio / spread, ratio * ratio * ratio, sigma


@compiled
def _precisions(ints: Any, floats: Any, link: int, e: int, v: Any, q: Any, slope: Any) -> None:
    """Write each row's precision of a statement, and its derivative by the family's first parameter."""
    kind, rows = ints[link + at.PRECISION], len(q)
    weight = floats[ints[link + at.WEIGHT] : ints[link + at.WEIGHT] + rows]
    first = v[ints[ints[e + at.AUX_PLACES]]] if ints[e + at.AUX] else 1.0
    error = floats[ints[e + at.FIXED_VALUES]] if ints[e + at.FIXED] else 0.0
    variance = first * first + error * error
    for r in range(rows):
        if kind == at.OF_SD:
            q[r] = weight[r] / variance
            slope[r] = -2.0 * first * weight[r] / (variance * variance)
        elif kind == at.OF_PRECISION:
            q[r] = weight[r] * first
            slope[r] = weight[r]
        elif kind == at.OF_COUNT:
            share = weight[r] / (weight[r] + first)
            q[r] = first * share
            slope[r] = share * share
        else:
            q[r] = weight[r]


@compiled
def look(ints: Any, floats: Any, v: Any, s: Any) -> None:
    """Write hidden values at w = 0 and their derivatives by w; each statement's a, b, and (q, dq / dfirst).

    A plane each: the values (members), ``load`` (members x members), ``a`` (links x members), ``b``, ``q``, ``slope``.
    """
    rows, members, first = ints[at.LINK_ROWS], ints[at.MEMBERS], ints[at.LINK_FIRST]
    load, a, b, q, slope, _, _, spare, _ = planes(ints)
    flat = s.reshape(-1)
    for number in range(ints[at.LINK_COUNT]):
        link = ints[at.LINKS] + number * at.LINK
        e = at.HEAD + ints[link + at.LINKED] * at.EQUATION
        m = ints[e + at.MEMBER]
        if ints[e + at.UNMEASURED]:
            fill(s[load + m * members + m], 1.0)
            continue
        predict(ints, floats, e, v, flat, first, first + rows, (b + number) * rows, spare * rows, 0)
        mean = s[b + number]
        for t in range(ints[link + at.OPEN_COUNT]):
            term = ints[link + at.OPEN] + t * at.OPEN_TERM
            parent, slope_here = ints[term + at.PARENT], v[ints[term + at.OPEN_COEFFICIENT]]
            times = floats[ints[term + at.TIMES] : ints[term + at.TIMES] + rows]
            value = s[parent]
            for r in range(rows):
                mean[r] += slope_here * times[r] * value[r]
            for i in range(parent + 1):
                own, its = s[a + number * members + i], s[load + parent * members + i]
                for r in range(rows):
                    own[r] += slope_here * times[r] * its[r]
        if m != at.NONE:
            share, sd, _, _, sigma = shares(ints, floats, e, v)
            value, own = s[m], s[load + m * members + m]
            measured = floats[ints[link + at.IS_MEASURED] : ints[link + at.IS_MEASURED] + rows]
            y = floats[ints[e + at.Y] + first : ints[e + at.Y] + first + rows]
            for r in range(rows):
                value[r] = mean[r] + share * measured[r] * (y[r] - mean[r])
                own[r] = sigma + measured[r] * (sd - sigma)
            for i in range(ints[link + at.REACH]):
                its, through = s[load + m * members + i], s[a + number * members + i]
                for r in range(rows):
                    its[r] = (1.0 - share * measured[r]) * through[r]
        if ints[link + at.TARGET] != at.NONE:
            target = floats[ints[link + at.TARGET] : ints[link + at.TARGET] + rows]
            for r in range(rows):
                mean[r] = target[r] - mean[r]
            _precisions(ints, floats, link, e, v, s[q + number], s[slope + number])


@compiled
def factor(ints: Any, s: Any) -> None:
    """Write L of L L' = I + sum q a a' (members x members), and y = L^-1 sum q a b (members)."""
    rows, members = ints[at.LINK_ROWS], ints[at.MEMBERS]
    _, a, b, q, _, root, y, _, _ = planes(ints)
    for i in range(members):
        fill(s[root + i * members + i], 1.0)
    for number in range(ints[at.LINK_COUNT]):
        link = ints[at.LINKS] + number * at.LINK
        precision, distance = s[q + number], s[b + number]
        for i in range(ints[link + at.REACH] if ints[link + at.TARGET] != at.NONE else 0):
            own, total = s[a + number * members + i], s[y + i]
            for r in range(rows):
                total[r] += precision[r] * own[r] * distance[r]
            for j in range(i + 1):
                other, inner = s[a + number * members + j], s[root + i * members + j]
                for r in range(rows):
                    inner[r] += precision[r] * own[r] * other[r]
    for i in range(members):
        for j in range(i + 1):
            own, last = s[root + i * members + j], s[root + j * members + j]
            for k in range(j):
                one, other = s[root + i * members + k], s[root + j * members + k]
                for r in range(rows):
                    own[r] -= one[r] * other[r]
            for r in range(rows):
                own[r] = math.sqrt(own[r]) if i == j else own[r] / last[r]
    solve(ints, s, s, y)


@compiled
def solve(ints: Any, s: Any, x: Any, first: int) -> None:
    """Turn x into L^-1 x: as many planes of ``x`` as there are members, from ``first``."""
    rows, members, root = ints[at.LINK_ROWS], ints[at.MEMBERS], planes(ints)[5]
    for i in range(members):
        own, last = x[first + i], s[root + i * members + i]
        for k in range(i):
            other, factors = x[first + k], s[root + i * members + k]
            for r in range(rows):
                own[r] -= factors[r] * other[r]
        for r in range(rows):
            own[r] /= last[r]


@compiled
def solve_transposed(ints: Any, s: Any, x: Any, first: int) -> None:
    """Turn x into L'^-1 x."""
    rows, members, root = ints[at.LINK_ROWS], ints[at.MEMBERS], planes(ints)[5]
    for i in range(members - 1, -1, -1):
        own, last = x[first + i], s[root + i * members + i]
        for k in range(i + 1, members):
            other, factors = x[first + k], s[root + k * members + i]
            for r in range(rows):
                own[r] -= factors[r] * other[r]
        for r in range(rows):
            own[r] /= last[r]


@compiled
def settle(ints: Any, floats: Any, v: Any, s: Any, w: Any, z: Any, work: Any, ell: int) -> float:
    """Write w and z of rows with hidden values, (members, rows) each; return the change of patients with one row.

    That of other rows is added to their log-densities, ``ell``: each has its own change of variables. ``s`` takes what
    the derivatives need, zeros before.
    """
    rows, members, first = ints[at.LINK_ROWS], ints[at.MEMBERS], ints[at.LINK_FIRST]
    single = min(max(ints[at.SINGLE] - first, 0), rows)
    _, _, _, _, _, root, y, spare, _ = planes(ints)
    look(ints, floats, v, s)
    factor(ints, s)
    for number in range(ints[at.LINK_COUNT]):
        link = ints[at.LINKS] + number * at.LINK
        m = ints[at.HEAD + ints[link + at.LINKED] * at.EQUATION + at.MEMBER]
        if m != at.NONE:
            for r in range(rows):
                place = ints[ints[link + at.ROW_Z] + r]
                z[m, r] = v[place] if place != at.NONE else 0.0
                w[m, r] = s[y + m, r] + z[m, r]
    solve_transposed(ints, s, w, 0)
    change = s[spare]
    fill(change, 0.0)
    for i in range(members):
        own, its, last = w[i], z[i], s[root + i * members + i]
        for r in range(rows):
            change[r] += 0.5 * (its[r] * its[r] - own[r] * own[r]) - math.log(last[r])
    total = 0.0
    for r in range(single):
        total += change[r]
    for r in range(single, rows):
        work[ell + first + r] += change[r]
    return total
