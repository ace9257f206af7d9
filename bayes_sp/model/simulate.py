"""Records simulated from a path model with known parameters: the truth that a fit has to find."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import covariate_columns
from bayes_sp.survey.design import Array
from bayes_sp.survey.records import Survey

Draw = Callable[[np.random.Generator, Array, float], Array]


def _normal(rng: np.random.Generator, eta: Array, sigma: float) -> Array:
    """Y ~ Normal(eta, sigma)."""
    return rng.normal(eta, sigma)


def _negative_binomial(rng: np.random.Generator, eta: Array, phi: float) -> Array:
    """Y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)."""
    return rng.negative_binomial(phi, phi / (phi + np.exp(eta))).astype(float)


SIMULATORS: dict[str, Draw] = {"normal": _normal, "negative_binomial": _negative_binomial}


def simulate_survey(model: PathModel, survey: Survey, parameters: Mapping[str, Array], *, n: int, seed: int) -> Survey:
    """Simulate ``n`` patients: exposure and covariates resampled from a survey, responses drawn from the model.

    Parameters
    ----------
    model
        The specification; limits of its variables are not kept (a normal response leaves any scale).
    survey
        Whose rows of exposure and covariates are drawn with replacement.
    parameters
        ``{response: coefficients in the order of model.terms, "sigma": ..., "phi": ...}``, the last two in the
        order of the equations that have them, as in the posterior.
    n, seed
        Number of patients, and seed.

    Returns
    -------
    Survey
        With the model's columns; origin ``"simulation"``.
    """
    rng = np.random.default_rng(seed)
    given = [model.exposure, *(covariate.name for covariate in model.covariates)]
    records = survey.records[given].iloc[rng.integers(0, len(survey), n)].reset_index(drop=True)
    covariates = covariate_columns(model, records)
    having: dict[str, int] = {}
    for equation in model.equations:
        family = FAMILIES[equation.family]
        parents = [records[name].to_numpy(dtype=float) - model.variable(name).center for name in equation.parents]
        eta = np.column_stack([np.ones(n), *parents, covariates]) @ parameters[equation.response]
        (name,) = family.parameters
        place = having.setdefault(name, 0)
        having[name] += 1
        records[equation.response] = SIMULATORS[equation.family](rng, eta, float(parameters[name][place]))
    return Survey(records, "simulation", f"{n} patients simulated from the model (seed {seed})")
