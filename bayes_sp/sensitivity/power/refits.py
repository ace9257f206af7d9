"""Fits with one part of the joint density to a power, where weights do not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from bayes_sp.analysis.batch.cell import Answer, Cell
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer_table
from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.analysis.fit import Fit
from bayes_sp.errors import BayesSpError, SpecificationError
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.model.powers import scaled_model
from bayes_sp.sensitivity.power.blocks import PriorBlock

ALL_PRIORS, LIKELIHOOD = "all priors", "likelihood"
type Pair = tuple[str, float]  # block, power


@dataclass(frozen=True, eq=False)
class Refit:
    """What a fit with a power says."""

    table: pd.DataFrame | None  # its effects; None where there is none
    reason: str = ""  # why there is none, or why its draws are not trustworthy; '' for nothing


def refits(
    fit: Fit, blocks: Sequence[PriorBlock], pairs: Sequence[Pair], ci_prob: float, runner: Runner
) -> dict[Pair, Refit]:
    """Fit again for each (block, power): other priors as cells of the runner, powers of the likelihood here."""
    found: dict[Pair, Refit] = {}
    cells: dict[Pair, Cell] = {}
    for name, alpha in pairs:
        if name == LIKELIHOOD:
            found[name, alpha] = _likelihood_refit(fit, alpha, ci_prob)
            continue
        entries = [block.entry for block in blocks if name in (ALL_PRIORS, block.name)]
        try:
            model = scaled_model(fit.model, entries, alpha)
        except SpecificationError as error:
            found[name, alpha] = Refit(None, f"weights do not hold, and {_sentence(error)}")
            continue
        cells[name, alpha] = Cell(
            f"{name} to the power {alpha:g}", model, fit.survey, fit.seed, fit.options, ci_prob=ci_prob
        )
    for pair, outcome in zip(cells, runner.run(list(cells.values())) if cells else [], strict=True):
        if isinstance(outcome, Answer):
            found[pair] = Refit(outcome.table, "; ".join(outcome.reasons))
        else:
            found[pair] = Refit(None, f"weights do not hold, and the refit failed: {outcome.reason}")
    return found


def _likelihood_refit(fit: Fit, alpha: float, ci_prob: float) -> Refit:
    """Fit with a power of the likelihood; by NUTS where the fit was PyMC's own, whose model has no such power."""
    options = replace(fit.options, method="nuts") if fit.options.method == "pymc" else fit.options
    try:
        tree = sample_posterior(fit.model, fit.survey, seed=fit.seed, options=options, likelihood_power=alpha)
    except BayesSpError as error:
        return Refit(None, f"weights do not hold, and there is no refit: {_sentence(error)}")
    effects = replace(fit, posterior=tree).effects()
    verdict = diagnose(tree, effects.quantities())
    return Refit(answer_table(effects, ci_prob), "; ".join(verdict.reasons))


def _sentence(error: BayesSpError) -> str:
    return "; ".join(error.problems)
