"""Which priors a posterior variable's elements have, and the log-density of one in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayes_sp.model.densities import log_constant
from bayes_sp.spec.priors import Prior
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array


def priors_of(model: PathModel, variable: str, names: Sequence[str]) -> list[Prior]:
    """Return the prior of each element of a posterior variable."""
    responses = {equation.response for equation in model.equations}
    found = [model.prior(variable, name) if variable in responses else model.prior(name, variable) for name in names]
    missing = [name for name, prior in zip(names, found, strict=True) if prior is None]
    if missing:  # check_model reports this for specifications read from files
        raise ValueError(f'the specification "{model.name}" has no prior for {variable} of {", ".join(missing)}')
    return [prior for prior in found if prior is not None]


def log_density(prior: Prior, x: Array) -> Array:
    """Return the log-density of a prior on the positive numbers at x > 0; improper ones up to a constant."""
    values = prior.values
    if prior.dist == "half_flat":
        return np.zeros_like(x)
    if prior.dist == "half_normal":
        kernel = -0.5 * (x / values["sigma"]) ** 2
    elif prior.dist == "half_student_t":
        kernel = -0.5 * (values["nu"] + 1.0) * np.log1p((x / values["sigma"]) ** 2 / values["nu"])
    elif prior.dist == "exponential":
        kernel = -x / values["scale"]
    elif prior.dist == "gamma":
        kernel = (values["alpha"] - 1.0) * np.log(x) - values["beta"] * x
    elif prior.dist == "inverse_gamma":
        kernel = -(values["alpha"] + 1.0) * np.log(x) - values["beta"] / x
    elif prior.dist == "lognormal":
        kernel = -0.5 * ((np.log(x) - values["mu"]) / values["sigma"]) ** 2 - np.log(x)
    else:
        raise ValueError(f"{prior} is not a distribution on the positive numbers")
    return kernel + log_constant(prior.dist, values)
