"""The commands before a fit: a survey looked at, and what priors imply."""

from __future__ import annotations

import argparse

from bayes_sp.cli.arguments import FIGURES, FILES, Commands, add_model, add_records, file_path, whole_number
from bayes_sp.cli.records import check_records, survey_of
from bayes_sp.cli.statuses import OK, USER_MISTAKE
from bayes_sp.errors import BayesSpError
from bayes_sp.records.example.typed import TRIAL


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
    add("file", nargs="?", type=file_path, metavar="FILE", help=FILES)
    add("--model", metavar="MODEL",
        help="a shipped specification or a TOML file: its columns and scales are checked too")  # fmt: skip
    add("--codebook", type=file_path, metavar="FILE", help="what its columns mean (bayes_sp codebook)")
    add("--nonresponders", type=file_path, metavar="FILE",
        help="those who did not come back: a file with a row for each, or a TOML file with their number, means and "
        "SDs; needs --model")  # fmt: skip
    add("--reconstruction", type=whole_number(0), metavar="SEED", help="without FILE: which reconstruction (default 1)")
    check.examples = (
        "check trial/survey.csv", "check trial/survey.csv --codebook trial/codebook.toml --model my.toml",
    )  # fmt: skip
    check.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    import warnings

    from bayes_sp.design.checks.whole import check
    from bayes_sp.errors import SurveyWarning
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.nonresponders import read_nonresponders
    from bayes_sp.records.published.reconstruct import reconstruct
    from bayes_sp.report.text.survey import check_text

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


def add_priors(commands: Commands) -> None:
    """Add the command that looks at priors alone."""
    priors = commands.add_parser("priors", help="say what the priors imply for each response, before any fit")
    add = priors.add_argument
    add_model(priors)
    add_records(priors)
    add("--seed", type=whole_number(0), default=1, help="of the draws (default 1)")
    add("--figure", type=file_path, metavar="FILE", help="also draw the figure, into this PNG, SVG or PDF file")
    add("--overwrite", action="store_true", help="replace the file in --figure")
    priors.examples = (f"priors my.toml {TRIAL} --figure priors.png",)
    priors.set_defaults(command=_priors)


def _priors(options: argparse.Namespace) -> int:
    from bayes_sp.files import check_file
    from bayes_sp.model.people import speaking_of
    from bayes_sp.model.reading.load import load_model

    model = load_model(options.model)
    options.words.enter_context(speaking_of(model))
    check_records(options)
    if options.figure is not None:
        check_file(options.figure, overwrite=options.overwrite)
        if options.figure.suffix.lower().removeprefix(".") not in FIGURES:
            raise BayesSpError(str(options.figure), [f"must end in one of .{', .'.join(FIGURES)}"])
    elif options.overwrite:
        raise BayesSpError("--overwrite", ["replaces what is in --figure: name that file"])

    from bayes_sp.analysis.criticism.prior_predictive import prior_predictive
    from bayes_sp.report.text.criticism import prior_text

    found = prior_predictive(model, survey_of(options, model), seed=options.seed).check()
    text = prior_text(model, found)
    if options.figure is not None:
        from bayes_sp.report.figures.criticism import plot_prior_check
        from bayes_sp.report.folders.drawings import save_figure

        save_figure(plot_prior_check(found), options.figure, overwrite=options.overwrite)
        options.output.saved = f"the figure is saved in {options.figure}"
        text += f"\nSaved {options.figure}\n"
    options.output.write(text)
    return OK
