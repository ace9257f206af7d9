"""The commands before a specification: draft a codebook for a file, and write out the example survey."""

from __future__ import annotations

import argparse
from pathlib import Path

from bayes_sp.cli.arguments import FILES, Commands, file_path
from bayes_sp.cli.statuses import OK


def add_codebook(commands: Commands) -> None:
    """Add the command that drafts a codebook."""
    codebook = commands.add_parser(
        "codebook",
        help="draft a codebook: what a file's columns mean",
        description="Kinds, ranges and codes for missing values are guessed from each column's own values and the "
        "file's labels; every guess is written out with its reason, to be looked at and edited.",
    )
    add = codebook.add_argument
    add("file", type=file_path, metavar="FILE", help=FILES)
    add("--out", type=file_path, metavar="FILE", help="the TOML file to write (default: print)")
    add("--overwrite", action="store_true", help="replace an existing file")
    codebook.examples = (
        "codebook trial/survey.csv --out book.toml",
        "draft trial/survey.csv --codebook book.toml --exposure Q4_belong_T0 --mediators Q4_belong_T1 "
        "--outcome Q7_gp_T1",
    )
    codebook.set_defaults(command=_codebook)


def _codebook(options: argparse.Namespace) -> int:
    from bayes_sp.files import check_file, write_whole
    from bayes_sp.records.codebook.drafting import draft_codebook
    from bayes_sp.report.text.layout import wrapped

    if options.out is not None:
        check_file(options.out, overwrite=options.overwrite, read=options.file)
    found = draft_codebook(options.file)
    if options.out is None:
        options.output.write(found.text())
        return OK
    write_whole(options.out, found.text(), overwrite=options.overwrite)
    options.output.saved = f"the codebook is saved in {options.out}"
    for doubtful in found.doubtful:
        told = wrapped(f"{doubtful.name}: {doubtful.doubt}", rest="   ", margin="")
        options.output.write("".join(f"{line}\n" for line in told))
    options.output.write(
        f"Saved in {options.out}: {len(found.lines)} variables; look at every line, then:\n"
        f"python -m bayes_sp draft {options.file} --codebook {options.out} --exposure X --mediators M --outcome Y\n"
    )
    return OK


def add_example(commands: Commands) -> None:
    """Add the command that writes out the example survey."""
    example = commands.add_parser(
        "example",
        help="write out the example survey: invented answers, item by item, with its codebook",
        description="Two waves of 240 invented patients as an SPSS file and as CSV, the codebook that scores them, and "
        "a plan of a new study.",
    )
    example.add_argument("--out", type=file_path, metavar="DIR", default=Path("example-survey"),
        help="the new folder (default example-survey)")  # fmt: skip
    example.examples = ("example --out trial",)
    example.set_defaults(command=_example)


def _example(options: argparse.Namespace) -> int:
    from bayes_sp.records.example.survey import write_example

    names = write_example(options.out)
    options.output.saved = f"the example is saved in {options.out}"
    options.output.write(f"Saved in {options.out}: {', '.join(names)}\n")
    return OK
