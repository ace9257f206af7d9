"""Draft a specification and fit it, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from bayes_sp.analysis.fit import Fit, fit
from bayes_sp.design.draft import draft
from bayes_sp.design.drafting.arrows import Moderators
from bayes_sp.design.read import Records, read_survey
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.records.codebook.derived import Latent
from bayes_sp.records.survey import Survey


def mediate(
    data: Records,
    *,
    exposure: str | Sequence[str],
    mediators: Sequence[str],
    outcome: str,
    covariates: Sequence[str] = (),
    parallel: bool = False,
    without: Sequence[str] = (),
    latent: Latent = (),
    moderators: Moderators | None = None,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
) -> Fit:
    """Draft a specification from a survey's columns and fit it: `draft`, then `fit`.

    Parameters
    ----------
    data, exposure, mediators, outcome, covariates, parallel, without, latent, moderators
        As in `draft`.
    seed, options, progress
        As in `fit`.

    Returns
    -------
    Fit
        Its ``model`` is the draft, whose families and priors are guesses to be looked at.

    Raises
    ------
    SurveyError, FitError
        As `draft` and `fit`.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> records, few = sp.reconstruct(seed=1), sp.SamplerOptions(draws=500, cores=1)
    >>> chain = {"exposure": "group_change", "mediators": ["loneliness_t1"], "outcome": "appointments_t1"}
    >>> sp.mediate(records, **chain, options=few).model.chain
    ('group_change', 'loneliness_t1', 'appointments_t1')
    """
    model = draft(
        data,
        exposure=exposure,
        mediators=mediators,
        outcome=outcome,
        covariates=covariates,
        parallel=parallel,
        without=without,
        latent=latent,
        moderators=moderators,
    )
    survey = data if isinstance(data, Survey) else read_survey(data, model)
    return fit(model, survey, seed=seed, options=options, progress=progress)
