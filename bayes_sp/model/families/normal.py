"""Normal responses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.lazy import np

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log N(y | eta, sigma^2)."""
    sigma = aux[..., :1]
    return -0.5 * ((y - eta) / sigma) ** 2 - np.log(sigma) - HALF_LOG_2PI


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ N(eta, sigma^2)."""
    return rng.normal(eta, aux[..., :1])


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = eta."""
    return eta


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ Normal(eta, sigma)."""
    return pm.Normal.dist(mu=eta, sigma=aux[0])


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    z = (y - eta) / sigma
    out[0] = z / sigma
    out[2] = (z * z - 1.0) / sigma
    return -0.5 * z * z - math.log(sigma) - HALF_LOG_2PI


NORMAL = Family(
    name="normal",
    link="identity",
    parameters=("sigma",),
    response="real",
    mediator=True,
    outcome=True,
    equation="y ~ Normal(eta, sigma)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
)
