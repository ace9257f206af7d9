"""Records made from any study's printed table: what they reproduce, what contradicts itself, and what is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.errors import nearest
from bayes_sp.records.published.audit.audit import RULES, line_of
from bayes_sp.records.published.audit.finding import INCONSISTENT, Finding
from bayes_sp.records.published.constraints import beside_printed
from bayes_sp.records.published.margins import UnreachableError
from bayes_sp.records.published.printed import Printed
from bayes_sp.records.published.rebuild.choose import choose
from bayes_sp.records.published.rebuild.columns import Measure
from bayes_sp.records.published.rebuild.exchange import Goal, copula, exchange
from bayes_sp.records.published.rounding.feasible import Box, feasibility
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Table
from bayes_sp.records.published.study.read import StudyError, read_study
from bayes_sp.records.published.study.results import Study
from bayes_sp.records.survey import RECONSTRUCTED, Survey

_CONSTRAINTS = (
    "GRIM", "GRIMMER", "bounds of a scale", "DEBIT", "total of a mean", "change score", "correlation matrix",
)  # fmt: skip
_ATTEMPTS = 8
_PROPOSALS = 400_000  # in the first attempt, and so many more in every second one
_HARDLY = 0.95  # of what was left before is hardly less
_SWAPS_ONLY = 2  # attempts in which columns keep the shape that they are drawn with
_EDGE = 1e-9
_MOST_PATIENTS = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class Rebuilt(Survey):
    """Records made from a study's printed table."""

    # One row for each printed mean, SD and correlation: ``statistic``, ``variable``, ``other``, ``printed``,
    # ``target``, ``achieved`` and ``excess``, the distance beyond the rounding of the printed figure.
    comparison: pd.DataFrame = field(default_factory=pd.DataFrame)
    contradictions: tuple[str, ...] = ()  # printed numbers that no records can have together, each a smallest such set

    def report(self) -> pd.DataFrame:
        """Return the comparison of the records with the printed table."""
        return self.comparison

    @property
    def deviations(self) -> pd.DataFrame:
        """Rows of the comparison that are beyond rounding."""
        return self.comparison[self.comparison["excess"] > _EDGE]


def contradictions(study: Study) -> tuple[str, ...]:
    """Return every smallest set of a study's moments and correlations that no records can have together."""
    rules = [rule for rule in RULES if rule.name in _CONSTRAINTS]
    findings = [Finding.of(rule, found) for rule in rules for found in rule.find(study)]
    return tuple(f"{finding.rule}: {line_of(finding)}" for finding in findings if finding.verdict == INCONSISTENT)


