"""Counts behind a hurdle: P(y = 0) = logistic(zeta), else negative binomial truncated at 0."""

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
    """Log pi at 0, else log [(1 - pi) NB(y | mu = exp(eta), phi) / (1 - p0)], p0 = (1 + mu/phi)^(-phi)."""
    positive = nb.log_density(y, eta, zeta, aux) - np.log(-np.expm1(nb.log_zero(eta, aux)))
    return np.where(y > 0.0, positive, zeta) - np.logaddexp(0.0, zeta)


def simulate(rng: Generator, eta: Array, zeta: Array, aux: Array) -> Array:
    """Draw a zero with probability pi, else from the truncated negative binomial.

    A negative binomial is a Poisson number of clusters, of rate -log p0 on (0, 1), whose sizes have the logarithmic
    distribution (Quenouille 1949, doi:10.2307/3001917). Given one cluster or more, the first one arrives at a time t of
    truncated exponential distribution; what comes after it is negative binomial with size phi (1 - t).
    """
    phi, mu = aux[..., :1], np.exp(eta)
    log_p0 = nb.log_zero(eta, aux)
    with np.errstate(under="ignore"):
        t = np.log1p(rng.random(log_p0.shape) * np.expm1(log_p0)) / log_p0
    first = rng.logseries(np.minimum(mu / (mu + phi), np.nextafter(1.0, 0.0)))
    later = rng.negative_binomial(np.maximum(phi * (1.0 - t), np.finfo(float).tiny), phi / (mu + phi))
    return np.where(rng.random(log_p0.shape) < special.expit(zeta), 0.0, first + later)


def mean(eta: Array, zeta: Array, aux: Array) -> Array:
    """E y = (1 - pi) mu / (1 - p0)."""
    return special.expit(-zeta) * np.exp(eta) / -np.expm1(nb.log_zero(eta, aux))


def dist(pm: PyMC, eta: Tensor, zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ HurdleNegativeBinomial; PyMC's psi is P(y > 0), 1 - pi."""
    psi, mu = pm.math.sigmoid(-zeta), pm.math.exp(eta)
    return pm.HurdleNegativeBinomial.dist(psi=psi, mu=mu, alpha=aux[0])


def kernel(y, eta, zeta, aux, table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient without -log y!, and its derivatives."""
    phi = aux[0]
    e = math.exp(-abs(zeta))
    pi = (1.0 if zeta >= 0.0 else e) / (1.0 + e)
    log_rest = -max(zeta, 0.0) - math.log1p(e)  # log(1 - pi)
    if y == 0.0:
        out[0] = 0.0
        out[1] = (e if zeta >= 0.0 else 1.0) / (1.0 + e)
        out[2] = 0.0
        return zeta + log_rest
    log_rise, slope = rising(phi, y, table)
    mu = math.exp(eta)
    spread = math.log1p(mu / phi)
    log_p0 = -phi * spread
    some = -math.expm1(log_p0)  # 1 - p0
    odds = math.exp(log_p0) / some
    out[0] = phi * (y - mu) / (phi + mu) - odds * phi * mu / (phi + mu)
    out[1] = -pi
    out[2] = slope - spread + (mu - y) / (phi + mu) + odds * (mu / (phi + mu) - spread)
    return log_rest + log_rise + y * (eta - math.log(phi) - spread) + log_p0 - math.log(some)


HURDLE_NEGATIVE_BINOMIAL = Family(
    name="hurdle_negative_binomial",
    link="log",
    parameters=("phi",),
    response="count",
    mediator=False,
    outcome=True,
    equation="P(y = 0) = logistic(zeta), else y ~ NegativeBinomial(mu = exp(eta), phi) truncated at 0",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
    zero_part=True,
    sized=True,
)
