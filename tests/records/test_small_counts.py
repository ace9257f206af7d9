"""No hidden count can be worked out: every table that a reader could have in mind is looked at."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bayes_sp.records.small_counts import hidden_counts

LEAST = 3


def with_totals(inner: np.ndarray) -> np.ndarray:
    """Return tables (..., r, c) with their totals, (..., r + 1, c + 1); a row has no totals of columns."""
    rows = np.concatenate([inner, inner.sum(axis=-1, keepdims=True)], axis=-1)
    return rows if inner.shape[-2] == 1 else np.concatenate([rows, rows.sum(axis=-2, keepdims=True)], axis=-2)


def tables_in_mind(inner: np.ndarray, hidden: np.ndarray, most: int) -> np.ndarray:
    """Return every table with the shown cells and totals, cells up to ``most``."""
    free = hidden[: len(inner), :-1]
    cells = np.indices((most + 1,) * int(free.sum()))
    cells = cells.reshape(len(cells), int(np.prod(cells.shape[1:]))).T
    tables = np.repeat(inner[None], len(cells), axis=0)
    tables[:, free] = cells
    full = with_totals(tables)
    return full[(full[:, ~hidden] == with_totals(inner)[~hidden]).all(axis=1)]


def check(inner: np.ndarray, *, zeros: bool, most: int = 12) -> None:
    hidden = np.atleast_2d(hidden_counts(inner[0] if len(inner) == 1 else inner, LEAST, zeros=zeros))
    known = with_totals(inner)
    small = (known < LEAST) & ((known > 0) | zeros)
    assert hidden[small].all()
    if not hidden.any():
        return
    possible = tables_in_mind(inner, hidden, most)
    lowest, highest = possible.min(axis=0), possible.max(axis=0)
    assert (highest > lowest)[hidden].all(), (inner, hidden)
    assert (highest >= LEAST)[small].all(), (inner, hidden)


@pytest.mark.parametrize("zeros", [True, False])
def test_no_hidden_cell_of_a_row_is_determined(zeros):
    """All rows of three cells, and random ones of four."""
    for cells in itertools.product(range(0, 6, 2), repeat=3):
        check(np.array([cells]), zeros=zeros)
    rng = np.random.default_rng(3)
    for cells in rng.integers(0, 7, (10, 4)):
        check(cells[None, :], zeros=zeros, most=12)


@pytest.mark.parametrize("zeros", [True, False])
@pytest.mark.parametrize("shape", [(2, 2), (2, 3)])
def test_no_hidden_cell_of_a_table_is_determined(shape, zeros):
    """Rows, columns and totals together."""
    rng = np.random.default_rng(4)
    for _ in range(20 if shape == (2, 2) else 8):
        check(rng.integers(0, 7 if shape == (2, 2) else 5, shape), zeros=zeros, most=12 if shape == (2, 2) else 8)


def test_no_more_is_hidden_than_must_be():
    """The smallest other cell, the cheapest rectangle, and nothing where all counts are large."""
    assert hidden_counts([40, 3, 25, 60]).tolist() == [False, True, True, False, False]
    assert not hidden_counts([[20, 30], [40, 50]]).any()
    hidden = hidden_counts([[3, 50, 80], [40, 12, 70], [90, 60, 55]])
    assert hidden[:2, :2].all()
    assert hidden.sum() == 4
    assert not hidden_counts([0, 40, 30], zeros=False).any()
    assert hidden_counts([4, 3]).all()


@pytest.mark.parametrize("counts", [[], [1.5, 2.0], [-1, 4], [[[1]]]])
def test_what_is_no_table_of_counts_is_refused(counts):
    """Fractions, negative numbers, nothing, a cube."""
    with pytest.raises(ValueError, match="whole numbers"):
        hidden_counts(counts)
