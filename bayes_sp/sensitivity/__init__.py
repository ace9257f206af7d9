"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "Attrition": "bayes_sp.sensitivity.everyone",
    "Confounding": "bayes_sp.sensitivity.unmeasured_confounding",
    "DeltaCurve": "bayes_sp.sensitivity.delta",
    "EValues": "bayes_sp.sensitivity.evalues",
    "NonResponders": "bayes_sp.survey.nonresponders",
    "PARTS": "bayes_sp.sensitivity.whole",
    "PowerScaling": "bayes_sp.sensitivity.power_result",
    "PriorGrid": "bayes_sp.sensitivity.prior_fits",
    "Runner": "bayes_sp.many.run",
    "Sensitivity": "bayes_sp.sensitivity.whole",
    "Target": "bayes_sp.sensitivity.target",
    "Tipping": "bayes_sp.sensitivity.crossings",
    "TippingPoint": "bayes_sp.sensitivity.prior_tipping",
    "alternative": "bayes_sp.sensitivity.alternatives",
    "analyse": "bayes_sp.sensitivity.whole",
    "attrition": "bayes_sp.sensitivity.everyone",
    "benchmark_strengths": "bayes_sp.sensitivity.covariate_strengths",
    "confounding": "bayes_sp.sensitivity.unmeasured_confounding",
    "delta_curve": "bayes_sp.sensitivity.delta",
    "e_values": "bayes_sp.sensitivity.evalues",
    "find_tipping": "bayes_sp.sensitivity.tipping",
    "kappa_curve": "bayes_sp.sensitivity.kappa",
    "nonresponders_from_moments": "bayes_sp.survey.nonresponders",
    "nonresponders_from_records": "bayes_sp.survey.nonresponders",
    "power_scaling": "bayes_sp.sensitivity.power",
    "prior_grid": "bayes_sp.sensitivity.prior_fits",
    "prior_overlap": "bayes_sp.sensitivity.overlap",
    "prior_tipping_point": "bayes_sp.sensitivity.prior_tipping",
    "published_nonresponders": "bayes_sp.study.referred",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes_sp.sensitivity' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
