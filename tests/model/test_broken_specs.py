"""Shipped specifications with something of them taken out, put in or changed are read or refused, never a traceback."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayes_sp.errors import SpecificationError
from bayes_sp.model.reading.load import parse_model

FOLDER = Path(__file__).resolve().parents[2] / "models"
FILES = sorted([*FOLDER.glob("*.toml"), *FOLDER.glob("examples/*.toml")])
SPECIFICATIONS = [tomllib.loads(path.read_text(encoding="utf-8")) for path in FILES]
VALUES: list[Any] = [
    "", 0, -1, 1.5, True, [], {}, "loneliness_t1", "group_change", "x:y", ["a"], ["group_change", "age"], [["a", "b"]],
    float("nan"), "age", "zero_age", [1, 2, 3], {"dist": "normal"},
]  # fmt: skip
KEYS = (
    "interactions", "products", "monotonic", "zero", "parents", "covariates", "levels", "center", "family", "exposures",
    "zero_age", "group_change:age",
)  # fmt: skip


def places(tables: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something stands: the keys to it, one after the other."""
    if isinstance(tables, dict | list):
        for key, below in tables.items() if isinstance(tables, dict) else enumerate(tables):
            yield (*before, key)
            yield from places(below, (*before, key))


def spoil(tables: dict[str, Any], rng: np.random.Generator) -> None:
    """Take one thing out, put another in its place, or add a key beside it."""
    known = list(places(tables))
    *above, last = known[rng.integers(len(known))]
    table: Any = tables
    for key in above:
        table = table[key]
    value = deepcopy(VALUES[rng.integers(len(VALUES))])
    what = rng.integers(3)
    if what == 0:
        del table[last]
    elif what == 1 or isinstance(table, list):
        table[last] = value
    else:
        table[KEYS[rng.integers(len(KEYS))]] = value


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.exhaustive)])
def test_a_spoiled_specification_is_read_or_refused(count):
    """With one to three changes at random."""
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(count):
        tables = deepcopy(SPECIFICATIONS[rng.integers(len(SPECIFICATIONS))])
        for _ in range(rng.integers(1, 4)):
            spoil(tables, rng)
        try:
            parse_model(tables, name="spoiled", source="spoiled.toml")
        except SpecificationError:
            refused += 1
    assert 0 < refused < count
