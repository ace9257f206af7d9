"""The main job from end to end: fit, diagnose, effects, comparison, and what the published table gives back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pandas as pd

from bayes_sp.analysis.ahead import begin_bootstraps, begin_spread
from bayes_sp.analysis.coefficients import Coefficients
from bayes_sp.analysis.comparison.models import ModelResult, Multiverse, multiverse
from bayes_sp.analysis.comparison.recovery import Recovered, recover_published
from bayes_sp.analysis.comparison.table import Comparison
from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.analysis.criticism.pointwise import Criticism
from bayes_sp.analysis.fit import Fit, tell_of_bootstraps
from bayes_sp.analysis.fit import fit as fit_one_survey
from bayes_sp.analysis.pooled import Pooled
from bayes_sp.analysis.several import fit
from bayes_sp.calls import needs_records
from bayes_sp.design.read import Records, read_survey
from bayes_sp.effects.comparisons.contrasts import Contrasts
from bayes_sp.effects.comparisons.sizes import Sizes
from bayes_sp.effects.moderation.conditional import ConditionalEffects
from bayes_sp.effects.moderation.curve import EffectCurve
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.shapley import MAX_ENUMERATED_PATHS
from bayes_sp.effects.stable_signs import Sign
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import BayesSpError, FitError
from bayes_sp.inference.bootstrap.resampled import Resampled
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.normal_twin import likelihoods
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.article import published
from bayes_sp.records.survey import Survey


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything that one run prints and saves.

    Attributes
    ----------
    fit, effects, verdict, comparison
        The posterior and what was computed from it.
    recovered
        Published numbers beside those that Table 2 gives; empty for a user's own survey.
    criticism
        Checks of the fit; None where none were asked for.
    coefficients
        Every parameter of every equation; None where they were not computed.
    spread
        Maximum-likelihood differences by path (rows) over reconstructions (columns), where one of them was fitted;
        None for a user's own survey, and for several sets of records, whose ``shares`` say more.
    seconds
        Wall time of each stage.
    interventional
        Interventional effects; None with three mediators or more.
    signs
        On which side of 0 each effect lies, averaged over orders and in each, by kappa; None with more than 8 paths.
    shares, members
        Of several sets of records: how much of each effect's variance comes from not having the records, and every
        set's own effects; None for one set.
    conditional, curves
        Effects at levels of the moderators, and along those that are numbers; None and () without moderators.
    contrasts
        Differences between effects that the specification names; None where it names none.
    sizes
        ``standardised``, ``proportion_mediated`` and ``practical``, those that the specification asks for.
    """

    fit: Fit
    effects: Effects
    verdict: Verdict
    comparison: Comparison
    recovered: tuple[Recovered, ...]
    spread: pd.DataFrame | None
    seconds: Mapping[str, float]
    interventional: pd.DataFrame | None = None
    signs: Mapping[str, Sign] | None = None
    criticism: Criticism | None = None
    coefficients: Coefficients | None = None
    conditional: ConditionalEffects | None = None
    curves: tuple[EffectCurve, ...] = ()
    contrasts: Contrasts | None = None
    sizes: Mapping[str, Sizes] = field(default_factory=dict)
    shares: pd.DataFrame | None = None
    members: pd.DataFrame | None = None


