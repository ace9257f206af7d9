"""Commands about privacy: what a folder discloses, and a synthetic table that can be shared in place of a file."""

from __future__ import annotations

import argparse

from bayes_sp.cli.arguments import FILES, Commands, file_path, whole_number
from bayes_sp.cli.statuses import OK


def add_privacy(commands: Commands) -> None:
    """Add the commands that tell what is disclosed, and make a table that discloses less."""
    look = commands.add_parser(
        "inspect",
        help="list file by file what a folder discloses of patients",
        description="Every file is opened and its content looked at: rows and arrays that go patient by patient, names "
        "of groups, counts of few patients, smallest and largest values.",
    )
    look.add_argument("folder", type=file_path, metavar="DIR",
        help="a run's folder, or that of a comparison or of sensitivity analyses")  # fmt: skip
    look.examples = ("inspect runs/mine",)
    look.set_defaults(command=_inspect)
    make = commands.add_parser(
        "synthesize",
        help="make a synthetic table that can be shared: the same moments and scales, no patient behind a row",
        description="Means, SDs, correlations and shares of missing cells are those of the file; a note beside the "
        "table says how near its rows are to the records.",
    )
    add = make.add_argument
    add("file", type=file_path, metavar="FILE", help=FILES)
    which = make.add_mutually_exclusive_group()
    which.add_argument(
        "--model", metavar="MODEL", help="the columns of this specification, a shipped one or a TOML file"
    )
    which.add_argument("--columns", nargs="+", metavar="C", help="these columns (default: all)")
    add("--codebook", type=file_path, metavar="FILE", help="what its columns mean (bayes_sp codebook)")
    add("--out", type=file_path, required=True, metavar="FILE", help="the CSV file to write; its note beside it")
    add("--seed", type=whole_number(0), default=1, help="other seeds give other tables (default 1)")
    add("--overwrite", action="store_true", help="replace existing files")
    make.examples = ("synthesize trial/survey.csv --codebook trial/codebook.toml --model my.toml --out shared.csv",)
    make.set_defaults(command=_synthesize)


def _inspect(options: argparse.Namespace) -> int:
    from bayes_sp.report.folders.disclosed import disclosed, disclosed_text

    options.output.write(disclosed_text(disclosed(options.folder)))
    return OK


def _synthesize(options: argparse.Namespace) -> int:
    from bayes_sp.files import check_file, write_whole
    from bayes_sp.model.reading.load import load_model

    check_file(options.out, overwrite=options.overwrite, read=options.file)
    note = options.out.with_name(f"{options.out.name}.note.txt")
    check_file(note, overwrite=options.overwrite)
    model = load_model(options.model) if options.model else None

    from bayes_sp.design.read import read_survey
    from bayes_sp.records.survey import ORIGIN_COLUMN
    from bayes_sp.records.synthetic.synthesize import synthesize
    from bayes_sp.report.text.layout import wrapped
    from bayes_sp.safe_text import csv_text

    survey = read_survey(options.file, model, options.codebook)
    categories = [] if model is None else [c.name for c in model.covariates if c.levels]
    made = synthesize(survey, options.columns, categories=categories, seed=options.seed)
    table = made.records
    if model is not None:
        table = table.rename(columns={name: model.column_of(name) for name in model.columns})
    write_whole(options.out, csv_text(table.assign(**{ORIGIN_COLUMN: made.source})), overwrite=options.overwrite)
    options.output.saved = f"the table is saved in {options.out}"
    write_whole(note, made.note, overwrite=options.overwrite)
    told = "\n".join(line for text in made.note.splitlines() for line in wrapped(text, margin="") or [""])
    options.output.write(f"{told}\nSaved in {options.out}, with this note in {note}\n")
    return OK
