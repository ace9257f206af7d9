"""Commands that simulate records: the calibration of a specification, and the size of a new study."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_sp.cli.arguments import Adder, Commands, add_figures, add_model, add_records, file_path, whole_number
from bayes_sp.cli.statuses import NOT_TRUSTWORTHY, OK
from bayes_sp.cli.terminal import say
from bayes_sp.records.example.typed import TRIAL

if TYPE_CHECKING:
    from bayes_sp.model.path_model import PathModel
    from bayes_sp.records.survey import Survey

LEAST = 20


def add_calibrate(commands: Commands, survey: Callable[[argparse.Namespace, PathModel], Survey]) -> None:
    """Add the command that calibrates a specification; ``survey`` returns the records that options name."""
    calibrate = commands.add_parser(
        "calibrate",
        help="simulate records from the priors, fit them, see whether posteriors hold the truth as often as they say",
        description="Simulation-based calibration: parameters from the priors, records from the likelihood, for the "
        "exposure and covariates of your survey or of the study. What is done is kept in --out: the same command goes "
        "on where it was stopped.",
        epilog="Exit status: 0 nothing speaks against the calibration, 2 a mistake in the arguments, the specification "
        "or the data, 3 something does.",
    )
    add_model(calibrate)
    add_records(calibrate)
    add = calibrate.add_argument_group("simulations").add_argument
    add("--simulations", type=whole_number(LEAST), default=200, metavar="N", help="sets of records (default 200)")
    _add_simulations(add, "where ranks are kept (default runs/calibration-<model>-<seed>)")
    calibrate.examples = (f"calibrate my.toml {TRIAL} --simulations 20 --out runs/truth",)
    calibrate.set_defaults(command=lambda options: _calibrate(options, survey))


def _calibrate(options: argparse.Namespace, survey: Callable[[argparse.Namespace, PathModel], Survey]) -> int:
    from bayes_sp.model.reading.load import load_model

    model = load_model(options.model)
    records = survey(options, model)

    from bayes_sp.analysis.calibration.calibrate import calibrate
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.report.folders.calibrated import save_calibration

    folder = Path("runs") / f"calibration-{model.name}-{options.seed}" if options.out is None else Path(options.out)
    found = calibrate(
        model, records, simulations=options.simulations, seed=options.seed, workers=options.workers, folder=folder,
        options=SamplerOptions(draws=options.draws, chains=2, cores=1), progress=say,
    )  # fmt: skip
    save_calibration(found, folder, options.figures)
    options.output.saved = f"the ranks are saved in {folder}"
    options.output.result = lambda: {"calibrated": found.calibrated, "quantities": found.table}
    options.output.write(f"{found!r}\n\nSaved in {folder}: ranks.csv, calibration.csv, calibration.png\n")
    return OK if found.calibrated else NOT_TRUSTWORTHY


def add_design(commands: Commands, survey: Callable[[argparse.Namespace, PathModel], Survey]) -> None:
    """Add the command that plans a new study; ``survey`` returns the records that options name."""
    design = commands.add_parser(
        "design",
        help="how many patients a new study needs: simulate studies of several sizes and analyse each",
        description="The plan says how many patients are recruited, how many of them come back, what is believed of "
        "the truth and what the study is to show (docs/planning.md). What is done is kept in --out: the same command "
        "goes on where it was stopped.",
        epilog="Exit status: 0 done, 2 a mistake in the arguments, the plan or the data.",
    )
    design.add_argument("plan", type=file_path, metavar="PLAN.toml", help="the plan of the study")
    add_records(design)
    _add_simulations(
        design.add_argument_group("simulations").add_argument,
        "where studies are kept (default runs/design-<plan>-<seed>)",
    )
    design.examples = ("design trial/plan.toml --out runs/plan",)
    design.set_defaults(command=lambda options: _design(options, survey))


def _design(options: argparse.Namespace, survey: Callable[[argparse.Namespace, PathModel], Survey]) -> int:
    from bayes_sp.analysis.planning.plan import read_plan

    plan = read_plan(options.plan)
    options.model = plan.model.name
    records = survey(options, plan.model)

    from bayes_sp.analysis.planning.new_study import design_study
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.report.folders.calibrated import save_design
    from bayes_sp.report.text.layout import aligned, wrapped
    from bayes_sp.shown import in_cells

    name = Path(options.plan).stem
    folder = Path("runs") / f"design-{name}-{options.seed}" if options.out is None else Path(options.out)
    found = design_study(
        plan, records, seed=options.seed, workers=options.workers, folder=folder,
        options=SamplerOptions(draws=options.draws, chains=2, cores=1), progress=say,
    )  # fmt: skip
    save_design(found, folder, options.figures)
    options.output.saved = f"the simulated studies are saved in {folder}"
    options.output.result = lambda: {"sentences": found.sentences(), "grid": found.grid}
    lines = [line for sentence in found.sentences() for line in wrapped(sentence, margin="")]
    cells = in_cells(found.grid)
    rows = [[name.replace("_", " ") for name in cells.heads], *map(list, cells.rows)]
    lines += ["", *aligned(rows, "l" + "r" * len(rows[0]))]
    options.output.write("\n".join(lines) + f"\n\nSaved in {folder}: design.csv, design.png, studies.csv\n")
    return OK


def _add_simulations(add: Adder, out: str) -> None:
    """Add what every command that simulates takes; ``out`` says what stands in the folder."""
    add("--draws", type=whole_number(50), default=500, metavar="N",
        help="kept draws of each of two chains (default 500)")  # fmt: skip
    add("--workers", type=whole_number(1), metavar="N", help="processes (default one for each processor)")
    add("--seed", type=whole_number(0), default=1, metavar="SEED", help="of the simulations (default 1)")
    add("--out", type=file_path, metavar="DIR", help=out)
    add_figures(add)
