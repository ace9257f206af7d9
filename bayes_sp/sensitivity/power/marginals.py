"""The exact marginal prior of one parameter: its density, mean and SD."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import integrate, special

from bayes_sp.arrays import Array
from bayes_sp.design.prior_density import log_density
from bayes_sp.model.distributions import Prior

Coordinate = Literal["identity", "log", "logit"]
IMPROPER = ("flat", "half_flat")


@dataclass(frozen=True, eq=False)
class Marginal:
    """A prior of one number.

    Attributes
    ----------
    mean, sd
        NaN where they do not exist or are not finite.
    log_density
        On the number's own scale.
    coordinate
        In which the number is any real one: itself, its logarithm, or its logit.
    """

    mean: float
    sd: float
    log_density: Callable[[Array], Array]
    coordinate: Coordinate = "identity"

    def to_coordinate(self, x: Array) -> Array:
        """Return numbers in the coordinate."""
        if self.coordinate == "log":
            return np.log(x)
        return np.log(x) - np.log1p(-x) if self.coordinate == "logit" else x

    def coordinate_density(self, t: Array) -> Array:
        """Return the density of the coordinate, with its Jacobian."""
        if self.coordinate == "log":
            return np.exp(self.log_density(np.exp(t)) + t)
        if self.coordinate == "logit":
            return np.exp(self.log_density(special.expit(t)) + special.log_expit(t) + special.log_expit(-t))
        return np.exp(self.log_density(t))


def marginal(prior: Prior) -> Marginal | None:
    """Return the prior of a coefficient or of a positive parameter; None for an improper one."""
    if prior.dist in IMPROPER:
        return None
    mean, sd = _moments(prior)
    coordinate: Coordinate = "log" if prior.support == "positive" else "identity"
    return Marginal(mean, sd, lambda x: log_density(prior, x), coordinate)


def marginal_share(prior: Prior, shares: int) -> Marginal:
    """Return the prior of one share of a simplex: Beta(alpha, (D - 1) alpha) for D shares of a symmetric Dirichlet."""
    a = prior.values["alpha"]
    b = (shares - 1) * a
    constant = float(special.betaln(a, b))
    sd = math.sqrt(a * b / (a + b + 1.0)) / (a + b)
    return Marginal(a / (a + b), sd, lambda x: (a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - constant, "logit")


def marginal_cutpoint(prior: Prior, place: int, count: int) -> Marginal | None:
    r"""Return the prior of the cutpoint at a place (from 1) of several that increase; None for an improper one.

    With the same prior f for each wherever they increase, they are the order statistics of that many draws from it::

        f_k(x) = m! / ((k - 1)! (m - k)!) F(x)^(k - 1) (1 - F(x))^(m - k) f(x)

    References
    ----------
    David & Nagaraja (2003), Order Statistics, 3rd ed., section 2.1. doi:10.1002/0471722162
    """
    if prior.dist in IMPROPER:
        return None
    below, above = place - 1, count - place
    constant = math.lgamma(count + 1.0) - math.lgamma(below + 1.0) - math.lgamma(above + 1.0)

    def density(x: Array) -> Array:
        """Return log f_k."""
        with np.errstate(divide="ignore"):
            tails = special.xlogy(below, _cdf(prior, x)) + special.xlogy(above, _cdf(prior, x, upper=True))
        return np.asarray(constant + tails + log_density(prior, x))

    nu, least = prior.values.get("nu", math.inf), min(place, count - place + 1)
    moments = [math.nan, math.nan]
    center = prior.values["mu"]
    for power in (1, 2):
        if nu * least > power:  # the tail of an order statistic falls as x^(-nu least - 1)
            found = integrate.quad(
                lambda x, p=power: (x - center) ** p * float(np.exp(density(np.array(x)))), -np.inf, np.inf
            )
            moments[power - 1] = found[0]
    sd = math.sqrt(moments[1] - moments[0] ** 2) if not math.isnan(moments[1]) else math.nan
    return Marginal(center + moments[0], sd, density)


def _cdf(prior: Prior, x: Array, *, upper: bool = False) -> Array:
    """Return P(X <= x), or P(X > x), of a prior on the real numbers; all are symmetric round mu."""
    values = prior.values
    z = (values["mu"] - x if upper else x - values["mu"]) / (
        values["b"] if prior.dist == "laplace" else values["sigma"]
    )
    if prior.dist == "normal":
        return np.asarray(special.ndtr(z))
    if prior.dist == "student_t":
        return np.asarray(special.stdtr(values["nu"], z))
    if prior.dist == "laplace":
        return np.asarray(np.where(z < 0.0, 0.5 * np.exp(np.minimum(z, 0.0)), 1.0 - 0.5 * np.exp(-np.maximum(z, 0.0))))
    raise ValueError(f"{prior} is not a distribution on the real numbers")


def _moments(prior: Prior) -> tuple[float, float]:
    """Return mean and SD of a proper prior; NaN where not finite."""
    values = prior.values
    if prior.dist in ("gamma", "inverse_gamma"):
        a, b = values["alpha"], values["beta"]
        if prior.dist == "gamma":
            return a / b, math.sqrt(a) / b
        mean = b / (a - 1.0) if a > 1.0 else math.nan
        return mean, mean / math.sqrt(a - 2.0) if a > 2.0 else math.nan
    if prior.dist in ("student_t", "half_student_t"):
        return _student_moments(prior)
    if prior.dist == "laplace":
        return values["mu"], math.sqrt(2.0) * values["b"]
    if prior.dist == "exponential":
        return values["scale"], values["scale"]
    sigma = values["sigma"]
    if prior.dist == "normal":
        return values["mu"], sigma
    if prior.dist == "half_normal":
        return sigma * math.sqrt(2.0 / math.pi), sigma * math.sqrt(1.0 - 2.0 / math.pi)
    if prior.dist == "lognormal":
        mean = math.exp(values["mu"] + sigma**2 / 2.0)
        return mean, mean * math.sqrt(math.expm1(sigma**2))
    raise ValueError(f"the moments of {prior} are not known here")


def _student_moments(prior: Prior) -> tuple[float, float]:
    nu, sigma = prior.values["nu"], prior.values["sigma"]
    second = sigma**2 * nu / (nu - 2.0) if nu > 2.0 else math.nan
    if prior.dist == "student_t":
        return prior.values["mu"] if nu > 1.0 else math.nan, math.sqrt(second)
    if nu <= 1.0:
        return math.nan, math.nan
    ratio = math.exp(math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0))
    mean = 2.0 * sigma * math.sqrt(nu / math.pi) * ratio / (nu - 1.0)
    return mean, math.sqrt(second - mean**2)
