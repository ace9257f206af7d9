"""Packages that xarray and numba import wherever they are installed, in processes that have no use for them.

xarray imports Dask with its first array, and the distributed scheduler with its first file; numba imports coverage.
Together they take as long as sampling a small model.
"""

from __future__ import annotations

import sys

UNNEEDED = ("dask", "coverage")


def leave_out() -> None:
    """Let imports of them fail in this process, of which the package is the only user, where none is loaded yet."""
    for name in UNNEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None: the package counts as not installed


def let_in(name: str) -> None:
    """Make one of them importable again."""
    if sys.modules.get(name, name) is None:
        del sys.modules[name]
