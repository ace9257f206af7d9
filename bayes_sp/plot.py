"""Figures of results, each ``x(result, ax=None)``. Names are loaded when first used, with matplotlib."""

from __future__ import annotations

from bayes_sp.exports import exports

_HOMES = {
    "assurance": "bayes_sp.report.figures.planning:plot_assurance",
    "calibration": "bayes_sp.report.figures.calibration:plot_calibration",
    "comparison": "bayes_sp.report.figures.paths:plot_comparison",
    "effect_curve": "bayes_sp.report.figures.moderation:plot_effect_curve",
    "influence": "bayes_sp.report.figures.criticism:plot_influence",
    "loo_pit": "bayes_sp.report.figures.criticism:plot_loo_pit",
    "models": "bayes_sp.report.figures.models:plot_models",
    "paths": "bayes_sp.report.figures.paths:plot_paths",
    "predictive_checks": "bayes_sp.report.figures.criticism:plot_predictive_checks",
    "prior_check": "bayes_sp.report.figures.criticism:plot_prior_check",
}

__getattr__, __dir__, __all__ = exports(__name__, _HOMES, {})
