"""What the commands take: options, their defaults and their help."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bayes_sp.cli.terminal import Parser
from bayes_sp.inference.options import EACH, MANY, METHODS, usual_options
from bayes_sp.names import LEAST_COUNT, PARTS
from bayes_sp.records.example.typed import TRIAL

OMITTED = "".join(["prim", "ary"])  # a text of its own, so that a specification that is named is told from it
NAMED_GRID = ""  # --priors without a file: the named alternatives and the default grid
MEMBERS = 20  # reconstructions that stand for the records of the study
FIGURES = ("png", "svg", "pdf")
FILES = "CSV, Excel, SPSS, Stata, SAS or Parquet"
MOST = 2**32 - 1  # the largest seed that every generator takes


class Version(argparse.Action):
    """Print the version, which is looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:  # noqa: ANN401 - argparse's
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print and end."""
        from importlib.metadata import version

        parser._print_message(f"bayes_sp {version('bayes_sp')}\n", sys.stdout)
        parser.exit()


class Completion(argparse.Action):
    """Print a shell's script of completions, which is made only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:  # noqa: ANN401 - argparse's
        shells = ("bash", "zsh", "tcsh")
        super().__init__(option_strings, argparse.SUPPRESS, choices=shells, default=argparse.SUPPRESS, **options)

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: object, __: object = None) -> None:
        """Print and end."""
        import shtab

        parsers = [
            parser,
            *next(a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)).values(),
        ]
        for action in (action for each in parsers for action in each._actions):
            if action.type is file_path or action.dest == "model":
                action.complete = shtab.FILE
        parser._print_message(shtab.complete(parser, shell=str(shell)), sys.stdout)
        parser.exit()


type Command = Callable[[argparse.Namespace], int]
type Adder = Callable[..., argparse.Action]
type Commands = argparse._SubParsersAction[Parser]


def add_fit(commands: Commands, run: Command) -> None:
    """Add the command that fits one specification."""
    fit = commands.add_parser(
        "fit",
        allow_abbrev=False,  # --keep must not be taken for --keep-records
        help="fit a specification, compare with the bootstrap, save a run",
        description="Without --data the records are reconstructed from the published moments of the study.",
        epilog="Exit status: 0 done, 2 a mistake in the arguments, the specification or the data, 3 the fit failed, "
        "or failed its diagnostics and must not be used.",
    )
    add_model(fit)
    add_records(fit, several=True)
    _add_sampler(fit, several=True)
    add = fit.add_argument_group("results").add_argument
    add("--bootstrap", type=whole_number(0), default=None, metavar="N",
        help="bootstrap samples (default 5000; 0, for none, from 100,000 records on, or with very many "
        "columns)")  # fmt: skip
    add("--check", action="store_true", help="also criticise the fit: replicated records, patients left out")
    add("--refits", type=whole_number(0), default=5, metavar="N",
        help="with --check: refits at most, for patients whose part the draws cannot give (default 5)")  # fmt: skip
    add("--out", type=file_path, metavar="DIR", help="the run's folder (default runs/<model>-<data digest>-<seed>)")
    add("--overwrite", action="store_true", help="replace the run in --out")
    add("--keep-records", "--save-records", action="store_true",
        help="also write the patients' records, and what goes patient by patient, into the run's folder")  # fmt: skip
    add("--least-count", type=whole_number(2), default=LEAST_COUNT, metavar="N",
        help=f"without --keep-records: fewest patients that a table or figure tells of (default {LEAST_COUNT})"
    )  # fmt: skip
    _add_shown(add)
    fit.examples = (f"fit my.toml {TRIAL} --check --out runs/checked", "fit primary --members 1 --verbose")
    fit.set_defaults(command=run)


