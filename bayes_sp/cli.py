"""The command line: read arguments, call one function, print. No statistics here."""

from __future__ import annotations

import argparse
import gc
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from bayes_sp.arguments import add_compare, add_fit, add_priors, add_sensitivity, file_path, whole_number
from bayes_sp.durations import fit_takes, sensitivity_takes
from bayes_sp.errors import BayesSpError, FitError, RunError
from bayes_sp.model.options import LEAST_LAPLACE_DRAWS, SamplerOptions

if TYPE_CHECKING:
    from bayes_sp.spec.types import PathModel
    from bayes_sp.survey.records import Survey

OK, USER_MISTAKE, NOT_TRUSTWORTHY = 0, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for a user's mistake, 3 for a fit that cannot be trusted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a sign shows its code instead of failing
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)  # so that a stopped run removes what it has half written
    try:
        status = int(options.command(options))
        sys.stdout.flush()
        return status
    except BayesSpError as error:
        print(f"bayes_sp: {error}", file=sys.stderr)
        return NOT_TRUSTWORTHY if isinstance(error, FitError) else USER_MISTAKE
    except KeyboardInterrupt:
        print("bayes_sp: interrupted; no part of a run was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bayes_sp", description="Bayesian path models with count outcomes.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_fit(commands, _fit)
    add_compare(commands, _compare)
    add_sensitivity(commands, _sensitivity)
    add_priors(commands, _priors)
    models = commands.add_parser("models", help="list the shipped specifications")
    models.set_defaults(command=_models)
    reconstruct = commands.add_parser("reconstruct", help="write records that reproduce the published moments")
    reconstruct.add_argument(
        "--seed", type=whole_number(0), default=1, help="other seeds give other records (default 1)"
    )
    reconstruct.add_argument("--out", type=file_path, required=True, metavar="FILE", help="the CSV file to write")
    reconstruct.add_argument("--overwrite", action="store_true", help="replace an existing file")
    reconstruct.set_defaults(command=_reconstruct)
    published = commands.add_parser("published", help="print every published number with its place in the article")
    published.set_defaults(command=_published)
    return parser


def _say(line: str, *, always: bool = False) -> None:
    """Print a line of progress where somebody watches, or ``always`` one that says how long it takes."""
    if line and (always or sys.stderr.isatty()):
        print(f"... {line}", file=sys.stderr, flush=True)


def _check_records(options: argparse.Namespace) -> None:
    """Refuse options on records and sampler before anything slow is imported."""
    if options.data is not None and options.reconstruction is not None:
        raise BayesSpError("--reconstruction", ["goes without --data: records are yours or reconstructed, not both"])
    if getattr(options, "method", "") == "laplace" and options.draws < LEAST_LAPLACE_DRAWS:
        raise BayesSpError("--draws", [f"--method laplace needs at least {LEAST_LAPLACE_DRAWS}, found {options.draws}"])
    if options.data is not None and not options.data.is_file():
        reason = "is not a file" if options.data.exists() else "there is no such file"
        raise BayesSpError(str(options.data), [f"{reason}; --data needs a CSV file"])


def _survey(options: argparse.Namespace, model: PathModel) -> Survey:
    """Return the records that the options name."""
    from bayes_sp.study.reconstruct import reconstruct
    from bayes_sp.survey.read import read_survey

    if options.data is not None:
        return read_survey(options.data, model)
    survey = reconstruct(1 if options.reconstruction is None else options.reconstruction)
    if any(name not in survey.records for name in model.columns):
        reason = f"needs your records: name their file with --data (columns {', '.join(model.columns)})"
        raise BayesSpError(model.name, [reason])
    return survey


def _sampler(options: argparse.Namespace) -> SamplerOptions:
    return SamplerOptions(options.draws, options.tune, options.chains, options.cores, method=options.method)


@contextmanager
def _importing() -> Iterator[None]:
    """Import without looking for garbage: what imports make stays, and the search for it takes a tenth of their time.

    BLAS gets one thread unless the environment says otherwise, which it reads when NumPy is imported: with matrices as
    small as ours, threads that wait for work make a bootstrap up to four times slower.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _fit(options: argparse.Namespace) -> int:
    from bayes_sp.compare.twin import twin_of
    from bayes_sp.runs import check_destination, default_folder
    from bayes_sp.spec.load import load_model

    model = load_model(options.model)
    twin = twin_of(model)
    if options.out is not None:
        check_destination(options.out, overwrite=options.overwrite)
    _check_records(options)

    with _importing():
        from bayes_sp.survey.arrays import design_arrays

    survey = _survey(options, model)
    for checked in (model, twin):
        design_arrays(checked, survey)
    folder = options.out or default_folder(model.name, survey.digest, options.seed)
    check_destination(folder, overwrite=options.overwrite)
    _say(fit_takes(model, len(survey), _sampler(options)), always=True)
    _say("loading the sampler")

    with _importing():
        from bayes_sp.analysis import analyse
        from bayes_sp.report.save import save_analysis
        from bayes_sp.report.text import summary_text

    analysis = analyse(
        model, survey, seed=options.seed, options=_sampler(options), replicates=options.bootstrap,
        check=options.check, refits=options.refits, progress=sys.stderr.isatty(), notify=_say,
    )  # fmt: skip
    summary = summary_text(analysis)
    try:
        save_analysis(analysis, folder, overwrite=options.overwrite, save_records=options.save_records, summary=summary)
    except RunError:
        print(summary)  # the work is done, and its result is not lost with the folder
        raise
    print(f"{summary}\nSaved in {folder}")
    return OK if analysis.verdict.trustworthy else NOT_TRUSTWORTHY


def _compare(options: argparse.Namespace) -> int:
    _check_records(options)
    with _importing():
        from bayes_sp.report.multiverse import check_comparison_folder, compare_and_keep, comparison_folder

    folder = options.out or comparison_folder(options.seed)
    check_comparison_folder(folder, overwrite=options.overwrite)
    found = compare_and_keep(
        options.models, options.data, 1 if options.reconstruction is None else options.reconstruction, folder,
        seed=options.seed, options=_sampler(options), replicates=options.bootstrap, notify=_say,
    )  # fmt: skip
    print(f"{found.text}\nSaved in {folder}")
    if found.multiverse.failed_fit:
        return NOT_TRUSTWORTHY
    return USER_MISTAKE if found.multiverse.mistake else OK


def _sensitivity(options: argparse.Namespace) -> int:
    from bayes_sp.runs import check_destination, default_folder
    from bayes_sp.spec.load import load_model

    parts = _parts(options)
    model = load_model(options.model)
    _check_records(options)
    if options.out is not None:
        check_destination(options.out, overwrite=options.overwrite)
    if options.nonresponders is not None and not options.nonresponders.is_file():
        raise BayesSpError(str(options.nonresponders), ["is not a file; --nonresponders needs a CSV or a TOML file"])
    _say("loading the sampler")

    with _importing():
        from bayes_sp.many.run import Runner
        from bayes_sp.report.sensitivity_save import save_sensitivity
        from bayes_sp.report.sensitivity_text import sensitivity_text
        from bayes_sp.sensitivity.grid_file import read_grid
        from bayes_sp.sensitivity.target import target_of
        from bayes_sp.sensitivity.whole import analyse
        from bayes_sp.survey.nonresponders import read_nonresponders

    target = target_of(model, options.effect)
    grid = read_grid(model, options.priors) if options.priors else None
    survey = _survey(options, model)
    absent = None if options.nonresponders is None else read_nonresponders(model, options.nonresponders)
    folder = options.out or default_folder(f"sensitivity-{model.name}", survey.digest, options.seed)
    check_destination(folder, overwrite=options.overwrite)
    _say(sensitivity_takes(parts, options.cells), always=True)
    runner = Runner(scheduler=options.scheduler, workers=options.workers, store=options.cells, progress=_say)
    try:
        found = analyse(
            model, survey, parts, grid=grid, nonresponders=absent, target=target, seed=options.seed,
            options=_sampler(options), runner=runner, notify=_say,
        )  # fmt: skip
    except KeyboardInterrupt:
        print(f"bayes_sp: finished fits are kept in {options.cells}; the same command goes on there", file=sys.stderr)
        raise
    summary = sensitivity_text(found)
    try:
        save_sensitivity(found, folder, overwrite=options.overwrite, summary=summary)
    except RunError:
        print(summary)  # the work is done, and its result is not lost with the folder
        raise
    print(f"{summary}\nSaved in {folder}")
    return NOT_TRUSTWORTHY if found.failed else OK


def _parts(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the analyses that were asked for."""
    asked = {"priors": options.priors is not None, "kappa": options.kappa, "confounding": options.confounding,
             "attrition": options.attrition}  # fmt: skip
    parts = tuple(name for name, wanted in asked.items() if wanted or options.all)
    if not parts:
        names = ", ".join(f"--{name}" for name in asked)
        raise BayesSpError("sensitivity", [f"name the analyses that you want: {names}, or --all"])
    if options.nonresponders is not None and "attrition" not in parts:
        raise BayesSpError("--nonresponders", ["goes with --attrition or --all"])
    return parts


def _priors(options: argparse.Namespace) -> int:
    from bayes_sp.spec.load import load_model

    model = load_model(options.model)
    _check_records(options)

    from bayes_sp.criticism.prior_check import check_priors
    from bayes_sp.report.criticism import prior_text

    found = check_priors(model, _survey(options, model), seed=options.seed)

    print(prior_text(model, found), end="")
    if options.figure is not None:
        from bayes_sp.report.criticism_figures import plot_prior_check
        from bayes_sp.report.save import save_figure

        save_figure(plot_prior_check(model, found), options.figure)
        print(f"\nSaved {options.figure}")
    return OK


def _models(_: argparse.Namespace) -> int:
    from bayes_sp.spec.load import load_model, shipped_models

    for name in shipped_models():
        model = load_model(name)
        print(f"{name}: {model.title}\n    {' -> '.join(model.chain)}\n    {model.question}")
    return OK


def _reconstruct(options: argparse.Namespace) -> int:
    from bayes_sp.runs import write_whole
    from bayes_sp.study.reconstruct import reconstruct
    from bayes_sp.survey.records import ORIGIN_COLUMN

    survey = reconstruct(options.seed)
    write_whole(
        options.out,
        survey.records.assign(**{ORIGIN_COLUMN: survey.source}).to_csv(index=False),
        overwrite=options.overwrite,
    )
    print(f"{survey.mark}: {options.out}\nNo real patient stands behind a row.")
    return OK


def _published(_: argparse.Namespace) -> int:
    from bayes_sp.study.published import published

    study = published()
    print(f"{study.citation}\n")
    for key, figure, place in study.all_numbers():
        print(f"{key} = {figure}    [{place}]")
    return OK
