"""nutpie, imported without ArviZ.

nutpie imports ArviZ, and with it Matplotlib and scipy.stats, for one conversion of its draws, which `nuts` does
without. That is a second of the three that imports take, so while nutpie is imported a stand-in takes the place of
ArviZ; it hands on to the real one whatever is asked of it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """A module that is imported when something is asked of it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a module's names are of any type
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module("arviz"), name)


def _import() -> ModuleType:
    if "arviz" in sys.modules or "nutpie" in sys.modules:
        return importlib.import_module("nutpie")
    sys.modules["arviz"] = _Later("arviz")
    try:
        return importlib.import_module("nutpie")
    finally:
        del sys.modules["arviz"]


nutpie: Any = _import()
compile_pymc: Any = importlib.import_module("nutpie.compile_pymc")