def add_compare(commands: Commands, run: Command) -> None:
    """Add the command that fits several specifications."""
    compare = commands.add_parser(
        "compare",
        allow_abbrev=False,
        help="fit several specifications to the same records, side by side",
        description="Finished runs of the same specification, records, seed and sampler options are used again.",
        epilog="Exit status: 0 done, 2 a mistake in the arguments, a specification or the data, 3 a fit failed, or "
        "failed its diagnostics and must not be used. A specification that fails does not stop the others.",
    )
    add = compare.add_argument
    add("models", nargs="+", metavar="MODEL", help="shipped specifications or TOML files; the first is the reference")
    add_records(compare)
    _add_sampler(compare)
    add = compare.add_argument_group("results").add_argument
    add("--bootstrap", type=whole_number(0), default=0, metavar="N",
        help="bootstrap samples in each run (default 0: none)")  # fmt: skip
    add("--out", type=file_path, metavar="DIR", help="the comparison's folder (default runs/compare-<seed>)")
    add("--overwrite", action="store_true", help="replace the comparison in --out; its runs are kept")
    _add_shown(add)
    compare.examples = ("compare primary poisson process6",)
    compare.set_defaults(command=run)


def add_sensitivity(commands: Commands, run: Command) -> None:
    """Add the command that asks what it would take to change the conclusion."""
    sensitivity = commands.add_parser(
        "sensitivity",
        allow_abbrev=False,
        help=f"say what it would take to change the conclusion: {', '.join(PARTS)}",
        description="Name the analyses that you want; --all for every one that the records allow. Answers of finished "
        "fits are kept, so that a stopped run goes on where it was.",
        epilog="Exit status: 0 done, 2 a mistake in the arguments, the specification or the data, 3 a fit failed, or "
        "failed its diagnostics. A case that fails does not stop the others.",
    )
    add_model(sensitivity)
    add = sensitivity.add_argument_group("analyses").add_argument
    add("--priors", nargs="?", const=NAMED_GRID, metavar="GRID.toml",
        help="other priors: power-scaling, named alternatives and a grid (yours, where you name its file), tipping "
        "point, overlap with the posterior")  # fmt: skip
    add("--kappa", action="store_true",
        help="how alike what a mediator's equation leaves unexplained is at both exposures; nothing "
        "is refitted")  # fmt: skip
    add("--confounding", action="store_true", help="an unmeasured confounder of two responses, of growing strength")
    add(
        "--attrition", action="store_true", help="patients who did not come back: effects for all, and shifts of theirs"
    )
    add("--all", action="store_true", help="all of these")
    add("--nonresponders", type=file_path, metavar="FILE",
        help="for --attrition: a CSV file with a row for each patient who did not come back, or a TOML file with their "
        "number, means and SDs")  # fmt: skip
    add("--effect", default="", metavar="PATH",
        help='the effect in question, such as "x -> m -> y" (default: the path through all mediators)')  # fmt: skip
    add_records(sensitivity)
    _add_sampler(sensitivity)
    add = sensitivity.add_argument_group("work and results").add_argument
    add("--workers", type=whole_number(1), metavar="N", help="processes that fit (default: one for each processor)")
    add("--scheduler", default="", metavar="ADDRESS", help="fit on the workers of a Dask scheduler, tcp://host:port")
    add("--cells", type=file_path, default=Path("runs/cells"), metavar="DIR",
        help="where answers of single fits are kept (default runs/cells)")  # fmt: skip
    add("--out", type=file_path, metavar="DIR",
        help="the folder (default runs/sensitivity-<model>-<data digest>-<seed>)")  # fmt: skip
    add("--overwrite", action="store_true", help="replace the analysis in --out")
    _add_shown(add)
    sensitivity.examples = (
        f"sensitivity my.toml {TRIAL} --kappa --out runs/kappa", "sensitivity primary --attrition --out runs/doubts",
    )  # fmt: skip
    sensitivity.set_defaults(command=run)


