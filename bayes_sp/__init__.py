"""Bayesian path models with count outcomes: a re-analysis of a social-prescribing study, and the same for your survey.

The public names are loaded when first used, so that importing the package does not import pymc.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes_sp.analysis import compare_models
    from bayes_sp.criticism.elpd import elpd_difference
    from bayes_sp.criticism.prior_check import check_priors
    from bayes_sp.criticism.prior_predictive import prior_predictive
    from bayes_sp.effects.posterior import Effects
    from bayes_sp.errors import BayesSpError
    from bayes_sp.fitting import Fit, fit
    from bayes_sp.frequentist.bootstrap import bootstrap
    from bayes_sp.frequentist.regression import Moments, least_squares
    from bayes_sp.model.build import build_model
    from bayes_sp.model.options import SamplerOptions
    from bayes_sp.report.criticism_figures import plot_influence, plot_loo_pit, plot_predictive_checks, plot_prior_check
    from bayes_sp.report.figures import plot_comparison, plot_paths
    from bayes_sp.report.multiverse_figure import plot_multiverse
    from bayes_sp.runs import read_run
    from bayes_sp.spec.load import load_model
    from bayes_sp.spec.types import PathModel
    from bayes_sp.study.published import published
    from bayes_sp.study.reconstruct import reconstruct
    from bayes_sp.survey.arrays import design_arrays
    from bayes_sp.survey.read import read_survey
    from bayes_sp.survey.records import Survey

__all__ = [
    "BayesSpError",
    "Effects",
    "Fit",
    "Moments",
    "PathModel",
    "SamplerOptions",
    "Survey",
    "bootstrap",
    "build_model",
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
    "read_run",
    "read_survey",
    "reconstruct",
]

_HOMES = {
    "BayesSpError": "bayes_sp.errors",
    "Effects": "bayes_sp.effects.posterior",
    "Fit": "bayes_sp.fitting",
    "Moments": "bayes_sp.frequentist.regression",
    "PathModel": "bayes_sp.spec.types",
    "SamplerOptions": "bayes_sp.model.options",
    "Survey": "bayes_sp.survey.records",
    "bootstrap": "bayes_sp.frequentist.bootstrap",
    "build_model": "bayes_sp.model.build",
    "check_priors": "bayes_sp.criticism.prior_check",
    "compare_models": "bayes_sp.analysis",
    "design_arrays": "bayes_sp.survey.arrays",
    "elpd_difference": "bayes_sp.criticism.elpd",
    "fit": "bayes_sp.fitting",
    "least_squares": "bayes_sp.frequentist.regression",
    "load_model": "bayes_sp.spec.load",
    "plot_comparison": "bayes_sp.report.figures",
    "plot_influence": "bayes_sp.report.criticism_figures",
    "plot_loo_pit": "bayes_sp.report.criticism_figures",
    "plot_multiverse": "bayes_sp.report.multiverse_figure",
    "plot_paths": "bayes_sp.report.figures",
    "plot_predictive_checks": "bayes_sp.report.criticism_figures",
    "plot_prior_check": "bayes_sp.report.criticism_figures",
    "prior_predictive": "bayes_sp.criticism.prior_predictive",
    "published": "bayes_sp.study.published",
    "read_run": "bayes_sp.runs",
    "read_survey": "bayes_sp.survey.read",
    "reconstruct": "bayes_sp.study.reconstruct",
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
