"""What a check of a survey found: mistakes and doubts with their cells, and the tables of the survey."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pandas as pd

from bayes_sp.records.told import Told
from bayes_sp.shown import Part, Shown

PROBLEM, WARNING = "problem", "warning"
FINDINGS = ["severity", "column", "row", "value", "finding"]


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True, eq=False, repr=False)
class SurveyCheck(Shown):
    """What a survey's records are, and everything that speaks against them.

    Attributes
    ----------
    source, patients, specification
        Where the records come from, how many rows they have, and the specification's name ('' without one).
    problems
        Mistakes for which a fit is refused.
    warnings
        What must be looked at; nothing is refused for it.
    notes
        What reading recognised, and how missing cells enter.
    moments, correlations
        Table 2 of this survey: n, missing, mean, SD, minimum and maximum; correlations with n and p.
    missing, patterns
        Patients with all, some and no values by wave; how many patients lack which columns together.
    repeated
        Each later wave against the first: F of a repeated-measures analysis of variance, p, partial eta squared.
    responders
        Patients who did not come back against those who did: t, p, p by Bonferroni's rule, d.
    nonresponders
        In words, where what is known of those who did not come back comes from.
    recovered
        Of reconstructed records: which tests of the article come back from the moments that it prints.
    """

    source: str
    patients: int = 0
    specification: str = ""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    moments: pd.DataFrame = field(default_factory=_no_rows)
    correlations: pd.DataFrame = field(default_factory=_no_rows)
    missing: pd.DataFrame = field(default_factory=_no_rows)
    patterns: pd.DataFrame = field(default_factory=_no_rows)
    repeated: pd.DataFrame = field(default_factory=_no_rows)
    responders: pd.DataFrame = field(default_factory=_no_rows)
    nonresponders: str = ""
    recovered: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether a fit would take these records."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """What was found, in a line."""
        found = [_counted(len(self.problems), PROBLEM), _counted(len(self.warnings), WARNING)]
        of = f' for the specification "{self.specification}"' if self.specification else ""
        verdict = "passes" if self.passed else "a fit would refuse it"
        return f"{self.source}, {_counted(self.patients, 'row')}{of}: {verdict}; {' and '.join(found)}"

    def table(self) -> pd.DataFrame:
        """Return a row for each cell that a finding names, and one for each finding about no cell.

        Returns
        -------
        pandas.DataFrame
            Columns ``severity`` (problem, warning), ``column``, ``row``, ``value``, ``finding``.
        """
        rows = []
        for severity, findings in ((PROBLEM, self.problems), (WARNING, self.warnings)):
            for finding in findings:
                known = finding if isinstance(finding, Told) else Told(finding, self._column(finding))
                for row, value in known.cells or (("", ""),):
                    rows.append((severity, known.column, row, value, str(finding)))
        return pd.DataFrame(rows, columns=FINDINGS)

    def _column(self, finding: str) -> str:
        """Return the column with which a sentence begins, '' where it is about none or several."""
        if quoted := re.match(r'column "([^"]*)"', finding):
            return quoted[1]
        first = finding.partition(":")[0]
        return first if "variable" in self.moments and first in set(self.moments["variable"]) else ""

    def _shown(self) -> tuple[str, list[Part]]:
        parts: list[Part] = [list(found) for found in (self.problems, self.warnings) if found]
        if self.moments.empty:
            return self.sentence, parts
        labels = self.moments["mean"].isna() & (self.moments["n"] > 0)
        counts = [str(count) if own else "" for count, own in zip(self.moments["levels"], labels, strict=True)]
        table = self.moments.assign(levels=counts)
        return self.sentence, [*parts, table if labels.any() else table.drop(columns="levels")]


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}" if n else f"no {noun}"
