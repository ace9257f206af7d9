"""NumPy and SciPy, loaded when first used: reading or refusing a specification needs names alone."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from scipy import special, stats
else:

    class _Lazy:
        """A module that is imported at the first look at one of its names."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what modules hold
            return getattr(importlib.import_module(self._name), name)

    np, special, stats = _Lazy("numpy"), _Lazy("scipy.special"), _Lazy("scipy.stats")

__all__ = ["np", "special", "stats"]
