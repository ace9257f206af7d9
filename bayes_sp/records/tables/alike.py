"""Rows that are alike in every column: one patient entered twice, where chance does not explain it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import pdtrc

from bayes_sp.arrays import Array
from bayes_sp.records.tables.describe import is_number

FEWEST_ROWS = 20
RARE = 0.05
TIMES = 3  # as many as chance explains
FEWEST_PAIRS = 20  # that agree in a column, to say how many of them agree in another
MOST_LIKELY = 0.99
ROUNDING = 0.01  # of a column that follows from others, in units of its SD
SOME = 10_000  # records from which that is seen
type Hashes = NDArray[np.uint64]


def alike_rows(records: pd.DataFrame, rare: float = RARE) -> list[tuple[int, ...]]:
    """Return the rows, from 0, that are alike in every column, group by group, where chance does not explain them.

    Rows that are alike by chance have neighbours. For N_j pairs of rows that differ in column j alone, and a chance a_j
    that two rows agree in it, N_j a_j / (1 - a_j) pairs that agree in it too are expected; a_j is the largest that
    agreement in any other column makes it. Pairs are more than chance explains where they are three times as many as
    the sum of these over all columns, and a Poisson number of that mean is as large with a probability below ``rare``.
    Columns that follow from earlier ones, such as sums and differences, are left out, because no row can differ in
    them alone; so are rows without a value.
    """
    there = records.notna().any(axis=1).to_numpy(dtype=bool)
    rows = np.flatnonzero(there)
    if len(rows) < FEWEST_ROWS or not records.shape[1]:
        return []
    kept = _of_their_own(records)
    codes = [pd.factorize(records.iloc[rows, k], use_na_sentinel=False)[0] for k in kept]
    random = np.random.default_rng(0)  # of the hashes: two different rows agree with a chance of 1 in 1e19
    hashes = [random.integers(2**64, size=int(code.max()) + 1, dtype=np.uint64)[code] for code in codes]
    whole = np.zeros(len(rows), dtype=np.uint64)
    for own in hashes:
        whole += own
    alike = _pairs(whole)
    if not alike:
        return []
    neighbours = [_pairs(whole - own) - alike for own in hashes]
    some = max(1, len(rows) // SOME)
    agree = _agreements([own[::some] for own in hashes], whole[::some]) if any(neighbours) else np.zeros(len(hashes))
    expected = float(np.sum(neighbours * agree / (1.0 - agree)))
    if alike < TIMES * expected or pdtrc(alike - 1, expected) >= rare:
        return []
    _, place, counts = np.unique(whole, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    groups = np.split(rows[order], np.cumsum(counts)[:-1])
    return sorted(tuple(map(int, group)) for group in groups if len(group) > 1)


def _agreements(hashes: list[Hashes], whole: Hashes) -> Array:
    """Return by column the chance that two rows agree in it, given that they do in whatever makes it most likely.

    Pairs that agree in everything are not counted: they are what is in question.
    """
    alike, every = _pairs(whole), len(whole) * (len(whole) - 1) / 2
    own = [_pairs(column) - alike for column in hashes]
    chance = np.array([pairs / (every - alike) if every > alike else 0.0 for pairs in own])
    for j, column in enumerate(hashes):
        for k, other in enumerate(hashes[:j]):
            both = _pairs(column + other) - alike
            for one, given in ((j, k), (k, j)):
                if own[given] >= FEWEST_PAIRS:
                    chance[one] = max(chance[one], both / own[given])
    return np.minimum(chance, MOST_LIKELY)


def _of_their_own(records: pd.DataFrame) -> list[int]:
    """Return the places of columns that are no linear combination of earlier ones, up to rounding."""
    numbers = [k for k in range(records.shape[1]) if is_number(records.iloc[:, k])]
    some = records.iloc[:: max(1, len(records) // SOME), numbers].dropna().to_numpy(dtype=float)
    some = some[np.isfinite(some).all(axis=1)]
    if len(some) < len(numbers) + 2 or not numbers:
        return list(range(records.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        centred = some - some.mean(axis=0)
        sd = centred.std(axis=0)
        centred = centred[:, (sd > 0) & np.isfinite(sd)] / sd[(sd > 0) & np.isfinite(sd)]
    varying = [k for k, own in zip(numbers, sd, strict=True) if own > 0 and np.isfinite(own)]
    distance = np.abs(np.diag(np.linalg.qr(centred, mode="r"))) / np.sqrt(len(centred))
    follows = {k for k, apart in zip(varying, distance, strict=True) if apart < ROUNDING}
    return [k for k in range(records.shape[1]) if k not in follows]


def _pairs(hashes: Hashes) -> int:
    """Return how many pairs of rows have the same hash."""
    counts = np.unique(hashes, return_counts=True)[1]
    return int(np.sum(counts * (counts - 1) // 2))
