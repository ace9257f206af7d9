"""A plain negative-binomial regression, as one would write it in NumPy for one sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, polygamma, psi

Array = NDArray[np.float64]


def negative_binomial(x: Array, y: Array) -> tuple[Array, float]:
    """Return coefficients, (p,), and size phi (variance mu + mu^2/phi) of maximum likelihood, by Newton's method.

    Starts at least squares of log(y + 1/2) and phi = 1; steps on (beta, log phi) are halved until the likelihood
    rises, and the Hessian gets a ridge where it is not definite. A resample without a maximum stops after 100 steps.
    """
    theta = np.append(np.linalg.lstsq(x, np.log(y + 0.5))[0], 0.0)
    value = _log_likelihood(x, y, theta)
    for _ in range(100):
        gradient, information = _derivatives(x, y, theta)
        smallest = np.linalg.eigvalsh(information)[0]
        if smallest <= 0:
            information = information + (1e-3 - smallest) * np.eye(len(theta))
        step = np.linalg.solve(information, gradient)
        if gradient @ step < 1e-12:
            break
        new = _log_likelihood(x, y, theta + step)
        while not new >= value and step @ step > 1e-20:
            step = step / 2
            new = _log_likelihood(x, y, theta + step)
        theta, value = theta + step, new
    return theta[:-1], float(np.exp(theta[-1]))


def _log_likelihood(x: Array, y: Array, theta: Array) -> float:
    eta, phi = x @ theta[:-1], np.exp(theta[-1])
    each = gammaln(y + phi) - gammaln(phi) + phi * theta[-1] + y * eta - (y + phi) * np.log(phi + np.exp(eta))
    return float(each.sum())


def _derivatives(x: Array, y: Array, theta: Array) -> tuple[Array, Array]:
    """Return gradient and negative Hessian with respect to (beta, log phi)."""
    mu, phi = np.exp(x @ theta[:-1]), np.exp(theta[-1])
    total, excess = phi + mu, y - mu
    slope = (psi(y + phi) - psi(phi) + np.log(phi / total) - excess / total).sum()
    bend = (polygamma(1, y + phi) - polygamma(1, phi) + 1 / phi - 1 / total + excess / total**2).sum()
    gradient = np.append(x.T @ (phi * excess / total), phi * slope)
    cross = phi * (x.T @ (excess * mu / total**2))
    beta = -(x * (phi * mu * (y + phi) / total**2)[:, None]).T @ x
    hessian = np.block([[beta, cross[:, None]], [cross[None, :], np.array([[phi**2 * bend + phi * slope]])]])
    return gradient, -hessian
