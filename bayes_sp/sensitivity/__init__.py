"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "Attrition": "bayes_sp.sensitivity.missing.attrition",
    "Confounding": "bayes_sp.sensitivity.confounder.confounding",
    "DeltaCurve": "bayes_sp.sensitivity.missing.delta",
    "EValues": "bayes_sp.sensitivity.confounder.e_values",
    "NonResponders": "bayes_sp.records.nonresponders",
    "PARTS": "bayes_sp.sensitivity.every",
    "PowerScaling": "bayes_sp.sensitivity.power.result",
    "PriorGrid": "bayes_sp.sensitivity.prior.grid",
    "Runner": "bayes_sp.analysis.batch.runner",
    "Sensitivity": "bayes_sp.sensitivity.every",
    "Target": "bayes_sp.sensitivity.target",
    "Tipping": "bayes_sp.sensitivity.crossings",
    "TippingPoint": "bayes_sp.sensitivity.prior.tipping",
    "alternative": "bayes_sp.sensitivity.prior.rules",
    "analyse": "bayes_sp.sensitivity.every",
    "attrition": "bayes_sp.sensitivity.missing.attrition",
    "benchmark_strengths": "bayes_sp.sensitivity.confounder.benchmarks",
    "confounding": "bayes_sp.sensitivity.confounder.confounding",
    "delta_curve": "bayes_sp.sensitivity.missing.delta",
    "e_values": "bayes_sp.sensitivity.confounder.e_values",
    "find_tipping": "bayes_sp.sensitivity.tipping_search",
    "kappa_curve": "bayes_sp.sensitivity.kappa",
    "nonresponders_from_moments": "bayes_sp.records.nonresponders",
    "nonresponders_from_records": "bayes_sp.records.nonresponders",
    "power_scaling": "bayes_sp.sensitivity.power.power",
    "prior_grid": "bayes_sp.sensitivity.prior.grid",
    "prior_overlap": "bayes_sp.sensitivity.power.overlap",
    "prior_tipping_point": "bayes_sp.sensitivity.prior.tipping",
    "published_nonresponders": "bayes_sp.records.published.referred",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes_sp.sensitivity' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
