"""The joint log-posterior of any path model and its gradient: compiled once, whatever the model.

PyTensor compiles a model's own graph, which takes 20 s the first time and 3.5 s in every process after. Here the model
is data (a program, see `layout`), and one function that numba keeps on disk reads it: 0.2 s in every process. The
gradient is written by hand: a pass through the equations in the order of the chain, and one back. `build_model` is
the same joint model in PyMC's own words; tests hold value and gradient of both equal.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.compile import compiled, compiled_as, inlined
from bayes_sp.inference.engine.compiled_hidden import planes, settle
from bayes_sp.inference.engine.compiled_hidden_slopes import pull_settled
from bayes_sp.inference.engine.compiled_integral import integrated
from bayes_sp.inference.engine.compiled_rows import (
    begun,
    copy_into,
    hide,
    predict,
    pull,
    pull_hidden,
    read_aux,
    reduced,
    split_weights,
)
from bayes_sp.inference.engine.compiled_sequence import derive, pull_derived
from bayes_sp.inference.engine.families import log_prior

BLOCK = 1024  # rows at a time where nothing waits: the columns of a block stay in the processor's cache


@compiled
def naturals(theta: Any, ints: Any, floats: Any) -> Any:
    """Return the natural parameters, with the log-prior and the Jacobian of the transforms."""
    v = np.empty(ints[at.NATURAL] + ints[at.DERIVED])
    value = floats[ints[at.LOG_CONSTANT]]
    for p in range(ints[at.SIZE]):
        transform = ints[ints[at.TRANSFORM] + p]
        if transform == at.LOG:
            v[p] = math.exp(theta[p])
            value += theta[p]
        elif transform == at.INCREASING:
            v[p] = v[p - 1] + math.exp(theta[p])
            value += theta[p]
        elif transform == at.SOFT:
            x = theta[p] / floats[ints[at.UNITS] + p]
            tail = math.log1p(math.exp(-abs(x)))
            v[p] = floats[ints[at.UNITS] + p] * (max(x, 0.0) + tail)
            value += min(x, 0.0) - tail
        elif transform == at.TANH:
            v[p] = math.tanh(0.5 * theta[p])
            left = math.log(4.0) - abs(theta[p]) - 2.0 * math.log1p(math.exp(-abs(theta[p])))  # log(1 - v^2)
            value += (1.0 + floats[ints[at.UNITS] + p]) * left - math.log(2.0)
        else:
            v[p] = theta[p]
        if transform != at.SHARE:
            c = ints[at.CONSTANTS] + 3 * p
            value += log_prior(ints[ints[at.DIST] + p], v[p], floats[c], floats[c + 1], floats[c + 2])[0]
    for k in range(ints[at.KNOWN]):
        v[ints[at.NATURAL] - ints[at.KNOWN] + k] = floats[ints[at.KNOWN_VALUES] + k]
    for s in range(ints[ints[at.SIMPLEXES]]):
        first, shares, place = _simplex(ints, s)
        value += _shares(theta, first, shares, v, place, floats[ints[at.ALPHAS] + s])
    return v, value


@compiled
def _simplex(ints: Any, s: int) -> Any:
    record = ints[at.SIMPLEXES] + 1 + 3 * s
    return ints[record], ints[record + 1], ints[record + 2]


@compiled
def _shares(theta: Any, first: int, shares: int, v: Any, place: int, alpha: float) -> float:
    """Write softmax(t_1 ... t_D-1, -sum t); return the Dirichlet's log-density with the transform's Jacobian."""
    total = 0.0
    top = -math.inf
    for k in range(shares - 1):
        total += theta[first + k]
        top = max(top, theta[first + k])
    top = max(top, -total)
    norm = math.exp(-total - top)
    for k in range(shares - 1):
        norm += math.exp(theta[first + k] - top)
    log_norm = top + math.log(norm)
    value = 0.0
    for k in range(shares):
        log_share = (theta[first + k] if k < shares - 1 else -total) - log_norm
        v[place + k] = math.exp(log_share)
        value += alpha * log_share  # (alpha - 1) of the density and 1 of the Jacobian, D prod shares
    return value + math.log(shares)


@compiled
def pull_parameters(theta: Any, ints: Any, floats: Any, v: Any, dv: Any) -> None:
    """Turn derivatives by natural parameters into those by theta, in place, adding prior and Jacobian."""
    for s in range(ints[ints[at.SIMPLEXES]]):
        first, shares, place = _simplex(ints, s)
        alpha = floats[ints[at.ALPHAS] + s]
        inner = 0.0  # sum over shares of share * d/d share, and of alpha
        for k in range(shares):
            inner += v[place + k] * dv[place + k] + alpha * v[place + k]
        last = v[place + shares - 1] * dv[place + shares - 1] + alpha
        weight = shares * alpha
        tail = last - v[place + shares - 1] * (inner + weight - alpha)
        for k in range(shares - 1):
            own = v[place + k] * dv[place + k] + alpha - v[place + k] * (inner + weight - alpha)
            dv[first + k] = own - tail
    for p in range(ints[at.SIZE] - 1, -1, -1):
        transform = ints[ints[at.TRANSFORM] + p]
        if transform == at.SHARE:
            continue
        c = ints[at.CONSTANTS] + 3 * p
        dv[p] += log_prior(ints[ints[at.DIST] + p], v[p], floats[c], floats[c + 1], floats[c + 2])[1]
        if transform == at.LOG:
            dv[p] = dv[p] * v[p] + 1.0
        elif transform == at.INCREASING:
            dv[p - 1] += dv[p]
            dv[p] = dv[p] * math.exp(theta[p]) + 1.0
        elif transform == at.SOFT:
            unit = floats[ints[at.UNITS] + p]
            slope = 1.0 / (1.0 + math.exp(-theta[p] / unit))
            dv[p] = dv[p] * slope + (1.0 - slope) / unit
        elif transform == at.TANH:
            dv[p] = dv[p] * 0.5 * (1.0 - v[p] * v[p]) - (1.0 + floats[ints[at.UNITS] + p]) * v[p]


@compiled
def _table(phi: float, count: int) -> Any:
    """Return log Gamma(phi + k) - log Gamma(phi) and its derivative for k < count, (2, count)."""
    table = np.zeros((2, count))
    for k in range(1, count):
        table[0, k] = table[0, k - 1] + math.log(phi + k - 1.0)
        table[1, k] = table[1, k - 1] + 1.0 / (phi + k - 1.0)
    return table


@compiled
def _weigh(work: Any, by: int, weight: int, width: int, rows: int) -> None:
    """Multiply each row's derivatives with the row's share of its patient."""
    for k in range(width):
        for r in range(rows):
            work[by + k * rows + r] *= work[weight + r]


@compiled
def _copy(work: Any, into: int, source: int, rows: int) -> None:
    """Copy rows by a loop: to assign a slice takes a second more to compile, for messages that nobody can see."""
    for r in range(rows):
        work[into + r] = work[source + r]


@compiled
def _places(ints: Any, width: int, kept: int) -> Any:
    """Return where ``work`` has rows' log-densities, weights, derivatives; a block; a deferred zeta; hidden values."""
    count, size = ints[at.EQUATIONS], min(BLOCK, ints[at.ROWS])
    ell = 3 * count * kept
    block = ell + 2 * kept + count * width * kept
    apart = block + (2 + width) * size
    return ell, ell + kept, ell + 2 * kept, block, apart, apart + kept


