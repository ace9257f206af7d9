"""The audit of a study: every rule applied to every printed number that it can be applied to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_sp.records.published.audit import (
    rules_arithmetic,
    rules_change,
    rules_coefficients,
    rules_comparisons,
    rules_effects,
    rules_marks,
    rules_moments,
    rules_sample_size,
    rules_tests,
)
from bayes_sp.records.published.audit.finding import INCONSISTENT, VERDICTS, Finding, Rule
from bayes_sp.records.published.rounding.paths import RoundedPaths, rounded_paths
from bayes_sp.records.published.study.read import read_study
from bayes_sp.records.published.study.results import Study
from bayes_sp.shown import Part, Shown

if TYPE_CHECKING:
    import pandas as pd

RULES: tuple[Rule, ...] = tuple(
    rule
    for about in (
        rules_arithmetic, rules_moments, rules_change, rules_marks, rules_comparisons, rules_tests, rules_sample_size,
        rules_coefficients, rules_effects,
    )
    for rule in about.RULES
)  # fmt: skip
DEFAULT_STUDY = "kellezi2019"
CAUTION = (
    "A contradiction says that two printed numbers cannot both be what they seem to be. It does not say which one is "
    "off, nor why: a slip of the pen, patients with missing values, another rounding or another test than assumed."
)


@dataclass(frozen=True, repr=False)
class Audit(Shown):
    """What the printed numbers of a study say of each other.

    Attributes
    ----------
    study
        The study.
    findings
        One for each number that a rule recomputes, in the order of the rules.
    """

    study: Study
    findings: tuple[Finding, ...]

    def of(self, verdict: str) -> tuple[Finding, ...]:
        """Return the findings with a verdict: ``"consistent"``, ``"inconsistent"`` or ``"not checkable"``."""
        return tuple(finding for finding in self.findings if finding.verdict == verdict)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Verdict -> number of findings."""
        found = Counter(finding.verdict for finding in self.findings)
        return {verdict: found[verdict] for verdict in VERDICTS}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each finding, with all that is known of it."""
        import pandas as pd  # the findings alone should not cost it

        names = list(Finding.__dataclass_fields__)
        return pd.DataFrame([asdict(finding) for finding in self.findings], columns=names)

    def paths(self, *, draws: int = 2000, seed: int = 1) -> RoundedPaths:
        """Return the study's first chain by least squares of every table that rounds to the printed one.

        Raises
        ------
        SurveyError
            If the study describes no chain, or no table holds all of it.
        """
        return rounded_paths(self.study, draws=draws, seed=seed)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain lists, texts and numbers; infinite ends of a range are None."""
        finite = (asdict(finding) for finding in self.findings)
        rows = [
            row | {key: row[key] if _is_finite(row[key]) else None for key in ("low", "high")} for row in finite
        ]  # fmt: skip
        return {
            "study": self.study.source,
            "citation": dict(self.study.citation),
            "counts": dict(self.counts),
            "caution": CAUTION,
            "findings": rows,
        }

    @property
    def head(self) -> str:
        """One line: the study and the number of findings by verdict."""
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        return f"{self.study.title}: {len(self.findings)} numbers, {counts}"

    def _shown(self) -> tuple[str, list[Part]]:
        lines = [line_of(finding) for finding in self.of(INCONSISTENT)]
        return self.head, [lines, CAUTION]


def _is_finite(value: float | None) -> bool:
    return value is not None and abs(value) < float("inf")


def line_of(finding: Finding) -> str:
    """Return a finding in one line: what is printed, and what the other numbers give."""
    found = f"printed {finding.printed}"
    if finding.range:
        found += f", recomputed {finding.range}"
    if finding.detail:
        found += f" ({finding.detail})"
    return f"{finding.subject}: {found}"


def audit(study: str | Path | Mapping[str, Any] | Study | None = None) -> Audit:
    """Hold the printed numbers of a study against each other.

    Everything that can be recomputed is, as the range that the rounding of the numbers behind it allows. Each printed
    number is then consistent with that range, inconsistent, or not checkable.

    Parameters
    ----------
    study
        A TOML file of the form that ``docs/audit.md`` describes, its tables, or the name of a shipped study; by default
        the one that this package re-analyses.

    Returns
    -------
    Audit

    Raises
    ------
    StudyError
        With every mistake of the file.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> sp.audit().counts["inconsistent"] > 0
    True
    """
    read = study if isinstance(study, Study) else read_study(DEFAULT_STUDY if study is None else study)
    findings = [Finding.of(rule, found) for rule in RULES for found in rule.find(read)]
    return Audit(read, tuple(findings))
