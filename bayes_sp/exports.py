"""Names that are loaded when first used: public ones, old ones that work for one release, NumPy's and SciPy's."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from scipy import special, stats
else:  # reading or refusing a specification needs names alone

    class _Lazy:
        """A module that is imported at the first look at one of its names."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what modules hold
            return getattr(importlib.import_module(self._name), name)

    np, special, stats = _Lazy("numpy"), _Lazy("scipy.special"), _Lazy("scipy.stats")


__all__ = ["exports", "found", "np", "special", "stats"]


def exports(
    module: str, homes: Mapping[str, str], old: Mapping[str, tuple[str, str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a module that hands names on.

    ``homes`` has for each public name the module that defines it, with ``:name`` where it has another name there (a
    submodule that is public is its own home); ``old`` has for names of an earlier release where they stand now, and
    what to write in their place.
    """

    def look_up(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
        if name in homes:
            home = homes[name]
            return importlib.import_module(home) if home == f"{module}.{name}" else found(home, name)
        if name in old:
            home, now = old[name]
            warnings.warn(
                f"{module}.{name} goes with the next release; write {now} in its place", FutureWarning, stacklevel=2
            )
            return found(home, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return look_up, lambda: sorted(homes), sorted(homes)


def found(home: str, name: str = "") -> Any:  # noqa: ANN401 - whatever stands there
    """Return what a home names: ``module:name``, or ``name`` of a module. It is imported when it is asked for."""
    place, _, there = home.partition(":")
    return getattr(importlib.import_module(place), there or name)
