"""Yes or no: P(y = 1) = logistic(eta)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families.base import Family

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor, Words


def log_density(y: Array, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Log Bernoulli(y | logistic(eta))."""
    return -np.logaddexp(0.0, np.where(y > 0.0, -eta, eta))


def simulate(rng: Generator, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Draw y ~ Bernoulli(logistic(eta))."""
    return (rng.random(eta.shape) < special.expit(eta)).astype(float)


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = P(y = 1) = logistic(eta)."""
    return special.expit(eta)


def pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, _aux: Tensor) -> Words:
    """Y ~ Bernoulli(logistic(eta))."""
    return "Bernoulli", {"logit_p": eta}


def kernel(y, eta, _zeta, _aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    t = -eta if y > 0.0 else eta  # the log odds of what did not happen
    e = math.exp(-abs(t))
    missed = (1.0 if t >= 0.0 else e) / (1.0 + e)
    out[0] = missed if y > 0.0 else -missed
    return -max(t, 0.0) - math.log1p(e)


def near_half(y: Array) -> tuple[Array, Array]:
    """Return what yes or no says of log odds near 0, and its weight there."""
    return 4.0 * y - 2.0, np.full_like(y, 0.25)


BERNOULLI_LOGIT = Family(
    name="bernoulli_logit",
    synonyms=("logistic", "logit", "bernoulli", "binomial", "binary"),
    link="logit",
    response="binary",
    equation="y ~ Bernoulli(logistic(eta))",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    pymc=pymc,
    kernel=kernel,
    mediator="logit",
    outcome="logit",
    missing="levels",
    on_link=near_half,
    variance="mu(1-mu)",
    latent_sd=math.pi / math.sqrt(3.0),
)
