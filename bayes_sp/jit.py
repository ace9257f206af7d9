"""Machine code that numba keeps on disk, where there is a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def cached(
    compiler: Callable[..., Callable[[Any], Any]], *arguments: object, **options: object
) -> Callable[[Any], Any]:
    """Return a decorator ``compiler(..., cache=True)``, or one without a cache where none can be written.

    numba keeps its files beside the source or in the user's cache folder, and raises RuntimeError where it may write to
    neither (a read-only installation without a home); then everything is compiled again in every process. The
    environment variable NUMBA_CACHE_DIR names another folder.
    """

    def decorate(function: Any) -> Any:  # noqa: ANN401 - whatever the compiler takes and gives
        try:
            return compiler(*arguments, cache=True, **options)(function)
        except RuntimeError as error:
            if "cannot cache function" not in str(error):
                raise
            return compiler(*arguments, **options)(function)

    return decorate
