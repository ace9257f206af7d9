"""The command line: read arguments, call one function, print. No statistics here."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bayes_sp.cli.arguments import Completion, Version, add_compare, add_fit, add_sensitivity
from bayes_sp.cli.check import add_check, add_priors
from bayes_sp.cli.codebook import add_codebook, add_example
from bayes_sp.cli.draft import add_draft
from bayes_sp.cli.durations import bootstrap_samples, fit_takes, sensitivity_takes
from bayes_sp.cli.privacy import add_privacy
from bayes_sp.cli.records import check_records, sampler_of, share_work, survey_of
from bayes_sp.cli.report import add_report
from bayes_sp.cli.simulation import add_calibrate, add_design
from bayes_sp.cli.statuses import INTERRUPTED, NOT_TRUSTWORTHY, OK, USER_MISTAKE
from bayes_sp.cli.stopping import Stopped, last_line, stop_when_told, told
from bayes_sp.cli.study import add_audit, add_study
from bayes_sp.cli.terminal import (
    Output,
    Parser,
    Progress,
    add_output,
    importing,
    keeping,
    one_terminal,
    prepare,
    say,
    terminal_width,
)
from bayes_sp.errors import BayesSpError, FitError, RunError, doubts_in_lines
from bayes_sp.names import PARTS
from bayes_sp.records.example.typed import DRAFT, TRIAL
from bayes_sp.shown import page

if TYPE_CHECKING:
    from bayes_sp.analysis.workflow import Analysis
    from bayes_sp.report.folders.analysis import Figures
    from bayes_sp.report.folders.run import Destination

MORE = "; --verbose prints all of its {}"


def main(arguments: Sequence[str] | None = None, *, alone: bool = False) -> int:
    """Run one command and return its exit status; ``alone`` in a process of its own, which may start others.

    0: done. 2: a user's mistake, and nothing is written. 3: a fit that failed or cannot be trusted. 130, 143, 129:
    stopped by Ctrl-C, SIGTERM or SIGHUP; nothing half-written is left.
    """
    output, errors, name, mistakes = Output(), Output(), "", tuple[str, ...]()
    with page(terminal_width()), ExitStack() as words:
        try:
            prepare()
            options = _parser().parse_args(arguments)
            options.output, options.words, options.alone, name = output, words, alone, options.name
            output.json, output.quiet, Progress.shown = options.json, options.quiet, not options.quiet
            stop_when_told()
            with doubts_in_lines():
                status = int(options.command(options))
        except (BayesSpError, KeyboardInterrupt, Stopped) as error:
            if told.number or not isinstance(error, BayesSpError):
                if told.may_say():
                    errors.write(last_line(told.number), sys.stderr)
                return 128 + told.number if told.number else INTERRUPTED
            errors.write(f"bayes_sp: {error}\n", sys.stderr)
            status = NOT_TRUSTWORTHY if isinstance(error, FitError) else USER_MISTAKE
            mistakes = tuple(f"{error.source}: {problem}" for problem in error.problems)
    output.end_with(name, status, mistakes)
    if output.refused:
        kept = f"; {output.saved}" if output.saved else ""
        errors.write(f"bayes_sp: standard output: {output.refused}{kept}\n", sys.stderr)
        return status if output.saved else USER_MISTAKE
    return status


def _parser() -> Parser:
    parser = Parser(prog="bayes_sp", description="Bayesian path models with count outcomes.")
    parser.add_argument("--version", action=Version, help="print the version")
    parser.add_argument("--print-completion", action=Completion, help="print a script that completes commands: "
        'eval "$(bayes_sp --print-completion bash)"')  # fmt: skip
    parser.examples = (
        "example --out trial",
        f"{DRAFT} --out my.toml",
        f"fit my.toml {TRIAL} --out runs/mine",
        "report runs/mine",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_fit(commands, _fit)
    add_compare(commands, _compare)
    add_sensitivity(commands, _sensitivity)
    add_priors(commands)
    models = commands.add_parser("models", help="list the shipped specifications")
    models.examples = ("models",)
    models.set_defaults(command=_models)
    add_study(commands)
    add_codebook(commands)
    add_draft(commands)
    add_check(commands)
    add_example(commands)
    add_audit(commands)
    add_calibrate(commands, survey_of)
    add_design(commands, survey_of)
    add_privacy(commands)
    add_report(commands)
    for name, command in commands.choices.items():
        add_output(command)
        command.set_defaults(name=name)
    return parser


def _fit(options: argparse.Namespace) -> int:
    from bayes_sp.model.normal_twin import twin_of
    from bayes_sp.model.people import speaking_of
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.report.folders.run import check_destination, default_folder

    model = load_model(options.model)
    options.words.enter_context(speaking_of(model))
    twin = twin_of(model)
    check_records(options)
    if options.out is not None:
        check_destination(options.out, overwrite=options.overwrite)
    share_work(options)

    with importing():
        from bayes_sp.design.build import design_arrays
        from bayes_sp.records.sets import Sets

    survey = survey_of(options, model)
    for checked in (model, twin):
        design_arrays(checked, survey)
    folder = options.out or default_folder(model.name, survey.digest, options.seed)
    destination = check_destination(folder, overwrite=options.overwrite)
    sets = len(survey.each) if isinstance(survey, Sets) else 1
    sampler = sampler_of(options, sets)
    say(fit_takes(model, len(survey) * sets, sampler), always=True)
    replicates, none = bootstrap_samples(
        options.bootstrap, len(survey), max(map(len, map(model.terms, model.equations)))
    )
    say(none, always=True)
    say("loading the sampler")

    with importing():
        from bayes_sp.analysis.workflow import analyse
        from bayes_sp.report.folders.analysis import begin_paths

    paths: list[Figures] = []  # a process beside this one draws them while effects are computed here
    analysis = analyse(
        model, survey, seed=options.seed, options=sampler, replicates=replicates,
        check=options.check, refits=options.refits, pointwise=options.check or options.keep_records,
        progress=sys.stderr.isatty() and not options.quiet, notify=say,
        fitted_is=lambda fit: paths.append(begin_paths(fit, options.figures)),
    )  # fmt: skip
    return _tell_and_save(options, analysis, destination, *paths)


def _tell_and_save(
    options: argparse.Namespace, analysis: Analysis, destination: Destination, paths: Figures | None = None
) -> int:
    """Save an analysis, and print what was asked for of it."""
    from bayes_sp.report.folders.analysis import begin_drawing, result_of, save_analysis
    from bayes_sp.report.text.summary import said_above, short_text, summary_text

    kept, width = {"keep_records": options.keep_records, "least": options.least_count}, terminal_width()

    def whole() -> str:
        return summary_text(analysis, **kept, whole=True, width=width)

    drawn = begin_drawing(analysis, 0 if options.keep_records else options.least_count, options.figures, paths)
    shown = whole() if options.verbose else short_text(analysis, width=width)
    shown = said_above(shown, analysis.fit, width) if one_terminal() else shown
    options.output.result = lambda: result_of(analysis)
    try:
        folder = save_analysis(analysis, destination, **kept, summary=summary_text(analysis, **kept), drawn=drawn)
    except RunError:
        options.output.write(f"{whole()}\n")  # the work is done, and its result is not lost with the folder
        raise
    options.output.end(shown, folder, options.out, "" if options.verbose else MORE.format("summary.txt"))
    return OK if analysis.verdict.trustworthy else NOT_TRUSTWORTHY


def _compare(options: argparse.Namespace) -> int:
    check_records(options)
    with importing():
        from bayes_sp.report.folders.models import check_comparison, new_comparison_folder, save_comparison
        from bayes_sp.report.text.models import compare_and_keep

    data = options.data
    if options.codebook is not None:
        from bayes_sp.design.read import read_survey

        data = read_survey(options.data, codebook=options.codebook)
    check_comparison(options.models, data, options.out, overwrite=options.overwrite)
    with (
        new_comparison_folder(options.out, options.seed) as folder,
        keeping(f"runs are kept in {folder}", lambda: any(folder.glob("*/run.toml"))),
    ):
        found = compare_and_keep(
            options.models, data, 1 if options.reconstruction is None else options.reconstruction, folder,
            seed=options.seed, options=sampler_of(options), replicates=options.bootstrap, notify=say,
        )  # fmt: skip
        try:
            saved = save_comparison(
                found.multiverse, folder, found.text, found.tables, overwrite=options.overwrite, formats=options.figures
            )
        except RunError:
            options.output.write(f"{found.text}\n")  # the work is done, and its result is not lost with the folder
            raise
    shown = found.printed(terminal_width(), whole=options.verbose)
    options.output.result = lambda: {"conclusion": found.multiverse.sentence, "effects": found.multiverse.table}
    options.output.end(shown, saved, options.out, "" if options.verbose else MORE.format("compare.txt"))
    return NOT_TRUSTWORTHY if found.multiverse.failed_fit or found.multiverse.mistake else OK


def _sensitivity(options: argparse.Namespace) -> int:
    from bayes_sp.model.people import speaking_of
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.report.folders.run import check_destination, default_folder

    parts = _parts(options)
    model = load_model(options.model)
    options.words.enter_context(speaking_of(model))
    check_records(options)
    if options.out is not None:
        check_destination(options.out, overwrite=options.overwrite)
    if options.nonresponders is not None and not os.path.isfile(options.nonresponders):
        raise BayesSpError(str(options.nonresponders), ["is not a file; --nonresponders needs a CSV or a TOML file"])
    say("loading the sampler")

    with importing():
        from bayes_sp.analysis.batch.runner import Runner
        from bayes_sp.analysis.batch.store import Store
        from bayes_sp.records.nonresponders import read_nonresponders
        from bayes_sp.report.folders.sensitivity import result_of, save_sensitivity
        from bayes_sp.report.text.sensitivity import sensitivity_text
        from bayes_sp.report.text.summary import said_above
        from bayes_sp.sensitivity.every import analyse, unknown_absence
        from bayes_sp.sensitivity.prior.grid_file import read_grid
        from bayes_sp.sensitivity.target import target_of

    target = target_of(model, options.effect)
    grid = read_grid(model, options.priors) if options.priors else None
    survey = survey_of(options, model)
    absent = None if options.nonresponders is None else read_nonresponders(model, options.nonresponders)
    folder = options.out or default_folder(f"sensitivity-{model.name}", survey.digest, options.seed)
    destination = check_destination(folder, overwrite=options.overwrite)
    Store(options.cells)  # refuses a folder that cannot be written, before any work
    nobody = unknown_absence(model, survey, absent)
    refitted = [part for part in parts if part != "attrition" or not nobody]
    if not refitted:
        raise BayesSpError(survey.source, [nobody])
    say(sensitivity_takes(refitted, options.cells), always=True)
    runner = Runner(scheduler=options.scheduler, workers=options.workers, store=options.cells, progress=say)
    with keeping(f"fits are kept in {options.cells}", lambda: bool(runner.written)):
        found = analyse(
            model, survey, parts, grid=grid, nonresponders=absent, target=target, seed=options.seed,
            options=sampler_of(options), runner=runner, notify=say,
        )  # fmt: skip
    summary, width = sensitivity_text(found), terminal_width()
    shown = sensitivity_text(found, width=width, whole=options.verbose)
    shown = said_above(shown, found.fit, width) if one_terminal() else shown
    options.output.result = lambda: result_of(found)
    try:
        folder = save_sensitivity(found, destination, summary=summary, formats=options.figures)
    except RunError:
        options.output.write(f"{summary}\n")  # the work is done, and its result is not lost with the folder
        raise
    options.output.end(shown, folder, options.out, "" if options.verbose else MORE.format("summary.txt"))
    return NOT_TRUSTWORTHY if found.failed else OK


def _parts(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the analyses that were asked for."""
    parts = tuple(name for name in PARTS if options.all or vars(options)[name] not in (None, False))
    if not parts:
        names = ", ".join(f"--{name}" for name in PARTS)
        raise BayesSpError("sensitivity", [f"name the analyses that you want: {names}, or --all"])
    if options.nonresponders is not None and "attrition" not in parts:
        raise BayesSpError("--nonresponders", ["goes with --attrition or --all"])
    return parts


def _models(options: argparse.Namespace) -> int:
    from bayes_sp.model.reading.load import load_model, shipped_models

    for name in shipped_models():
        model = load_model(name)
        lines = (" -> ".join(model.chain), model.question or "")
        told = (textwrap.indent(textwrap.fill(line, terminal_width() - 4), "    ") for line in lines)
        options.output.write("\n".join([f"{name}: {model.title}", *told]) + "\n")
    return OK
