"""Functions of an earlier release with the arguments that they took then: they go with the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_sp.analysis.comparison.table import Comparison
from bayes_sp.analysis.criticism.influence import Influence
from bayes_sp.analysis.criticism.pit import LooPit
from bayes_sp.analysis.criticism.predictive import PredictiveChecks
from bayes_sp.analysis.criticism.prior_check import DRAWS, PriorCheck
from bayes_sp.analysis.criticism.prior_predictive import prior_predictive
from bayes_sp.calls import needs_records
from bayes_sp.design.read import Records
from bayes_sp.model.path_model import PathModel
from bayes_sp.report.figures import comparison as forest
from bayes_sp.report.figures import criticism, paths
from bayes_sp.report.figures.style import Figure, figure_of

if TYPE_CHECKING:
    from bayes_sp.analysis.fit import Fit


@needs_records
def check_priors(
    model: PathModel | str | Path, survey: Records, *, seed: int = 1, draws: int = DRAWS,
    thresholds: Mapping[str, float] | None = None,
) -> PriorCheck:  # fmt: skip
    """Call `prior_predictive` and its ``check``."""
    return prior_predictive(model, survey, seed=seed, draws=draws).check(thresholds=thresholds)


def plot_paths(fit: Fit, ci_prob: float = 0.95) -> Figure:
    """Call ``plot.paths``."""
    return figure_of(paths.plot_paths(fit, ci_prob=ci_prob))


def plot_comparison(model: PathModel, comparison: Comparison, unit: str = "") -> Figure:
    """Call ``plot.comparison``."""
    return figure_of(forest.plot_comparison(replace(comparison, model=model), unit=unit))


def plot_influence(model: PathModel, found: Influence) -> Figure:
    """Call ``plot.influence``."""
    return figure_of(criticism.plot_influence(replace(found, model=model)))


def plot_loo_pit(model: PathModel, pit: LooPit) -> Figure:
    """Call ``plot.loo_pit``."""
    return figure_of(criticism.plot_loo_pit(replace(pit, model=model)))


def plot_predictive_checks(model: PathModel, checks: PredictiveChecks) -> Figure:
    """Call ``plot.predictive_checks``."""
    return figure_of(criticism.plot_predictive_checks(replace(checks, model=model)))


def plot_prior_check(model: PathModel, found: PriorCheck) -> Figure:
    """Call ``plot.prior_check``."""
    return figure_of(criticism.plot_prior_check(replace(found, model=model)))
