"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "DeltaCurve": "bayes_sp.sensitivity.delta",
    "PriorGrid": "bayes_sp.sensitivity.prior_grid",
    "Runner": "bayes_sp.many.run",
    "kappa_curve": "bayes_sp.sensitivity.kappa",
    "Target": "bayes_sp.sensitivity.target",
    "delta_curve": "bayes_sp.sensitivity.delta",
    "Tipping": "bayes_sp.sensitivity.crossings",
    "TippingPoint": "bayes_sp.sensitivity.prior_tipping",
    "alternative": "bayes_sp.sensitivity.alternatives",
    "find_tipping": "bayes_sp.sensitivity.tipping",
    "prior_grid": "bayes_sp.sensitivity.prior_grid",
    "prior_tipping_point": "bayes_sp.sensitivity.prior_tipping",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes_sp.sensitivity' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
