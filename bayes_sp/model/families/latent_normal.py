"""Normal responses observed with a known measurement error: latent ~ N(eta, sigma^2), y ~ N(latent, s^2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.lazy import np

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log N(y | eta, sigma^2 + s^2), the latent value integrated out; aux = (sigma, s)."""
    sd = np.hypot(aux[..., :1], aux[..., 1:2])
    return -0.5 * ((y - eta) / sd) ** 2 - np.log(sd) - HALF_LOG_2PI


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw the observed value y ~ N(eta, sigma^2 + s^2)."""
    return rng.normal(eta, np.hypot(aux[..., :1], aux[..., 1:2]))


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = eta, of the observed and of the latent value."""
    return eta


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ Normal(eta, sqrt(sigma^2 + s^2))."""
    return pm.Normal.dist(mu=eta, sigma=pm.math.sqrt(aux[0] ** 2 + aux[1] ** 2))


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    sd = math.hypot(sigma, aux[1])
    z = (y - eta) / sd
    out[0] = z / sd
    out[2] = (z * z - 1.0) / sd * (sigma / sd)
    return -0.5 * z * z - math.log(sd) - HALF_LOG_2PI


LATENT_NORMAL = Family(
    name="latent_normal",
    link="identity",
    parameters=("sigma",),
    response="real",
    mediator=True,
    outcome=False,
    equation="latent ~ Normal(eta, sigma), y ~ Normal(latent, s), s known",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
    latent=True,
)
