"""The primary model with known parameters, and surveys of any size simulated from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayes_sp.design.simulate import simulate_survey
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey

# Coefficients in the order of `model.terms`: intercept, exposure, mediators, covariates.
PARAMETERS = {
    "belonging_t1": np.array([2.7, 0.1, 0.45, -0.1, 0.0, 0.05, -0.1, 0.25, 0.1, 0.0]),
    "loneliness_t1": np.array([2.4, 0.02, -0.3, -0.05, 0.3, 0.1, -0.1, -0.1, -0.15, 0.05, 0.1]),
    "appointments_t1": np.array([1.1, -0.03, -0.08, 0.3, 0.02, -0.05, 0.7, 0.02, 0.0, 0.05, 0.1, -0.1]),
    "sigma": np.array([0.9, 0.85]),
    "phi": np.array([0.9]),
}


def simulated(n: int, seed: int = 1) -> tuple[PathModel, Survey]:
    """Return the primary model, its normal responses free of their scales, and n patients simulated from it."""
    primary = load_model("primary")
    normal = {equation.response for equation in primary.equations if equation.family == "normal"}
    free = tuple(
        replace(v, kind="real", minimum=None, maximum=None) if v.name in normal else v for v in primary.variables
    )
    model = replace(primary, variables=free, twin="")
    return model, simulate_survey(model, reconstruct(1), PARAMETERS, n=n, seed=seed)
