"""Positive responses whose logarithm is normal with mean eta."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.lazy import np

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log N(log y | eta, sigma^2) - log y."""
    sigma, log_y = aux[..., :1], np.log(y)
    return -0.5 * ((log_y - eta) / sigma) ** 2 - np.log(sigma) - HALF_LOG_2PI - log_y


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw log y ~ N(eta, sigma^2)."""
    return rng.lognormal(eta, aux[..., :1])


def mean(eta: Array, _zeta: Array, aux: Array) -> Array:
    """E y = exp(eta + sigma^2/2)."""
    return np.exp(eta + 0.5 * aux[..., :1] ** 2)


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Log y ~ Normal(eta, sigma)."""
    return pm.LogNormal.dist(mu=eta, sigma=aux[0])


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    log_y = math.log(y)
    z = (log_y - eta) / sigma
    out[0] = z / sigma
    out[2] = (z * z - 1.0) / sigma
    return -0.5 * z * z - math.log(sigma) - HALF_LOG_2PI - log_y


LOGNORMAL = Family(
    name="lognormal",
    link="identity",
    parameters=("sigma",),
    response="positive",
    mediator=False,
    outcome=True,
    equation="log y ~ Normal(eta, sigma)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
)
