"""Rows that are alike in every column: one patient entered twice, where chance does not explain it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

RARE = 0.05
type Hashes = NDArray[np.uint64]


def alike_rows(records: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return the rows, from 0, that are alike in every column, group by group, where chance does not explain them.

    Rows that are alike by chance have many neighbours that differ in one column alone. For each column j, with N_j
    pairs of rows that differ in it alone and q_j the chance that two rows agree in it, N_j q_j / (1 - q_j) pairs that
    agree in it too are expected; as many as the most that any column explains are taken as chance (a Poisson number of
    them, of which as many or more have a probability of 0.05 or more). Rows without a value are left out.
    """
    there = records.notna().any(axis=1).to_numpy(dtype=bool)
    rows = np.flatnonzero(there)
    if len(rows) < 2 or not records.shape[1]:
        return []
    codes = [pd.factorize(records.iloc[rows, k], use_na_sentinel=False)[0] for k in range(records.shape[1])]
    random = np.random.default_rng(0)  # of the hashes: two different rows agree with a chance of 1 in 1e19
    hashes = [random.integers(2**64, size=int(code.max()) + 1, dtype=np.uint64)[code] for code in codes]
    whole = np.zeros(len(rows), dtype=np.uint64)
    for own in hashes:
        whole += own
    alike = _pairs(whole)
    if not alike:
        return []
    expected = 0.0
    for code, own in zip(codes, hashes, strict=True):
        same = float(np.sum((np.bincount(code) / len(code)) ** 2))
        neighbours = _pairs(whole - own) - alike
        expected = max(expected, neighbours * same / (1.0 - same) if same < 1.0 else 0.0)
    if expected and stats.poisson.sf(alike - 1, expected) >= RARE:
        return []
    _, place, counts = np.unique(whole, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    groups = np.split(rows[order], np.cumsum(counts)[:-1])
    return sorted(tuple(map(int, group)) for group in groups if len(group) > 1)


def _pairs(hashes: Hashes) -> int:
    """Return how many pairs of rows have the same hash."""
    counts = np.unique(hashes, return_counts=True)[1]
    return int(np.sum(counts * (counts - 1) // 2))
