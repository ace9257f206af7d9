"""The bootstrap of a specification and its records, and of a comparison, with the reason where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayes_sp.calls import first_is, formerly, needs_records
from bayes_sp.design.build import covariate_values
from bayes_sp.design.design import Design
from bayes_sp.design.read import Records, survey_of
from bayes_sp.effects.comparisons.contrasts import asked_contrasts
from bayes_sp.effects.moderation.levels import Asked, Setting, settings_of
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.inference.bootstrap.available import complete_design, no_likelihood_fit
from bayes_sp.inference.bootstrap.bootstrap import BootstrapResult, bootstrap_effects
from bayes_sp.inference.bootstrap.contrasts import with_contrasts
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey


@formerly(first_is(Design, "design"), bootstrap_effects, "bootstrap(model, survey, seed=1)")
@needs_records
def bootstrap(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records,
    *,
    seed: int = 1,
    replicates: int = 5000,
    ci_prob: float = 0.95,
    batch_bytes: int = 2**26,
    at: Asked | None = None,
) -> BootstrapResult:
    """Refit a specification to resampled patients and take percentiles of its effects.

    Normal equations are fitted by least squares, the others by maximum likelihood, each resample's effects
    standardised over its own patients (kappa = 1).

    Parameters
    ----------
    model, survey
        As in `bayes_sp.fit`; records with a missing cell are left out, and ``notes`` says how many.
    seed
        Of the resampling.
    replicates
        Number of resamples.
    ci_prob
        Nominal probability of the intervals.
    batch_bytes
        Memory for the resampled patients drawn at a time; it changes no digit.
    at
        Covariate -> values at which effects are computed too, as in `bayes_sp.Fit.conditional_effects`; None for the
        levels of the specification's moderators. They are in ``conditional``.

    Returns
    -------
    BootstrapResult
        Estimates, replicates, intervals, and the number of failed replicates with the reasons.

    Raises
    ------
    SpecificationError
        Where the specification is wrong, or has no maximum-likelihood fit here.
    SurveyError
        Where the survey does not fit the specification, the equations cannot be fitted to all patients, or no
        resample could be fitted.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> found = sp.bootstrap("process6", sp.reconstruct(seed=1), seed=1, replicates=200)
    >>> found.table.query("path == 'total' and scale == 'difference'")[["estimate", "lower", "upper"]].shape
    (1, 3)
    """
    model = load_model(model)
    survey = survey_of(model, survey)
    if reasons := no_likelihood_fit(model):
        raise SpecificationError(model.name, [f"has no bootstrap: {reason}" for reason in reasons])
    design, note = complete_design(model, survey)
    settings = _settings(model, survey, at)
    found = bootstrap_effects(
        design, model, seed=seed, replicates=replicates, ci_prob=ci_prob, batch_bytes=batch_bytes, settings=settings
    )
    return replace(found, mark=survey.mark, notes=(f"The bootstrap {note}.",) if note else ())


def _settings(model: PathModel, survey: Survey, at: Asked | None = None) -> tuple[Setting, ...]:
    """Return the settings of moderators at which effects are computed: those asked for, and those of contrasts."""
    values = covariate_values(model, survey)
    return with_contrasts(model, values, settings_of(model, values, at), asked_contrasts(model))


type Resampled = tuple[BootstrapResult | None, list[str]]


def bootstrap_of(model: PathModel, survey: Survey, seed: int, replicates: int, ci_prob: float) -> Resampled:
    """Return the percentile bootstrap of a specification, and sentences on what it leaves out or why there is none."""
    if not replicates:
        return None, []
    name = f"{model.equations[-1].family.replace('_', ' ')} bootstrap"
    if reasons := no_likelihood_fit(model):
        return None, [f"not available: {name}: there is no maximum-likelihood fit here for {'; '.join(reasons)}"]
    try:
        design, note = complete_design(model, survey)
        settings = _settings(model, survey)
        found = bootstrap_effects(design, model, seed=seed, replicates=replicates, ci_prob=ci_prob, settings=settings)
    except SurveyError as error:  # the posterior stands without it
        return None, [f"not available: {name}: {'; '.join(error.problems)}"]
    return found, [f"the {name} {note}"] if note else []
