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
from bayes_sp.model.pull_settle import pull_look
from bayes_sp.model.rows import HALF_LOG_2PI
from bayes_sp.model.settle import factor, look, planes, solve, solve_transposed


@compiled
def integrated(ints: Any, floats: Any, v: Any, dv: Any, with_gradient: bool) -> float:
    """Return the log-likelihood of the linked equations; add its derivatives to ``dv``."""
    rows, links, members = ints[at.LINK_ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    _, _, b, q, _, root, y, _, count = planes(ints)
    s = np.zeros((count, rows))
    records = floats[ints[at.LINK_RECORDS] : ints[at.LINK_RECORDS] + rows]
    look(ints, floats, v, s)
    factor(ints, s)
    total = 0.0
    for i in range(members):
        for r in range(rows):
            total += 0.5 * s[y + i, r] ** 2 - records[r] * math.log(s[root + i * members + i, r])
    for number in range(links):
        for r in range(rows):
            precision = s[q + number, r]
            if precision > 0.0:
                total += (
                    records[r] * (0.5 * math.log(precision) - HALF_LOG_2PI) - 0.5 * precision * s[b + number, r] ** 2
                )
    if with_gradient:
        _pull_density(ints, floats, v, dv, s, records)
    return total


@compiled
def _pull_density(ints: Any, floats: Any, v: Any, dv: Any, s: Any, records: Any) -> None:
    """Find the derivatives by each statement's a, b and q, and carry them on; w is the mean of the hidden values."""
    rows, links, members = ints[at.LINK_ROWS], ints[at.LINK_COUNT], ints[at.MEMBERS]
    _, a, b, q, _, _, y, _, _ = planes(ints)
    da, db, dq = np.zeros((links * members, rows)), np.zeros((links, rows)), np.zeros((links, rows))
    w, c = s[y : y + members].copy(), np.empty((members, rows))
    solve_transposed(ints, s, w, 0)
    residual, spread = np.empty(rows), np.empty(rows)
    for number in range(links):
        if ints[ints[at.LINKS] + number * at.LINK + at.TARGET] == at.NONE:
            continue
        residual[:] = s[b + number]
        spread[:] = 0.0
        for i in range(members):
            own = s[a + number * members + i]
            c[i, :] = own
            for r in range(rows):
                residual[r] -= own[r] * w[i, r]
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
