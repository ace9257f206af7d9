"""``python -m benchmarks``: run the sections, print each table as it is ready, and write all figures to a CSV file."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import ess, families, grid, growth, reading, reconstruction, refit, resampling, startup, whole_fit
from benchmarks.figure import Figure, Settings
from benchmarks.machine import machine
from benchmarks.process import MeasurementError, prepare
from benchmarks.table import heading, section_text, write_csv

SECTIONS: dict[str, tuple[str, Callable[[Settings], list[Figure]]]] = {
    "startup": ("Start-up, whole processes", startup.figures),
    "fit": ("One fit, whole process by stage", whole_fit.figures),
    "refit": ("Refits of a compiled model", refit.figures),
    "grid": ("A grid of fits, over processes and over a Dask cluster", grid.figures),
    "ess": ("Effective draws per second, against pm.sample on the plain model", ess.figures),
    "families": ("Families: compiling and fits", families.figures),
    "bootstrap": ("Bootstrap, against a plain NumPy loop", resampling.figures),
    "reconstruction": ("Reconstruction of a record set", reconstruction.figures),
    "reading": ("Files with a million rows, against the bare readers", reading.figures),
    "growth": ("Growth with the number of patients", growth.figures),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and return 0, or 1 where a section failed."""
    options = _parser().parse_args(arguments)
    about = machine()
    done: dict[str, list[Figure]] = {}
    failed = False
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        settings = Settings(options.quick, options.full, Path(folder))
        print(heading(about, settings.mode), flush=True)
        prepare(settings.folder, fill=not settings.quick)
        for name in [name for name in SECTIONS if not options.only or name in options.only]:
            title, measure = SECTIONS[name]
            try:
                done[name] = measure(settings)
            except MeasurementError as error:
                print(f"benchmarks: section {name} failed: {error}", file=sys.stderr)
                failed = True
                continue
            print(section_text(title, done[name]), flush=True)
            write_csv(options.out, done, about, settings.mode)  # after each section: a stopped run keeps its figures
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure times, memory and ratios.")
    add = parser.add_argument
    add("--quick", action="store_true", help="tiny sizes, which only show that everything works")
    add("--full", action="store_true", help="also NUTS with 200,000 patients (many minutes)")
    names = ", ".join(SECTIONS)
    add("--only", action="append", choices=SECTIONS, metavar="NAME", help=f"a section: {names}; may be repeated")
    add("--out", type=Path, default=Path("benchmarks.csv"), metavar="FILE", help="CSV file (default benchmarks.csv)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
