"""Derivatives of where hidden values lie, see `settle`. Compiled by numba as part of `engine`."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_sp.model import layout as at
from bayes_sp.model.densities import compiled
from bayes_sp.model.rows import pull
from bayes_sp.model.settle import (
    bases,
    factor,
    is_hidden,
    look,
    multiplier_of,
    parent_of,
    shares,
    solve,
    solve_transposed,
    standardised,
)


@compiled
def _pull_factor(root: Any, members: int, w: Any, y: Any, u: Any, weight: float, p: Any, slope: Any, out: Any) -> None:
    """From d/dw in ``u``: write L^-1 u into ``p``, d/d(sum q a b) into ``u``, d/d(I + sum q a a') into ``out``.

    The last by the derivative of a Cholesky factor (Murray 2016, arXiv:1602.07527): with S = L' dL, lower triangle,
    diagonal halved, it is the symmetric part of L'^-1 S L^-1.
    """
    for i in range(members):
        p[i] = u[i]
    solve(root, members, p)
    for i in range(members):
        u[i] = p[i]
    solve_transposed(root, members, u)
    for i in range(members):
        for j in range(i + 1):
            slope[i, j] = -w[i] * p[j] - u[i] * y[j]
        slope[i, i] -= weight / root[i, i]
    for i in range(members):
        for j in range(members):
            out[i, j] = 0.0
            if j <= i:
                for k in range(i, members):
                    out[i, j] += root[k, i] * slope[k, j]
        out[i, i] *= 0.5
    for j in range(members):  # L'^-1 S, then that times L^-1, column by column and row by row
        solve_transposed(root, members, out[:, j])
    for i in range(members):
        solve_transposed(root, members, out[i, :])
    for i in range(members):
        for j in range(i):
            out[i, j] = out[j, i] = 0.5 * (out[i, j] + out[j, i])


@compiled
def _pull_statements(links: int, members: int, a: Any, b: Any, q: Any, u: Any, inner: Any, da: Any, db: Any) -> None:
    """Write the derivatives by each statement's a and by (b, q)."""
    for number in range(links):
        db[number, 0], db[number, 1] = 0.0, 0.0
        for i in range(members):
            da[number, i] = 0.0
        if q[number, 0] == 0.0:
            continue
        along, square = 0.0, 0.0
        for i in range(members):
            through = 0.0
            for j in range(members):
                through += inner[i, j] * a[number, j]
            along += a[number, i] * u[i]
            square += a[number, i] * through
            da[number, i] = q[number, 0] * (2.0 * through + b[number] * u[i])
        db[number, 0], db[number, 1] = q[number, 0] * along, square + b[number] * along


@compiled
def _pull_look(
    ints: Any, floats: Any, v: Any, r: int, mu: Any, load: Any, a: Any, b: Any, q: Any, da: Any, db: Any,
    dmu: Any, dload: Any, dv: Any, by: Any,
) -> None:  # fmt: skip
    """Carry a row's derivatives by statements back through the links, to coefficients, first parameters and ``by``."""
    rows = ints[at.ROWS]
    dmu[:] = 0.0
    dload[:] = 0.0
    for number in range(ints[at.LINK_COUNT] - 1, -1, -1):
        link = ints[at.LINKS] + number * at.LINK
        e = at.HEAD + ints[link + at.LINKED] * at.EQUATION
        if ints[e + at.UNMEASURED]:
            continue
        hidden, m, by_mean = is_hidden(ints, link, r), ints[e + at.MEMBER], -db[number, 0]
        if not hidden and q[number, 0] == 0.0:
            continue
        if ints[e + at.AUX]:
            dv[ints[ints[e + at.AUX_PLACES]]] += db[number, 1] * q[number, 1]
        if hidden:
            share, _, by_share, by_sd = shares(ints, floats, e, v, r)
            asked = dmu[m] * b[number]  # where it is measured, b is its own distance
            for i in range(m):
                asked -= dload[m, i] * a[number, i]
                da[number, i] += (1.0 - share) * dload[m, i]
            dv[ints[ints[e + at.AUX_PLACES]]] += asked * by_share + dload[m, m] * by_sd
            by_mean += (1.0 - share) * dmu[m]
        by[number * rows + r] = by_mean
        for t in range(ints[e + at.TERM_COUNT]):
            term = ints[e + at.TERMS] + t * at.TERM
            parent = parent_of(ints, term, r)
            if parent == at.NONE:
                continue
            multiplier = multiplier_of(ints, floats, term, r)
            times = v[ints[term + at.COEFFICIENT]] * multiplier
            through = by_mean * (mu[parent] - floats[ints[term + at.CENTER]])
            for i in range(parent + 1):
                through += da[number, i] * load[parent, i]
                dload[parent, i] += times * da[number, i]
            dmu[parent] += times * by_mean
            dv[ints[term + at.COEFFICIENT]] += through * multiplier


@compiled
def pull_settled(ints: Any, floats: Any, v: Any, dv: Any, work: Any, into: int, above: int, weight: int) -> None:
    """Carry what the equations ask of w (``above``, members by rows) to z and to all that the statements depend on."""
    rows, links, members = ints[at.ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    base = bases(ints, floats, v)
    mu, load, root = np.zeros(members), np.zeros((members, members)), np.zeros((members, members))
    a, b, q = np.zeros((links, members)), np.zeros(links), np.zeros((links, 2))
    da, db = np.zeros((links, members)), np.zeros((links, 2))
    dmu, dload, slope, inner = (
        np.zeros(members),
        np.zeros((members, members)),
        np.zeros((members, members)),
        np.zeros((members, members)),
    )
    y, z, w, u, p = np.zeros(members), np.zeros(members), np.zeros(members), np.zeros(members), np.zeros(members)
    by = np.zeros(links * rows)
    for r in range(rows):
        look(ints, floats, v, base, r, mu, load, a, b, q)
        factor(links, members, a, b, q, root, y)
        standardised(ints, v, r, z)
        share = work[weight + r]
        for i in range(members):
            w[i] = work[into + i * rows + r]
            u[i] = work[above + i * rows + r] - share * w[i]
        _pull_factor(root, members, w, y, u, share, p, slope, inner)
        _pull_statements(links, members, a, b, q, u, inner, da, db)
        _pull_look(ints, floats, v, r, mu, load, a, b, q, da, db, dmu, dload, dv, by)
        for number in range(links):
            link = ints[at.LINKS] + number * at.LINK
            if is_hidden(ints, link, r):
                m = ints[at.HEAD + ints[link + at.LINKED] * at.EQUATION + at.MEMBER]
                dv[ints[ints[link + at.ROW_Z] + r]] += p[m] + share * z[m]
    _pull_bases(ints, floats, v, dv, by)


@compiled
def _pull_bases(ints: Any, floats: Any, v: Any, dv: Any, by: Any) -> None:
    """Carry derivatives by the linked equations' predictors, (links, R), to columns' coefficients and groups."""
    rows = ints[at.ROWS]
    padded = np.zeros((2 + ints[at.MOST_AUX]) * rows)
    for number in range(ints[at.LINK_COUNT]):
        e = at.HEAD + ints[ints[at.LINKS] + number * at.LINK + at.LINKED] * at.EQUATION
        if not ints[e + at.UNMEASURED]:
            padded[:rows] = by[number * rows : (number + 1) * rows]
            pull(ints, floats, e, v, dv, padded, 0, rows, 0, rows, 0)
