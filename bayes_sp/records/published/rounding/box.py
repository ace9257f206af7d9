"""All symmetric matrices with ones on the diagonal that round to a printed correlation matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.records.published.study.parts import Table


@dataclass(frozen=True, eq=False)
class Box:
    """All symmetric matrices with ones on the diagonal whose entries lie in intervals."""

    # low, high: ends of every entry, (p, p).
    low: Array
    high: Array

    @classmethod
    def of(cls, table: Table, names: Sequence[str] | None = None) -> Box:
        """Return the matrices that round to a table's correlations; where none is printed any from -1 to 1."""
        chosen = table.names if names is None else tuple(names)
        printed = {frozenset((c.row, c.column)): c.r for c in table.correlations}
        low, high = np.eye(len(chosen)), np.eye(len(chosen))
        for i, row in enumerate(chosen):
            for j, column in enumerate(chosen[:i]):
                r = printed.get(frozenset((row, column)))
                ends = (-1.0, 1.0) if r is None else (max(r.low, -1.0), min(r.high, 1.0))
                low[i, j], high[i, j] = low[j, i], high[j, i] = ends
        return cls(low, high)

    @property
    def middle(self) -> Array:
        """The matrix in the middle of the box: the printed one."""
        return 0.5 * (self.low + self.high)

    @property
    def half_width(self) -> Array:
        """Half of every interval's length."""
        return 0.5 * (self.high - self.low)

    @property
    def inside_the_cone(self) -> bool:
        """Whether every matrix of the box is positive definite, by the norm of the largest deviation."""
        return bool(np.linalg.eigvalsh(self.middle)[0] > np.linalg.norm(self.half_width, 2))

    def part(self, chosen: Sequence[int]) -> Box:
        """Return the box of some of the variables."""
        where = np.ix_(chosen, chosen)
        return Box(self.low[where], self.high[where])