def rebuild(
    study: str | Path | Mapping[str, Any] | Study, *, seed: int = 1, table: str = "", count_shape: str = ""
) -> Rebuilt:
    """Make records that give back a study's printed means, SDs and correlations after rounding.

    Scores lie on the stated scales in their steps; a change is the difference of its parts in every record; printed
    totals are exact. What no records can have together is named, and the records then come as near as was found.

    Raises StudyError if the study cannot be read, has no such table, or a column on its own cannot be made.

    For the arguments see `bayes_sp.reconstruct`; ``table`` names one where the study has several (by default the
    first).
    """
    read = study if isinstance(study, Study) else read_study(study)
    chosen = _table(read, table)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise StudyError(read.source, [f"the seed must be a whole number of 0 or more, got {seed!r}"])
    rng = np.random.default_rng(seed)
    names, goal = _goal(read, chosen)
    printed = {name: Measure.of(read, chosen, chosen.variable(name)) for name in names}
    if count_shape:
        printed = {n: replace(own, shape=count_shape) if own.shape else own for n, own in printed.items()}
    correlation = _start(chosen, names)
    limits = np.array([measure.limits() for measure in printed.values()])
    best: tuple[float, Array] = (np.inf, np.empty(0))
    named = contradictions(read)
    for attempt in range(_ATTEMPTS):
        try:
            columns = choose(read, chosen, printed, rng)
        except UnreachableError as found:
            raise StudyError(read.source, [f"{found}; see the audit of this study"]) from found
        start = copula(columns, correlation, rng)
        shapes = None if attempt < _SWAPS_ONLY else limits
        arranged, left = exchange(start, goal, _PROPOSALS * (1 + attempt // 2), rng, shapes)
        before = best[0]
        best = min(best, (left, arranged), key=lambda found: found[0])
        if left == 0.0 or (named and left > _HARDLY * before):  # what contradicts itself need not be tried for long
            break
    columns = np.stack([measure.exact(values) for measure, values in zip(printed.values(), best[1], strict=True)])
    records = _records(columns, names, read, chosen)
    source = f"{RECONSTRUCTED} of {Path(read.source).stem} (seed {seed})"
    return Rebuilt(records, "reconstruction", source, comparison=compare(records, chosen), contradictions=named)


def _table(study: Study, name: str) -> Table:
    """Return the table of that name, or the first; StudyError if there is none."""
    names = [table.name for table in study.tables]
    if not names:
        raise StudyError(study.source, ["has no [[table]] of means, SDs and correlations"])
    if name and name not in names:
        raise StudyError(study.source, [f"has no table {name!r}{nearest(name, names)}"])
    found = study.tables[names.index(name) if name else 0]
    if found.n > _MOST_PATIENTS:
        raise StudyError(study.source, [f"{found.name} is of {found.n} patients; {_MOST_PATIENTS} can be made at most"])
    return found


def _goal(study: Study, table: Table) -> tuple[list[str], Goal]:
    """Return the columns to draw, and what is printed of them and of their differences."""
    changes = {c.score: c for c in study.changes if {c.score, c.before, c.after} <= set(table.names)}
    derived = {name for name, change in changes.items() if not {change.before, change.after} & changes.keys()}
    names = [name for name in table.names if name not in derived]
    places = {name: i for i, name in enumerate(names)}
    parts = [
        (places[changes[name].after], places[changes[name].before]) if name in derived else (places[name], -1)
        for name in table.names
    ]
    box = Box.of(table)
    unprinted = np.array([[table.r(a, b) is None for b in table.names] for a in table.names])
    low, high = np.where(unprinted, -3.0, box.low), np.where(unprinted, 3.0, box.high)
    sds = [table.variable(name).sd for name in table.names]
    ends = np.array([(-3.0, 3.0) if sd is None else sd.interval for sd in sds])
    return names, Goal(np.array(parts), low, high, ends[:, 0], ends[:, 1])


def _start(table: Table, names: list[str]) -> Array:
    """Return a correlation matrix of the drawn columns near to the printed one."""
    box = Box.of(table, names)
    if float(np.linalg.eigvalsh(box.middle)[0]) >= 0:
        return box.middle
    return feasibility(box).witness


def _records(columns: Array, names: list[str], study: Study, table: Table) -> pd.DataFrame:
    """Return columns with their differences, in the table's order; whole numbers as such."""
    values = dict(zip(names, columns, strict=True))
    for change in study.changes:
        if change.score in table.names and change.score not in values:
            values[change.score] = np.round(values[change.after] - values[change.before], 9)
    return pd.DataFrame(
        {
            name: values[name].astype(np.int64) if np.all(values[name] == np.round(values[name])) else values[name]
            for name in table.names
        }
    )


def compare(records: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Compare records with a printed table: one row for each printed mean, SD and correlation."""
    r = records.corr().to_numpy()
    rows: list[tuple[str, str, str, Printed | Figure, float]] = []
    for variable in table.variables:
        column = records[variable.name]
        if variable.mean is not None:
            rows.append(("mean", variable.name, "", variable.mean, float(column.mean())))
        if variable.sd is not None:
            rows.append(("sd", variable.name, "", variable.sd, float(column.std())))
    for item in table.correlations:
        if item.r is not None:
            achieved = float(r[table.names.index(item.row), table.names.index(item.column)])
            rows.append(("r", item.row, item.column, item.r, achieved))
    return beside_printed(rows)
