"""Bayesian path models with count outcomes: a re-analysis of a social-prescribing study, and the same for your survey.

The public names are loaded when first used, so that importing the package does not import pymc.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes_sp.analysis.criticism.elpd import elpd_difference
    from bayes_sp.analysis.criticism.prior_check import check_priors
    from bayes_sp.analysis.criticism.prior_predictive import prior_predictive
    from bayes_sp.analysis.fit import Fit, fit
    from bayes_sp.analysis.workflow import compare_models
    from bayes_sp.design.build import design_arrays
    from bayes_sp.design.read import read_survey
    from bayes_sp.effects.paths import Effects
    from bayes_sp.errors import BayesSpError
    from bayes_sp.inference.bootstrap.bootstrap import bootstrap
    from bayes_sp.inference.likelihood.least_squares import Moments, least_squares
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.inference.reference.build import pymc_model
    from bayes_sp.model.path_model import PathModel
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.published.article import published
    from bayes_sp.records.published.reconstruct import reconstruct
    from bayes_sp.records.survey import Survey
    from bayes_sp.report.figures.criticism import plot_influence, plot_loo_pit, plot_predictive_checks, plot_prior_check
    from bayes_sp.report.figures.models import plot_multiverse
    from bayes_sp.report.figures.paths import plot_comparison, plot_paths
    from bayes_sp.report.folders.run import read_run

__all__ = [
    "BayesSpError",
    "Effects",
    "Fit",
    "Moments",
    "PathModel",
    "SamplerOptions",
    "Survey",
    "bootstrap",
    "check_priors",
    "compare_models",
    "design_arrays",
    "elpd_difference",
    "fit",
    "least_squares",
    "load_model",
    "plot_comparison",
    "plot_influence",
    "plot_loo_pit",
    "plot_multiverse",
    "plot_paths",
    "plot_predictive_checks",
    "plot_prior_check",
    "prior_predictive",
    "published",
    "pymc_model",
    "read_run",
    "read_survey",
    "reconstruct",
]

_HOMES = {
    "BayesSpError": "bayes_sp.errors",
    "Effects": "bayes_sp.effects.paths",
    "Fit": "bayes_sp.analysis.fit",
    "Moments": "bayes_sp.inference.likelihood.least_squares",
    "PathModel": "bayes_sp.model.path_model",
    "SamplerOptions": "bayes_sp.inference.options",
    "Survey": "bayes_sp.records.survey",
    "bootstrap": "bayes_sp.inference.bootstrap.bootstrap",
    "check_priors": "bayes_sp.analysis.criticism.prior_check",
    "compare_models": "bayes_sp.analysis.workflow",
    "design_arrays": "bayes_sp.design.build",
    "elpd_difference": "bayes_sp.analysis.criticism.elpd",
    "fit": "bayes_sp.analysis.fit",
    "least_squares": "bayes_sp.inference.likelihood.least_squares",
    "load_model": "bayes_sp.model.reading.load",
    "plot_comparison": "bayes_sp.report.figures.paths",
    "plot_influence": "bayes_sp.report.figures.criticism",
    "plot_loo_pit": "bayes_sp.report.figures.criticism",
    "plot_multiverse": "bayes_sp.report.figures.models",
    "plot_paths": "bayes_sp.report.figures.paths",
    "plot_predictive_checks": "bayes_sp.report.figures.criticism",
    "plot_prior_check": "bayes_sp.report.figures.criticism",
    "prior_predictive": "bayes_sp.analysis.criticism.prior_predictive",
    "published": "bayes_sp.records.published.article",
    "pymc_model": "bayes_sp.inference.reference.build",
    "read_run": "bayes_sp.report.folders.run",
    "read_survey": "bayes_sp.design.read",
    "reconstruct": "bayes_sp.records.published.reconstruct",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("bayes_sp")
    if name == "sensitivity":
        return importlib.import_module("bayes_sp.sensitivity")
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes_sp' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "sensitivity"])
