"""Priors and tipping points in words."""

from __future__ import annotations

from bayes_sp.model.distributions import Prior
from bayes_sp.sensitivity.crossings import Region, State, Tipping

PRIOR_RANGE = 0.95


def prior_range(prior: Prior, prob: float = PRIOR_RANGE) -> tuple[float, float] | None:
    """Return the equal-tailed range that holds a share of a prior; None for an improper one, or one of shares."""
    if prior.distribution.frozen is None:
        return None
    tail, quantile = (1.0 - prob) / 2.0, prior.scipy().ppf
    return float(quantile(tail)), float(quantile(1.0 - tail))


def prior_words(prior: Prior) -> str:
    """Return a prior with two digits of each constant: ``Normal(0, 0.035)``."""
    return f"{prior.distribution.display}({', '.join(f'{value:.2g}' for value in prior.numbers)})"


def range_words(prior: Prior) -> str:
    """Return the range that holds 95 % of a prior, in words."""
    found = prior_range(prior)
    return "has any value" if found is None else f"lies between {found[0]:.2g} and {found[1]:.2g}"


def region_words(region: Region) -> str:
    """Return the null, or the region of practical equivalence, in words."""
    low, high = region
    return f"{low:g}" if low == high else f"the region of practical equivalence, {low:g} to {high:g}"


def event(tipping: Tipping, after: State) -> str:
    """Return what the interval does at the tipping point."""
    region = region_words(tipping.region)
    if after == "across":
        point = tipping.region[0] == tipping.region[1]
        return f"includes {region}" if point else f"lies across an end of {region}"
    return f"lies inside {region}" if after == "inside" else f"excludes {region}, all {after} it"


def kept(tipping: Tipping) -> str:
    """Return what the interval does everywhere."""
    region = region_words(tipping.region)
    words = {"across": f"includes {region}", "inside": f"lies inside {region}"}
    if tipping.region[0] != tipping.region[1]:
        words["across"] = f"lies across an end of {region}"
    return words.get(tipping.before, f"lies {tipping.before} {region}")
