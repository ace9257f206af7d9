r"""The mean over patients of exp(c . w_i), draw by draw; of many patients from moments, with a bound on the error.

With c the slopes of a draw, c_0 their median over draws, d = c - c_0, and the patients weighed by
p_i = exp(c_0 . w_i) / sum_j exp(c_0 . w_j), v_i = w_i - sum_j p_j w_j,

.. math:: \log \frac1n \sum_i e^{c \cdot w_i} = \log \frac1n \sum_i e^{c_0 \cdot w_i} + d \cdot \bar w_p
          + \log \Big( 1 + \frac{E_p x^2}{2} + \frac{E_p x^3}{6} + R \Big), \qquad x_i = d \cdot v_i,

where E_p x^2 = d' M_2 d and E_p x^3 is a cubic form in d: one pass over the patients serves every draw. The remainder
of Taylor's series has :math:`|R| \le E_p[x^4 e^{|x|}] / 24 \le r^2 e^r E_p x^2 / 24` with
:math:`r = \sum_k |d_k| \max_i |v_{ik}| \ge \max_i |x_i|`, and the true bracket is at least 1 (Jensen), so the bound on
R bounds the relative error of the mean. With many patients the posterior is narrow and r small: for a million it is
1e-9. Draws whose bound is above 1e-6 are averaged over all patients.
"""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array

LEAST = 100_000  # patients: the means of fewer are sums over all of them
TOLERANCE = 1e-6  # relative error of a mean that the bound must exclude

# Numbers in one temporary (draws x patients): 2 MiB stays in a processor's cache and bounds the memory.
_BATCH = 2**18


def log_patient_mean(slopes: Array, w: Array, weights: Array | None = None) -> Array:
    """Log of the mean over patients of exp(slopes . w_i).

    ``slopes`` are (..., q), covariates (n, q) and weights (n,) or (..., n). Draws go through in batches, so that memory
    does not grow with draws x patients. From `LEAST` patients on with a relative error of the mean of at most
    `TOLERANCE`, usually far less; else exact.
    """
    lead, q = slopes.shape[:-1], slopes.shape[-1]
    if not q:  # without covariates patients are alike
        return np.zeros(lead)
    flat = slopes.reshape(int(np.prod(lead)), q)
    if weights is not None and weights.ndim > 1:
        return _summed(flat, w, weights.reshape(len(flat), len(w))).reshape(lead)
    shared = np.ones(len(w)) if weights is None else weights
    if len(w) < LEAST or q**2 > len(flat) or not np.isfinite(flat).all():
        return _summed(flat, w, shared).reshape(lead)
    out, bound = expanded(flat, w, shared)
    wide = ~(bound <= TOLERANCE)
    out[wide] = _summed(flat[wide], w, shared)
    return out.reshape(lead)


def expanded(slopes: Array, w: Array, weights: Array) -> tuple[Array, Array]:
    """Return logs of means by the expansion about the median slopes, (S,), and bounds on the means' relative errors.

    Slopes are (S, q), covariates (n, q) and weights (n,), 0 or more.
    """
    centre = np.median(slopes, axis=0)  # draws far away move it little
    eta = w @ centre
    top = eta.max()
    share = weights * np.exp(eta - top)
    level = top + np.log(share.sum() / weights.sum())
    share /= share.sum()
    middle = share @ w
    farthest = np.maximum(w.max(axis=0) - middle, middle - w.min(axis=0))
    away = slopes - centre
    second, third = _moments(w, middle, share)
    square = np.einsum("sj,jk,sk->s", away, second, away)
    q = slopes.shape[1]
    bent = (away @ third.reshape(q, q * q)).reshape(-1, q, q)
    cube = np.einsum("sjk,sj,sk->s", bent, away, away)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # draws far away have no use for it
        reach = np.abs(away) @ farthest
        bound = reach**2 * np.exp(reach) * square / 24.0
        return level + away @ middle + np.log1p(square / 2.0 + cube / 6.0), bound


def _moments(w: Array, middle: Array, share: Array) -> tuple[Array, Array]:
    """Return the second and third moments about `middle` of patients with shares, (q, q) and (q, q, q)."""
    q = w.shape[1]
    second, third = np.zeros((q, q)), np.zeros((q * q, q))
    rows = max(1, _BATCH // max(q * q, 1))
    for start in range(0, len(w), rows):
        v = w[start : start + rows] - middle
        weighed = share[start : start + rows, None] * v
        second += weighed.T @ v
        third += (weighed[:, :, None] * v[:, None, :]).reshape(len(v), q * q).T @ v
    return second, third.reshape(q, q, q)


def _summed(slopes: Array, w: Array, weights: Array) -> Array:
    """Return logs of means as sums over all patients, (S,); weights (n,) or (S, n)."""
    shared = weights.ndim == 1
    out = np.empty(len(slopes))
    rows = max(1, _BATCH // max(len(w), 1))
    for start in range(0, len(slopes), rows):
        batch = slice(start, start + rows)
        eta = slopes[batch] @ w.T
        top = eta.max(axis=1)  # taken out so that exp() cannot overflow
        np.exp(np.subtract(eta, top[:, None], out=eta), out=eta)
        share = weights if shared else weights[batch]
        total = eta @ share if shared else np.einsum("rn,rn->r", eta, share)
        out[batch] = top + np.log(total / share.sum(axis=-1))
    return out
