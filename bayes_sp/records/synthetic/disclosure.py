"""How near synthetic rows are to the records that their moments come from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from bayes_sp.arrays import Array

QUANTILES = (0.05, 0.5)
LEAST_APART = 0.5  # of the distance between records, below which synthetic rows are too near to them


@dataclass(frozen=True)
class Nearness:
    """Distances to the nearest record: Euclidean, each column in its SDs, a missing cell at the column's mean."""

    synthetic: tuple[float, float]  # 5 % quantile and median of a synthetic row's distance to its nearest record
    records: tuple[float, float]  # the same of a record's distance to its nearest other record
    replicated: int  # synthetic rows that are the same as a record which no other record is the same as
    unique: int  # records that no other record is the same as

    @property
    def near(self) -> bool:
        """Whether synthetic rows lie nearer to records than records to each other, or are such records."""
        low, other = self.synthetic[0], self.records[0]
        return self.replicated > 0 or low < LEAST_APART * other


def nearness(records: pd.DataFrame, synthetic: pd.DataFrame) -> Nearness:
    """Return how near the rows of a synthetic table are to records with the same columns of numbers."""
    mean, sd = records.mean(), records.std().replace(0.0, 1.0)
    known = ((records - mean) / sd).fillna(0.0).to_numpy(dtype=float)
    new = ((synthetic - mean) / sd).fillna(0.0).to_numpy(dtype=float)
    tree = cKDTree(known)
    own = tree.query(known, k=2)[0][:, 1]
    other = tree.query(new)[0]
    counts = Counter(_rows(records))
    alone = {row for row, count in counts.items() if count == 1}
    return Nearness(_quantiles(other), _quantiles(own), sum(row in alone for row in _rows(synthetic)), len(alone))


def _quantiles(distances: Array) -> tuple[float, float]:
    low, middle = np.quantile(distances, QUANTILES)
    return float(low), float(middle)


def _rows(table: pd.DataFrame) -> list[tuple[float, ...]]:
    """Return rows that are the same where their cells are, missing ones too."""
    values = np.round(table.to_numpy(dtype=float, na_value=np.nan), 9)
    return list(map(tuple, np.where(np.isnan(values), np.inf, values).tolist()))
