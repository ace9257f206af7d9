r"""Where each patient's hidden values lie, and the derivatives of that. Compiled by numba as part of `engine`.

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

import numpy as np

from bayes_sp.model import layout as at
from bayes_sp.model.densities import compiled
from bayes_sp.model.rows import predict


@compiled
def bases(ints: Any, floats: Any, v: Any) -> Any:
    """Return each linked equation's predictor without hidden parents, one after the other, (links, R)."""
    rows, links = ints[at.ROWS], ints[at.LINK_COUNT]
    base = np.empty((links + 1) * rows)
    for number in range(links):
        e = at.HEAD + ints[ints[at.LINKS] + number * at.LINK + at.LINKED] * at.EQUATION
        if not ints[e + at.UNMEASURED]:
            predict(ints, floats, e, v, base, 0, rows, number * rows, links * rows, 0)
    return base


@compiled
def precision(ints: Any, floats: Any, link: int, e: int, v: Any, weight: float) -> Any:
    """Return the precision of a statement and its derivative by the family's first parameter."""
    kind = ints[link + at.PRECISION]
    if kind == at.OF_WEIGHT:
        return weight, 0.0
    first = v[ints[ints[e + at.AUX_PLACES]]]
    if kind == at.OF_PRECISION:
        return weight * first, weight
    if kind == at.OF_COUNT:
        share = weight / (weight + first)
        return first * share, share * share
    error = floats[ints[e + at.FIXED_VALUES]] if ints[e + at.FIXED] else 0.0
    variance = first * first + error * error
    return weight / variance, -2.0 * weight * first / (variance * variance)


@compiled
def shares(ints: Any, floats: Any, e: int, v: Any, r: int) -> Any:
    """Return (k, sd, dk / dsigma, dsd / dsigma) of a hidden value eta + k (y - eta) + sd w in a row."""
    sigma = v[ints[ints[e + at.AUX_PLACES]]]
    if ints[ints[e + at.STATE] + r] == at.MISSING:
        return 0.0, sigma, 0.0, 1.0
    s = floats[ints[e + at.FIXED_VALUES]]
    spread = sigma * sigma + s * s
    root = math.sqrt(spread)
    ratio = s / root
    return sigma * sigma / spread, sigma * ratio, 2.0 * sigma * ratio * ratio / spread, ratio * ratio * ratio


@compiled
def is_hidden(ints: Any, link: int, r: int) -> bool:
    """Whether the variable of a link is hidden in a row."""
    return ints[link + at.ROW_Z] != at.NONE and ints[ints[link + at.ROW_Z] + r] != at.NONE


@compiled
def parent_of(ints: Any, term: int, r: int) -> int:
    """Return which of the variables with hidden values a term's parent is; NONE where it is not hidden in the row."""
    if ints[term + at.KIND] != at.HIDDEN_PARENT or ints[term + at.PART]:
        return at.NONE
    source = at.HEAD + ints[term + at.SOURCE] * at.EQUATION
    if not ints[source + at.UNMEASURED]:
        state = ints[ints[source + at.STATE] + r]
        if state != at.MISSING and state != at.MEASURED:
            return at.NONE
    return ints[source + at.MEMBER]


@compiled
def multiplier_of(ints: Any, floats: Any, term: int, r: int) -> float:
    """Return what a term's value is multiplied with in a row, beside its coefficient."""
    multiplier = ints[term + at.MULTIPLIER]
    return floats[multiplier + r] if multiplier != at.NONE else 1.0