def add_records(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add the options that name records: of one set, or of ``several`` that stand for the same people."""
    add = parser.add_argument_group("records").add_argument
    more = "; again for each set that multiple imputation completed" if several else ""
    first = ", or of the first of several" if several else ""
    add("--data", type=file_path, action="append" if several else "store", metavar="FILE",
        help=f"your survey: {FILES}; a row for each patient{more}")  # fmt: skip
    if several:
        add("--imputations", default="", metavar="COLUMN",
            help="which column of --data numbers completed data sets (0: the original, left out), each fitted and "
            "pooled")  # fmt: skip
    add("--codebook", type=file_path, metavar="FILE", help="what the columns of --data mean (bayes_sp codebook)")
    add("--reconstruction", type=whole_number(0), metavar="SEED",
        help=f"without --data: seed of the reconstruction{first} (default 1)")  # fmt: skip
    if several:
        add("--members", type=whole_number(1, 1000), metavar="K",
            help=f"without --data: how many reconstructions are fitted and pooled (default {MEMBERS})")  # fmt: skip


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the specification that a command is about."""
    parser.add_argument("model", nargs="?", default=OMITTED, metavar="MODEL",
        help="a shipped specification or a TOML file (default primary)")  # fmt: skip


def _add_sampler(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    add, cores, default = (
        parser.add_argument_group("sampling").add_argument,
        min(4, os.cpu_count() or 1),
        usual_options(),
    )
    fewer = f"; {{}} for each of {MANY} sets of records or more" if several else ""
    add("--seed", type=whole_number(0), default=1, metavar="SEED", help="of sampling and resampling (default 1)")
    add("--method", choices=METHODS, default=default.method,
        help=f"laplace: for surveys too large for NUTS; pymc: the plain model (default {default.method})")  # fmt: skip
    add("--draws", type=whole_number(4), metavar="N",
        help=f"kept draws of each chain (default {default.draws}, up to {default.most_draws} where those are too few"
        f"{fewer.format(EACH.draws)})")  # fmt: skip
    add("--tune", type=whole_number(1), metavar="N",
        help=f"warm-up draws of each chain (default {default.tune}{fewer.format(EACH.tune)})")  # fmt: skip
    add("--chains", type=whole_number(1), metavar="N",
        help=f"chains, two at least for R-hat (default {default.chains}{fewer.format(EACH.chains)})")  # fmt: skip
    add("--cores", type=whole_number(1), default=cores, metavar="N",
        help="chains, and processes of this command, at the same time; does not change the draws")  # fmt: skip


def _add_shown(add: Adder) -> None:
    """Add what a command prints of its result, and in which formats it draws."""
    add("--verbose", action="store_true", help="print everything, not the answer alone")
    add_figures(add)


def add_figures(add: Adder) -> None:
    """Add the formats of figures."""
    add("--figures", type=figure_formats, default=(FIGURES[0],), metavar="FORMATS",
        help=f"formats of figures, such as png,svg,pdf (default {FIGURES[0]}, which is always among them)")  # fmt: skip


def figure_formats(text: str) -> tuple[str, ...]:
    """Read formats of figures; PNG, which reports and pages show, is always among them."""
    asked = [part.strip().lower() for part in text.split(",")]
    if unknown := [part for part in asked if part not in FIGURES]:
        raise argparse.ArgumentTypeError(f"knows {', '.join(FIGURES)}, found {', '.join(map(repr, unknown))}")
    return tuple(name for name in FIGURES if name in {FIGURES[0], *asked})


def whole_number(least: int, most: int = MOST) -> Callable[[str], int]:
    """Return an argparse type: a whole number from ``least`` to ``most``."""

    def whole(text: str) -> int:
        """Read a whole number; argparse prints what else was found."""
        is_whole = re.fullmatch(r"[+-]?\d{1,12}", text, re.ASCII) is not None
        if not is_whole or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, found {text!r}")
        return int(text)

    return whole


def file_path(text: str) -> Path:
    """Return a path with a leading ``~`` expanded, also where the shell has not done it (``--out=~/run``)."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"must name a file or folder, found {repr(text) if text else 'nothing'}")
    return Path(os.path.expanduser(text))  # Path.expanduser raises for an unknown user
