"""The rule for a correlation matrix: whether there is any that rounds to the printed one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, Found, Rule
from bayes_sp.records.published.rounding.feasible import Box, feasibility, smallest_conflict
from bayes_sp.records.published.study.form import Study


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
