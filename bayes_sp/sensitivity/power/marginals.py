"""The exact marginal prior of one parameter: its density, mean and SD."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import integrate, special

from bayes_sp.arrays import Array
from bayes_sp.model.distributions import Prior

Coordinate = Literal["identity", "log", "logit"]


@dataclass(frozen=True, eq=False)
class Marginal:
    """A prior of one number."""

    # mean, sd: NaN where they do not exist or are not finite.
    mean: float
    sd: float
    log_density: Callable[[Array], Array]  # on the number's own scale
    coordinate: Coordinate = "identity"  # in which the number is any real one: itself, its logarithm, or its logit

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
    if prior.improper:
        return None
    known = prior.scipy()
    coordinate: Coordinate = "log" if prior.support == "positive" else "identity"
    return Marginal(_finite(known.mean()), _finite(known.std()), prior.log_density, coordinate)


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

    David & Nagaraja (2003), Order Statistics, 3rd ed., section 2.1. doi:10.1002/0471722162
    """
    if prior.improper:
        return None
    known = prior.scipy()
    below, above = place - 1, count - place
    constant = math.lgamma(count + 1.0) - math.lgamma(below + 1.0) - math.lgamma(above + 1.0)

    def density(x: Array) -> Array:
        """Return log f_k."""
        with np.errstate(divide="ignore"):
            tails = special.xlogy(below, known.cdf(x)) + special.xlogy(above, known.sf(x))
        return np.asarray(constant + tails + prior.log_density(x))

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


def _finite(moment: float) -> float:
    return float(moment) if math.isfinite(moment) else math.nan
