"""The command that checks a survey before a fit."""

from __future__ import annotations

import argparse

from bayes_sp.cli.arguments import Commands, file_path, whole_number
from bayes_sp.cli.statuses import OK, USER_MISTAKE


def add_check(commands: Commands) -> None:
    """Add the command that says everything that speaks against a survey."""
    check = commands.add_parser(
        "check",
        help="say everything that speaks against a survey, and what it holds, before a fit",
        description="Mistakes and doubts with column, row and value; Table 2 of the survey; missing values by wave and "
        "pattern; later waves against the first; those who came back against those who did not. Without FILE the "
        "records are reconstructed from the published moments of the study.",
        epilog="Exit status: 0 passes, with or without warnings; 2 a fit would refuse the records.",
    )
    add = check.add_argument
    add("file", nargs="?", type=file_path, metavar="FILE", help="CSV, Excel, SPSS, Stata, SAS or Parquet")
    add(
        "--model",
        metavar="MODEL",
        help="a shipped specification or a TOML file: its columns and scales are checked too",
    )
    add("--codebook", type=file_path, metavar="FILE", help="what its columns mean (python -m bayes_sp codebook)")
    add("--nonresponders", type=file_path, metavar="FILE",
        help="those who did not come back: a file with a row for each, or a TOML file with their number, means and "
        "SDs; needs --model")  # fmt: skip
    add("--reconstruction", type=whole_number(0), metavar="SEED", help="without FILE: which reconstruction (default 1)")
    check.examples = ("check data.csv", "check data.csv --model my.toml --codebook book.toml")
    check.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    import warnings

    from bayes_sp.design.checks.whole import check
    from bayes_sp.errors import BayesSpError, SurveyWarning
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.nonresponders import read_nonresponders
    from bayes_sp.records.published.reconstruct import reconstruct
    from bayes_sp.report.survey.check import check_text

    if options.file is not None and options.reconstruction is not None:
        raise BayesSpError("--reconstruction", ["goes without FILE: records are yours or reconstructed, not both"])
    if options.file is None and options.codebook is not None:
        raise BayesSpError("--codebook", ["goes with FILE: it says what the columns of your file mean"])
    if options.nonresponders is not None and options.model is None:
        raise BayesSpError("--nonresponders", ["needs --model, whose covariates are read from it"])
    model = None if options.model is None else load_model(options.model)
    absent = None
    if model is not None and options.nonresponders is not None:
        absent = read_nonresponders(model, options.nonresponders)
    survey = options.file or reconstruct(1 if options.reconstruction is None else options.reconstruction)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyWarning)  # the report holds them
        found = check(survey, model, codebook=options.codebook, nonresponders=absent)
    told = ("passed", "problems", "warnings", "notes", "moments", "correlations", "repeated", "responders")
    options.output.result = lambda: {name: getattr(found, name) for name in told}
    options.output.write(check_text(found))
    return OK if found.passed else USER_MISTAKE
