"""Figures of results, each ``x(result, ax=None)``, which return their axes. Names are loaded when first used."""

from __future__ import annotations

import functools
from typing import Any

from bayes_sp.exports import exports

_FIGURES = "bayes_sp.report.figures"
_HOMES = {
    "assurance": f"{_FIGURES}.planning:plot_assurance",
    "attrition": f"{_FIGURES}.attrition:plot_attrition",
    "calibration": f"{_FIGURES}.calibration:plot_calibration",
    "change": f"{_FIGURES}.records:plot_change",
    "comparison": f"{_FIGURES}.comparison:plot_comparison",
    "confounding": f"{_FIGURES}.surfaces:plot_confounding",
    "densities": f"{_FIGURES}.effects:plot_densities",
    "dose": f"{_FIGURES}.effects:plot_dose",
    "effect_curve": f"{_FIGURES}.moderation:plot_effect_curve",
    "forest": f"{_FIGURES}.effects:plot_forest",
    "influence": f"{_FIGURES}.criticism:plot_influence",
    "kappa": f"{_FIGURES}.sensitivity:plot_kappa",
    "loo_pit": f"{_FIGURES}.criticism:plot_loo_pit",
    "members": f"{_FIGURES}.effects:plot_members",
    "models": f"{_FIGURES}.models:plot_models",
    "paths": f"{_FIGURES}.paths:plot_paths",
    "predictive_checks": f"{_FIGURES}.criticism:plot_predictive_checks",
    "prior_check": f"{_FIGURES}.criticism:plot_prior_check",
    "prior_grid": f"{_FIGURES}.surfaces:plot_prior_grid",
    "prior_posterior": f"{_FIGURES}.draws:plot_prior_posterior",
    "rank": f"{_FIGURES}.draws:plot_rank",
    "trace": f"{_FIGURES}.draws:plot_trace",
}

_look_up, __dir__, __all__ = exports(__name__, _HOMES, {})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - functions of many types
    draw = _look_up(name)

    from bayes_sp.report.figures.style import for_pyplot

    @functools.wraps(draw)
    def shown(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the function that draws
        with for_pyplot():
            return draw(*arguments, **options)

    return shown
