r"""The likelihood with hidden values integrated out, where all that depends on them is normal. Compiled by numba.

With the statements of `settle`, b - a'w ~ N(0, 1 / q) and w ~ N(0, I), a patient's log-likelihood is that of b, which
is normal with the covariance matrix diag(1 / q) + A A'::

    sum (log q - log 2 pi - q b^2) / 2 - log|L| + |L^-1 sum q a b|^2 / 2
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.model import layout as at
from bayes_sp.model.densities import compiled
from bayes_sp.model.pull_settle import pull_bases, pull_look
from bayes_sp.model.rows import HALF_LOG_2PI
from bayes_sp.model.settle import bases, factor, look, solve, solve_transposed


@compiled
def integrated(ints: Any, floats: Any, v: Any, dv: Any, with_gradient: bool) -> float:
    """Return the log-likelihood of the linked equations; add its derivatives to ``dv``."""
    rows, links, members = ints[at.LINK_ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    base = bases(ints, floats, v)
    mu, load, root = np.zeros(members), np.zeros((members, members)), np.zeros((members, members))
    a, b, q = np.zeros((links, members)), np.zeros(links), np.zeros((links, 2))
    da, db, y, w = np.zeros((links, members)), np.zeros((links, 2)), np.zeros(members), np.zeros(members)
    dmu, dload, by = np.zeros(members), np.zeros((members, members)), np.zeros(links * rows)
    total = 0.0
    for r in range(rows):
        count = floats[ints[at.LINK_RECORDS] + r]
        look(ints, floats, v, base, r, mu, load, a, b, q)
        factor(links, members, a, b, q, root, y)
        for i in range(members):
            total += 0.5 * y[i] * y[i] - count * math.log(root[i, i])
            w[i] = y[i]
        for number in range(links):
            if q[number, 0] > 0.0:
                total += count * (0.5 * math.log(q[number, 0]) - HALF_LOG_2PI) - 0.5 * q[number, 0] * b[number] ** 2
        if with_gradient:
            solve_transposed(root, members, w)
            _pull_density(links, members, count, root, w, y, a, b, q, da, db)
            pull_look(ints, floats, v, r, mu, load, a, b, q, da, db, dmu, dload, dv, by)
    if with_gradient:
        pull_bases(ints, floats, v, dv, by)
    return total


@compiled
def _pull_density(
    links: int, members: int, count: float, root: Any, w: Any, c: Any, a: Any, b: Any, q: Any, da: Any, db: Any
) -> None:
    """Write a row's derivatives by each statement's a and by (b, q); w is the mean of the hidden values, c is free."""
    for number in range(links):
        db[number, 0], db[number, 1] = 0.0, 0.0
        for i in range(members):
            da[number, i], c[i] = 0.0, a[number, i]
        if q[number, 0] == 0.0:
            continue
        residual, spread = b[number], 0.0
        solve(root, members, c)
        for i in range(members):
            residual -= a[number, i] * w[i]
            spread += c[i] * c[i]
        solve_transposed(root, members, c)
        for i in range(members):
            da[number, i] = q[number, 0] * (residual * w[i] - count * c[i])
        db[number, 0] = -q[number, 0] * residual
        db[number, 1] = 0.5 * (count / q[number, 0] - residual * residual - count * spread)
