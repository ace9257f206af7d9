"""Names that are loaded when first used: public ones, old ones that work for one release, NumPy's and SciPy's."""

from __future__ import annotations

import importlib
import re
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


__all__ = ["exports", "found", "homes_in", "np", "special", "stats"]


def exports(
    module: str, file: str, old: Mapping[str, tuple[str, str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a module that hands names on.

    The stub beside the module's ``file`` says to type checkers, and here, which names these are and where each comes
    from. ``old`` has for names of an earlier release where they stand now, and what to write in their place.
    """
    homes = homes_in(file)

    def look_up(name: str) -> Any:  # noqa: ANN401 - the public names are of many types
        if name in homes:
            home, there = homes[name]
            return importlib.import_module(f"{home}.{there}") if home == module else found(home, there)
        if name in old:
            home, now = old[name]
            warnings.warn(
                f"{module}.{name} goes with the next release; write {now} in its place", FutureWarning, stacklevel=2
            )
            return found(home, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return look_up, lambda: sorted(homes), sorted(homes)


def homes_in(file: str) -> dict[str, tuple[str, str]]:
    """Return for each name that the stub beside a file hands on the module that defines it, and its name there."""
    with open(f"{file.removesuffix('.py')}.pyi", encoding="utf-8") as stub:
        lines = re.findall(r"^from (\S+) import (\w+) as (\w+)$", stub.read(), flags=re.MULTILINE)
    return {name: (home, there) for home, there, name in lines}


def found(home: str, name: str = "") -> Any:  # noqa: ANN401 - whatever stands there
    """Return what a home names: ``module:name``, or ``name`` of a module. It is imported when it is asked for."""
    place, _, there = home.partition(":")
    return getattr(importlib.import_module(place), there or name)
