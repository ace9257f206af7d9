"""One equation's rows: linear predictors forward, derivatives back. Compiled by numba as part of `density`.

Patients have several rows, one for each value that a missing cell may have.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@compiled
def dot(a: Any, first: int, b: Any, second: int, count: int) -> float:
    """Return sum a[first + i] b[second + i]: four running sums, as one waits for each addition before the next."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    left, right = a[first : first + count], b[second : second + count]
    whole = count - count % 4
    for i in range(0, whole, 4):
        s0 += left[i] * right[i]
        s1 += left[i + 1] * right[i + 1]
        s2 += left[i + 2] * right[i + 2]
        s3 += left[i + 3] * right[i + 3]
    for i in range(whole, count):
        s0 += left[i] * right[i]
    return (s0 + s1) + (s2 + s3)


@compiled
def fill(x: Any, value: float) -> None:
    """Set every element by a loop: to assign to a slice brings messages about shapes, which take long to compile."""
    for r in range(len(x)):
        x[r] = value


@compiled
def copy_into(x: Any, values: Any) -> None:
    """Set every element, by a loop as well."""
    for r in range(len(values)):
        x[r] = values[r]


@compiled
def read_aux(ints: Any, floats: Any, e: int, v: Any, aux: Any) -> None:
    """Write an equation's parameters beside coefficients, then its known constants."""
    count = ints[e + at.AUX]
    for k in range(count):
        aux[k] = v[ints[ints[e + at.AUX_PLACES] + k]]
    for k in range(ints[e + at.FIXED]):
        aux[count + k] = floats[ints[e + at.FIXED_VALUES] + k]


@compiled
def reduced(ints: Any, floats: Any, e: int, v: Any, dv: Any, with_gradient: bool) -> float:
    """Return a normal equation's -|r - R beta|^2 / (2 sigma^2) - n log sigma - n log(2 pi) / 2, R its QR factor."""
    rows, columns = ints[e + at.FACTOR_ROWS], ints[e + at.COLUMNS]
    x, y, beta = ints[e + at.FACTOR_X], ints[e + at.FACTOR_Y], ints[e + at.BETA]
    n, place = floats[ints[e + at.FACTOR_RECORDS]], ints[ints[e + at.AUX_PLACES]]
    sigma = v[place]
    residual = floats[y : y + rows] / sigma
    for c in range(columns):
        slope, first = v[beta + c] / sigma, x + c * rows
        column = floats[first : first + c + 1]  # R is upper triangular
        for i in range(c + 1):
            residual[i] -= column[i] * slope
    scaled = dot(residual, 0, residual, 0, rows)
    if with_gradient:
        for c in range(columns):
            dv[beta + c] += dot(floats, x + c * rows, residual, 0, c + 1) / sigma
        dv[place] += (scaled - n) / sigma
    return -0.5 * scaled - n * (math.log(sigma) + HALF_LOG_2PI)


@compiled
def _add_columns(
    floats: Any, x: int, rows: int, columns: int, v: Any, beta: int, work: Any, into: int, count: int
) -> None:
    for c in range(columns):
        slope, first = v[beta + c], x + c * rows
        column, out = floats[first : first + count], work[into : into + count]  # indices from 0: numba can vectorise
        for r in range(count):
            out[r] += column[r] * slope


