"""What of an analysis needs no posterior, begun in a process beside this one while that is sampled."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched

import pandas as pd

from bayes_sp.analysis.ensemble import SPREAD_SEEDS, has_spread, spread_over_reconstructions
from bayes_sp.design.read import renamed
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.inference.bootstrap.resampled import Resampled, bootstrap_of
from bayes_sp.model.normal_twin import likelihoods
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.codes import without_codes
from bayes_sp.records.sets import Sets
from bayes_sp.records.survey import Survey
from bayes_sp.threads import MOST_SENT, begun, has_company

_SEEDS = 4  # reconstructions of one call


def begin_bootstraps(model: PathModel, survey: Survey, seed: int, replicates: int) -> list[Callable[[], Resampled]]:
    """Begin the bootstrap of each of `likelihoods`, and return what waits for them.

    Nothing where there is no such process, and for several sets of records, which are shared out by themselves.
    """
    if isinstance(survey, Sets) or not has_company() or len(survey) > MOST_SENT:
        return []
    records = without_codes(model, renamed(model, survey))  # as `fit` takes them
    later = likelihoods(model)[::-1]  # the longest one first: the other is made here if it has to wait
    return [begun(bootstrap_of, each, records, seed, replicates, CI_PROB, queues=False) for each in later][::-1]


def begin_spread(model: PathModel, survey: Survey, beside: ThreadPoolExecutor) -> Callable[[], pd.DataFrame | None]:
    """Begin `spread_over_reconstructions`, in a thread where there is no process, and return what waits for it.

    It waits for None where the records are a user's or several sets, or the specification has no such fit.
    """
    if not survey.reconstructed or isinstance(survey, Sets) or not has_spread(model):
        return lambda: None
    if not has_company():
        return beside.submit(spread_over_reconstructions, model, SPREAD_SEEDS).result
    parts = batched(SPREAD_SEEDS, _SEEDS)
    return partial(_joined, [begun(spread_over_reconstructions, model, part, queues=False) for part in parts])


def _joined(waits: list[Callable[[], pd.DataFrame]]) -> pd.DataFrame:
    """Return the parts side by side; the last is asked for first, because it is the last that a process begins."""
    return pd.concat([wait() for wait in waits[::-1]][::-1], axis=1)
