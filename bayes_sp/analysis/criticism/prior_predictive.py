"""Parameters drawn from the priors and responses drawn from the likelihoods, as a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.criticism.predictors import predictors
from bayes_sp.analysis.criticism.prior_check import PriorCheck, prior_check
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.arrays import Array
from bayes_sp.calls import needs_records
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import Records, survey_of
from bayes_sp.design.relevance import informative
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import FitError
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import observed_name
from bayes_sp.records.survey import Survey
from bayes_sp.shown import Part, Shown, short

BATCH = 2_000_000  # values at a time


@dataclass(frozen=True, eq=False, repr=False)
class PriorPredictive(Shown):
    """What a specification's priors say before any response is seen, for a survey's own exposure and covariates.

    Attributes
    ----------
    model, survey
        Whose priors, and for which records.
    seed, draws
        Seed, and number of draws.
    """

    model: PathModel
    survey: Survey
    seed: int
    draws: int

    @cached_property
    def idata(self) -> xr.DataTree:
        """Groups ``prior`` and ``prior_predictive``, each (chain = 1, draw, ...), and ``observed_data``.

        Responses are as their family sees them: ordered answers are numbers of levels from 0, bounded ones lie between
        0 and 1. A response that is missing for some patients, or cannot be predicted, has a dim of its own.
        """
        return _drawn(self.model, self.survey, self.seed, self.draws)

    def __getitem__(self, group: str) -> xr.DataTree | xr.DataArray:
        return self.idata[group]

    def check(self, *, thresholds: Mapping[str, float] | None = None, ci_prob: float = CI_PROB) -> PriorCheck:
        """Say what the priors imply for each response, on its own scale.

        Parameters
        ----------
        thresholds
            By response without an upper end: the mean that should not be exceeded; ten times the observed one by
            default.
        ci_prob
            Probability of the intervals.
        """
        design = design_arrays(self.model, self.survey)
        return prior_check(
            self.model, design, seed=self.seed, draws=self.draws, thresholds=thresholds, ci_prob=ci_prob,
            mark=self.survey.mark,
        )  # fmt: skip

    @property
    def table(self) -> pd.DataFrame:
        """The table of `check`."""
        return self.check().table

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"Draws from the priors of {self.model.name} ({self.draws}, seed {self.seed}), for {self.survey.mark}."
        return head, [short(self.table, rows=len(self.table))]


@needs_records
def prior_predictive(
    model: PathModel | str | Path | Mapping[str, Any], survey: Records, *, seed: int = 1, draws: int = 2000
) -> PriorPredictive:
    """Draw parameters from the priors and responses from the likelihoods, for the survey's own covariates.

    Each equation's responses are predicted from the observed parents, as its likelihood is; a parent that is missing
    or was measured with error is drawn, and so is an unmeasured confounder, once for each patient in each draw.

    Parameters
    ----------
    model, survey
        As in `bayes_sp.fit`; of the survey only what stands on the right-hand side of an equation is used.
    seed, draws
        Seed, and number of draws.

    Returns
    -------
    PriorPredictive
        Draws in ``idata``; ``check()`` says in numbers what the priors imply.

    Raises
    ------
    FitError
        Where a prior is improper (flat), so that nothing can be drawn from it.
    SpecificationError, SurveyError
        Where the specification is wrong, or does not fit the survey.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> prior = sp.prior_predictive("primary", sp.reconstruct(seed=1), seed=1, draws=100)
    >>> prior.idata["prior_predictive"].sizes["draw"]
    100
    >>> sorted(set(prior.check().table["response"]))
    ['appointments_t1', 'belonging_t1', 'loneliness_t1']
    """
    model = load_model(model)
    survey = survey_of(model, survey)
    flat = sorted({str(prior) for _, _, prior in model.priors if prior.improper})
    if flat:
        raise FitError(model.name, [f"the priors {', '.join(flat)} are improper; nothing can be drawn from them"])
    design_arrays(model, survey)
    return PriorPredictive(model, survey, seed, draws)


def _drawn(model: PathModel, survey: Survey, seed: int, draws: int) -> xr.DataTree:
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
            observed[one.response] = own.coding.coded(own.observed)

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
