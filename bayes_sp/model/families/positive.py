"""Positive responses: Gamma with mean exp(eta), and those whose logarithm is normal with mean eta."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families.base import SHAPE, SIGMA, Family
from bayes_sp.model.families.counts import exponential
from bayes_sp.model.families.normal import derivatives as normal_derivatives
from bayes_sp.model.families.special import HALF_LOG_2PI, digamma

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Derivatives, Generator, PyMC, Tensor, Words


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log Gamma(y | shape, rate = shape exp(-eta))."""
    shape, t = aux[..., :1], np.log(y) - eta
    return shape * (np.log(shape) + t - np.exp(t)) - np.log(y) - special.gammaln(shape)


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ Gamma(shape, mean exp(eta))."""
    return rng.gamma(aux[..., :1], np.exp(eta) / aux[..., :1])


def pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ Gamma(shape, mean exp(eta))."""
    return "Gamma", {"alpha": aux[0], "beta": aux[0] * pm.math.exp(-eta)}


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    shape = aux[0]
    log_y = math.log(y)
    t = log_y - eta
    ratio = math.exp(t)
    inner = math.log(shape) + t - ratio
    out[0] = shape * (ratio - 1.0)
    out[2] = inner + 1.0 - digamma(shape)
    return shape * inner - log_y - math.lgamma(shape)


def log_of(y: Array) -> tuple[Array, Array]:
    """Return what a response says of eta: its logarithm."""
    return np.log(y), np.ones_like(y)


GAMMA = Family(
    name="gamma",
    synonyms=("gamma_log",),
    link="log",
    response="positive",
    equation="y ~ Gamma(mean exp(eta), shape)",
    log_density=log_density,
    simulate=simulate,
    pymc=pymc,
    kernel=kernel,
    mean=exponential,
    scalars=(SHAPE,),
    outcome="exp",
    on_link=log_of,
    precision="precision",
    variance="mu^2",
    light_tailed=True,
)


def lognormal_log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log N(log y | eta, sigma^2) - log y."""
    sigma, log_y = aux[..., :1], np.log(y)
    return -0.5 * ((log_y - eta) / sigma) ** 2 - np.log(sigma) - HALF_LOG_2PI - log_y


def lognormal_simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw log y ~ N(eta, sigma^2)."""
    return rng.lognormal(eta, aux[..., :1])


def lognormal_mean(eta: Array, _zeta: Array, aux: Array) -> Array:
    """E y = exp(eta + sigma^2/2)."""
    return np.exp(eta + 0.5 * aux[..., :1] ** 2)


def lognormal_pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Log y ~ Normal(eta, sigma)."""
    return "LogNormal", {"mu": eta, "sigma": aux[0]}


def lognormal_kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    log_y = math.log(y)
    z = (log_y - eta) / sigma
    out[0] = z / sigma
    out[2] = (z * z - 1.0) / sigma
    return -0.5 * z * z - math.log(sigma) - HALF_LOG_2PI - log_y


def lognormal_derivatives(y: Array, eta: Array, t: Array) -> Derivatives:
    """Log density and its derivatives by eta and t = log sigma."""
    log_y = np.log(y)
    value, first, second = normal_derivatives(log_y, eta, t)
    return value - log_y, first, second


LOGNORMAL = Family(
    name="lognormal",
    synonyms=("log_normal",),
    link="identity",
    response="positive",
    equation="log y ~ Normal(eta, sigma)",
    log_density=lognormal_log_density,
    simulate=lognormal_simulate,
    mean=lognormal_mean,
    pymc=lognormal_pymc,
    kernel=lognormal_kernel,
    scalars=(SIGMA,),
    outcome="exp",
    derivatives=lognormal_derivatives,
    gaussian=True,
    logged=True,
    on_link=log_of,
    precision="sd",
)
