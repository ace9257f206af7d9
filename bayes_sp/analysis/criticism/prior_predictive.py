"""Parameters drawn from the priors and responses drawn from the likelihoods, as a tree."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_sp.analysis.criticism.predictors import predictors
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.design.relevance import informative
from bayes_sp.errors import FitError
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import observed_name
from bayes_sp.records.survey import Survey

BATCH = 2_000_000  # values at a time


def prior_predictive(model: PathModel, survey: Survey, *, seed: int, draws: int = 1000) -> xr.DataTree:
    """Draw parameters from the priors and responses from the likelihoods, for the survey's own covariates.

    Each equation's responses are predicted from the observed parents, as its likelihood is; a parent that is missing
    or was measured with error is drawn, and so is an unmeasured confounder, once for each patient in each draw.
    Responses are as their family sees them: ordered answers are numbers of levels from 0, bounded ones lie between 0
    and 1.

    Returns
    -------
    xarray.DataTree
        Groups ``prior`` and ``prior_predictive``, each (chain = 1, draw, ...), and ``observed_data``. A response that
        is missing for some patients, or cannot be predicted, has a dim of its own.

    Raises
    ------
    FitError
        Where a prior is improper (flat), so that nothing can be drawn from it.
    """
    flat = sorted({str(prior) for _, _, prior in model.priors if prior.improper})
    if flat:
        raise FitError(model.name, [f"the priors {', '.join(flat)} are improper; nothing can be drawn from them"])
    design = design_arrays(model, survey)
    patients = np.flatnonzero(informative(design, model))
    design = design.taken(patients)
    parameters = draw_priors(model, design, draws=draws, seed=seed)
    rng = np.random.default_rng([seed, 1])
    found: dict[str, list[Array]] = {}
    seen, observed = {}, {}
    size = max(1, BATCH // design.n)
    for start in range(0, draws, size):
        for one in predictors(model, design, parameters.isel(draw=slice(start, start + size)), rng, informed=False):
            seen[one.response] = one.known
            own = one.among(one.known)
            simulated = own.family.simulate(rng, own.eta, own.zeta, own.aux)
            found.setdefault(one.response, []).append(simulated)
            observed[one.response] = (own.observed - own.coding.origin) / own.coding.unit

    dims = {name: "patient" if rows.all() else f"{name}_patient" for name, rows in seen.items()}
    coords = {dim: patients[seen[name]] for name, dim in dims.items()}
    whole = {name: np.concatenate(values)[None] for name, values in found.items()}
    predicted = {observed_name(name): (("chain", "draw", dims[name]), values) for name, values in whole.items()}
    drawn = {"chain": [0], "draw": np.arange(draws)}
    return xr.DataTree.from_dict(
        {
            "prior": parameters,
            "prior_predictive": xr.Dataset(predicted, coords={**drawn, **coords}),
            "observed_data": xr.Dataset({observed_name(n): (dims[n], y) for n, y in observed.items()}, coords=coords),
        }
    )
