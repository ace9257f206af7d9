"""Responses on a bounded interval: the position in (0, 1) is Beta with mean logistic(eta)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families.base import PRECISION, Family
from bayes_sp.model.families.special import digamma

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor, Words


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log Beta(y | a = mu precision, b = (1 - mu) precision), mu = logistic(eta)."""
    a, b = _shapes(eta, aux)
    return special.xlogy(a - 1.0, y) + special.xlog1py(b - 1.0, -y) - special.betaln(a, b)


def _shapes(eta: Array, aux: Array) -> tuple[Array, Array]:
    return special.expit(eta) * aux[..., :1], special.expit(-eta) * aux[..., :1]


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ Beta(mu precision, (1 - mu) precision), kept off the ends, which a rounded draw can reach."""
    return np.clip(rng.beta(*_shapes(eta, aux)), np.finfo(float).tiny, np.nextafter(1.0, 0.0))


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = logistic(eta), of the position in (0, 1)."""
    return special.expit(eta)


def pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ Beta(mu precision, (1 - mu) precision), mu = logistic(eta)."""
    a, b = pm.math.sigmoid(eta) * aux[0], pm.math.sigmoid(-eta) * aux[0]
    return "Beta", {"alpha": a, "beta": b}


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    precision = aux[0]
    e = math.exp(-abs(eta))
    mu = (1.0 if eta >= 0.0 else e) / (1.0 + e)
    rest = (e if eta >= 0.0 else 1.0) / (1.0 + e)
    a = mu * precision
    b = rest * precision
    from_a = math.log(y) - digamma(a)
    from_b = math.log1p(-y) - digamma(b)
    out[0] = a * rest * (from_a - from_b)
    out[2] = digamma(precision) + mu * from_a + rest * from_b
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(precision)
    return (a - 1.0) * math.log(y) + (b - 1.0) * math.log1p(-y) - log_beta


def log_odds(y: Array) -> tuple[Array, Array]:
    """Return what a position says of eta, and the factor of its precision there."""
    return np.log(y) - np.log1p(-y), y * (1.0 - y)


BETA = Family(
    name="beta",
    synonyms=("betareg", "beta_regression"),
    link="logit",
    response="real",
    equation="y ~ Beta(mu precision, (1 - mu) precision), mu = logistic(eta)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    pymc=pymc,
    kernel=kernel,
    bounded=True,
    scalars=(PRECISION,),
    mediator="beta",
    outcome="logit",
    on_link=log_odds,
    precision="precision",
)
