r"""The likelihood with hidden values integrated out, where all that depends on them is normal. Compiled by numba.

With the statements of `compiled_hidden`, b - a'w ~ N(0, 1 / q) and w ~ N(0, I), a patient's log-likelihood is that of
b, which is normal with the covariance matrix diag(1 / q) + A A'. With w the mean of the hidden values given b::

    sum (log q - log 2 pi - q (b - a'w)^2) / 2 - log|L| - w'w / 2

which is a sum of squares, and right where a residual SD is near 0 as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled
from bayes_sp.inference.engine.compiled_hidden import factor, look, planes, solve, solve_transposed
from bayes_sp.inference.engine.compiled_hidden_slopes import pull_look
from bayes_sp.inference.engine.compiled_rows import HALF_LOG_2PI, copy_into, fill


@compiled
def integrated(ints: Any, floats: Any, v: Any, dv: Any, with_gradient: bool) -> float:
    """Return the log-likelihood of the linked equations; add its derivatives to ``dv``."""
    rows, links, members = ints[at.LINK_ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    _, a, b, q, _, root, y, _, count = planes(ints)
    s = np.zeros((count, rows))
    records = floats[ints[at.LINK_RECORDS] : ints[at.LINK_RECORDS] + rows]
    look(ints, floats, v, s)
    factor(ints, s)
    w, residuals = s[y : y + members].copy(), s[b : b + links].copy()
    solve_transposed(ints, s, w, 0)
    total = 0.0
    for i in range(members):
        last = s[root + i * members + i]
        for r in range(rows):
            total -= 0.5 * w[i, r] * w[i, r] + records[r] * math.log(last[r])
    for number in range(links):
        for i in range(members):
            own = s[a + number * members + i]
            for r in range(rows):
                residuals[number, r] -= own[r] * w[i, r]
        for r in range(rows):
            precision = s[q + number, r]
            if precision > 0.0:
                total += records[r] * (0.5 * math.log(precision) - HALF_LOG_2PI)
                total -= 0.5 * precision * residuals[number, r] * residuals[number, r]
    if with_gradient:
        _pull_density(ints, floats, v, dv, s, records, w, residuals)
    return total


@compiled
def _pull_density(ints: Any, floats: Any, v: Any, dv: Any, s: Any, records: Any, w: Any, residuals: Any) -> None:
    """Find the derivatives by each statement's a, b and q, and carry them on."""
    rows, links, members = ints[at.LINK_ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    _, a, _, q, _, _, _, _, _ = planes(ints)
    da, db, dq = np.zeros((links * members, rows)), np.zeros((links, rows)), np.zeros((links, rows))
    c, spread = np.empty((members, rows)), np.empty(rows)
    for number in range(links):
        if ints[ints[at.LINKS] + number * at.LINK + at.TARGET] == at.NONE:
            continue
        residual = residuals[number]
        fill(spread, 0.0)
        for i in range(members):
            copy_into(c[i], s[a + number * members + i])
        solve(ints, s, c, 0)
        for i in range(members):
            for r in range(rows):
                spread[r] += c[i, r] * c[i, r]
        solve_transposed(ints, s, c, 0)
        for r in range(rows):
            precision = s[q + number, r]
            if precision > 0.0:
                db[number, r] = -precision * residual[r]
                dq[number, r] = 0.5 * (records[r] * (1.0 / precision - spread[r]) - residual[r] * residual[r])
                for i in range(members):
                    da[number * members + i, r] = precision * (residual[r] * w[i, r] - records[r] * c[i, r])
    pull_look(ints, floats, v, dv, s, da, db, dq)
