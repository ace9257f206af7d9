"""Normal mediators given others whose errors correlate with theirs (see `sequence`). Compiled as part of `density`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled


@compiled
def root_of(ints: Any, v: Any) -> Any:
    """Return L of the correlation matrix L L', (K, K), and what is left of 1 before each entry, (K, K)."""
    record = ints[at.SEQUENCE]
    count, partial = ints[record], ints[record + at.SEQUENCE_PARTIALS]
    root, left = np.zeros((count, count)), np.zeros((count, count))
    for i in range(count):
        rest = 1.0
        for k in range(i):
            z = v[partial + i * (i - 1) // 2 + k]
            left[i, k] = rest
            root[i, k] = rest * z
            rest *= math.sqrt(1.0 - z * z)
        left[i, i] = rest
        root[i, i] = rest
    return root, left


@compiled
def _regression(root: Any, i: int) -> Any:
    """Return b with b L = l, l the i-th row and L the rows before it."""
    found = np.zeros(i)
    for k in range(i - 1, -1, -1):
        rest = root[i, k]
        for m in range(k + 1, i):
            rest -= found[m] * root[m, k]
        found[k] = rest / root[k, k]
    return found


@compiled
def derive(ints: Any, floats: Any, v: Any) -> None:
    """Write coefficients and the SD of every mediator but the first given those before it; nothing without these."""
    record = ints[at.SEQUENCE]
    if record == at.NONE:
        return
    root, _ = root_of(ints, v)
    count, sigmas = ints[record], record + at.SEQUENCE_SIGMAS
    for i in range(1, count):
        own = ints[sigmas + count + i]
        b, sigma = _regression(root, i), v[ints[sigmas + i]]
        v[ints[own]] = sigma * root[i, i]
        first, sources = ints[own + at.GIVEN_FIRST], ints[own + at.GIVEN_SOURCES]
        for place in range(ints[own + at.GIVEN_COUNT]):
            v[first + place] = 0.0
        for k in range(i):
            slope = b[k] * sigma / v[ints[sigmas + k]]
            v[ints[own + at.GIVEN_SLOPES + k]] = slope
            v[ints[own + at.GIVEN_INTERCEPT]] += slope * floats[ints[own + at.GIVEN_CENTERS] + k]
        for s in range(ints[own + at.GIVEN_SOURCE_COUNT]):
            target, k, source = ints[sources + 3 * s], ints[sources + 3 * s + 1], ints[sources + 3 * s + 2]
            v[target] += v[source] if k == i else -v[ints[own + at.GIVEN_SLOPES + k]] * v[source]


@compiled
def pull_derived(ints: Any, floats: Any, v: Any, dv: Any) -> None:
    """Carry the derivatives by what `derive` writes to the parameters that it follows from."""
    record = ints[at.SEQUENCE]
    if record == at.NONE:
        return
    root, left = root_of(ints, v)
    count, sigmas, partial = ints[record], record + at.SEQUENCE_SIGMAS, ints[record + at.SEQUENCE_PARTIALS]
    by_root = np.zeros((count, count))
    for i in range(1, count):
        own = ints[sigmas + count + i]
        b, sigma = _regression(root, i), v[ints[sigmas + i]]
        by_sd, sources = dv[ints[own]], ints[own + at.GIVEN_SOURCES]
        by_root[i, i] += by_sd * sigma
        dv[ints[sigmas + i]] += by_sd * root[i, i]
        by = np.zeros(i)  # first by slopes, then by b, then by the i-th row of L
        for k in range(i):
            by[k] = dv[ints[own + at.GIVEN_SLOPES + k]]
            by[k] += dv[ints[own + at.GIVEN_INTERCEPT]] * floats[ints[own + at.GIVEN_CENTERS] + k]
        for s in range(ints[own + at.GIVEN_SOURCE_COUNT]):
            target, k, source = ints[sources + 3 * s], ints[sources + 3 * s + 1], ints[sources + 3 * s + 2]
            if k == i:
                dv[source] += dv[target]
            else:
                dv[source] -= v[ints[own + at.GIVEN_SLOPES + k]] * dv[target]
                by[k] -= v[source] * dv[target]
        for k in range(i):
            other = v[ints[sigmas + k]]
            dv[ints[sigmas + i]] += by[k] * b[k] / other
            dv[ints[sigmas + k]] -= by[k] * b[k] * sigma / (other * other)
            by[k] *= sigma / other
        for k in range(i):
            for m in range(k):
                by[k] -= root[k, m] * by[m]
            by[k] /= root[k, k]
        for k in range(i):
            by_root[i, k] += by[k]
            for m in range(k + 1):
                by_root[k, m] -= b[k] * by[m]
    for i in range(1, count):
        by_left = by_root[i, i]
        for k in range(i - 1, -1, -1):
            place = partial + i * (i - 1) // 2 + k
            z = v[place]
            rest = math.sqrt(1.0 - z * z)
            dv[place] += by_root[i, k] * left[i, k] - by_left * left[i, k] * z / rest
            by_left = by_root[i, k] * z + by_left * rest