def analyse(
    model: PathModel,
    survey: Survey,
    *,
    seed: int,
    options: SamplerOptions,
    replicates: int = 5000,
    check: bool = False,
    refits: int = 0,
    pointwise: bool = True,
    progress: bool = False,
    notify: Notify = silent,
    fitted_is: Callable[[Fit], object] | None = None,
) -> Analysis:
    """Run the whole analysis of one specification and one survey; arguments and errors as `bayes_sp.fit`.

    With ``check`` the fit is also criticised, with at most ``refits`` refits for each part of that. ``fitted_is`` is
    called with the fit as soon as it is there.
    """
    start = time.perf_counter()
    with ThreadPoolExecutor(1) as beside:  # sampling, like much of NumPy, leaves the interpreter to others
        spread = begin_spread(model, survey, beside)
        resampled = begin_bootstraps(model, survey, seed, replicates)
        fitted = fit(
            model, survey, seed=seed, options=options, progress=progress, notify=notify, pointwise=pointwise,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        if fitted_is is not None:
            fitted_is(fitted)
        found = analyse_fit(
            fitted, replicates=replicates, check=check, refits=refits, notify=notify, resampled=resampled
        )
        return replace(found, spread=spread(), seconds={"fit": round(seconds, 3), **found.seconds})


def analyse_fit(
    fitted: Fit,
    *,
    replicates: int = 5000,
    check: bool = False,
    refits: int = 0,
    notify: Notify = silent,
    resampled: Sequence[Callable[[], Resampled]] = (),
) -> Analysis:
    """Run the whole analysis of a fit that is there already; as `analyse`, without the spread over reconstructions.

    ``resampled`` waits for bootstraps that have begun, one for each of `likelihoods`.
    """
    model, survey = fitted.model, fitted.survey
    times = {"start": time.perf_counter()}
    notify("effects of every path")
    effects = fitted.effects()
    verdict = fitted.diagnose(effects)
    conditional = fitted.conditional_effects() if model.moderating else None
    contrasts = fitted.contrasts() if model.contrasts else None
    sizes = _sizes(fitted, effects)
    curves = fitted.effect_curves(points=CURVE_POINTS)
    interventional = fitted.interventional_table() if len(model.mediators) <= 2 else None
    coefficients = fitted.coefficients_with_notes(known=verdict.table)
    signs = fitted.signs() if len(model.named_paths()) <= MAX_ENUMERATED_PATHS else None
    times["effects and diagnostics"] = time.perf_counter()
    if resampled:
        tell_of_bootstraps(likelihoods(model), replicates, notify)
        comparison = fitted._compared([wait() for wait in resampled], effects=effects)
    else:
        comparison = fitted.compare(replicates=replicates, notify=notify, effects=effects)
    times["comparison"] = time.perf_counter()
    recovered = recover_published(published())[0] if survey.reconstructed else ()
    times["recovery"] = time.perf_counter()
    criticism = fitted.criticise(refits=refits, notify=notify) if check else None
    times["criticism"] = time.perf_counter()
    seconds = {name: round(times[name] - times[before], 3) for before, name in pairwise(times)}
    sets = (fitted.shares(), fitted.members()) if isinstance(fitted, Pooled) else (None, None)
    return Analysis(
        fitted, effects, verdict, comparison, recovered, None, seconds, interventional, signs, criticism,
        coefficients, conditional, curves, contrasts, sizes, *sets,
    )  # fmt: skip


def _sizes(fitted: Fit, effects: Effects) -> dict[str, Sizes]:
    """Return what the specification asks to be told of the effects' sizes."""
    sizes = {"standardised": fitted.standardised()} if "standardised" in fitted.model.sizes else {}
    if "proportion_mediated" in fitted.model.sizes:
        sizes["proportion_mediated"] = fitted.proportion_mediated(effects=effects)
    if fitted.model.practical is not None:
        sizes["practical"] = fitted.practical(effects=effects)
    return sizes


CURVE_POINTS = 15  # along a moderator
REFITS = 5  # of each specification, for patients whose part of elpd the draws cannot give

FitOne = Callable[[PathModel, Survey], Fit]


@needs_records
def compare_models(
    models: Sequence[PathModel | str | Path],
    survey: Records,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    ci_prob: float = CI_PROB,
    fit_one: FitOne | None = None,
    known: Mapping[str, ModelResult] | None = None,
    notify: Notify = silent,
) -> Multiverse:
    """Fit several specifications to the same records and set their effects side by side.

    A specification that cannot be read or fitted stands in the table with the reason, and the others are fitted all
    the same.

    Parameters
    ----------
    models
        Specifications, names of shipped ones, or paths of TOML files; the first that can be fitted is the one that
        the others' elpd is compared with.
    survey
        As in `bayes_sp.fit`; of a file or a DataFrame each specification reads its own columns.
    seed, options, progress
        Of every fit, as in `bayes_sp.fit`.
    ci_prob
        Probability of the intervals.
    fit_one
        Fits one specification to its records; `fit` by default.
    known
        By name (`model_names`): results of specifications that need not be fitted.
    notify
        Called with a line at the start of each specification, and of each stage.

    Returns
    -------
    Multiverse
    """

    def by_default(model: PathModel, records: Survey) -> Fit:
        return fit_one_survey(model, records, seed=seed, options=options, progress=progress, notify=notify)

    entries = []
    for name, given in zip(model_names(models), models, strict=True):
        if known is not None and name in known:
            entries.append(known[name])
            continue
        notify(f"specification {name}")
        entries.append(_specified(name, given, survey, fit_one or by_default))
    return multiverse(entries, ci_prob)


def _specified(name: str, given: PathModel | str | Path, records: Records, fit_one: FitOne) -> ModelResult:
    """Fit one specification; a mistake of the user's, or a fit that fails, becomes the reason in its place."""
    model = None
    try:
        model = load_model(given)
        survey = records if isinstance(records, Survey) else read_survey(records, model)
        fitted = fit_one(model, survey)
        effects = fitted.effects()
    except BayesSpError as error:
        return ModelResult(name, model, reason="; ".join(error.problems), mistake=not isinstance(error, FitError))
    verdict = fitted.diagnose(effects)
    try:
        found = fitted.loo(refits=REFITS)
    except BayesSpError as error:
        return ModelResult(name, model, effects, verdict, reason="; ".join(error.problems))
    return ModelResult(name, model, effects, verdict, replace(found, model=name))


def model_names(models: Sequence[PathModel | str | Path]) -> list[str]:
    """Return short names, or what was given where two short names are the same."""
    short = [given.name if isinstance(given, PathModel) else Path(given).stem for given in models]
    counts, found = Counter(short), []
    for place, (name, given) in enumerate(zip(short, models, strict=True), start=1):
        longer = f"{name} ({place})" if isinstance(given, PathModel) else str(given)
        found.append(name if counts[name] == 1 else longer)
    return [f"{name} ({i})" if found.count(name) > 1 else name for i, name in enumerate(found, start=1)]