@compiled
def look(ints: Any, floats: Any, v: Any, base: Any, r: int, mu: Any, load: Any, a: Any, b: Any, q: Any) -> None:
    """Write a row's hidden values at w = 0 and their derivatives by w; each statement's a, b and (q, dq / dfirst)."""
    rows, members = ints[at.ROWS], ints[at.MEMBERS]
    for number in range(ints[at.LINK_COUNT]):
        link = ints[at.LINKS] + number * at.LINK
        e = at.HEAD + ints[link + at.LINKED] * at.EQUATION
        hidden, m = is_hidden(ints, link, r), ints[e + at.MEMBER]
        weight = floats[ints[link + at.WEIGHT] + r] if ints[link + at.TARGET] != at.NONE else 0.0
        q[number, 0], q[number, 1] = 0.0, 0.0
        if ints[e + at.UNMEASURED]:
            mu[m] = 0.0
            for i in range(members):
                load[m, i] = 1.0 if i == m else 0.0
            continue
        if not hidden and weight == 0.0:
            continue
        mean = base[number * rows + r]
        for i in range(members):
            a[number, i] = 0.0
        for t in range(ints[e + at.TERM_COUNT]):
            term = ints[e + at.TERMS] + t * at.TERM
            parent = parent_of(ints, term, r)
            if parent != at.NONE:
                times = v[ints[term + at.COEFFICIENT]] * multiplier_of(ints, floats, term, r)
                mean += times * (mu[parent] - floats[ints[term + at.CENTER]])
                for i in range(parent + 1):
                    a[number, i] += times * load[parent, i]
        b[number] = -mean
        if weight > 0.0:
            b[number] = floats[ints[link + at.TARGET] + r] - mean
            q[number, 0], q[number, 1] = precision(ints, floats, link, e, v, weight)
        if hidden:
            share, sd, _, _ = shares(ints, floats, e, v, r)
            mu[m] = mean + share * (floats[ints[e + at.Y] + r] - mean)
            for i in range(members):
                load[m, i] = (1.0 - share) * a[number, i]
            load[m, m] = sd


@compiled
def factor(links: int, members: int, a: Any, b: Any, q: Any, root: Any, y: Any) -> None:
    """Write L of L L' = I + sum q a a', and y = L^-1 sum q a b."""
    for i in range(members):
        y[i] = 0.0
        for j in range(i + 1):
            root[i, j] = 1.0 if i == j else 0.0
    for number in range(links):
        if q[number, 0] != 0.0:
            for i in range(members):
                gain = q[number, 0] * a[number, i]
                y[i] += gain * b[number]
                for j in range(i + 1):
                    root[i, j] += gain * a[number, j]
    for i in range(members):
        for j in range(i + 1):
            for k in range(j):
                root[i, j] -= root[i, k] * root[j, k]
            root[i, j] = math.sqrt(root[i, i]) if i == j else root[i, j] / root[j, j]
    solve(root, members, y)


@compiled
def solve(root: Any, members: int, x: Any) -> None:
    """Turn x into L^-1 x."""
    for i in range(members):
        for k in range(i):
            x[i] -= root[i, k] * x[k]
        x[i] /= root[i, i]


@compiled
def solve_transposed(root: Any, members: int, x: Any) -> None:
    """Turn x into L'^-1 x."""
    for i in range(members - 1, -1, -1):
        for k in range(i + 1, members):
            x[i] -= root[k, i] * x[k]
        x[i] /= root[i, i]


@compiled
def standardised(ints: Any, v: Any, r: int, z: Any) -> None:
    """Write the standardised values of a row, 0 where nothing is hidden."""
    for number in range(ints[at.LINK_COUNT]):
        link = ints[at.LINKS] + number * at.LINK
        m = ints[at.HEAD + ints[link + at.LINKED] * at.EQUATION + at.MEMBER]
        if m != at.NONE:
            z[m] = v[ints[ints[link + at.ROW_Z] + r]] if is_hidden(ints, link, r) else 0.0


@compiled
def settle(ints: Any, floats: Any, v: Any, work: Any, into: int, ell: int) -> float:
    """Write w of every row, (members, R) from ``into``; return the change of all patients with one row.

    That of other rows is added to their log-densities, ``ell``: each has its own change of variables.
    """
    rows, links, members = ints[at.ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    base = bases(ints, floats, v)
    mu, load, root = np.zeros(members), np.zeros((members, members)), np.zeros((members, members))
    a, b, q = np.zeros((links, members)), np.zeros(links), np.zeros((links, 2))
    y, z, w = np.zeros(members), np.zeros(members), np.zeros(members)
    total = 0.0
    for r in range(rows):
        look(ints, floats, v, base, r, mu, load, a, b, q)
        factor(links, members, a, b, q, root, y)
        standardised(ints, v, r, z)
        for i in range(members):
            w[i] = y[i] + z[i]
        solve_transposed(root, members, w)
        change = 0.0
        for i in range(members):
            work[into + i * rows + r] = w[i]
            change += 0.5 * (z[i] * z[i] - w[i] * w[i]) - math.log(root[i, i])
        if r < ints[at.SINGLE]:
            total += change
        else:
            work[ell + r] += change
    return total
