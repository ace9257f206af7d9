"""Maxima in closed form where a normal outcome sees a true value: at and beyond the edge of no residual spread."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.likelihood.latent import Together
from bayes_sp.inference.likelihood.maximum import Fits

LOG_2PI = float(np.log(2.0 * np.pi))


def closed_form(block: Together, w: Array, fits: Fits) -> None:
    r"""Put the maximum in closed form where the climb found none, for one normal response that sees the true value.

    Given x, let the measurement m have the variance V and the response y the variance W, with the covariance c. Inside,
    the true value has the variance V - s^2 and the slope b = c / (V - s^2). Where V <= s^2 or W (V - s^2) <= c^2 the
    error of measurement takes more from V than there is, and the maximum lies where y follows from the true value: then
    m given y is a regression with the known variance s^2, whose slope c / W is that of least squares, so that
    b = W / c and the true value has the SD abs(c) / sqrt(W). Fits with other equations, columns or families that see
    the true value are left as they are.
    """
    (later, *more), first = block.later, block.first
    own = later.regression
    others = np.array([term != first.response for term in own.parts[0].terms])
    if more or own.family != "normal" or tuple(np.array(own.parts[0].terms)[others]) != first.parts[0].terms:
        return
    rows = np.flatnonzero((fits.reason != "") & fits.kept.all(axis=1))
    weights, x, error = w[rows], first.parts[0].x, float(first.known[0]) ** 2
    gram = np.linalg.pinv(np.einsum("rn,np,nq->rpq", weights, x, x), hermitian=True)
    of_m, of_y = (np.einsum("rpq,nq,rn,n->rp", gram, x, weights, each.y) for each in (first, own))
    e_m, e_y = first.y - of_m @ x.T, own.y - of_y @ x.T
    count, place = weights.sum(axis=1), int(np.flatnonzero(~others)[0])
    v_m, v_y, c = ((weights * one * other).sum(axis=1) / count for one, other in ((e_m, e_m), (e_y, e_y), (e_m, e_y)))
    for k in np.flatnonzero((v_y > 0.0) & (c != 0.0)):
        true, r = v_m[k] - error, rows[k]
        inside = true > 0.0 and v_y[k] * true > c[k] ** 2
        true = true if inside else c[k] ** 2 / v_y[k]
        b = c[k] / true
        rest = v_y[k] - b * c[k] if inside else v_y[k]  # beyond the edge from where the logarithm goes to -infinity
        apart = v_m[k] - c[k] ** 2 / v_y[k]  # variance of m given y
        left = apart if inside else error
        beta = np.zeros(len(others))
        beta[others] = of_y[k] - b * of_m[k]
        beta[0] += b * own.parts[0].centre[place]
        beta[place] = b * own.parts[0].scale[place]
        fits.theta[r] = [*of_m[k], 0.5 * np.log(true), *beta, 0.5 * np.log(rest)]
        fits.direction[r] = 0.0
        fits.direction[r, -1] = 0.0 if inside else -1.0
        fits.log_likelihood[r] = -0.5 * count[k] * (2.0 * LOG_2PI + np.log(v_y[k] * left) + 1.0 + apart / left)
        fits.reason[r] = ""
