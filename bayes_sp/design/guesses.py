"""What a column of numbers is likely to be, from its own values alone: for drafting a specification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.records.guesses import MOST_LEVELS, SKEWED, rounded, skewness, whole

MOST_CATEGORIES = 5  # of a covariate whose numbers are taken for categories


@dataclass(frozen=True)
class Guess:
    """A family (of a response), its variable's keys, and the reason in words."""

    family: str
    reason: str
    keys: dict[str, Any] = field(default_factory=dict)


def guess_response(values: Array, *, mediator: bool, levels: bool) -> Guess:
    """Return the family of a response whose values (n,) are known.

    Parameters
    ----------
    values
        Its values, without missing ones.
    mediator
        Whether it stands before another response: counts and skewed measurements are then drafted as numbers.
    levels
        Whether families of levels may be drafted at this place.
    """
    found, low, high = np.unique(values), float(values.min()), float(values.max())
    if len(found) == 2 and whole(found) and high == low + 1 and levels:
        return Guess(
            "bernoulli_logit", f"two values, {low:g} and {high:g}", {"kind": "binary", "min": low, "max": high}
        )
    if whole(values) and len(found) <= MOST_LEVELS and high - low < MOST_LEVELS and (low >= 1 or mediator) and levels:
        keys = {"kind": "integer", "min": low, "max": high}
        return Guess("ordered_logit", f"whole numbers from {low:g} to {high:g}, as of an answer with levels", keys)
    if not mediator and whole(values) and low >= 0:
        return Guess("negative_binomial", f"whole numbers from {low:g} to {high:g}, as of counts", {"kind": "count"})
    if not mediator and low > 0 and high < 1:
        return Guess("beta", "fractions between 0 and 1", {"min": 0.0, "max": 1.0})
    if not mediator and low > 0 and skewness(values) > SKEWED:
        return Guess("gamma", f"above 0 and skewed, from {low:g} to {high:g}", {"kind": "positive"})
    what = "whole numbers" if whole(values) else "numbers"
    return Guess("normal", f"{what} from {low:g} to {high:g}", {"center": rounded(values.mean(), values.std())})


def guess_covariate(values: Array) -> tuple[dict[str, Any], str]:
    """Return a covariate's keys in a specification, constants as round numbers, and the reason."""
    found, low, high = np.unique(values), float(values.min()), float(values.max())
    if len(found) == 2:
        return {"center": float(found.mean())}, f"two values, {low:g} and {high:g}: their middle is its centre"
    if whole(values) and len(found) <= MOST_CATEGORIES:
        return {"levels": found.tolist()}, f"{len(found)} whole numbers, taken for categories"
    if whole(values) and low >= 0 and skewness(values) > SKEWED:
        logs = np.log1p(values)
        keys = {"transform": "log1p", "center": rounded(logs.mean(), logs.std()), "scale": float(f"{logs.std():.2g}")}
        return keys, f"skewed counts from {low:g} to {high:g} enter as log(1 + count)"
    keys = {"center": rounded(values.mean(), values.std()), "scale": float(f"{values.std():.2g}")}
    return keys, "numbers: centre and scale are the mean and SD, rounded"


def spread_of(values: Array) -> float:
    """Return the SD by which a parent's slope is scaled: at least .5 for two neighbouring values, as in even groups.

    A rare value would otherwise be given a slope that no data could have.
    """
    found = np.unique(values)
    sd = float(values.std())
    return max(sd, 0.5 * float(np.ptp(found))) if len(found) == 2 else sd


def guess_contrast(values: Array) -> tuple[list[float], str]:
    """Return between which values of an exposure effects are drafted, and the reason."""
    found = np.unique(values)
    if len(found) == 2:
        return found.tolist(), "its two values"
    if whole(values):
        middle = float(np.round(np.median(values)))
        return [middle, middle + 1.0], "one more than its median"
    spread = float(values.std())
    low, high = (rounded(float(np.quantile(values, q)), spread) for q in (0.25, 0.75))
    return ([low, high], "its quartiles, rounded") if low < high else ([low, low + spread], "one SD")
