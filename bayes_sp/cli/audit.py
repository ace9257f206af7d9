"""The command that holds a study's printed numbers against each other."""

from __future__ import annotations

import argparse

from bayes_sp.cli.arguments import Commands
from bayes_sp.cli.statuses import OK


def add_audit(commands: Commands) -> None:
    """Add the command that audits a study."""
    audit = commands.add_parser(
        "audit",
        help="say which printed numbers of a study agree with each other",
        description="Everything that can be recomputed from a study's printed numbers is, as the range that rounding "
        "allows; each number is then consistent, inconsistent or not checkable.",
        epilog="Exit status: 0 whatever is found, 2 for a study that cannot be read. docs/audit.md describes the form.",
    )
    add = audit.add_argument
    add("study", nargs="?", default=None, metavar="STUDY.toml",
        help="the study's printed numbers, or the name of a shipped study (default kellezi2019)")  # fmt: skip
    add("--all", action="store_true", help="a line for each consistent number too")
    add("--json", action="store_true", help="print everything as JSON")
    audit.set_defaults(command=_audit)


def _audit(options: argparse.Namespace) -> int:
    import json

    from bayes_sp.records.published.audit.audit import audit

    found = audit(options.study)
    if options.json:
        options.output.write(json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n")
        return OK
    from bayes_sp.report.text.audit import audit_text

    options.output.write(audit_text(found, every=options.all))
    return OK
