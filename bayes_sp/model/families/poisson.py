"""Poisson counts with mean mu = exp(eta)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


def log_density(y: Array, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Log Poisson(y | mu = exp(eta))."""
    return y * eta - np.exp(eta) - special.gammaln(y + 1)


def simulate(rng: Generator, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Draw y ~ Poisson(exp(eta))."""
    return rng.poisson(np.exp(eta)).astype(float)


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = exp(eta)."""
    return np.exp(eta)


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, _aux: Tensor) -> Tensor:
    """Y ~ Poisson(exp(eta))."""
    return pm.Poisson.dist(mu=pm.math.exp(eta))


def kernel(y, eta, _zeta, _aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient without -log y!, and its derivatives."""
    mu = math.exp(eta)
    out[0] = y - mu
    return y * eta - mu


POISSON = Family(
    name="poisson",
    link="log",
    parameters=(),
    response="count",
    mediator=False,
    outcome=True,
    equation="y ~ Poisson(exp(eta))",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
)
