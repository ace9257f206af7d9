"""The command that makes a report of a finished run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bayes_sp.cli.arguments import Commands, file_path
from bayes_sp.cli.statuses import OK
from bayes_sp.errors import RunError


def add_report(commands: Commands) -> None:
    """Add the command that reports a run."""
    report = commands.add_parser(
        "report",
        help="a finished run as a page, a Word file, Markdown or LaTeX tables",
        description="Answer, effects, comparison, coefficients, assumptions, model and priors, diagnostics, checks, "
        "sensitivity, data, paragraphs to edit, provenance, and which items of AGReMA and BARG are covered.",
    )
    add = report.add_argument
    add("run", type=file_path, metavar="RUN", help="the folder of a finished run")
    add("--out", type=file_path, action="append", metavar="FILE",
        help="ends in .html, .md, .docx or .tex; may be repeated (default RUN-report.html, beside RUN)")  # fmt: skip
    add("--sensitivity", type=file_path, metavar="DIR", help="what bayes_sp sensitivity wrote")
    add("--overwrite", action="store_true", help="replace existing files")
    report.examples = (
        "report runs/mine --out report.html --out tables.tex",
        "report runs/mine --sensitivity runs/kappa --out report.docx",
    )
    report.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    folder = Path(options.run)
    files = options.out or [str(folder.parent / f"{folder.resolve().name}-report.html")]

    from bayes_sp.report.document.write import check_report, write_report

    for file in files:
        check_report(file, overwrite=options.overwrite)
    if len({os.path.realpath(file) for file in files}) < len(files):
        raise RunError("--out", ["names one file twice"])
    from bayes_sp.report.folders.finished import read_run

    run = read_run(folder)
    for file in files:
        write_report(run, file, sensitivity=options.sensitivity, overwrite=options.overwrite)
    options.output.saved = f"the report is saved in {', '.join(map(str, files))}"
    options.output.write(f"Saved {', '.join(map(str, files))}\n")
    return OK
