"""Where a search for the mode begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model import layout as at
from bayes_sp.model.confounders import Confounder
from bayes_sp.model.parameters import Parameters
from bayes_sp.model.parts import Part
from bayes_sp.survey.design import Array

# A moderate value of a strength whose prior is on the positive numbers.
MODERATE: dict[str, Callable[..., float]] = {
    "half_normal": lambda sigma: 0.5 * sigma,
    "half_student_t": lambda nu, sigma: 0.5 * sigma,
    "exponential": lambda scale: 0.5 * scale,
    "gamma": lambda alpha, beta: alpha / beta,
    "inverse_gamma": lambda alpha, beta: beta / (alpha + 1.0),
    "lognormal": lambda mu, sigma: float(np.exp(mu)),
}


def start_of(parts: Sequence[Part], parameters: Parameters, confounders: Sequence[Confounder] = ()) -> Array:
    """Return unconstrained parameters near the likelihood's maximum, (P,), from which a search can begin.

    Coefficients are those of least squares on the link's scale (of log(y + 1/2), say), cutpoints those of the observed
    shares, sigma the residual SD; everything else begins at a moderate value.
    """
    start = np.zeros(parameters.size)
    for block in (block for confounder in confounders for block in confounder.blocks):
        (prior,) = block.priors
        middle = np.log(MODERATE[prior.dist](**prior.values)) if block.transform == "log" else prior.values["mu"]
        start[_found(parameters, block.variable, *block.labels)] = middle
    for part in parts:
        seen = (part.state == at.SEEN) | (part.state == at.MEASURED)
        target = _target(part, part.y[seen])
        x = part.x[seen]
        beta = np.linalg.lstsq(x, target)[0] if x.shape[1] else np.zeros(0)
        residual = float(np.std(target - x @ beta)) + 1e-12
        given = {"sigma": np.log(residual), "nu": np.log(10.0), "precision": np.log(5.0), "tau": np.log(0.3)}
        for block in part.blocks:
            if block.variable == part.response:
                start[_found(parameters, block.variable)] = beta
            elif block.variable == f"{part.response}_cutpoint":
                start[_found(parameters, block.variable)] = _cutpoints(part, part.y[seen])
            elif block.variable in given:
                start[_found(parameters, block.variable, part.response)] = given[block.variable]
    return start


def _found(parameters: Parameters, variable: str, label: str = "") -> slice:
    block = next(b for b in parameters.blocks if b.variable == variable and (not label or label in b.labels))
    return slice(block.start, block.start + block.size)


def _target(part: Part, y: Array) -> Array:
    family = FAMILIES[part.family]
    if family.ordered:
        return np.zeros(len(y))
    if part.family == "lognormal":
        return np.log(y)
    if family.link == "log":
        return np.log(y + (0.5 if family.response == "count" else 0.0))
    if family.link == "logit":
        squeezed = (y * (len(y) - 1) + 0.5) / len(y)
        return np.log(squeezed / (1.0 - squeezed)) if family.bounded else 4.0 * (y - 0.5)
    return y


def _cutpoints(part: Part, y: Array) -> Array:
    """Unconstrained cutpoints: logits of the shares below, then logarithms of the steps."""
    counts = np.bincount(y.astype(np.intp), minlength=part.levels) + 0.5
    below = np.cumsum(counts)[:-1] / counts.sum()
    cuts = np.log(below / (1.0 - below))
    return np.concatenate([cuts[:1], np.log(np.diff(cuts))])
