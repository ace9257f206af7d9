"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

from bayes_sp.exports import exports

_HOMES = {
    "Attrition": "bayes_sp.sensitivity.missing.attrition",
    "Confounding": "bayes_sp.sensitivity.confounder.confounding",
    "DeltaCurve": "bayes_sp.sensitivity.missing.delta",
    "EValues": "bayes_sp.sensitivity.confounder.e_values",
    "KappaCurve": "bayes_sp.sensitivity.coupling",
    "NonResponders": "bayes_sp.records.nonresponders",
    "PARTS": "bayes_sp.sensitivity.every",
    "PowerScaling": "bayes_sp.sensitivity.power.result",
    "PriorGrid": "bayes_sp.sensitivity.prior.grid",
    "Runner": "bayes_sp.analysis.batch.runner",
    "Sensitivity": "bayes_sp.sensitivity.every",
    "Target": "bayes_sp.sensitivity.target",
    "Tipping": "bayes_sp.sensitivity.crossings",
    "TippingPoint": "bayes_sp.sensitivity.prior.tipping",
    "all": "bayes_sp.sensitivity.every:analyse_fit",
    "alternative": "bayes_sp.sensitivity.prior.rules",
    "attrition": "bayes_sp.sensitivity.missing.attrition",
    "benchmarks": "bayes_sp.sensitivity.confounder.benchmarks:benchmark_strengths",
    "confounding": "bayes_sp.sensitivity.asked",
    "delta": "bayes_sp.sensitivity.asked",
    "e_values": "bayes_sp.sensitivity.confounder.e_values",
    "find_tipping": "bayes_sp.sensitivity.tipping_search",
    "kappa": "bayes_sp.sensitivity.coupling:kappa_curve",
    "nonresponders_from_moments": "bayes_sp.records.nonresponders",
    "nonresponders_from_records": "bayes_sp.records.nonresponders",
    "overlap": "bayes_sp.sensitivity.power.overlap:prior_overlap",
    "power_scaling": "bayes_sp.sensitivity.power.power",
    "priors": "bayes_sp.sensitivity.asked",
    "published_nonresponders": "bayes_sp.records.published.referred",
    "tipping_point": "bayes_sp.sensitivity.asked",
}
_OLD = {
    "analyse": ("bayes_sp.sensitivity.every", "sensitivity.all(fit)"),
    "benchmark_strengths": ("bayes_sp.sensitivity.confounder.benchmarks", "sensitivity.benchmarks(fit)"),
    "delta_curve": ("bayes_sp.sensitivity.missing.delta", "sensitivity.delta(fit)"),
    "kappa_curve": ("bayes_sp.sensitivity.coupling", "sensitivity.kappa(fit)"),
    "prior_grid": ("bayes_sp.sensitivity.prior.grid", "sensitivity.priors(fit)"),
    "prior_overlap": ("bayes_sp.sensitivity.power.overlap", "sensitivity.overlap(fit)"),
    "prior_tipping_point": ("bayes_sp.sensitivity.prior.tipping", "sensitivity.tipping_point(fit)"),
}

__getattr__, __dir__, __all__ = exports(__name__, _HOMES, _OLD)
