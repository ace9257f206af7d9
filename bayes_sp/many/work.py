"""What a worker does with a cell: fit, diagnose, effects. Importable by name, so that any executor can send it."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from bayes_sp.criticism.diagnostics import diagnose
from bayes_sp.effects.posterior import Effects
from bayes_sp.errors import BayesSpError
from bayes_sp.fitting import fit
from bayes_sp.many.cells import Answer, Cell, Failure, Outcome
from bayes_sp.spec.dump import specification_text


def answer(cell: Cell) -> Outcome:
    """Fit a cell; a mistake in its specification or records, or a fit that fails, becomes a `Failure`."""
    started = time.perf_counter()
    try:
        fitted = fit(cell.model, cell.survey, seed=cell.seed, options=cell.options)
        effects = fitted.effects(kappa=cell.kappa)
        verdict = diagnose(fitted.posterior, effects.quantities())
    except BayesSpError as error:
        return Failure(cell.key, cell.name, "; ".join(error.problems), specification_text(cell.model))
    table = answer_table(effects, cell.ci_prob)
    return Answer(cell.key, table, verdict.trustworthy, verdict.reasons, round(time.perf_counter() - started, 3))


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
