"""Priors of a drafted specification, weakly informative on the scale of the data; the rule stands in `draft`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayes_sp.arrays import Array
from bayes_sp.design.drafting.guesses import rounded, spread_of
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.terms import product_text

type Priors = dict[str, dict[str, Any]]
HALF = {  # by the number of variables in a product: each has half the prior SD of the product with one less
    2: "a unit of the moderator changing the slope by more than the slope's own prior SD would surprise",
    3: "a unit of one moderator changing what the other does to a slope by more than that has as prior SD is rare",
}


def drafted_priors(
    family: str,
    values: Mapping[str, Array],
    response: str,
    parents: Sequence[str],
    names: Mapping[str, str],
    *,
    covariates: bool,
    products: Sequence[tuple[str, ...]] = (),
    limits: tuple[float, float] = (0.0, 1.0),
) -> Priors:
    """Return the priors of one equation: see the module's rule; ``limits`` are those of a bounded response."""
    rule = _rule(family, values[response], limits)
    if FAMILIES[family].ordered:
        priors = {"cutpoint": _normal(0.0, 2.0, "no level is so rare for a typical person that it goes unseen")}
    else:
        priors = {"intercept": _normal(rule.centre, rule.width, "a typical person is near the average")}
    why = f"{rule.surprise} in an SD of it would surprise"
    for parent in parents:
        priors[names[parent]] = _normal(0.0, rule.slope / spread_of(values[parent]), why)
    for product in products:
        slope = rule.slope / spread_of(values[product[-1]]) if product[-1] in parents else rule.covariate
        key = product_text(names[name] for name in product)
        priors[key] = _normal(0.0, slope * 0.5 ** (len(product) - 1), HALF[len(product)])
    if covariates:
        priors["covariate"] = _normal(0.0, rule.covariate, "units of covariates are near an SD")
    sd = float(f"{values[response].std():.2g}")
    return priors | {name: _residual(name, sd) for name in FAMILIES[family].parameters}


@dataclass(frozen=True)
class _Rule:
    """Centre and width of an intercept's prior; SDs of slopes' priors, per SD of a parent and unit of a covariate."""

    centre: float
    width: float
    slope: float
    covariate: float
    surprise: str


def _rule(family: str, values: Array, limits: tuple[float, float]) -> _Rule:
    mean, sd, link = float(values.mean()), float(f"{values.std():.2g}"), FAMILIES[family].link
    if link == "identity":
        return _Rule(rounded(mean, sd), sd, 0.5 * sd, 0.5 * sd, "more than an SD of the response")
    if link == "log":
        return _Rule(round(math.log(mean), 1), 1.0, 0.3, 0.5, "a change of more than 1.8-fold")
    low, high = limits if FAMILIES[family].bounded else (float(values.min()), float(values.max()))
    share = (mean - low) / (high - low)
    return _Rule(round(math.log(share / (1 - share)), 1), 1.5, 1.0, 1.0, "odds that change more than 7-fold")


def _normal(mu: float, sigma: float, why: str) -> dict[str, Any]:
    return {"dist": "normal", "mu": mu, "sigma": float(f"{sigma:.2g}"), "why": why}


LOGNORMAL = {
    "phi": (0.0, "from strong overdispersion (0.1) to little (8)"),
    "precision": (1.5, "from nearly flat (0.6) to narrow (32)"),
    "shape": (0.0, "from very skewed (0.1) to hardly (7)"),
}  # mu and the reason; sigma is 1


def _residual(name: str, sd: float) -> dict[str, Any]:
    """Return the prior of what a family has beside its coefficients."""
    if name == "sigma":
        return {"dist": "half_normal", "sigma": sd, "why": "a residual SD is below two SDs of the response"}
    mu, why = LOGNORMAL[name]
    return {"dist": "lognormal", "mu": mu, "sigma": 1.0, "why": why}
