"""Fits of a specification: to one survey, to several sets of records, or to an ensemble of reconstructions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import xarray as xr

from bayes_sp.analysis.batch.progress import Tally
from bayes_sp.analysis.fit import Fit, ready
from bayes_sp.analysis.fit import fit as fit_one
from bayes_sp.analysis.pooled import Pooled, pool
from bayes_sp.analysis.pooled_verdict import MEMBER_LIMITS
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import Records, read_sets, survey_of
from bayes_sp.effects.existence import warn_of_means
from bayes_sp.errors import BayesSpError, NoRecordsError, SurveyError
from bayes_sp.inference.options import SamplerOptions, usual_options, warn_of_options
from bayes_sp.inference.sample import Notify, sample_posterior, silent
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.article import published
from bayes_sp.records.published.members import MEMBERS, ensemble
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.sets import Sets, sets_of
from bayes_sp.records.survey import Survey
from bayes_sp.threads import shared

LEAST = 2  # sets of records that can be pooled
_NONE: Any = object()  # a survey that is left out, which is told from None


@overload
def fit(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records = ...,
    *,
    members: int | None = None,
    imputations: str = "",
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
def fit(
    model: PathModel | str | Path | Mapping[str, Any],
    survey: Records | Sequence[Records] = _NONE,
    *,
    members: int | None = None,
    imputations: str = "",
    seed: int = 1,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
    pointwise: bool = True,
) -> Fit:
    """Fit a specification to a survey.

    Parameters
    ----------
    model
        A specification, the name of a shipped one, the path of a TOML file, or its tables.
    survey
        The records: a survey, a DataFrame or the path of a file; `reconstruct` makes those of the published study. A
        list of them is several sets of records that stand for the same people, such as files completed by multiple
        imputation elsewhere: each is fitted on its own, with seeds that follow each other, and their draws are pooled.
        Left out, for a specification of the published study: an ensemble of reconstructions of its records, which
        differ in what the published moments leave open.
    members
        How many reconstructions the ensemble has (20); 1 for ``reconstruct(seed=1)`` alone. Only without a survey.
    imputations
        Column of a long file, or data frame, that numbers completed data sets (``.imp`` of mice, ``_mi_m`` of Stata,
        ``Imputation_`` of SPSS), each of which is fitted; rows with 0, the original, are left out.
    seed
        Of the sampler. The same seed gives the same draws.
    options
        Draws, warm-up, chains and cores; by default of `SamplerOptions`, and 2 chains of 500 draws for each of 10 sets
        of records or more.
    progress
        Show the sampler's progress bar, of a single fit.
    notify
        Called with a line at the start of each stage.
    pointwise
        False to keep no pointwise log-likelihoods of one survey, which take a fifth of the time of a small fit;
        criticism then computes them when it is asked for. Of several sets of records none are kept.

    Returns
    -------
    Fit
        For a list, and for an ensemble, a `bayes_sp.analysis.pooled.Pooled`: its effects, coefficients, comparison and
        figures are those of the pooled draws; criticism and sensitivity look at the first set of records.

    Raises
    ------
    SpecificationError
        Where the specification, or the twin it names, is wrong.
    SurveyError
        Where the survey does not fit the specification; where there is none and the specification is not of the study.
    FitError
        Where the model cannot be sampled with these records.

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking the records as they are; of a survey from a file, `read_survey` has warned.
    FitWarning
        Of options with which no draws can pass the diagnostics, and priors that leave a mean without a value.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> few = sp.SamplerOptions(draws=500, cores=1)
    >>> fit = sp.fit("process6", sp.reconstruct(seed=1), seed=1, options=few)
    >>> fit.effects().table().columns[0]
    'path'
    """
    if survey is _NONE:
        model = load_model(model)
        refuse_without_records(model)
        alone = members == 1 and members is not True
        survey = reconstruct(1) if alone else ensemble(MEMBERS if members is None else members)
    elif members is not None:
        raise SurveyError("members", ["goes without a survey: it is the number of reconstructions of the study"])
    if survey is None:
        raise NoRecordsError("fit()", [NEEDS_RECORDS])
    if imputations:
        model = load_model(model)
        survey = read_sets(survey if isinstance(survey, list | tuple) else [survey], model, imputations=imputations)
    if isinstance(survey, list | tuple):
        if len(survey) < LEAST:
            reason = f"needs {LEAST} sets of records or more, found {len(survey)}; give one as it is, not in a list"
            raise SurveyError("a list of surveys", [reason])
        survey = _read_sets(model := load_model(model), survey)
    if isinstance(survey, Sets):
        return fit_sets(load_model(model), survey, seed=seed, options=options, notify=notify)
    return fit_one(
        model, survey, seed=seed, options=options, progress=progress, notify=notify, pointwise=pointwise
    )  # fmt: skip


NEEDS_RECORDS = (
    "needs records: fit(model, survey) with your file, DataFrame or Survey, or sp.reconstruct(seed=1) for those of "
    "the published study"
)


def refuse_without_records(model: PathModel) -> None:
    """Raise `NoRecordsError` unless a specification's columns are those of the study, which is reconstructed."""
    if not set(model.columns) <= set(published().names):
        raise NoRecordsError(model.name, [f"{NEEDS_RECORDS} (columns {', '.join(model.columns)})"])


def _read_sets(model: PathModel, given: Sequence[Records]) -> Sets:
    surveys = []
    for number, records in enumerate(given, start=1):
        with _named(f"set of records {number}"):
            surveys.append(survey_of(model, records))
    return sets_of(surveys)


def fit_sets(
    model: PathModel,
    survey: Sets,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    notify: Notify = silent,
) -> Pooled:
    """Fit a specification to each of several sets of records, some at the same time; arguments as `fit`.

    Raises BayesSpError as `fit`, naming the set of records.
    """
    every = [*survey.each, *(records for _, records in survey.edges)]
    options = options or usual_options(len(survey.each))
    twin, surveys = twin_of(model), list[Survey]()
    names = [f"set of records {k + 1}" for k in range(len(survey.each))] + [label for label, _ in survey.edges]
    for name, records in zip(names, every, strict=True):
        with _named(name):
            surveys.append(ready(model, twin, records))
    warn_of_options(options, MEMBER_LIMITS.ess)
    warn_of_means(model, design_arrays(model, surveys[0]))
    notify(f"fitting {len(every)} sets of records, each with {options.chains} chains of {options.draws} kept draws")
    workers = 1 if options.method == "pymc" else options.cores
    each = options if workers == 1 else replace(options, cores=1)
    tally = Tally(len(every), 0, what="sets of records")
    tasks = [(name, records, seed + place) for place, (name, records) in enumerate(zip(names, surveys, strict=True))]
    sampled, told = partial(_sampled, model, each), lambda: notify(tally.counted(1))
    # the first alone: what is compiled is loaded once
    trees = [*shared(sampled, tasks[:1], 1, told=told), *shared(sampled, tasks[1:], workers, told=told)]
    fits = [Fit(model, own, tree, number, options) for (_, own, number), tree in zip(tasks, trees, strict=True)]
    return pool(survey, fits[: len(survey.each)], fits[len(survey.each) :])


def _sampled(model: PathModel, options: SamplerOptions, task: tuple[str, Survey, int]) -> xr.DataTree:
    """Return the draws given one set of records, which has a name and a seed."""
    name, survey, seed = task
    with _named(name):
        return sample_posterior(model, survey, seed=seed, options=options, pointwise=False)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say of a mistake in which set of records it is."""
    try:
        yield
    except BayesSpError as error:
        raise type(error)(f"{name}: {error.source}", error.problems) from error
