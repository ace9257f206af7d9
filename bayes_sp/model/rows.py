"""One equation's rows: linear predictors forward, derivatives back. Compiled by numba as part of `engine`."""

from __future__ import annotations

import math
from typing import Any

import numba

from bayes_sp.model import layout as at
from bayes_sp.model.densities import kernel

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@numba.njit
def dot(a: Any, first: int, b: Any, count: int) -> float:  # noqa: ANN401 - compiled by numba
    """Return sum a[first + i] b[i]: four running sums, because one waits for each addition before the next."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = count - count % 4
    for i in range(0, whole, 4):
        s0 += a[first + i] * b[i]
        s1 += a[first + i + 1] * b[i + 1]
        s2 += a[first + i + 2] * b[i + 2]
        s3 += a[first + i + 3] * b[i + 3]
    for i in range(whole, count):
        s0 += a[first + i] * b[i]
    return (s0 + s1) + (s2 + s3)


@numba.njit
def reduced(ints: Any, floats: Any, e: int, v: Any, sigma: float, dv: Any, with_gradient: bool) -> float:  # noqa: ANN401
    """Normal equation behind its QR factor: -|r - R beta|^2 / (2 sigma^2) - n log sigma - n log(2 pi) / 2."""
    rows, columns = ints[e + at.EQUATION_ROWS], ints[e + at.COLUMNS]
    x, y, beta = ints[e + at.X], ints[e + at.Y], ints[e + at.BETA]
    n = floats[ints[e + at.RECORDS]]
    scaled = 0.0
    for i in range(rows):
        residual = floats[y + i]
        for c in range(i, columns):  # R is upper triangular
            residual -= floats[x + c * rows + i] * v[beta + c]
        residual /= sigma
        scaled += residual * residual
        if with_gradient:
            for c in range(i, columns):
                dv[beta + c] += floats[x + c * rows + i] * residual / sigma
    if with_gradient:
        dv[ints[ints[e + at.AUX_PLACES]]] += (scaled - n) / sigma
    return -0.5 * scaled - n * (math.log(sigma) + HALF_LOG_2PI)


@numba.njit
def predict(ints: Any, floats: Any, e: int, v: Any, hidden: Any, start: int, stop: int, eta: Any, zeta: Any) -> None:  # noqa: ANN401
    """Write both linear predictors of rows start to stop."""
    rows, count = ints[at.ROWS], stop - start
    offset = ints[e + at.OFFSET]
    for r in range(count):
        eta[r] = floats[offset + start + r] if offset != at.NONE else 0.0
        zeta[r] = 0.0
    for c in range(ints[e + at.COLUMNS]):
        slope, column = v[ints[e + at.BETA] + c], ints[e + at.X] + c * rows + start
        for r in range(count):
            eta[r] += floats[column + r] * slope
    for c in range(ints[e + at.ZERO_COLUMNS]):
        slope, column = v[ints[e + at.ZERO_BETA] + c], ints[e + at.ZERO_X] + c * rows + start
        for r in range(count):
            zeta[r] += floats[column + r] * slope
    groups = ints[e + at.GROUPS]
    if groups != at.NONE:
        tau, z = v[ints[e + at.TAU]], ints[e + at.GROUP_Z]
        for r in range(count):
            eta[r] += tau * v[z + ints[groups + start + r]]
    for t in range(ints[e + at.TERM_COUNT]):
        term = ints[e + at.TERMS] + t * at.TERM
        into = zeta if ints[term + at.PART] else eta
        if ints[term + at.KIND] == at.MONOTONIC:
            _add_monotonic(ints, term, v, start, count, into)
        else:
            _add_hidden(ints, floats, term, v, hidden[ints[term + at.SOURCE]], start, stop, into)


@numba.njit
def _add_monotonic(ints: Any, term: int, v: Any, start: int, count: int, into: Any) -> None:  # noqa: ANN401
    slope, shares, levels = v[ints[term + at.COEFFICIENT]], ints[term + at.MULTIPLIER], ints[term + at.CENTER]
    for r in range(count):
        for k in range(ints[levels + start + r]):
            into[r] += slope * shares * v[ints[term + at.SOURCE] + k]


@numba.njit
def _add_hidden(ints: Any, floats: Any, term: int, v: Any, values: Any, start: int, stop: int, into: Any) -> None:  # noqa: ANN401
    source = at.HEAD + ints[term + at.SOURCE] * at.EQUATION
    slope, center = v[ints[term + at.COEFFICIENT]], floats[ints[term + at.CENTER]]
    multiplier = ints[term + at.MULTIPLIER]
    for i in range(ints[source + at.HIDDEN_COUNT]):
        r = ints[ints[source + at.HIDDEN] + i]
        if start <= r < stop:
            weight = floats[multiplier + r] if multiplier != at.NONE else 1.0
            into[r - start] += slope * weight * (values[r] - center)


@numba.njit
def densities(  # noqa: PLR0913
    ints: Any, floats: Any, e: int, v: Any, aux: Any, table: Any, start: int, stop: int, single: int,
    eta: Any, zeta: Any, values: Any, ell: Any, derivative: Any,
) -> float:  # fmt: skip # noqa: ANN401
    """Return the log-density of rows start to stop before row ``single``; the later ones' go to ``ell``.

    ``derivative`` (2 + A, rows) takes d/d eta, d/d zeta, d/d aux; ``values`` the values that are parameters.
    """
    family, y, state = ints[e + at.FAMILY], ints[e + at.Y], ints[e + at.STATE]
    out = derivative[:, 0].copy()
    total = 0.0
    for r in range(start, stop):
        kind = ints[state + r] if state != at.NONE else at.SEEN
        out[:] = 0.0
        if kind in (at.SEEN, at.MEASURED):
            one = kernel(family, floats[y + r], eta[r - start], zeta[r - start], aux, table, out)
            if r < single:
                total += one
            else:
                ell[r] += one
        for k in range(len(out)):
            derivative[k, r - start] = out[k]
    for i in range(ints[e + at.HIDDEN_COUNT]):
        r = ints[ints[e + at.HIDDEN] + i]
        z = v[ints[ints[e + at.HIDDEN_Z] + i]]
        if ints[state + r] == at.MISSING:
            values[r] = eta[r] + aux[0] * z
        else:
            spread = aux[0] * aux[0] + aux[1] * aux[1]
            share = aux[0] * aux[0] / spread
            values[r] = eta[r] + share * (floats[y + r] - eta[r]) + aux[0] * aux[1] / math.sqrt(spread) * z
    return total


@numba.njit
def pull_hidden(ints: Any, floats: Any, e: int, v: Any, dv: Any, eta: Any, above: Any, derivative: Any) -> None:  # noqa: ANN401
    """Add to an equation's derivatives what later equations ask of its hidden values (``above``, by row)."""
    y, state = ints[e + at.Y], ints[e + at.STATE]
    sigma_place = ints[ints[e + at.AUX_PLACES]] if ints[e + at.AUX] else 0
    for i in range(ints[e + at.HIDDEN_COUNT]):
        r, place = ints[ints[e + at.HIDDEN] + i], ints[ints[e + at.HIDDEN_Z] + i]
        z, sigma = v[place], v[sigma_place]
        if ints[state + r] == at.MISSING:
            derivative[0, r] += above[r]
            derivative[2, r] += above[r] * z
            dv[place] += above[r] * sigma
        else:
            s = floats[ints[e + at.FIXED_VALUES]]
            spread = sigma * sigma + s * s
            root = math.sqrt(spread)
            by_sigma = (floats[y + r] - eta[r]) * 2.0 * sigma * s * s / (spread * spread) + z * s * s * s / (spread * root)
            derivative[0, r] += above[r] * s * s / spread
            derivative[2, r] += above[r] * by_sigma
            dv[place] += above[r] * sigma * s / root


