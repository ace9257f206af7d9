"""Cases of which a few say in seconds what all of them say in minutes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest

# Normal and count equations, levels with steps, bounded mediators with zeros: a specification of each kind.
KINDS = ("primary", "ordinal", "bounded", "hurdle")


def some_fast(cases: Iterable[Any], fast: Collection[Any] = KINDS) -> list[Any]:
    """Return all cases for a parametrisation, those that are not among the fast ones marked as slow."""
    return [case if case in fast else pytest.param(case, marks=pytest.mark.slow) for case in cases]
