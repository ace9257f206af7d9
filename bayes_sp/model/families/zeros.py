"""Counts with zeros of a kind of their own: negative binomial behind a hurdle, and zero-inflated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families import counts as nb
from bayes_sp.model.families.base import PHI, Family
from bayes_sp.model.families.special import rising

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


def hurdle_log_density(y: Array, eta: Array, zeta: Array, aux: Array) -> Array:
    """Log pi at 0, else log [(1 - pi) NB(y | mu = exp(eta), phi) / (1 - p0)], p0 = (1 + mu/phi)^(-phi)."""
    positive = nb.log_density(y, eta, zeta, aux) - np.log(-np.expm1(nb.log_zero(eta, aux)))
    return np.where(y > 0.0, positive, zeta) - np.logaddexp(0.0, zeta)


def hurdle_simulate(rng: Generator, eta: Array, zeta: Array, aux: Array) -> Array:
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


def hurdle_mean(eta: Array, zeta: Array, aux: Array) -> Array:
    """E y = (1 - pi) mu / (1 - p0)."""
    return inflated_mean(eta, zeta, aux) / -np.expm1(nb.log_zero(eta, aux))


def _parameters(pm: PyMC, eta: Tensor, zeta: Tensor, aux: Tensor) -> dict[str, Tensor]:
    """Return parameters in PyMC's words, whose psi is the share of the count part, 1 - pi."""
    return {"psi": pm.math.sigmoid(-zeta), "mu": pm.math.exp(eta), "alpha": aux[0]}


def hurdle_kernel(y, eta, zeta, aux, table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
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


def log_count_above_zero(y: Array) -> tuple[Array, Array]:
    """Return what a count says of eta, and its weight there: a zero says nothing."""
    return np.log(y + 0.5), np.where(y > 0, y + 0.5, 0.0)


HURDLE_NEGATIVE_BINOMIAL = Family(
    name="hurdle_negative_binomial",
    synonyms=("hurdle", "hurdle_negbin", "hurdle_nb", "zero_altered_negative_binomial"),
    link="log",
    response="count",
    equation="P(y = 0) = logistic(zeta), else y ~ NegativeBinomial(mu = exp(eta), phi) truncated at 0",
    log_density=hurdle_log_density,
    simulate=hurdle_simulate,
    mean=hurdle_mean,
    pymc=lambda *given: ("HurdleNegativeBinomial", _parameters(*given)),
    kernel=hurdle_kernel,
    sized=True,
    zero_part="hurdle",
    scalars=(PHI,),
    outcome="hurdle",
    on_link=log_count_above_zero,
    precision="size",
    variance="mu",
)


def inflated_log_density(y: Array, eta: Array, zeta: Array, aux: Array) -> Array:
    """Log [pi 1(y = 0) + (1 - pi) NB(y | mu = exp(eta), phi)]."""
    count = nb.log_density(y, eta, zeta, aux)
    return np.where(y > 0.0, count, np.logaddexp(zeta, count)) - np.logaddexp(0.0, zeta)


def inflated_simulate(rng: Generator, eta: Array, zeta: Array, aux: Array) -> Array:
    """Draw a zero with probability pi, else y ~ NB(mu, phi)."""
    count = nb.simulate(rng, eta, zeta, aux)
    return np.where(rng.random(count.shape) < special.expit(zeta), 0.0, count)


def inflated_mean(eta: Array, zeta: Array, _aux: Array) -> Array:
    """E y = (1 - pi) exp(eta)."""
    return special.expit(-zeta) * np.exp(eta)


def inflated_kernel(y, eta, zeta, aux, table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
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
    synonyms=("zinb", "zero_inflated_negbin", "zero_inflated_nb", "zero_inflated"),
    link="log",
    response="count",
    equation="y = 0 with probability logistic(zeta), else y ~ NegativeBinomial(mu = exp(eta), phi)",
    log_density=inflated_log_density,
    simulate=inflated_simulate,
    mean=inflated_mean,
    pymc=lambda *given: ("ZeroInflatedNegativeBinomial", _parameters(*given)),
    kernel=inflated_kernel,
    sized=True,
    zero_part="inflated",
    scalars=(PHI,),
    outcome="zero_inflated",
    on_link=log_count_above_zero,
    precision="size",
    variance="mu",
)
