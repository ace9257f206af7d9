"""Negative binomial counts with mean mu = exp(eta) and size phi: var = mu + mu^2/phi."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.digamma import rising
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


LARGE = 1e3  # a size from which on log Gamma differences cancel


def log_zero(eta: Array, aux: Array) -> Array:
    """Log P(y = 0) = -phi log(1 + mu/phi), exact for a large phi too."""
    phi = aux[..., :1]
    return -phi * np.logaddexp(0.0, eta - np.log(phi))


def log_rising(phi: Array, y: Array) -> Array:
    """Log Gamma(phi + y) - log Gamma(phi), (..., n): each count of y once, as log Gamma takes most of the time."""
    counts, place = np.unique(y, return_inverse=True)
    return _log_rising(phi, counts)[..., place]


def _log_rising(phi: Array, y: Array) -> Array:
    """Log Gamma(phi + y) - log Gamma(phi); by Stirling's series where both are large and would cancel."""
    if np.all(phi < LARGE):
        return special.gammaln(phi + y) - special.gammaln(phi)
    size = np.maximum(phi, LARGE)
    total = size + y
    series = 1 / (12 * total) - 1 / (360 * total**3) - 1 / (12 * size) + 1 / (360 * size**3)
    stirling = (size - 0.5) * np.log1p(y / size) + y * (np.log(total) - 1.0) + series
    return np.where(phi < LARGE, special.gammaln(phi + y) - special.gammaln(phi), stirling)


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log NB(y | mu = exp(eta), var = mu + mu^2/phi)."""
    phi = aux[..., :1]
    log_ratio = eta - np.log(phi)
    spread = np.logaddexp(0.0, log_ratio)  # log(1 + mu/phi)
    return log_rising(phi, y) - special.gammaln(y + 1.0) + y * log_ratio - (y + phi) * spread


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)."""
    phi = aux[..., :1]
    return rng.negative_binomial(phi, phi / (phi + np.exp(eta))).astype(float)


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = exp(eta)."""
    return np.exp(eta)


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)."""
    return pm.NegativeBinomial.dist(mu=pm.math.exp(eta), alpha=aux[0])


def kernel(y, eta, _zeta, aux, table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient without -log y!, and its derivatives."""
    phi = aux[0]
    log_rise, slope = rising(phi, y, table)
    mu = math.exp(eta)
    spread = math.log1p(mu / phi)
    out[0] = phi * (y - mu) / (phi + mu)
    out[2] = slope - spread + (mu - y) / (phi + mu)
    return log_rise + y * (eta - math.log(phi) - spread) - phi * spread


NEGATIVE_BINOMIAL = Family(
    name="negative_binomial",
    link="log",
    parameters=("phi",),
    response="count",
    mediator=False,
    outcome=True,
    equation="y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
    sized=True,
)
