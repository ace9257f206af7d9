"""Where a search for the mode begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayes_sp.arrays import Array, least_squares, sd_of
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.joint import Confounder
from bayes_sp.design.parameters import Parameters
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # the search refuses a start that is not finite
def start_of(parts: Sequence[JointEquation], parameters: Parameters, confounders: Sequence[Confounder] = ()) -> Array:
    """Return unconstrained parameters near the likelihood's maximum, (P,), from which a search can begin.

    Coefficients are those of least squares on the link's scale (of log(y + 1/2), say) with their priors, cutpoints
    those of the observed shares, sigma the residual SD, an SD of groups a part of that; everything else begins at a
    moderate value.
    """
    start = np.zeros(parameters.size)
    for block in (block for confounder in confounders for block in confounder.blocks):
        soft = block.transform == "soft"
        middle = block.unit * np.log(np.expm1(2.0)) if soft else block.priors[0].values["mu"]
        start[_found(parameters, block.variable, *block.labels)] = middle
    for part in parts:
        seen = part.seen
        target = _target(part, part.y[seen])
        x = part.own_columns[seen]
        residual = _sd(target - x @ _least_squares(x, target)) + 1e-12
        own = next((block.priors for block in part.blocks if block.variable == part.response), ())
        beta = _least_squares(x / residual, target / residual, own)
        residual = max(residual, _sd(target - x @ beta))
        given = {own.name: np.log(own.start or residual) for own in FAMILIES[part.family].scalars} | {
            "tau": np.log(0.3 * (residual if FAMILIES[part.family].link == "identity" else 1.0))
        }
        for block in part.blocks:
            if block.variable == part.response:
                start[_found(parameters, block.variable)] = beta
            elif block.variable == f"{part.response}_cutpoint":
                start[_found(parameters, block.variable)] = _cutpoints(part, part.y[seen])
            elif block.transform == "soft":
                place = _found(parameters, block.variable, part.response)
                start[place] = residual + block.unit * np.log(-np.expm1(-residual / block.unit))
            elif block.variable in given:
                start[_found(parameters, block.variable, part.response)] = given[block.variable]
    return start


def _least_squares(x: Array, target: Array, priors: Sequence[Prior] = ()) -> Array:
    """Return the coefficients, with the priors' normal approximations where they are given.

    Columns are divided by their largest number, so that their units do not matter.
    """
    roots = np.array([root_precision(prior) for prior in priors] or np.zeros(x.shape[1]))
    middles = np.array([prior.values.get("mu", 0.0) for prior in priors] or np.zeros(x.shape[1]))
    largest = np.maximum(np.abs(x).max(axis=0, initial=0.0), roots)
    largest[largest == 0.0] = 1.0
    table = np.concatenate([x / largest, np.diag(roots / largest)])
    return least_squares(table, np.concatenate([target, roots * middles])) / largest


def root_precision(prior: Prior) -> float:
    """Return 1 / the scale of a prior; 0 of a flat one, or one without a constant that is its scale."""
    name = prior.distribution.scale
    return 1.0 / prior.values[name] if name else 0.0


def _sd(values: Array) -> float:
    return float(sd_of(values)) if values.size else 0.0


def _found(parameters: Parameters, variable: str, label: str = "") -> slice:
    block = next(b for b in parameters.blocks if b.variable == variable and (not label or label in b.labels))
    return slice(block.start, block.start + block.size)


def _target(part: JointEquation, y: Array) -> Array:
    family = FAMILIES[part.family]
    if family.ordered:
        return np.zeros(len(y))
    if family.link == "log":
        return np.log(y + (0.5 if family.response == "count" else 0.0))
    if family.link == "logit":
        squeezed = (y * (len(y) - 1) + 0.5) / len(y)
        return np.log(squeezed / (1.0 - squeezed)) if family.bounded else 4.0 * (y - 0.5)
    return family.to_link(y)


def _cutpoints(part: JointEquation, y: Array) -> Array:
    """Unconstrained cutpoints: logits of the shares below, then logarithms of the steps."""
    counts = np.bincount(y.astype(np.intp), minlength=part.levels) + 0.5
    below = np.cumsum(counts)[:-1] / counts.sum()
    cuts = np.log(below / (1.0 - below))
    return np.concatenate([cuts[:1], np.log(np.diff(cuts))])
