"""What a process of ours does without: packages that libraries import wherever they are, searches for garbage.

xarray imports Dask with its first array, and the distributed scheduler with its first file; numba imports coverage;
SciPy all of NumPy, and with it a guesser of encodings. Together they take as long as sampling a small model.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNNEEDED = ("dask", "coverage", "charset_normalizer")


_left_out = list[bool]()  # [True] in a process that is ours


def leave_out() -> None:
    """Let imports of them fail in this process, of which the package is the only user, where none is loaded yet."""
    _left_out[:] = [True]
    for name in UNNEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None: the package counts as not installed


def let_in(name: str) -> None:
    """Make one of them importable again."""
    if sys.modules.get(name, name) is None:
        del sys.modules[name]


@contextmanager
def staying() -> Iterator[None]:
    """Make what stays, such as imports: no search for garbage interrupts it, and in a process of ours none sees it."""
    gc.disable()
    try:
        yield
    finally:
        if _left_out:
            gc.freeze()
        gc.enable()
