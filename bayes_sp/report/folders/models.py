"""Several specifications side by side -> their folder, in which the runs stand too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl

from bayes_sp.analysis.comparison.models import Multiverse
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import survey_of
from bayes_sp.endings import Interruptions, undoing
from bayes_sp.errors import BayesSpError, RunError
from bayes_sp.files import Partial, check_place, claim, numbered, remove_empty
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey
from bayes_sp.report.figures.models import plot_models
from bayes_sp.report.figures.style import FONT, FORMATS, write_figures
from bayes_sp.report.folders.analysis import write_text
from bayes_sp.report.folders.compared import COMPARED_FILE
from bayes_sp.report.folders.run import RUN_FILE
from bayes_sp.report.folders.sealed import sealed_text
from bayes_sp.safe_text import write_csv

TABLE_FILE, TEXT_FILE, FIGURE = "compare.csv", "compare.txt", "compare"
FILES = (TABLE_FILE, TEXT_FILE, *(f"{FIGURE}.{ending}" for ending in FORMATS), COMPARED_FILE)


def check_comparison(
    models: Sequence[str], data: Survey | Path | None, folder: Path | None, *, overwrite: bool
) -> None:
    """Refuse a comparison before any work is done.

    Raises RunError where the folder holds a comparison that may not be replaced, or something else, or cannot be
    written; BayesSpError with what is wrong with each specification, and with the records for it.
    """
    if folder is not None:
        _check_folder(folder, overwrite=overwrite)
    problems = []
    for name in models:
        try:
            model = load_model(name)
            survey = reconstruct() if data is None else survey_of(model, data)
            missing = [column for column in model.columns if column not in survey.records]
            if data is None and missing:
                columns = ", ".join(model.columns)
                raise BayesSpError(name, [f"needs your records: name their file with --data (columns {columns})"])
            for checked in (model, twin_of(model)):
                design_arrays(checked, survey)
        except BayesSpError as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        raise BayesSpError("compare", problems)


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(folder):
        check_place(folder)
        return
    if not os.path.isdir(folder):
        raise RunError(str(folder), ["is not a folder; name another with --out"])
    if (folder / TABLE_FILE).is_file() and not overwrite:
        advice = "name another folder, or add --overwrite (finished runs in it are used again)"
        raise RunError(str(folder), [f"holds a comparison already; {advice}"])
    strange = [path for path in folder.iterdir() if not _is_ours(path)]
    if strange:
        raise RunError(str(folder), [f"holds {strange[0].name}, which no comparison wrote; name another folder"])
    check_place(folder / TABLE_FILE)


def _is_ours(path: Path) -> bool:
    return path.name in FILES or path.name.startswith(".") or (path / RUN_FILE).is_file()


@contextmanager
def new_comparison_folder(folder: Path | None, seed: int, root: Path = Path("runs")) -> Iterator[Path]:
    """Yield the folder of a comparison, which is made for it alone, or stands already where it is named.

    Where it was made and nothing came into it, it goes when the block ends.

    By default ``runs/compare-<seed>``, or the first of ``...-2``, ``...-3`` that is free.

    Raises RunError where it cannot be made.
    """
    place = folder or root / f"compare-{seed}"
    made = [path for path in (place, *place.absolute().parents) if not os.path.exists(path)]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if folder is None:
            place = _next_folder(place)
        else:
            place.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(str(place), [f"cannot be written ({error.strerror or error})"]) from error
    ours = [place, *made] if folder is None else made
    try:
        with undoing(lambda: remove_empty(ours)):
            yield place
    finally:
        remove_empty(ours)


def _next_folder(place: Path) -> Path:
    """Make a folder that was not there before, and return it."""
    for name in numbered(place):
        try:
            name.mkdir()
        except FileExistsError:
            continue
        return name
    raise AssertionError("unreachable: there is always a next number")


def save_comparison(
    found: Multiverse,
    folder: Path,
    text: str,
    tables: Mapping[str, Any],
    *,
    overwrite: bool = False,
    formats: Sequence[str] = ("png",),
) -> Path:
    """Write table, text and figure into a folder, all of them or none; the runs stand in it already.

    Returns ``folder``, or a new one beside it where another comparison has come into it meanwhile. By ``tables``
    another comparison knows what need not be computed again.

    Raises RunError where the folder cannot be written.
    """
    partial = Partial(folder / TABLE_FILE)
    try:
        with Interruptions() as interruptions:
            try:
                partial.path.mkdir()
                with mpl.rc_context(FONT):
                    write_figures(plot_models(found), partial.path.joinpath, FIGURE, formats)
                write_text(partial.path / TEXT_FILE, text)
                write_text(partial.path / COMPARED_FILE, sealed_text(tables))
                write_csv(found.table, partial.path / TABLE_FILE)
                interruptions.hold = True
                if not interruptions.pending:
                    folder = _take_names(partial.path, folder, overwrite=overwrite)
            finally:
                interruptions.hold = True
                partial.remove()
    except OSError as error:
        raise RunError(str(folder), [f"cannot be written ({error.strerror or error})"]) from error
    return folder


def _take_names(finished: Path, folder: Path, *, overwrite: bool) -> Path:
    """Move the files to where they belong; the table, which makes a folder a comparison's, first."""
    if overwrite:
        (finished / TABLE_FILE).replace(folder / TABLE_FILE)
    else:
        try:
            claim(finished / TABLE_FILE, folder / TABLE_FILE)
        except FileExistsError:
            folder = _next_folder(folder)
            claim(finished / TABLE_FILE, folder / TABLE_FILE)
    for name in FILES[1:]:
        if (finished / name).is_file():
            (finished / name).replace(folder / name)
    return folder
