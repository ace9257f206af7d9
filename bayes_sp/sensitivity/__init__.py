"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "PriorGrid": "bayes_sp.sensitivity.prior_fits",
    "PowerScaling": "bayes_sp.sensitivity.power_result",
    "Confounding": "bayes_sp.sensitivity.unmeasured",
    "EValues": "bayes_sp.sensitivity.evalues",
    "DeltaCurve": "bayes_sp.sensitivity.delta",
    "Attrition": "bayes_sp.sensitivity.everyone",
    "NonResponders": "bayes_sp.survey.nonresponders",
    "PriorGrid": "bayes_sp.sensitivity.prior_fits",
    "Runner": "bayes_sp.many.run",
    "Target": "bayes_sp.sensitivity.target",
    "Tipping": "bayes_sp.sensitivity.crossings",
    "TippingPoint": "bayes_sp.sensitivity.prior_tipping",
    "PARTS": "bayes_sp.sensitivity.whole",
    "Sensitivity": "bayes_sp.sensitivity.whole",
    "alternative": "bayes_sp.sensitivity.alternatives",
    "find_tipping": "bayes_sp.sensitivity.tipping",
    "prior_grid": "bayes_sp.sensitivity.prior_fits",
    "prior_tipping_point": "bayes_sp.sensitivity.prior_tipping",
    "power_scaling": "bayes_sp.sensitivity.power",
    "prior_overlap": "bayes_sp.sensitivity.overlap",
    "benchmark_strengths": "bayes_sp.sensitivity.benchmarks",
    "confounding": "bayes_sp.sensitivity.unmeasured",
    "e_values": "bayes_sp.sensitivity.evalues",
    "delta_curve": "bayes_sp.sensitivity.delta",
    "analyse": "bayes_sp.sensitivity.whole",
    "attrition": "bayes_sp.sensitivity.everyone",
    "kappa_curve": "bayes_sp.sensitivity.kappa",
    "nonresponders_from_moments": "bayes_sp.survey.nonresponders",
    "nonresponders_from_records": "bayes_sp.survey.nonresponders",
    "published_nonresponders": "bayes_sp.study.referred",
    "alternative": "bayes_sp.sensitivity.alternatives",
    "find_tipping": "bayes_sp.sensitivity.tipping",
    "prior_grid": "bayes_sp.sensitivity.prior_fits",
    "prior_tipping_point": "bayes_sp.sensitivity.prior_tipping",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes_sp.sensitivity' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
