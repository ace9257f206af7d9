"""What a worker does with a cell: fit, diagnose, effects. Importable by name, so that any executor can send it."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome, made_with, with_cores
from bayes_sp.analysis.criticism.diagnostics import Verdict, diagnose
from bayes_sp.analysis.fit import fit
from bayes_sp.effects.paths import Effects
from bayes_sp.errors import BayesSpError, FitWarning, RunnerError, SurveyWarning
from bayes_sp.model.reading.write import specification_text
from bayes_sp.records.survey import Survey


def answer(cell: Cell) -> Outcome:
    """Fit a cell; a mistake in its specification or records, or a fit that fails, becomes a `Failure`."""
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            for known in (FitWarning, SurveyWarning):  # the fit that all cells depart from has warned
                warnings.simplefilter("ignore", known)
            fitted = fit(cell.model, cell.survey, seed=cell.seed, options=cell.options, pointwise=False)
        effects = fitted.effects(kappa=cell.kappa)
        verdict = diagnose(fitted.posterior, effects.quantities())
    except BayesSpError as error:
        return failure(cell, "; ".join(error.problems))
    return answer_with(cell, effects, verdict, time.perf_counter() - started)


def answer_with(cell: Cell, effects: Effects, verdict: Verdict, seconds: float) -> Answer:
    """Return the answer of a cell that has been fitted."""
    table = answer_table(effects, cell.ci_prob)
    return Answer(cell.key, table, verdict.trustworthy, verdict.reasons, round(seconds, 3))


def answer_elsewhere(survey: Survey, parts: Mapping[str, Any], expected: Mapping[str, str]) -> Outcome:
    """Answer the cell of a survey and a cell's other parts with one core, in whatever process this is called.

    ``expected`` is `made_with` of the process that sends the cell, which its key is made of.

    Raises RunnerError where this process has other versions: the same cell would have another answer here.
    """
    check_versions(expected)
    return answer(with_cores(Cell(survey=survey, **parts), 1))


def check_versions(expected: Mapping[str, str]) -> None:
    """Refuse to work for a process with other versions.

    Raises RunnerError naming each package with its version on both sides.
    """
    if problems := different(made_with(), expected):
        raise RunnerError(f"a worker on {platform.node()}", problems)


def different(worker: Mapping[str, str], client: Mapping[str, str]) -> list[str]:
    """Return a sentence for each version that a worker and its client do not share."""
    names = [name for name in {**client, **worker} if worker.get(name) != client.get(name)]
    todo = "install the same on both sides, or start the program where the workers are"
    return [
        f"{name} is {worker.get(name, 'missing')} on the worker and {client.get(name, 'missing')} here; {todo}"
        for name in names
    ]


def receive_records(survey: Survey) -> Survey:
    """Return the survey: a task of its own, so that a cluster is sent it once for all cells."""
    return survey


def failure(cell: Cell, reason: str) -> Failure:
    """Return the failure of a cell for a reason."""
    return Failure(cell.key, cell.name, reason, specification_text(cell.model))


def answer_table(effects: Effects, ci_prob: float) -> pd.DataFrame:
    r"""Return ``effects.csv`` with the Monte Carlo standard errors of both limits.

    The limit is the quantile at p of draws whose tail ESS is E; half the distance between the quantiles at
    :math:`p \pm \sqrt{p (1 - p) / E}` is its error (Vehtari et al. 2021, Bayesian Analysis 16(2), section 4.4,
    doi:10.1214/20-BA1221, with a normal in place of the beta distribution).
    """
    table = effects.table(ci_prob)
    values = effects.columns()
    tail = (1.0 - ci_prob) / 2.0
    error = np.sqrt(tail * (1.0 - tail) / table["ess_tail"].to_numpy(dtype=float))
    for name, p in (("mcse_lower", tail), ("mcse_upper", 1.0 - tail)):
        below, above = np.clip([p - error, p + error], 0.0, 1.0)
        table[name] = [_half(values[..., i], below[i], above[i]) for i in range(values.shape[-1])]
    return table


def _half(values: np.ndarray, below: float, above: float) -> float:
    if np.isnan(below):
        return float("nan")
    low, high = np.quantile(values, [below, above])
    return float(high - low) / 2.0
