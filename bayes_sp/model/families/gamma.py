"""Positive responses: Gamma with mean exp(eta) and variance mean^2/shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.digamma import digamma
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log Gamma(y | shape, rate = shape exp(-eta))."""
    shape, t = aux[..., :1], np.log(y) - eta
    return shape * (np.log(shape) + t - np.exp(t)) - np.log(y) - special.gammaln(shape)


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ Gamma(shape, mean exp(eta))."""
    return rng.gamma(aux[..., :1], np.exp(eta) / aux[..., :1])


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = exp(eta)."""
    return np.exp(eta)


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ Gamma(shape, mean exp(eta))."""
    return pm.Gamma.dist(alpha=aux[0], beta=aux[0] * pm.math.exp(-eta))


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


GAMMA = Family(
    name="gamma",
    link="log",
    parameters=("shape",),
    response="positive",
    mediator=False,
    outcome=True,
    equation="y ~ Gamma(mean exp(eta), shape)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
)
