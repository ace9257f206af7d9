"""Fits of a specification: to one survey, or to each of several sets of records that stand for the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from bayes_sp.analysis.fit import Fit
from bayes_sp.analysis.fit import fit as fit_one
from bayes_sp.analysis.pooled import Pooled
from bayes_sp.calls import needs_records
from bayes_sp.design.read import Records
from bayes_sp.errors import BayesSpError, SurveyError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import Notify, silent
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model

LEAST = 2  # sets of records that can be pooled


@overload
def fit(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
    pointwise: bool = True,
) -> Fit: ...
@overload
def fit(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Sequence[Records],
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
    pointwise: bool = True,
) -> Pooled: ...
@needs_records
def fit(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records | Sequence[Records],
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
    pointwise: bool = True,
) -> Fit | Pooled:
    """Fit a specification to a survey.

    Parameters
    ----------
    model
        A specification, the name of a shipped one, the path of a TOML file, or its tables.
    survey
        The records: a survey, a DataFrame or the path of a file; `reconstruct` makes those of the published study. A
        list of them is several sets of records that stand for the same people, such as files completed by multiple
        imputation elsewhere: each is fitted on its own, with seeds that follow each other, and their draws are pooled.
    seed
        Of the sampler. The same seed gives the same draws.
    options
        Draws, warm-up, chains and cores.
    progress
        Show the sampler's progress bar.
    notify
        Called with a line at the start of each stage.
    pointwise
        False to keep no pointwise log-likelihoods of one survey, which take a fifth of the time of a small fit;
        criticism then computes them when it is asked for. Of a list none are kept.

    Returns
    -------
    Fit or Pooled
        `Pooled` for a list.

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking the records as they are; of a survey from a file, `read_survey` has warned.
    FitWarning
        Of options with which no draws can pass the diagnostics, and priors that leave a mean without a value.

    Raises
    ------
    SpecificationError
        Where the specification, or the twin it names, is wrong.
    SurveyError
        Where the survey does not fit the specification.
    FitError
        Where the model cannot be sampled with these records.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> few = sp.SamplerOptions(draws=500, cores=1)
    >>> fit = sp.fit("process6", sp.reconstruct(seed=1), seed=1, options=few)
    >>> fit.effects().table().columns[0]
    'path'
    """
    if isinstance(survey, list | tuple):
        if len(survey) < LEAST:
            reason = f"needs {LEAST} sets of records or more, found {len(survey)}; give one as it is, not in a list"
            raise SurveyError("a list of surveys", [reason])
        return fit_each(load_model(model), survey, seed=seed, options=options, progress=progress, notify=notify)
    return fit_one(
        model, survey, seed=seed, options=options, progress=progress, notify=notify, pointwise=pointwise
    )  # fmt: skip


def fit_each(
    model: PathModel,
    surveys: Sequence[Records],
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
) -> Pooled:
    """Fit a specification to each of several sets of records; arguments as `fit`.

    Raises
    ------
    SurveyError
        Naming the set of records that does not fit the specification.
    """
    fits = []
    for number, records in enumerate(surveys, start=1):
        notify(f"set of records {number} of {len(surveys)}")
        try:
            fits.append(
                fit_one(model, records, seed=seed + number - 1, options=options, progress=progress, pointwise=False)
            )
        except BayesSpError as error:
            raise type(error)(f"set of records {number}: {error.source}", error.problems) from error
    marks = tuple(found.survey.mark for found in fits)
    return Pooled(tuple(fits), marks)
