"""Negative binomial counts with zeros of a second kind, of probability pi = logistic(zeta)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families import negative_binomial as nb
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.digamma import rising
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


def log_density(y: Array, eta: Array, zeta: Array, aux: Array) -> Array:
    """Log [pi 1(y = 0) + (1 - pi) NB(y | mu = exp(eta), phi)]."""
    count = nb.log_density(y, eta, zeta, aux)
    return np.where(y > 0.0, count, np.logaddexp(zeta, count)) - np.logaddexp(0.0, zeta)


def simulate(rng: Generator, eta: Array, zeta: Array, aux: Array) -> Array:
    """Draw a zero with probability pi, else y ~ NB(mu, phi)."""
    count = nb.simulate(rng, eta, zeta, aux)
    return np.where(rng.random(count.shape) < special.expit(zeta), 0.0, count)


def mean(eta: Array, zeta: Array, _aux: Array) -> Array:
    """E y = (1 - pi) exp(eta)."""
    return special.expit(-zeta) * np.exp(eta)


def dist(pm: PyMC, eta: Tensor, zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ ZeroInflatedNegativeBinomial; PyMC's psi is the share of the count part, 1 - pi."""
    psi, mu = pm.math.sigmoid(-zeta), pm.math.exp(eta)
    return pm.ZeroInflatedNegativeBinomial.dist(psi=psi, mu=mu, alpha=aux[0])


def kernel(y, eta, zeta, aux, table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient without -log y!, and its derivatives."""
    phi = aux[0]
    mu = math.exp(eta)
    spread = math.log1p(mu / phi)
    log_p0 = -phi * spread
    e = math.exp(-abs(zeta))
    pi = (1.0 if zeta >= 0.0 else e) / (1.0 + e)
    log_rest = -max(zeta, 0.0) - math.log1p(e)  # log(1 - pi)
    if y > 0.0:
        share = (mu - y) / (phi + mu)
        out[0] = phi * (y - mu) / (phi + mu)
        out[1] = -pi
        log_rise, slope = rising(phi, y, table)
        out[2] = slope - spread + share
        return log_rest + log_rise + y * (eta - math.log(phi) - spread) + log_p0
    t = log_p0 - zeta
    e = math.exp(-abs(t))
    structural = (e if t >= 0.0 else 1.0) / (1.0 + e)  # the probability that this zero is of the second kind
    counted = (1.0 if t >= 0.0 else e) / (1.0 + e)
    out[0] = -counted * phi * mu / (phi + mu)
    out[1] = -structural * math.exp(log_rest) * math.expm1(log_p0)
    out[2] = counted * (mu / (phi + mu) - spread)
    return log_rest + max(zeta, log_p0) + math.log1p(e)


ZERO_INFLATED_NEGATIVE_BINOMIAL = Family(
    name="zero_inflated_negative_binomial",
    link="log",
    parameters=("phi",),
    response="count",
    mediator=False,
    outcome=True,
    equation="y = 0 with probability logistic(zeta), else y ~ NegativeBinomial(mu = exp(eta), phi)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
    zero_part=True,
    sized=True,
)
