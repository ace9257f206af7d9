"""Rules for correlations: whether any matrix rounds to the printed one, and the significance mark that is due."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import stdtr

from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, Found, Rule
from bayes_sp.records.published.audit.rules_comparisons import size_of
from bayes_sp.records.published.rounding.feasible import Box, feasibility, smallest_conflict
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Table
from bayes_sp.records.published.study.results import Study


def _matrices(study: Study) -> Iterator[Found]:
    for table in study.tables:
        printed = sum(item.r is not None for item in table.correlations)
        if not printed:
            continue
        box = Box.of(table)
        found = feasibility(box)
        subject = f"correlations of {table.name}"
        low, high = found.lower, found.upper
        verdict = CONSISTENT if found.feasible else INCONSISTENT if found.infeasible else NOT_CHECKABLE
        if verdict == INCONSISTENT:
            names = ", ".join(table.names[k] for k in smallest_conflict(box))
            detail = f"no positive semidefinite matrix rounds to those of {names}: least eigenvalue {high:.2g} at most"
        elif verdict == CONSISTENT:
            own = float(np.linalg.eigvalsh(box.middle)[0])
            detail = f"least eigenvalue {own:.2g} as printed"
            if own < 0:
                detail += f"; a matrix that rounds to it has {max(low, 0.0):.2g}"
        else:
            detail = f"the largest least eigenvalue is between {low:.1g} and {high:.1g}: too near to 0 to tell"
        yield Found(subject, f"{printed} correlations", None, None, verdict, detail, table.place, table.bearing)


def p_of_r(r: float, n: int) -> float:
    """Return the two-sided p of a correlation of n pairs: t = r sqrt((n - 2) / (1 - r^2))."""
    if abs(r) >= 1.0:
        return 0.0
    return float(2.0 * stdtr(n - 2, -abs(r) * math.sqrt((n - 2) / (1.0 - r * r))))


def p_range(r: Figure, n: int) -> tuple[float, float]:
    """Return the smallest and largest p of the correlations that round to the printed one."""
    least, most = size_of(max(r.low, -1.0), min(r.high, 1.0))
    return p_of_r(most, n), p_of_r(least, n)


def _marks(study: Study) -> Iterator[Found]:
    for table in study.tables:
        if table.marks:
            yield from _of(table)


def _of(table: Table) -> Iterator[Found]:
    """Yield the verdict on every mark of a table, and on every correlation without one."""
    by_strength = sorted((figure.value, mark) for mark, figure in table.marks.items())
    for item in table.correlations:
        if item.r is None:
            continue
        n = min(table.variable(name).n or table.n for name in (item.row, item.column))
        low, high = p_range(item.r, n)
        # The strongest mark whose threshold p is below, at either end of the range of p.
        possible = [
            next((mark for threshold, mark in by_strength if p < threshold), "") for p in (low, high)
        ]  # fmt: skip
        names = [*(mark for _, mark in by_strength), ""]
        first, last = sorted(names.index(mark) for mark in possible)
        verdict = CONSISTENT if first <= names.index(item.mark) <= last else INCONSISTENT
        due = " or ".join(mark or "no mark" for mark in names[first : last + 1])
        subject = f"mark of r({item.row}, {item.column})"
        yield Found(subject, f"{item.r}{item.mark}", low, high, verdict, f"p; {due} follows from n = {n}", table.place)


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
    Rule(
        "significance mark",
        "p of each printed correlation, and the mark that is due",
        "All correlations are of the table's patients, and p is two-sided and not corrected. Correlations of fewer "
        "patients (missing values) have larger p.",
        "The mark alone: the correlation, and what is computed from it, stand.",
        _marks,
    ),
)
