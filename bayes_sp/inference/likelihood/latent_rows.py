"""Compiled loop: derivatives of a likelihood from which true values are integrated out by quadrature."""

# ruff: noqa: ANN001, ANN201 - numba finds the types
# mypy: ignore-errors
from __future__ import annotations

import math

import numpy as np
from numba import njit

from bayes_sp.jit import cached


@cached(njit, error_model="numpy", nogil=True)
def integrated_rows(w, residual, sigma, error, z, share, own, slope, size, ones, twos, first, second):
    """Add the derivatives of every patient's log-integral to those of the equation of the true values.

    At a node z the true value is y + u, u = -(1 - r)(y - eta) + s sqrt(r) z with r = sigma^2/(sigma^2 + s^2). It moves
    with eta and log sigma, and with it predictor t of a later equation, by a slope. With g and H the derivatives of the
    log-likelihood at a node, those of the log-integral are E g and E(H + g g') - (E g)(E g)'.

    ``w`` are weights and ``residual`` is y - eta, (R, n); ``sigma`` are residual SDs of the true values, (R,), and
    ``error`` is the SD of measurement, s; ``z`` are nodes, and ``share`` the parts that they have in the integral,
    (R, n, K). ``own`` and ``slope`` are the number of each later predictor among all, and of its slope, -1 for a shared
    parameter's, (T,); ``size`` are slopes, (T, R, n), 0 for shared parameters. ``ones`` and ``twos`` are derivatives by
    the later predictors at the nodes, (T, R, n, K) and (T, T, R, n, K). Added to are ``first`` and ``second``, those by
    all predictors, (L, R, n) and (L, L, R, n), of which eta and log sigma are the first two.
    """
    count, predictors = len(own), len(first)
    g, mean = np.empty(predictors), np.empty(predictors)
    h, square = np.empty((predictors, predictors)), np.empty((predictors, predictors))
    jacobian = np.zeros((count, predictors))
    for r in range(w.shape[0]):
        ratio = sigma[r] ** 2 / (sigma[r] ** 2 + error**2)
        spread = error * math.sqrt(ratio)
        rest = 1.0 - ratio
        for i in range(w.shape[1]):
            if w[r, i] == 0.0:
                continue
            mean[:] = 0.0
            square[:] = 0.0
            for k in range(z.shape[2]):
                away, node = residual[r, i], z[r, i, k]
                u = -rest * away + spread * node
                by_sigma = 2.0 * ratio * rest * away + spread * rest * node
                both = -2.0 * ratio * rest
                twice = 4.0 * ratio * rest * (1.0 - 2.0 * ratio) * away
                twice += spread * rest * (1.0 - 3.0 * ratio) * node
                g[:] = 0.0
                h[:] = 0.0
                moved = 0.0
                for t in range(count):
                    one, b = ones[t, r, i, k], size[t, r, i]
                    g[own[t]] += one
                    jacobian[t, :] = 0.0
                    jacobian[t, own[t]] = 1.0
                    if slope[t] >= 0:
                        g[slope[t]] += one * u
                        moved += one * b
                        jacobian[t, slope[t]] = u
                        jacobian[t, 0], jacobian[t, 1] = b * rest, b * by_sigma
                        h[0, slope[t]] += one * rest
                        h[slope[t], 0] += one * rest
                        h[1, slope[t]] += one * by_sigma
                        h[slope[t], 1] += one * by_sigma
                g[0], g[1] = moved * rest, moved * by_sigma
                h[0, 1] += moved * both
                h[1, 0] += moved * both
                h[1, 1] += moved * twice
                for t in range(count):
                    for v in range(count):
                        two = twos[t, v, r, i, k]
                        if two == 0.0:
                            continue
                        for p in range(predictors):
                            if jacobian[t, p] != 0.0:
                                for q in range(predictors):
                                    h[p, q] += two * jacobian[t, p] * jacobian[v, q]
                part = share[r, i, k]
                for p in range(predictors):
                    mean[p] += part * g[p]
                    for q in range(predictors):
                        square[p, q] += part * (h[p, q] + g[p] * g[q])
            for p in range(predictors):
                first[p, r, i] += w[r, i] * mean[p]
                for q in range(predictors):
                    second[p, q, r, i] += w[r, i] * (square[p, q] - mean[p] * mean[q])
