"""Where each patient's unmeasured confounder lies, and its derivatives. Compiled by numba as part of `engine`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.model import layout as at
from bayes_sp.model.densities import compiled
from bayes_sp.model.rows import predict, pull


@compiled
def _precision(ints: Any, floats: Any, guide: int, child: int, v: Any) -> Any:
    """Return the precision of a guide's residuals and its derivative by the family's first parameter."""
    first = v[ints[ints[child + at.AUX_PLACES]]]
    if ints[guide + at.IS_PRECISION]:
        return first, 1.0
    error = floats[ints[child + at.FIXED_VALUES]] if ints[child + at.FIXED] else 0.0
    variance = first * first + error * error
    return 1.0 / variance, -2.0 * first / (variance * variance)


@compiled
def _known(ints: Any, floats: Any, e: int, number: int, v: Any, work: Any, eta: int, zeta: int) -> Any:
    """Return sum_j s_j q_j r_j and 1 + sum_j s_j^2 q_j of each row, (R,) each; residuals are those before U."""
    rows = ints[at.ROWS]
    total, precision = np.zeros(rows), np.ones(rows)
    for g in range(ints[e + at.GUIDE_COUNT]):
        guide = ints[e + at.GUIDES] + g * at.GUIDE
        child = at.HEAD + ints[guide + at.CHILD] * at.EQUATION
        strength = v[ints[guide + at.STRENGTH]]
        gain = strength * _precision(ints, floats, guide, child, v)[0]
        predict(ints, floats, child, v, work, 0, rows, eta, zeta, number)
        target = floats[ints[guide + at.TARGET] : ints[guide + at.TARGET] + rows]
        weight = floats[ints[guide + at.WEIGHT] : ints[guide + at.WEIGHT] + rows]
        before = work[eta : eta + rows]
        for r in range(rows):
            total[r] += gain * weight[r] * (target[r] - before[r])
            precision[r] += gain * weight[r] * strength
    return total, precision


@compiled
def settle(ints: Any, floats: Any, e: int, number: int, v: Any, work: Any, values: int, eta: int, zeta: int) -> float:
    """Write U of each row, given its standardised value z; return log N(U) - log N(z) + log dU/dz of all patients.

    Rows of a patient with several have no guides, so U = z there, and nothing is counted twice.
    """
    total, precision = _known(ints, floats, e, number, v, work, eta, zeta)
    change, last, root, log_root = 0.0, 1.0, 1.0, 0.0
    for r in range(ints[at.ROWS]):
        if precision[r] != last:  # most rows have the precision of the one before
            last, root = precision[r], math.sqrt(precision[r])
            log_root = math.log(root)
        z = v[ints[ints[e + at.HIDDEN_Z] + r]]
        u = total[r] / last + z / root
        work[values + r] = u
        change += 0.5 * (z * z - u * u) - log_root
    return change


@compiled
def pull_settled(
    ints: Any, floats: Any, e: int, number: int, v: Any, dv: Any, work: Any,
    values: int, eta: int, zeta: int, above: int, by: int,
) -> None:  # fmt: skip
    """Carry what the equations ask of U (``above``, by row) to z, strengths, and all that the guides depend on."""
    rows = ints[at.ROWS]
    total, precision = _known(ints, floats, e, number, v, work, eta, zeta)
    by_total, by_precision = np.empty(rows), np.empty(rows)
    for r in range(rows):
        place = ints[ints[e + at.HIDDEN_Z] + r]
        z, spread = v[place], 1.0 / math.sqrt(precision[r])
        asked = work[above + r] - work[values + r]
        dv[place] += asked * spread + z
        by_total[r] = asked / precision[r]
        by_precision[r] = -by_total[r] * (total[r] / precision[r] + 0.5 * z * spread) - 0.5 / precision[r]
    for g in range(ints[e + at.GUIDE_COUNT]):
        guide = ints[e + at.GUIDES] + g * at.GUIDE
        child = at.HEAD + ints[guide + at.CHILD] * at.EQUATION
        place = ints[guide + at.STRENGTH]
        strength = v[place]
        q, slope = _precision(ints, floats, guide, child, v)
        predict(ints, floats, child, v, work, 0, rows, eta, zeta, number)
        target = floats[ints[guide + at.TARGET] : ints[guide + at.TARGET] + rows]
        weight = floats[ints[guide + at.WEIGHT] : ints[guide + at.WEIGHT] + rows]
        before, by_eta = work[eta : eta + rows], work[by : by + rows]
        by_first = work[by + 2 * rows : by + 3 * rows]
        work[by + rows : by + (2 + ints[child + at.AUX]) * rows] = 0.0
        for r in range(rows):
            residual = target[r] - before[r]
            by_eta[r] = -by_total[r] * strength * q * weight[r]
            by_first[r] = strength * weight[r] * slope * (by_total[r] * residual + by_precision[r] * strength)
            dv[place] += (by_total[r] * residual + 2.0 * by_precision[r] * strength) * q * weight[r]
        pull(ints, floats, child, v, dv, work, 0, rows, by, rows, number)
