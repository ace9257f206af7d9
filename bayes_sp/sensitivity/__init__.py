"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

from bayes_sp.exports import exports

_OLD = {
    "analyse": ("bayes_sp.sensitivity.every", "sensitivity.all(fit)"),
    "benchmark_strengths": ("bayes_sp.sensitivity.confounder.benchmarks", "sensitivity.benchmarks(fit)"),
    "delta_curve": ("bayes_sp.sensitivity.missing.delta", "sensitivity.delta(fit)"),
    "kappa_curve": ("bayes_sp.sensitivity.coupling", "sensitivity.kappa(fit)"),
    "prior_grid": ("bayes_sp.sensitivity.prior.grid", "sensitivity.priors(fit)"),
    "prior_overlap": ("bayes_sp.sensitivity.power.overlap", "sensitivity.overlap(fit)"),
    "prior_tipping_point": ("bayes_sp.sensitivity.prior.tipping", "sensitivity.tipping_point(fit)"),
}

__getattr__, __dir__, __all__ = exports(__name__, __file__, _OLD)
