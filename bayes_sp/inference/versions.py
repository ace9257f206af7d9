"""Versions of what draws depend on."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import sys

PACKAGES = ("bayes_sp", "pymc", "nutpie", "pytensor", "numba", "numpy", "arviz", "xarray", "pandas", "scipy")


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and the packages that draws depend on."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "platform": f"{sys.platform} {platform.machine()}", **found}
