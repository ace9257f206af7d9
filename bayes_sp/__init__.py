"""Bayesian path models with count outcomes: a re-analysis of a social-prescribing study, and the same for your survey.

The public names are loaded when first used, so that importing the package does not import pymc; ``__init__.pyi`` says
which they are, here and to type checkers.
"""

from __future__ import annotations

from typing import Any

from bayes_sp.exports import exports

_OLD = {
    "Effects": ("bayes_sp.effects.paths", "bayes_sp.effects.paths.Effects"),
    "Prior": ("bayes_sp.model.distributions", "bayes_sp.model.distributions.Prior"),
    "build_model": ("bayes_sp.inference.reference.build", "pymc_model(model, survey)"),
    "check_priors": ("bayes_sp.old_spellings", "prior_predictive(model, survey).check()"),
    "design_arrays": ("bayes_sp.design.build", "bootstrap(model, survey) or pymc_model(model, survey)"),
    "elpd_difference": ("bayes_sp.analysis.criticism.loo", "fit.loo().compare(other.loo())"),
    "least_squares": ("bayes_sp.inference.likelihood.least_squares", "moments.least_squares(response, predictors)"),
    "plot_comparison": ("bayes_sp.old_spellings", "plot.comparison(comparison)"),
    "plot_influence": ("bayes_sp.old_spellings", "plot.influence(influence)"),
    "plot_loo_pit": ("bayes_sp.old_spellings", "plot.loo_pit(pit)"),
    "plot_multiverse": ("bayes_sp.report.figures.models:plot_models", "plot.models(comparison)"),
    "plot_paths": ("bayes_sp.old_spellings", "plot.paths(fit)"),
    "plot_predictive_checks": ("bayes_sp.old_spellings", "plot.predictive_checks(checks)"),
    "plot_prior_check": ("bayes_sp.old_spellings", "plot.prior_check(check)"),
}

_look_up, __dir__, __all__ = exports(__name__, __file__, _OLD)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name == "__version__":
        from importlib.metadata import version

        return version("bayes_sp")
    return _look_up(name)
