"""Rules for significance marks: the one that follows from a correlation and the number of patients."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy.special import stdtr

from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, Found, Rule
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.form import Study
from bayes_sp.records.published.study.parts import Table


def p_of_r(r: float, n: int) -> float:
    """Return the two-sided p of a correlation of n pairs: t = r sqrt((n - 2) / (1 - r^2))."""
    if abs(r) >= 1.0:
        return 0.0
    return float(2.0 * stdtr(n - 2, -abs(r) * math.sqrt((n - 2) / (1.0 - r * r))))


def p_range(r: Figure, n: int) -> tuple[float, float]:
    """Return the smallest and largest p of the correlations that round to the printed one."""
    low, high = max(r.low, -1.0), min(r.high, 1.0)
    nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    return p_of_r(max(abs(low), abs(high)), n), p_of_r(nearest, n)


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
        "significance mark",
        "p of each printed correlation, and the mark that is due",
        "All correlations are of the table's patients, and p is two-sided and not corrected. Correlations of fewer "
        "patients (missing values) have larger p.",
        "The mark alone: the correlation, and what is computed from it, stand.",
        _marks,
    ),
)
