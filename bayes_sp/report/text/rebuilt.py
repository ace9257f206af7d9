"""What made records reproduce of a printed table, in plain text."""

from __future__ import annotations

from bayes_sp.records.published.rebuild.rebuild import Rebuilt
from bayes_sp.report.text.layout import wrapped


def rebuilt_text(survey: Rebuilt) -> str:
    """Return how many printed numbers records give back, which contradict each other, and every deviation."""
    comparison, off = survey.comparison, survey.deviations
    count = f"{len(comparison) - len(off)} of {len(comparison)}"
    lines = [f"{count} printed means, SDs and correlations come back after rounding."]
    if survey.contradictions:
        lines += ["No records can have together:"]
        for sentence in survey.contradictions:
            lines += wrapped(sentence, first="- ", rest="  ")
    if len(off):
        lines += ["Beyond rounding:"]
        for row in off.itertuples():
            what = f"r({row.variable}, {row.other})" if row.statistic == "r" else f"{row.statistic} of {row.variable}"
            lines += wrapped(f"{what}: printed {row.printed}, {row.achieved:.4f} here", first="- ", rest="  ")
    return "\n".join(lines) + "\n"
