"""Commands about published studies: their numbers, whether these agree, and records that reproduce them."""

from __future__ import annotations

import argparse

from bayes_sp.cli.arguments import Commands, file_path, whole_number
from bayes_sp.cli.statuses import OK
from bayes_sp.errors import BayesSpError


def add_study(commands: Commands) -> None:
    """Add the commands that need no records."""
    reconstruct = commands.add_parser(
        "reconstruct",
        help="write records that reproduce published moments",
        description="Made records, behind which no real patient stands, that give back a printed table of means, SDs "
        "and correlations after rounding. What no records can have together is named, and so is every deviation.",
        epilog="docs/audit.md describes the form of STUDY.toml.",
    )
    reconstruct.add_argument(
        "study", nargs="?", default=None, metavar="STUDY.toml",
        help="a study's printed numbers, or the name of a shipped study (default: the published study)",
    )  # fmt: skip
    reconstruct.add_argument(
        "--table", default="", metavar="NAME", help="which table of STUDY.toml (default the first)"
    )
    reconstruct.add_argument(
        "--seed", type=whole_number(0), default=1, help="other seeds give other records (default 1)"
    )
    reconstruct.add_argument("--out", type=file_path, required=True, metavar="FILE", help="the CSV file to write")
    reconstruct.add_argument("--overwrite", action="store_true", help="replace an existing file")
    reconstruct.examples = ("reconstruct --out study.csv", "reconstruct roth1989 --out roth.csv")
    reconstruct.set_defaults(command=_reconstruct)
    published = commands.add_parser("published", help="print every published number with its place in the article")
    published.examples = ("published",)
    published.set_defaults(command=_published)


def _reconstruct(options: argparse.Namespace) -> int:
    from bayes_sp.files import check_file, write_whole
    from bayes_sp.records.published.rebuild.rebuild import Rebuilt, rebuild
    from bayes_sp.records.published.reconstruct import reconstruct
    from bayes_sp.records.survey import ORIGIN_COLUMN
    from bayes_sp.report.text.audit import rebuilt_text
    from bayes_sp.safe_text import csv_text

    if options.study is None and options.table:
        raise BayesSpError("--table", ["goes with STUDY.toml"])

    check_file(options.out, overwrite=options.overwrite, read=options.study)
    if options.out.suffix.lower() != ".csv":
        raise BayesSpError(str(options.out), ["must end in .csv: records are written as CSV"])
    study, seed = options.study, options.seed
    survey = reconstruct(seed) if study is None else rebuild(study, seed=seed, table=options.table)
    marked = survey.records.assign(**{ORIGIN_COLUMN: survey.source})
    write_whole(options.out, csv_text(marked), overwrite=options.overwrite)
    options.output.saved = f"the records are saved in {options.out}"
    options.output.write(f"{survey.mark}: {options.out}\nNo real patient stands behind a row.\n")
    if isinstance(survey, Rebuilt):
        options.output.write(rebuilt_text(survey))
    return OK


def _published(options: argparse.Namespace) -> int:
    from bayes_sp.records.published.article import published

    study = published()
    options.output.write(f"{study.citation}\n\n")
    for key, figure, place in study.all_numbers():
        options.output.write(f"{key} = {figure}    [{place}]\n")
    return OK


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
    audit.examples = ("audit", "audit kellezi2019 --all", "audit roth1989 --json")
    audit.set_defaults(command=_audit)


def _audit(options: argparse.Namespace) -> int:
    from bayes_sp.records.published.audit.audit import audit
    from bayes_sp.report.text.audit import audit_text

    found = audit(options.study)
    options.output.result = found.as_json
    options.output.write(audit_text(found, every=options.all))
    return OK