@compiled
def predict(
    ints: Any, floats: Any, e: int, v: Any, work: Any, start: int, stop: int, eta: int, zeta: int, before: int
) -> None:
    """Write both linear predictors of rows start to stop, with those hidden parents alone that come ``before``."""
    rows, count, offset = ints[e + at.EQUATION_ROWS], stop - start, ints[e + at.OFFSET]
    for r in range(count):
        work[eta + r] = floats[offset + start + r] if offset != at.NONE else 0.0
        work[zeta + r] = 0.0
    _add_columns(floats, ints[e + at.X] + start, rows, ints[e + at.COLUMNS], v, ints[e + at.BETA], work, eta, count)
    zeros = ints[e + at.ZERO_COLUMNS]
    _add_columns(floats, ints[e + at.ZERO_X] + start, rows, zeros, v, ints[e + at.ZERO_BETA], work, zeta, count)
    groups = ints[e + at.GROUPS]
    if groups != at.NONE:
        tau, z = v[ints[e + at.TAU]], ints[e + at.GROUP_Z]
        for r in range(count):
            work[eta + r] += tau * v[z + ints[groups + start + r]]
    for t in range(ints[e + at.TERM_COUNT]):
        term = ints[e + at.TERMS] + t * at.TERM
        into = zeta if ints[term + at.PART] else eta
        slope = v[ints[term + at.COEFFICIENT]]
        if ints[term + at.KIND] == at.MONOTONIC:
            slope *= ints[term + at.MULTIPLIER]
            levels = ints[term + at.LEVELS]
            for r in range(count):
                for k in range(ints[levels + start + r]):
                    work[into + r] += slope * v[ints[term + at.SOURCE] + k]
            continue
        if ints[term + at.SOURCE] >= before:
            continue
        source = at.HEAD + ints[term + at.SOURCE] * at.EQUATION
        values = ints[term + at.SOURCE] * rows
        multiplier = ints[term + at.MULTIPLIER]
        if ints[source + at.HIDDEN_COUNT] == rows:  # every row is hidden: no list of rows is needed
            hidden, out = work[values + start : values + stop], work[into : into + count]
            for r in range(count):
                times = floats[multiplier + start + r] if multiplier != at.NONE else 1.0
                out[r] += slope * times * hidden[r]
            continue
        for i in range(ints[source + at.HIDDEN_COUNT]):
            r = ints[ints[source + at.HIDDEN] + i]
            if start <= r < stop:
                times = floats[multiplier + r] if multiplier != at.NONE else 1.0
                work[into + r - start] += slope * times * work[values + r]


@compiled
def hide(ints: Any, floats: Any, e: int, aux: Any, work: Any, eta: int, values: int, own: int) -> None:
    """Write an equation's hidden values, given their standardised ones (``own``, by row).

    Missing: eta + sigma z. Measured with error of SD s: with w = sigma^2 / (sigma^2 + s^2), the value's distribution
    given what was observed is N(eta + w (y - eta), sigma^2 (1 - w)), and the observed one's is N(eta, sigma^2 + s^2).
    """
    y, state = ints[e + at.Y], ints[e + at.STATE]
    for i in range(ints[e + at.HIDDEN_COUNT]):
        r = ints[ints[e + at.HIDDEN] + i]
        mean, w = work[eta + r], work[own + r]
        if ints[state + r] == at.MISSING:
            work[values + r] = mean + aux[0] * w
        else:
            spread = aux[0] * aux[0] + aux[1] * aux[1]
            share = aux[0] * aux[0] / spread
            work[values + r] = mean + share * (floats[y + r] - mean) + aux[0] * aux[1] / math.sqrt(spread) * w


@compiled
def pull_hidden(
    ints: Any, floats: Any, e: int, v: Any, work: Any, eta: int, above: int, own: int, by_own: int, by: int, stride: int
) -> None:
    """Add to an equation's derivatives, and to those by standardised values, what later equations ask (``above``)."""
    y, state = ints[e + at.Y], ints[e + at.STATE]
    for i in range(ints[e + at.HIDDEN_COUNT]):
        r = ints[ints[e + at.HIDDEN] + i]
        w, sigma, asked = work[own + r], v[ints[ints[e + at.AUX_PLACES]]], work[above + r]
        if ints[state + r] == at.MISSING:
            work[by + r] += asked
            work[by + 2 * stride + r] += asked * w
            work[by_own + r] += asked * sigma
        else:
            s = floats[ints[e + at.FIXED_VALUES]]
            spread = sigma * sigma + s * s
            root = math.sqrt(spread)
            shift = (floats[y + r] - work[eta + r]) * 2.0 * sigma * s * s / (spread * spread)
            work[by + r] += asked * s * s / spread
            work[by + 2 * stride + r] += asked * (shift + w * s * s * s / (spread * root))
            work[by_own + r] += asked * sigma * s / root


