"""Is there any correlation matrix that rounds to the printed one? With a certificate either way.

The least eigenvalue of R = R0 + E is concave in E. Its maximum over the box of roundings is bracketed:

- from below by the least eigenvalue of any matrix in the box: 0 or more, and that matrix is the witness;
- from above by max over the box of <Y, R> for any Y that is positive semidefinite with trace 1, since the least
  eigenvalue is at most <Y, R>: below 0, and Y proves that no matrix in the box is positive semidefinite.

Both come from maximising the smooth minimum -mu log tr exp(-R / mu), whose gradient is such a Y, as mu decreases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from bayes_sp.arrays import Array
from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, Found, Rule
from bayes_sp.records.published.study.form import Study
from bayes_sp.records.published.study.parts import Table

_SMOOTH = (0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
_ROUNDING = 1e-10  # of eigenvalues of a correlation matrix


@dataclass(frozen=True, eq=False)
class Box:
    """All symmetric matrices with ones on the diagonal whose entries lie in intervals.

    Attributes
    ----------
    low, high
        Ends of every entry, (p, p).
    """

    low: Array
    high: Array

    @classmethod
    def of(cls, table: Table, names: Sequence[str] | None = None) -> Box:
        """Return the matrices that round to a table's correlations; where none is printed any from -1 to 1."""
        chosen = table.names if names is None else tuple(names)
        low, high = np.eye(len(chosen)), np.eye(len(chosen))
        for i, row in enumerate(chosen):
            for j, column in enumerate(chosen[:i]):
                r = table.r(row, column)
                ends = (-1.0, 1.0) if r is None else (max(r.low, -1.0), min(r.high, 1.0))
                low[i, j], high[i, j] = low[j, i], high[j, i] = ends
        return cls(low, high)

    @property
    def middle(self) -> Array:
        """The matrix in the middle of the box: the printed one."""
        return 0.5 * (self.low + self.high)

    def part(self, chosen: Sequence[int]) -> Box:
        """Return the box of some of the variables."""
        where = np.ix_(chosen, chosen)
        return Box(self.low[where], self.high[where])


@dataclass(frozen=True, eq=False)
class Feasibility:
    """What is known of the largest least eigenvalue over a box.

    Attributes
    ----------
    lower, upper
        It is between these.
    witness
        A matrix of the box with the least eigenvalue ``lower``.
    certificate
        A positive semidefinite matrix of trace 1 with max <Y, R> = ``upper`` over the box.
    """

    lower: float
    upper: float
    witness: Array
    certificate: Array

    @property
    def verdict(self) -> str:
        """``"consistent"`` with a witness, ``"inconsistent"`` with a certificate, else ``"not checkable"``."""
        if self.lower >= -_ROUNDING:
            return CONSISTENT
        return INCONSISTENT if self.upper < -_ROUNDING else NOT_CHECKABLE


def support(certificate: Array, box: Box) -> float:
    """Return max <Y, R> over a box."""
    return float(np.maximum(certificate * box.low, certificate * box.high).sum())


def feasibility(box: Box) -> Feasibility:
    """Bracket the largest least eigenvalue over a box; it ends as soon as the sign is known."""
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
        if best.lower >= 0.0 or best.upper < -_ROUNDING:
            break
    return best


def smallest_conflict(box: Box) -> tuple[int, ...]:
    """Return variables whose correlations contradict each other, none of which can be left out; none if none do."""
    chosen = list(range(len(box.low)))
    if feasibility(box).verdict != INCONSISTENT:
        return ()
    for variable in range(len(box.low)):
        rest = [k for k in chosen if k != variable]
        if feasibility(box.part(rest)).verdict == INCONSISTENT:
            chosen = rest
    return tuple(chosen)


def _matrices(study: Study) -> Iterator[Found]:
    for table in study.tables:
        printed = sum(item.r is not None for item in table.correlations)
        if not printed:
            continue
        box = Box.of(table)
        found = feasibility(box)
        subject = f"correlations of {table.name}"
        low, high = found.lower, found.upper
        if found.verdict == INCONSISTENT:
            names = ", ".join(table.names[k] for k in smallest_conflict(box))
            detail = f"no positive semidefinite matrix rounds to those of {names}: least eigenvalue {high:.2g} at most"
        elif found.verdict == CONSISTENT:
            own = float(np.linalg.eigvalsh(box.middle)[0])
            detail = f"least eigenvalue {own:.2g} as printed; a matrix that rounds to it has {max(low, own):.2g}"
        else:
            detail = f"the largest least eigenvalue is between {low:.1g} and {high:.1g}: too near to 0 to tell"
        yield Found(subject, f"{printed} correlations", None, None, found.verdict, detail, table.place, table.bearing)


RULES = (
    Rule(
        "correlation matrix",
        "whether any positive semidefinite matrix rounds to the printed correlations",
        "All correlations are of the same patients: with missing values each may be of others, and no matrix need "
        "exist.",
        "The correlations are of different patients, or one of them is printed otherwise than it was; regressions "
        "from this table rest on a matrix that no patients have.",
        _matrices,
    ),
)