@compiled
def _back(ints: Any, floats: Any, v: Any, dv: Any, work: Any, width: int, kept: int) -> None:
    """Carry the derivatives of deferred equations, last one first, to parameters and to hidden values before."""
    count, rows, members, linked = ints[at.EQUATIONS], ints[at.ROWS], ints[at.MEMBERS], ints[at.LINK_ROWS]
    _, weight, derivatives, _, _, own = _places(ints, width, kept)
    for j in range(count - 1, -1, -1):
        e = at.HEAD + j * at.EQUATION
        if ints[e + at.INTEGRATED] or not ints[e + at.DEFERRED]:
            continue
        above, by = (count + j) * kept, derivatives + j * width * kept
        at_w = own + ints[e + at.MEMBER] * linked - ints[at.LINK_FIRST]  # as of row 0
        by_w, first = at_w + members * linked, ints[e + at.FIRST]
        if ints[e + at.UNMEASURED]:
            _copy(work, by_w, above, kept)
            continue
        _weigh(work, by, weight, width, rows)
        pull_hidden(ints, floats, e, v, work, (2 * count + j) * kept, above, at_w, by_w, by, rows)
        pull(ints, floats, e, v, dv, work, first, rows, by + first, rows, count)


@compiled
def _nothing(*given: Any) -> float:
    return 0.0


# What a posterior may do without: an engine that leaves it out has `_nothing` in its place.
HIDDEN_VALUES = (integrated, settle, pull_settled, hide, split_weights, _back)
CORRELATED_ERRORS = (derive, pull_derived)


