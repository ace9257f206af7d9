"""Yes or no: P(y = 1) = logistic(eta)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


def log_density(y: Array, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Log Bernoulli(y | logistic(eta))."""
    return -np.logaddexp(0.0, np.where(y > 0.0, -eta, eta))


def simulate(rng: Generator, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Draw y ~ Bernoulli(logistic(eta))."""
    return (rng.random(eta.shape) < special.expit(eta)).astype(float)


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = P(y = 1) = logistic(eta)."""
    return special.expit(eta)


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, _aux: Tensor) -> Tensor:
    """Y ~ Bernoulli(logistic(eta))."""
    return pm.Bernoulli.dist(logit_p=eta)


def kernel(y, eta, _zeta, _aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    t = -eta if y > 0.0 else eta  # the log odds of what did not happen
    e = math.exp(-abs(t))
    missed = (1.0 if t >= 0.0 else e) / (1.0 + e)
    out[0] = missed if y > 0.0 else -missed
    return -max(t, 0.0) - math.log1p(e)


BERNOULLI_LOGIT = Family(
    name="bernoulli_logit",
    link="logit",
    parameters=(),
    response="binary",
    mediator=True,
    outcome=True,
    equation="y ~ Bernoulli(logistic(eta))",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
)
