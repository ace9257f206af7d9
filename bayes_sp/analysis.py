"""The main job from end to end: fit, diagnose, effects, comparison, and what the published table gives back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from bayes_sp.compare.table import Comparison
from bayes_sp.criticism.diagnostics import Verdict, diagnose
from bayes_sp.effects.posterior import Effects
from bayes_sp.fitting import Fit, fit
from bayes_sp.model.options import SamplerOptions
from bayes_sp.model.sample import Notify, silent
from bayes_sp.spec.types import PathModel
from bayes_sp.study.published import published
from bayes_sp.study.recovery import Recovered, recover_published
from bayes_sp.study.spread import has_spread, spread_over_reconstructions
from bayes_sp.survey.records import Survey


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything that one run prints and saves.

    Attributes
    ----------
    fit, effects, verdict, comparison
        The posterior and what was computed from it.
    recovered
        Published numbers beside those that Table 2 gives; empty for a user's own survey.
    spread
        Maximum-likelihood differences by path (rows) over reconstructions (columns); None for a user's own survey.
    seconds
        Wall time of each stage.
    """

    fit: Fit
    effects: Effects
    verdict: Verdict
    comparison: Comparison
    recovered: tuple[Recovered, ...]
    spread: pd.DataFrame | None
    seconds: Mapping[str, float]


def analyse(
    model: PathModel,
    survey: Survey,
    *,
    seed: int,
    options: SamplerOptions,
    replicates: int = 5000,
    progress: bool = False,
    notify: Notify = silent,
) -> Analysis:
    """Run the whole analysis of one specification and one survey; arguments and errors as `bayes_sp.fit`."""
    times = {"start": time.perf_counter()}
    fitted = fit(model, survey, seed=seed, options=options, progress=progress, notify=notify)
    times["fit"] = time.perf_counter()
    effects = fitted.effects()
    verdict = diagnose(fitted.posterior, effects.quantities())
    times["effects and diagnostics"] = time.perf_counter()
    comparison = fitted.compare(replicates=replicates, notify=notify, effects=effects)
    times["comparison"] = time.perf_counter()
    recovered = recover_published(published())[0] if survey.reconstructed else ()
    spread = spread_over_reconstructions(model) if survey.reconstructed and has_spread(model) else None
    times["recovery and spread"] = time.perf_counter()
    seconds = {name: round(times[name] - times[before], 3) for before, name in pairwise(times)}
    return Analysis(fitted, effects, verdict, comparison, recovered, spread, seconds)
