"""The tables of docs/audit.md, made from the rules and from the audit of the published study.

``python tests/audit_page.py`` writes them into the page.
"""

from __future__ import annotations

import re
from pathlib import Path

from bayes_sp.records.published.audit.audit import RULES, Audit, audit
from bayes_sp.records.published.audit.finding import INCONSISTENT, Finding

PAGE = Path(__file__).parents[1] / "docs" / "audit.md"
# Of these rules only contradictions are shown; paths have a table of their own.
LONG = ("significance mark", "bounds of a scale", "GRIM", "GRIMMER", "range in the table", "regressions from the table")


def rules() -> list[str]:
    """Rows of the table of rules."""
    rows = [f"| {rule.name} | {rule.recomputes} | {rule.assumes} |" for rule in RULES]
    return ["| rule | what is recomputed | what is assumed |", "|---|---|---|", *rows]


def findings(found: Audit) -> list[str]:
    """Rows of the table of findings."""
    shown = [f for f in found.findings if f.verdict == INCONSISTENT or f.rule not in LONG]
    return ["| | printed | recomputed | verdict |", "|---|---|---|---|", *map(_row, shown)]


def _row(finding: Finding) -> str:
    details = " ".join(part for part in (finding.range, f"({finding.detail})" if finding.detail else "") if part)
    verdict = f"**{finding.verdict}**" if finding.verdict == INCONSISTENT else finding.verdict
    cells = [f"{finding.rule}: {finding.subject}", finding.printed, details, verdict]
    return "| " + " | ".join(cell.replace("*", "\\*") if i in (1, 2) else cell for i, cell in enumerate(cells)) + " |"


def paths(found: Audit) -> list[str]:
    """Rows of the table of paths."""
    rows = []
    for item in found.paths().ranges:
        printed = " or ".join(map(str, item.printed))
        share = f"{item.share:.0%}" if item.printed else ""
        ends = f"{item.low:.3f} to {item.high:.3f} | {item.surely_low:.3f} to {item.surely_high:.3f}"
        rows.append(f"| {item.name} | {printed} | {item.middle:.3f} | {ends} | {share} |")
    return ["| | printed | from the table | range | surely within | share |", "|---|---|---|---|---|---|", *rows]


def sections() -> dict[str, list[str]]:
    """Every table of the page by its mark."""
    found = audit()
    return {"rules": rules(), "findings": findings(found), "paths": paths(found)}


def main() -> None:
    """Write the tables into the page."""
    text = PAGE.read_text(encoding="utf-8")
    for mark, lines in sections().items():
        body = "\n".join([f"<!-- {mark} -->", *lines, "<!-- end -->"])
        before, after = re.split(rf"<!-- {mark} -->.*?<!-- end -->", text, flags=re.DOTALL)
        text = before + body + after
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