@compiled
def pull(
    ints: Any, floats: Any, e: int, v: Any, dv: Any, work: Any, start: int, stop: int, by: int, stride: int, before: int
) -> None:
    """Carry derivatives by predictors and aux to the natural parameters and to the hidden parents ``before``."""
    rows, count = ints[e + at.EQUATION_ROWS], stop - start
    for c in range(ints[e + at.COLUMNS]):
        dv[ints[e + at.BETA] + c] += dot(floats, ints[e + at.X] + c * rows + start, work, by, count)
    for c in range(ints[e + at.ZERO_COLUMNS]):
        column = ints[e + at.ZERO_X] + c * rows + start
        dv[ints[e + at.ZERO_BETA] + c] += dot(floats, column, work, by + stride, count)
    for k in range(ints[e + at.AUX]):
        place = ints[ints[e + at.AUX_PLACES] + k]
        for r in range(count):
            dv[place] += work[by + (2 + k) * stride + r]
    groups = ints[e + at.GROUPS]
    if groups != at.NONE:
        tau, z = ints[e + at.TAU], ints[e + at.GROUP_Z]
        for r in range(count):
            place = z + ints[groups + start + r]
            dv[tau] += work[by + r] * v[place]
            dv[place] += work[by + r] * v[tau]
    for t in range(ints[e + at.TERM_COUNT]):
        term = ints[e + at.TERMS] + t * at.TERM
        own = by + stride if ints[term + at.PART] else by
        if ints[term + at.KIND] == at.MONOTONIC:
            _pull_monotonic(ints, term, v, dv, work, start, count, own)
        elif ints[term + at.SOURCE] < before:
            _pull_hidden_term(ints, floats, term, v, dv, work, start, stop, own)


@compiled
def _pull_monotonic(ints: Any, term: int, v: Any, dv: Any, work: Any, start: int, count: int, by: int) -> None:
    place, shares, levels = ints[term + at.COEFFICIENT], ints[term + at.MULTIPLIER], ints[term + at.LEVELS]
    for r in range(count):
        for k in range(ints[levels + start + r]):
            share = ints[term + at.SOURCE] + k
            dv[place] += work[by + r] * shares * v[share]
            dv[share] += work[by + r] * shares * v[place]


@compiled
def _pull_hidden_term(
    ints: Any, floats: Any, term: int, v: Any, dv: Any, work: Any, start: int, stop: int, by: int
) -> None:
    number, rows = ints[term + at.SOURCE], ints[at.ROWS]
    source = at.HEAD + number * at.EQUATION
    values, above = number * rows, (ints[at.EQUATIONS] + number) * rows
    place, multiplier = ints[term + at.COEFFICIENT], ints[term + at.MULTIPLIER]
    if ints[source + at.HIDDEN_COUNT] == rows:
        slope, total = v[place], dv[place]
        asked, hidden = work[by : by + stop - start], work[values + start : values + stop]
        out = work[above + start : above + stop]
        for r in range(stop - start):
            times = asked[r] * (floats[multiplier + start + r] if multiplier != at.NONE else 1.0)
            total += times * hidden[r]
            out[r] += times * slope
        dv[place] = total
        return
    for i in range(ints[source + at.HIDDEN_COUNT]):
        r = ints[ints[source + at.HIDDEN] + i]
        if start <= r < stop:
            times = work[by + r - start] * (floats[multiplier + r] if multiplier != at.NONE else 1.0)
            dv[place] += times * work[values + r]
            work[above + r] += times * v[place]


@compiled
def begun(ints: Any, floats: Any, size: int, ell: int) -> Any:
    """Return ``work`` of a size, 0 but for what the log-densities of rows of patients with several begin with."""
    work = np.zeros(size)
    constants = ints[at.ROW_CONSTANTS]
    if constants != at.NONE:
        for r in range(ints[at.SINGLE], ints[at.ROWS]):
            work[ell + r] = floats[constants + r]
    return work


@compiled
def split_weights(ints: Any, work: Any, ell: int, weight: int) -> float:
    """Return sum over split patients of log sum over rows of exp(ell); write each row's share of that sum."""
    value = 0.0
    for r in range(ints[at.SINGLE]):
        work[weight + r] = 1.0
    for s in range(ints[ints[at.SPLIT]]):
        first = ints[ints[at.SPLIT] + 1 + 2 * s]
        last = first + ints[ints[at.SPLIT] + 2 + 2 * s]
        top = -math.inf
        for r in range(first, last):
            top = max(top, work[ell + r])
        norm = 0.0
        for r in range(first, last):
            work[weight + r] = math.exp(work[ell + r] - top)
            norm += work[weight + r]
        for r in range(first, last):
            work[weight + r] /= norm
        value += top + math.log(norm)
    return value