def make_log_density(name: str, densities: Any, *, hidden_values: bool, correlated_errors: bool) -> Any:
    """Return ``log_density(theta, ints, floats, gradient)``, named after the families that `densities` knows.

    It gives the log-posterior density at theta, (P,), and writes its gradient where ``gradient`` is not empty: the
    log-prior and the log-likelihood times a power that the program states, 1 for the posterior itself.
    ``work`` holds, each with a value for every row: of each equation the hidden values, what later equations ask of
    them, and the predictor; log-densities and weights of rows; and derivatives by eta, zeta and aux. Nothing of that
    is kept where no equation is deferred; rows then go through in blocks. Without ``hidden_values`` it takes programs
    that have none and defer no equation, without ``correlated_errors`` those without a residual correlation: what is
    left out need not be compiled.
    """
    integrate, settle_all, pull_all, hide_values, split, back = HIDDEN_VALUES if hidden_values else 6 * (_nothing,)
    derive_all, pull_all_derived = CORRELATED_ERRORS if correlated_errors else 2 * (_nothing,)

    def log_density(theta: Any, ints: Any, floats: Any, gradient: Any) -> float:
        v, value = naturals(theta, ints, floats)
        derive_all(ints, floats, v)
        power, with_gradient = floats[ints[at.LOG_CONSTANT] + 1], len(gradient) > 0
        count, rows, width = ints[at.EQUATIONS], ints[at.ROWS], 2 + ints[at.MOST_AUX]
        kept = rows if ints[at.ANY_DEFERRED] else 0
        ell, weight, derivatives, block, apart, own = _places(ints, width, kept)
        size, members, together = min(BLOCK, rows), ints[at.MEMBERS], ints[at.LINK_RECORDS] != at.NONE
        hidden, linked = 0 if together else members, ints[at.LINK_ROWS] if kept else 0
        work = begun(ints, floats, own + 2 * hidden * linked, ell)
        w = work[own : own + hidden * linked].reshape((hidden, linked))
        by_w = work[own + hidden * linked :].reshape((hidden, linked))
        z, settled = np.empty_like(w), np.zeros((planes(ints)[8] if hidden else 0, linked))
        dv, out = np.zeros(len(v)), np.empty(width)
        value += power * (integrate(ints, floats, v, dv, with_gradient) if together else 0.0)
        if members and not together:
            value += settle_all(ints, floats, v, settled, w, z, work, ell)
        for j in range(count):
            e = at.HEAD + j * at.EQUATION
            mine, first = own + ints[e + at.MEMBER] * linked - ints[at.LINK_FIRST], ints[e + at.FIRST]
            if ints[e + at.INTEGRATED]:
                continue
            if ints[e + at.UNMEASURED]:
                _copy(work, j * kept, mine, kept)
                continue
            if first > 0:
                value += power * reduced(ints, floats, e, v, dv, with_gradient)
            aux = np.empty(ints[e + at.AUX] + ints[e + at.FIXED])
            read_aux(ints, floats, e, v, aux)
            table = _table(aux[0] if len(aux) else 1.0, ints[e + at.TABLE])
            if ints[e + at.DEFERRED]:
                eta, by = (2 * count + j) * kept + first, derivatives + j * width * kept + first
                step, zeta = rows, apart + first
            else:
                step, eta, zeta, by = size, block, block + size, block + 2 * size
            for start in range(first, rows, step):
                stop = min(start + step, rows)
                predict(ints, floats, e, v, work, start, stop, eta, zeta, count)
                kind, places = ints[e + at.FAMILY], (eta, zeta, ell, by)
                value += power * densities(kind, ints, floats, e, aux, table, out, work, start, stop, *places, step)
                if with_gradient and not ints[e + at.DEFERRED]:
                    pull(ints, floats, e, v, dv, work, start, stop, by, step, count)
            hide_values(ints, floats, e, aux, work, eta - first, j * kept, mine)  # eta as of row 0
        if kept:
            value += power * split(ints, work, ell, weight)
        if with_gradient:
            back(ints, floats, v, dv, work, width, kept)
            if members and not together:
                pull_all(ints, floats, v, dv, settled, w, z, by_w, work, weight)
            for p in range(len(dv)):
                dv[p] *= power
            pull_all_derived(ints, floats, v, dv)
            pull_parameters(theta, ints, floats, v, dv)
            copy_into(gradient, dv[: ints[at.SIZE]])
        return value

    return compiled_as(f"log_density_of_{name}", log_density, inlined)
