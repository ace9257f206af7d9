"""Other seeds for everything in the tests that is not meant to be fixed (``pytest --seed-offset N``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

_default_rng = np.random.default_rng
_offset = 0


def _moved(seed: Any = None) -> np.random.Generator:
    """Return numpy's generator of a seed; of whole numbers another stream, where an offset is set."""
    if _offset and isinstance(seed, int | np.integer):
        return _default_rng([int(seed), _offset])
    if _offset and isinstance(seed, Sequence):
        return _default_rng([*seed, _offset])
    return _default_rng(seed)


def move_seeds(offset: int) -> None:
    """Give every seeded generator of numpy another stream from here on: of the tests and of the package.

    Samplers start where these generators say, so that their draws differ as well.
    """
    global _offset  # noqa: PLW0603 - one for the process, as the function that it replaces
    _offset = offset
    np.random.default_rng = _moved if offset else _default_rng


@contextmanager
def seeds_as_written(*, fixed: bool = True) -> Iterator[None]:
    """Leave seeds as they are written, for what holds for one seed alone."""
    offset = _offset
    move_seeds(0 if fixed else offset)
    try:
        yield
    finally:
        move_seeds(offset)
