"""Draws from the model as it is written in PyMC's own words: slower, and independent of the engine."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import xarray as xr

from bayes_sp.model.build import build_model
from bayes_sp.model.options import SamplerOptions
from bayes_sp.model.parameters import hidden_name
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Design


def plain_draws(
    model: PathModel, design: Design, *, seed: int, options: SamplerOptions, progress: bool = False
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Sample `build_model` with `pm.sample`.

    Returns
    -------
    tuple
        The posterior variables, named as the engine's, the unmeasured confounders (chain, draw, patient), and the
        sampler's statistics; dims (chain, draw, ...).

    Raises
    ------
    SurveyError
        Where cells are missing of which the plain model has no account.
    """
    pytensor.config.numba__fastmath = False  # with it the same seed gives other draws in a cold and a warm cache
    with build_model(model, design):
        tree = pm.sample(
            options.draws, tune=options.tune, chains=options.chains, cores=options.cores, random_seed=seed,
            target_accept=options.target_accept, progressbar=progress, compute_convergence_checks=False, quiet=True,
        )  # fmt: skip
    drawn = tree["posterior"].to_dataset()
    unmeasured = xr.Dataset({u.name: drawn[hidden_name(u.name)].drop_attrs() for u in model.confounders})
    posterior = drawn.drop_vars([name for name in drawn.data_vars if "|" in str(name) or "[" in str(name)])
    posterior.attrs.clear()
    statistics = tree["sample_stats"].to_dataset()
    texts = [n for n, v in statistics.items() if not np.issubdtype(v.dtype, np.number) and v.dtype != bool]
    return posterior, unmeasured, statistics.drop_vars(texts)
