"""Compiled loops: each patient's part of a log-likelihood, with first and second derivatives, in many resamples.

A family's kernel gives the log-density and its exact first derivatives; second derivatives are differences of these.
Newton's method ends where the first derivatives are 0, so an error in the second ones slows it and moves nothing.
"""

# ruff: noqa: ANN001, ANN201, ANN202 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from types import FunctionType
from zlib import crc32

import numpy as np
from numba import boolean, float64, int64, njit, void

from bayes_sp.jit import cached
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.families.special import TABLE
from bayes_sp.model.families.special import digamma as plain_digamma
from bayes_sp.model.families.special import rising as plain_rising

OPTIONS = {"error_model": "numpy", "nogil": True}
STEP = 1e-6  # of a predictor, for second derivatives
_compile = njit(**OPTIONS)
# One type of every argument and so one machine code: two processes that compile at once then write the same files.
_ROWS, _SHARED = float64[:, ::1], float64[::1]
_SIGNATURE = void(
    boolean, int64, boolean, _SHARED, _SHARED, _ROWS, _ROWS, _ROWS, _ROWS, _ROWS, float64[:, :, ::1],
    float64[:, :, :, ::1],
)  # fmt: skip
_digamma, _rising = _compile(plain_digamma), _compile(plain_rising)


@_compile
def _natural(cuts, t, aux):
    """From the scale without bounds: logarithms of positive numbers, or a first cutpoint and logarithms of widths."""
    for k in range(len(t)):
        aux[k] = math.exp(t[k])
        if cuts:
            aux[k] = t[0] if k == 0 else aux[k - 1] + aux[k]


@_compile
def _table(phi, table):
    """Fill log Gamma(phi + k) - log Gamma(phi) and its derivative for k = 0, 1, ..."""
    table[0, 0], table[1, 0] = 0.0, 0.0
    for k in range(1, table.shape[1]):
        table[0, k] = table[0, k - 1] + math.log(phi + k - 1)
        table[1, k] = table[1, k - 1] + 1.0 / (phi + k - 1)


@_compile
def _by_predictor(cuts, zero, t, out, gradient):
    """Turn the kernel's derivatives into those with respect to the predictors."""
    gradient[0] = out[0]
    if zero:
        gradient[1] = out[1]
    total = 0.0
    for k in range(len(t) - 1, -1, -1):
        total = total + out[2 + k] if cuts else out[2 + k]
        gradient[1 + zero + k] = total * (1.0 if cuts and k == 0 else math.exp(t[k]))


def _loop(key):
    """Return the loop, not yet compiled; ``key`` is part of the key under which numba keeps it."""

    def row_derivatives(cuts, zero, sized, known, y, w, eta, zeta, t, value, first, second):
        if key < 0:
            return
        count, size = t.shape[1], 1 + zero + t.shape[1]
        most = min(int(y.max()) + 1, TABLE) if sized else 1
        aux, tables = np.empty((count + 1, count + len(known))), np.empty((count + 1, 2, most))
        ts, out = np.empty((count + 1, count)), np.zeros(2 + count + len(known))
        gradient = np.empty((size + 1, size))
        for r in range(len(w)):
            for v in range(count + 1):  # as they are, and with each parameter moved
                for k in range(count):
                    ts[v, k] = t[r, k] + (STEP if k == v - 1 else 0.0)
                _natural(cuts, ts[v], aux[v])
                for k in range(len(known)):
                    aux[v, count + k] = known[k]
                if sized:
                    _table(aux[v, 0], tables[v])
            for i in range(len(y)):
                if w[r, i] == 0.0:
                    continue
                for p in range(size + 1):  # as it is, and with each predictor moved
                    v = max(p - 1 - zero, 0)
                    more = STEP if p == 1 else 0.0
                    zmore = STEP if zero and p == 2 else 0.0
                    one = kernel(y[i], eta[r, i] + more, zeta[r, i] + zmore, aux[v], tables[v], out)  # noqa: F821 - `rows_of`
                    _by_predictor(cuts, zero, ts[v], out, gradient[p])
                    if p == 0:
                        value[r, i] = w[r, i] * one
                for p in range(size):
                    first[p, r, i] = w[r, i] * gradient[0, p]
                    for m in range(size):
                        part = 0.5 * w[r, i] * (gradient[p + 1, m] - gradient[0, m]) / STEP
                        second[p, m, r, i] += part
                        second[m, p, r, i] += part

    return row_derivatives


@cache
def rows_of(family: str):
    """Return a family's loop, compiled the first time and kept on disk.

    ``(cuts, zero, sized, known, y, w, eta, zeta, t, value, first, second)``: y (n,); w, eta, zeta (R, n); t (R, A)
    shared parameters on the scale without bounds; known (F,) what the kernel wants beside them. Zeros before, it
    fills value (R, n), each patient's log-likelihood, first (L, R, n) and second (L, L, R, n), its derivatives with
    respect to the L = 1 + zero + A predictors, all times the weight.
    """
    package = Path(__file__).parents[2]
    sources = sorted([*(package / "model" / "families").glob("*.py"), Path(__file__)])
    function = _loop(crc32(b"".join(file.read_bytes() for file in sources)))
    plain = FAMILIES[family].kernel
    special = {"digamma": _digamma, "rising": _rising}
    kernel = _compile(FunctionType(plain.__code__, {**plain.__globals__, **special}, plain.__name__))
    # The same code with another kernel under that name: as part of the function's closure it would have no cache.
    names = {**function.__globals__, "kernel": kernel}
    chosen = FunctionType(function.__code__, names, function.__name__, None, function.__closure__)
    chosen.__qualname__ = f"rows_of_{family}"
    return cached(njit, _SIGNATURE, **OPTIONS)(chosen)
