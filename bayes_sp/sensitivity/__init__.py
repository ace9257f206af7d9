"""Sensitivity analyses: what it would take to change the conclusion. Names are loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "Confounding": "bayes_sp.sensitivity.unmeasured_confounding",
    "EValues": "bayes_sp.sensitivity.evalues",
    "Runner": "bayes_sp.many.run",
    "kappa_curve": "bayes_sp.sensitivity.kappa",
    "Target": "bayes_sp.sensitivity.target",
    "benchmark_strengths": "bayes_sp.sensitivity.covariate_strengths",
    "confounding": "bayes_sp.sensitivity.unmeasured_confounding",
    "e_values": "bayes_sp.sensitivity.evalues",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes_sp.sensitivity' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
