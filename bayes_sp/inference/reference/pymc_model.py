"""The PyMC model of a specification and its records, as a user asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymc as pm

from bayes_sp.calls import needs_records
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import Records, survey_of
from bayes_sp.inference.reference.build import build_model
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model


@needs_records
def pymc_model(
    model: PathModel | str | Path | Mapping[str, Any], survey: Records, *, likelihood_power: float = 1.0
) -> pm.Model:
    """Return the joint model as a PyMC model with named dims: to read, to draw, to extend and to sample.

    Its density is the one that `bayes_sp.fit` samples. ``pm.model_to_graphviz``, ``pm.sample_prior_predictive`` and
    ``pm.sample`` work on it; what stands in it says `bayes_sp.inference.reference.build.build_model`. Patients of whom
    a level is missing are in no observed variable: predictive draws have fewer rows than the survey then, and the dim
    ``<response>_patient`` says whose they are.

    Parameters
    ----------
    model, survey
        As in `bayes_sp.fit`; cells may be missing wherever that takes them.
    likelihood_power
        What the log-likelihood, given every hidden value, is multiplied with; 1 for the posterior itself.

    Returns
    -------
    pymc.Model

    Raises
    ------
    SpecificationError, SurveyError
        Where the specification is wrong, or does not fit the survey.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> built = sp.pymc_model("primary", sp.reconstruct(seed=1))
    >>> [variable.name for variable in built.observed_RVs]
    ['belonging_t1_observed', 'loneliness_t1_observed', 'appointments_t1_observed']
    """
    model = load_model(model)
    return build_model(model, design_arrays(model, survey_of(model, survey)), likelihood_power)
