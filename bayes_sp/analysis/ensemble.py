"""How much effects depend on which of the possible records a reconstruction happens to hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayes_sp.design.build import unchecked_design
from bayes_sp.errors import SurveyError
from bayes_sp.inference.bootstrap.available import no_likelihood_fit
from bayes_sp.inference.bootstrap.bootstrap import DECOMPOSITIONS, point_estimates
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import AVERAGE, DIFFERENCE
from bayes_sp.records.published.article import published
from bayes_sp.records.published.reconstruct import reconstruct

SPREAD_SEEDS = tuple(range(1, 21))
DIFFERENCE_PLACE = -1  # the last scale of a bootstrap's estimates, whatever the link


def has_spread(model: PathModel) -> bool:
    """Whether a specification has a maximum-likelihood fit, and all its columns are among those of a reconstruction."""
    return set(model.columns) <= set(published().names) and not no_likelihood_fit(model)


def spread_over_reconstructions(model: PathModel, seeds: Sequence[int] = SPREAD_SEEDS) -> pd.DataFrame:
    """Refit a specification by maximum likelihood to reconstructions that differ in nothing but their seed.

    Every one of them reproduces the published moments, so the spread of their effects is what the moments leave open.
    It comes on top of the interval from any single reconstruction. Columns of the specification are those of the study.

    The index has the paths, then ``total_indirect`` and ``total``; there is one column for each seed: the effect's
    difference in the outcome's unit, averaged over the orders of switching; NaN where the records have no
    maximum-likelihood fit.
    """
    paths = list(model.effect_names)
    place = DECOMPOSITIONS.index(AVERAGE)
    columns = {}
    for seed in seeds:
        try:
            estimates = point_estimates(unchecked_design(model, reconstruct(seed)), model)
        except SurveyError:  # no maximum-likelihood fit to these records: an empty column says so
            columns[seed] = np.full(len(paths), np.nan)
        else:
            columns[seed] = estimates[:, DIFFERENCE_PLACE, place]
    return pd.DataFrame(columns, index=pd.Index(paths, name="path")).rename_axis(columns=f"{DIFFERENCE} by seed")
