r"""Derivatives of simple families written out in NumPy: one fit to all records needs no compiled code.

With :math:`t = \log\sigma` or :math:`\log\phi`, by the linear predictor eta and t, exact.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import psi, zeta

from bayes_sp.arrays import Array
from bayes_sp.inference.likelihood.maximum import Regression
from bayes_sp.model.families.negative_binomial import log_rising
from bayes_sp.triangular import least_squares

HALF_LOG_2PI = 0.5 * float(np.log(2.0 * np.pi))
type Derivatives = tuple[Array, list[Array], list[list[Array]]]


class Written(Regression):
    """A regression of one of the families in `WRITTEN`."""

    def at_rows(self, y: Array, w: Array, eta: Array, zeta: Array, theta: Array) -> tuple[Array, Array, Array]:
        """Return each row's weighted log-likelihood and derivatives, as `Regression.at_rows`."""
        value, first, second = WRITTEN[self.family](y, eta, theta[:, -1:])
        ones = [np.broadcast_to(each, eta.shape) for each in first]
        twos = [[np.broadcast_to(each, eta.shape) for each in row] for row in second]
        return w * value, w * np.stack(ones), w * np.array(twos)


def least_squares_start(data: Regression) -> Array:
    """Return starting values, (P,): of normal responses least squares, which is where the maximum lies."""
    if data.family not in ("normal", "lognormal"):
        return data.start
    (part,) = data.parts
    y = (np.log(data.y) if data.family == "lognormal" else data.y) - part.offset
    beta = least_squares(part.x, y)
    rms = float(np.sqrt(np.mean((y - part.x @ beta) ** 2)))
    return np.array([*beta, np.log(rms) if rms > 0 else data.start[-1]])


def _normal(y: Array, eta: Array, t: Array) -> Derivatives:
    sigma = np.exp(t)
    z = (y - eta) / sigma
    across = -2.0 * z / sigma
    value = -0.5 * z * z - t - HALF_LOG_2PI
    return value, [z / sigma, z * z - 1.0], [[-1.0 / sigma**2, across], [across, -2.0 * z * z]]


def _lognormal(y: Array, eta: Array, t: Array) -> Derivatives:
    log_y = np.log(y)
    value, first, second = _normal(log_y, eta, t)
    return value - log_y, first, second


def _poisson(y: Array, eta: Array, _t: Array) -> Derivatives:
    """Leave out the constant -log y!."""
    mu = np.exp(eta)
    return y * eta - mu, [y - mu], [[-mu]]


def _negative_binomial(y: Array, eta: Array, t: Array) -> Derivatives:
    """Leave out the constant -log y!; zeta(2, x) is the second derivative of log Gamma."""
    phi, mu = np.exp(t), np.exp(eta)
    both = phi + mu
    value = log_rising(phi, y) + y * (eta - np.log(both)) - phi * np.log1p(mu / phi)
    counts, place = np.unique(y, return_inverse=True)  # each count once: these functions take most of the time
    by_phi = (psi(counts + phi) - psi(phi))[..., place] - np.log1p(mu / phi) + (mu - y) / both
    across = phi * (y - mu) * mu / both**2
    bend = (zeta(2.0, counts + phi) - zeta(2.0, phi))[..., place] + mu / (phi * both) + (y - mu) / both**2
    second = [[-phi * mu * (y + phi) / both**2, across], [across, phi * by_phi + phi**2 * bend]]
    return value, [phi * (y - mu) / both, phi * by_phi], second


WRITTEN: dict[str, Callable[[Array, Array, Array], Derivatives]] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "poisson": _poisson,
    "negative_binomial": _negative_binomial,
}
