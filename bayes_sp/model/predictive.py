"""Draws from the prior, through PyMC's own words for the model."""

from __future__ import annotations

import logging

import pymc as pm
import xarray as xr

from bayes_sp.errors import FitError
from bayes_sp.model.build import build_model
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import design_arrays
from bayes_sp.survey.records import Survey


def prior_predictive(model: PathModel, survey: Survey, *, seed: int, draws: int = 1000) -> xr.DataTree:
    """Draw parameters from the priors and responses from the likelihoods, for the survey's own covariates.

    Returns
    -------
    xarray.DataTree
        Groups ``prior`` and ``prior_predictive``, each (chain = 1, draw, ...), and ``observed_data``.

    Raises
    ------
    FitError
        Where a prior is improper (flat), so that nothing can be drawn from it.
    """
    flat = sorted({str(prior) for _, _, prior in model.priors if prior.dist in ("flat", "half_flat")})
    if flat:
        raise FitError(model.name, [f"the priors {', '.join(flat)} are improper; nothing can be drawn from them"])
    logger = logging.getLogger("pymc.sampling.forward")
    level = logger.level
    logger.setLevel(logging.WARNING)  # it would announce the variables' names on standard error
    try:
        with build_model(model, design_arrays(model, survey)):
            return pm.sample_prior_predictive(draws=draws, random_seed=seed)
    finally:
        logger.setLevel(level)
