"""An audit of a study's printed numbers, and what records made from them reproduce, in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bayes_sp.records.published.audit.audit import CAUTION, Audit, line_of
from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, Finding
from bayes_sp.records.published.rebuild.rebuild import Rebuilt
from bayes_sp.report.text.layout import bullets, wrapped


def rebuilt_text(survey: Rebuilt) -> str:
    """Return how many printed numbers records give back, which contradict each other, and every deviation."""
    comparison, off = survey.comparison, survey.deviations
    count = f"{len(comparison) - len(off)} of {len(comparison)}"
    lines = [f"{count} printed means, SDs and correlations come back after rounding."]
    if survey.contradictions:
        lines += ["No records can have together:"]
        lines += bullets(survey.contradictions)
    if len(off):
        lines += ["Beyond rounding:"]
        for row in off.itertuples():
            what = f"r({row.variable}, {row.other})" if row.statistic == "r" else f"{row.statistic} of {row.variable}"
            lines += bullets([f"{what}: printed {row.printed}, {row.achieved:.4f} here"])
    return "\n".join(lines) + "\n"


_FEW = 4  # subjects that are named where many share a reason


def audit_text(found: Audit, *, every: bool = False) -> str:
    """Return an audit in plain text: contradictions first, with what was assumed and how they bear on the conclusion.

    Unless ``every`` one has a line of its own, consistent numbers are counted by rule.
    """
    counts = ", ".join(f"{count} {verdict}" for verdict, count in found.counts.items())
    lines = [*wrapped(found.study.title, margin=""), f"{len(found.findings)} printed numbers recomputed: {counts}", ""]
    lines += ["Inconsistent", *_inconsistent(found.of(INCONSISTENT)), ""]
    lines += ["Not checkable", *_not_checkable(found.of(NOT_CHECKABLE)), ""]
    lines += ["Consistent", *_consistent(found.of(CONSISTENT), every=every), ""]
    return "\n".join([*lines, *wrapped(CAUTION, margin="")]) + "\n"


def _by_rule(findings: Sequence[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the findings of each rule."""
    for rule, group in groupby(findings, key=lambda finding: finding.rule):
        yield rule, list(group)


def _inconsistent(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the contradictions, rule by rule."""
    if not findings:
        yield "   none"
    for rule, group in _by_rule(findings):
        yield f"   {rule}"
        for i, finding in enumerate(group):
            yield from bullets([line_of(finding)])
            if i + 1 == len(group) or group[i + 1].bearing != finding.bearing:
                yield from wrapped(f"Bearing: {finding.bearing}", first="  ", rest="  ")
        yield from wrapped(f"Assumed: {group[0].assumes}", first="  ", rest="  ")


def _not_checkable(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what cannot be checked, those with one reason together."""
    if not findings:
        yield "   none"
    for rule, group in _by_rule(findings):
        for reason, same in groupby(group, key=lambda finding: finding.detail):
            items = list(same)
            if items[0].range:
                yield from bullets(f"{rule}: {line_of(item)}" for item in items)
                continue
            names = ", ".join(f"{item.subject} {item.printed}".strip() for item in items[:_FEW])
            more = f" and {len(items) - _FEW} more" if len(items) > _FEW else ""
            yield from bullets([f"{rule}: {names}{more}: {reason}"])


def _consistent(findings: Sequence[Finding], *, every: bool) -> Iterator[str]:
    """Yield what agrees: line by line, or counted by rule."""
    if not findings:
        yield "   none"
    for rule, group in _by_rule(findings):
        if every:
            yield f"   {rule}"
            yield from bullets(line_of(finding) for finding in group)
        else:
            names = ", ".join(finding.subject for finding in group[:_FEW])
            more = f" and {len(group) - _FEW} more" if len(group) > _FEW else ""
            yield from bullets([f"{rule}, {len(group)}: {names}{more}"])