@numba.njit
def pull(  # noqa: PLR0913
    ints: Any, floats: Any, e: int, v: Any, dv: Any, hidden: Any, hidden_pull: Any, start: int, stop: int,
    derivative: Any,
) -> None:  # fmt: skip # noqa: ANN401
    """Carry derivatives by predictors and aux, (2 + A, rows), to the natural parameters and to hidden parents."""
    rows, count = ints[at.ROWS], stop - start
    d_eta, d_zeta = derivative[0], derivative[1]
    for c in range(ints[e + at.COLUMNS]):
        dv[ints[e + at.BETA] + c] += dot(floats, ints[e + at.X] + c * rows + start, d_eta, count)
    for c in range(ints[e + at.ZERO_COLUMNS]):
        dv[ints[e + at.ZERO_BETA] + c] += dot(floats, ints[e + at.ZERO_X] + c * rows + start, d_zeta, count)
    for k in range(ints[e + at.AUX]):
        place = ints[ints[e + at.AUX_PLACES] + k]
        for r in range(count):
            dv[place] += derivative[2 + k, r]
    groups = ints[e + at.GROUPS]
    if groups != at.NONE:
        tau, z = ints[e + at.TAU], ints[e + at.GROUP_Z]
        for r in range(count):
            place = z + ints[groups + start + r]
            dv[tau] += d_eta[r] * v[place]
            dv[place] += d_eta[r] * v[tau]
    for t in range(ints[e + at.TERM_COUNT]):
        term = ints[e + at.TERMS] + t * at.TERM
        by = d_zeta if ints[term + at.PART] else d_eta
        if ints[term + at.KIND] == at.MONOTONIC:
            _pull_monotonic(ints, term, v, dv, start, count, by)
        else:
            source = ints[term + at.SOURCE]
            _pull_hidden_term(ints, floats, term, v, dv, hidden[source], hidden_pull[source], start, stop, by)


@numba.njit
def _pull_monotonic(ints: Any, term: int, v: Any, dv: Any, start: int, count: int, by: Any) -> None:  # noqa: ANN401
    place, shares, levels = ints[term + at.COEFFICIENT], ints[term + at.MULTIPLIER], ints[term + at.CENTER]
    for r in range(count):
        for k in range(ints[levels + start + r]):
            share = ints[term + at.SOURCE] + k
            dv[place] += by[r] * shares * v[share]
            dv[share] += by[r] * shares * v[place]


@numba.njit
def _pull_hidden_term(  # noqa: PLR0913
    ints: Any, floats: Any, term: int, v: Any, dv: Any, values: Any, above: Any, start: int, stop: int, by: Any
) -> None:  # noqa: ANN401
    source = at.HEAD + ints[term + at.SOURCE] * at.EQUATION
    place, center = ints[term + at.COEFFICIENT], floats[ints[term + at.CENTER]]
    multiplier = ints[term + at.MULTIPLIER]
    for i in range(ints[source + at.HIDDEN_COUNT]):
        r = ints[ints[source + at.HIDDEN] + i]
        if start <= r < stop:
            weight = by[r - start] * (floats[multiplier + r] if multiplier != at.NONE else 1.0)
            dv[place] += weight * (values[r] - center)
            above[r] += weight * v[place]
