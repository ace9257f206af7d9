"""How far the records move each parameter from its exact marginal prior: overlap of densities, and shrinkage."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import integrate, special

from bayes_sp.analysis.fit import Fit
from bayes_sp.arrays import Array
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.model.distributions import Prior
from bayes_sp.sensitivity.power.blocks import PriorBlock, prior_blocks

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


COLUMNS = (
    "variable", "element", "prior", "prior_mean", "prior_sd", "mean", "sd", "shrinkage", "overlap", "shift", "reason",
)  # fmt: skip
GRID = 4096
REACH = 5.0  # bandwidths beyond the outermost draws
IMPROPER = "the prior is improper"
NO_VARIANCE = "the prior has no finite variance"
NOT_STATED = "the specification states no prior of it by itself"
CONSTANT = "the draws never vary"


def prior_overlap(fit: Fit) -> pd.DataFrame:
    r"""Return how far the records have moved each parameter from its prior.

    For a prior density p and a posterior density q of the same number::

        overlap   = integral of min(p, q)                0: nothing in common, 1: the records say nothing
        shrinkage = 1 - Var(posterior) / Var(prior)      1: the records say (nearly) everything
        shift     = (posterior mean - prior mean) / prior SD

    Overlap is the same in every monotone coordinate; it is taken where the number can be any real one: the number
    itself, the logarithm of a positive one, the logit of a share. p is exact: a cutpoint's prior is that of an order
    statistic, a share's a beta distribution. q is a kernel estimate (`posterior_density`), so that an overlap of 1 is
    estimated as about 0.98 with 4,000 draws.

    Parameters
    ----------
    fit
        Its draws, and the priors of its specification.

    Returns
    -------
    pandas.DataFrame
        One row for each element of a posterior variable: ``variable``, ``element``, ``prior``, ``prior_mean``,
        ``prior_sd``, ``mean``, ``sd``, ``shrinkage``, ``overlap``, ``shift``, and ``reason``: why a number is NaN.
        A variable without a prior of its own, such as the intercepts of groups, is one row. The attribute
        ``data_source`` says what the records are.

    References
    ----------
    Inman & Bradley (1989), Communications in Statistics - Theory and Methods 18(10), 3851-3874.
    doi:10.1080/03610928908830127 (overlapping coefficient)
    """
    fit = fit.first
    posterior = fit.posterior["posterior"].to_dataset()
    places = _places(prior_blocks(fit.model))
    rows: list[dict[str, object]] = []
    for variable, array in posterior.data_vars.items():
        name, draws = str(variable), array.transpose("chain", "draw", ...)
        labels = [str(label) for label in draws[draws.dims[-1]].to_numpy()]
        for i, label in enumerate(labels):
            if (name, label) in places:
                prior, place, count = places[name, label]
                found = _row(draws.to_numpy()[..., i], prior, place, count)
                rows.append({"variable": name, "element": label, "prior": str(prior), "reason": "", **found})
        other = [label for label in labels if (name, label) not in places]
        other = [""] if len(other) == len(labels) else other
        rows += [{"variable": name, "element": label, "prior": "", "reason": NOT_STATED} for label in other]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs["data_source"] = fit.survey.mark
    return table


def _places(blocks: tuple[PriorBlock, ...]) -> Mapping[tuple[str, str], tuple[Prior, int, int]]:
    """Return each element's prior, its place (from 1), and how many stand together with it.

    Place 0 is for coefficients and positive parameters, which stand alone.
    """
    found = {}
    for block in blocks:
        together = block.entry[1] == "cutpoint" or block.prior.support == "simplex"
        for variable, labels in block.elements:
            for i, label in enumerate(labels):
                found[variable, label] = (block.prior, i + 1 if together else 0, len(labels))
    return found


def _row(draws: Array, prior: Prior, place: int, count: int) -> dict[str, object]:
    """Return one element's numbers, from draws (chain, draw)."""
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    found: dict[str, object] = {"mean": mean, "sd": sd}
    if place == 0:
        known = marginal(prior)
    elif prior.support == "simplex":
        known = marginal_share(prior, count)
    else:
        known = marginal_cutpoint(prior, place, count)
    if known is None:
        return {**found, "reason": IMPROPER}
    found |= {"prior_mean": known.mean, "prior_sd": known.sd}
    if sd == 0.0:
        return {**found, "reason": CONSTANT}
    found["overlap"] = overlap(draws, known)
    if math.isnan(known.sd):
        return {**found, "reason": NO_VARIANCE}
    return {**found, "shrinkage": 1.0 - (sd / known.sd) ** 2, "shift": (mean - known.mean) / known.sd}


def overlap(draws: Array, prior: Marginal) -> float:
    """Return the integral of the smaller of two densities: of a prior, and of draws (chain, draw) of the posterior."""
    t, density = posterior_density(prior.to_coordinate(draws))
    return float(np.trapezoid(np.minimum(prior.coordinate_density(t), density), t))


def posterior_density(draws: Array) -> tuple[Array, Array]:
    r"""Return a grid of 4,096 points over all draws (chain, draw), and their density there.

    A normal kernel with Silverman's bandwidth :math:`h = 0.9 \min(s, \mathrm{IQR} / 1.349) E^{-1/5}`, E the bulk
    effective sample size (at most the number of draws). Draws are drawn towards their mean, and h with them, by
    :math:`(1 + h^2 / s^2)^{-1/2}`, so that the estimate has the draws' variance and not :math:`s^2 + h^2`.

    Silverman (1986), Density Estimation, sections 3.4.2 and 6.4.1. doi:10.1201/9781315140919
    """
    flat = draws.ravel()
    center, s = float(flat.mean()), float(flat.std())
    low, high = np.quantile(flat, [0.25, 0.75])
    effective = float(convergence_measures(draws[..., None])["ess_bulk"][0])
    effective = min(effective, flat.size) if effective > 1.0 else float(flat.size)
    h = 0.9 * min(s, float(high - low) / 1.349 or s) * effective**-0.2
    shrink = 1.0 / math.sqrt(1.0 + (h / s) ** 2)
    points, h = center + shrink * (flat - center), shrink * h
    grid = np.linspace(points.min() - REACH * h, points.max() + REACH * h, GRID)
    step = float(grid[1] - grid[0])
    position = (points - grid[0]) / step
    left = np.minimum(position.astype(np.intp), GRID - 2)
    share = position - left
    counts = np.bincount(left, 1.0 - share, GRID) + np.bincount(left + 1, share, GRID)
    width = min(math.ceil(REACH * h / step), GRID // 2 - 1)
    kernel = np.exp(-0.5 * (np.arange(-width, width + 1) * step / h) ** 2)
    density = np.convolve(counts, kernel / kernel.sum(), mode="same") / (flat.size * step)
    return grid, density
