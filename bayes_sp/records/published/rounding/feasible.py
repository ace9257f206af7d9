"""Is there any positive semidefinite matrix in a box? With a certificate either way.

The least eigenvalue of R = R0 + E is concave in E. Its maximum over the box of roundings is bracketed:

- from below by the least eigenvalue of any matrix in the box: 0 or more, and that matrix is the witness;
- from above by max over the box of <Y, R> for any Y that is positive semidefinite with trace 1, since the least
  eigenvalue is at most <Y, R>: below 0, and Y proves that no matrix in the box is positive semidefinite.

Both come from maximising the smooth minimum -mu log tr exp(-R / mu), whose gradient is such a Y, as mu decreases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

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


_SMOOTH = (0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
ROUNDING = 1e-10  # of eigenvalues of a correlation matrix


@dataclass(frozen=True, eq=False)
class Feasibility:
    """What is known of the largest least eigenvalue over a box."""

    # lower, upper: it is between these.
    lower: float
    upper: float
    witness: Array  # a matrix of the box with the least eigenvalue ``lower``
    certificate: Array  # a positive semidefinite matrix of trace 1 with max <Y, R> = ``upper`` over the box

    @property
    def feasible(self) -> bool:
        """Whether there is a witness."""
        return self.lower >= -ROUNDING

    @property
    def infeasible(self) -> bool:
        """Whether there is a certificate that no matrix of the box is positive semidefinite."""
        return self.upper < -ROUNDING


def support(certificate: Array, box: Box) -> float:
    """Return max <Y, R> over a box."""
    return float(np.maximum(certificate * box.low, certificate * box.high).sum())


def feasibility(box: Box, enough: float = 0.0) -> Feasibility:
    """Bracket the largest least eigenvalue over a box; it ends where it is ``enough``, or certainly below 0."""
    p = len(box.low)
    rows, columns = np.tril_indices(p, -1)
    low, high = box.low[rows, columns], box.high[rows, columns]

    def matrix(entries: Array) -> Array:
        r = np.eye(p)
        r[rows, columns] = r[columns, rows] = entries
        return r

    def smooth(entries: Array, mu: float) -> tuple[float, Array, Array]:
        values, vectors = np.linalg.eigh(matrix(entries))
        weights = np.exp(-(values - values[0]) / mu)
        y = (vectors * (weights / weights.sum())) @ vectors.T
        return float(values[0] - mu * np.log(weights.sum())), 2.0 * y[rows, columns], y

    entries = box.middle[rows, columns]
    least = float(np.linalg.eigvalsh(matrix(entries))[0])
    if least >= max(enough, 0.0):
        return Feasibility(least, np.inf, matrix(entries), np.eye(p) / p)
    best = Feasibility(-np.inf, np.inf, matrix(entries), np.eye(p) / p)
    for mu in _SMOOTH:
        if p > 1:
            found = minimize(
                lambda x, mu=mu: tuple(-part for part in smooth(x, mu)[:2]),
                entries,
                jac=True,
                method="L-BFGS-B",
                bounds=np.stack([low, high], axis=1),
                options={"maxiter": 500},
            )
            entries = np.clip(found.x, low, high)
        y = smooth(entries, mu)[2]
        lower, upper = float(np.linalg.eigvalsh(matrix(entries))[0]), support(y, box)
        best = Feasibility(
            max(lower, best.lower),
            min(upper, best.upper),
            matrix(entries) if lower > best.lower else best.witness,
            y if upper < best.upper else best.certificate,
        )
        if best.lower >= enough or best.upper < -ROUNDING:
            break
    return best


def smallest_conflict(box: Box) -> tuple[int, ...]:
    """Return variables whose correlations contradict each other, none of which can be left out; none if none do."""
    chosen = list(range(len(box.low)))
    if not feasibility(box).infeasible:
        return ()
    for variable in range(len(box.low)):
        rest = [k for k in chosen if k != variable]
        if feasibility(box.part(rest)).infeasible:
            chosen = rest
    return tuple(chosen)
