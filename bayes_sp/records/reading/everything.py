"""Whatever a user's records stand in -> Table -> Survey of every column, before there is a specification."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.arrays import Mask
from bayes_sp.errors import SurveyError
from bayes_sp.records.checks import EXACT
from bayes_sp.records.codes import labelled_as_missing
from bayes_sp.records.groups import folded, says_nothing
from bayes_sp.records.reading.cells import MISSING, Cells, changed, like_codes, with_points
from bayes_sp.records.reading.frame import frame_table, read_parquet
from bayes_sp.records.reading.spreadsheet import SUFFIXES, read_spreadsheet
from bayes_sp.records.reading.statistical import READERS, read_statistical
from bayes_sp.records.reading.table import Table, needed
from bayes_sp.records.reading.text import read_text
from bayes_sp.records.survey import ORIGIN_COLUMN, Survey
from bayes_sp.records.told import NAMELESS, RowName, nameless

FORMATS: dict[str, Callable[[Path], Table]] = {
    **dict.fromkeys(READERS, read_statistical),
    **dict.fromkeys(SUFFIXES, read_spreadsheet),
    **dict.fromkeys((".parquet", ".pq"), read_parquet),
}  # by the end of a file's name; every other file is read as text

type Source = str | Path | pd.DataFrame | Any  # or a data frame of another library, through narwhals


def read_table(source: Source) -> Table:
    """Read a file of any format, or a data frame.

    Raises SurveyError where it cannot be read, with the reason.
    """
    if isinstance(source, pd.DataFrame):
        return frame_table(source)
    if not isinstance(source, str | os.PathLike):
        return frame_table(_as_pandas(source))
    path = Path(os.path.expanduser(source))  # Path.expanduser raises for an unknown user
    suffix = path.suffix.lower()
    if suffix == ".toml":
        raise SurveyError(str(path), ["is a TOML file by its name, and no table of records"])
    return FORMATS.get(suffix, read_text)(path)


def _as_pandas(source: object) -> pd.DataFrame:
    """Return a data frame of another library (Polars, PyArrow, Modin, ...) as one of pandas."""
    reason = f"must be a Survey, a data frame or the path of a file, found {type(source).__name__}"
    if type(source).__module__ in ("builtins", "numpy"):
        raise SurveyError("survey", [reason])
    narwhals = needed("narwhals", "frames", Path("the data frame"))
    try:
        frame = narwhals.from_native(source, eager_only=True).to_pandas()
    except TypeError as error:
        raise SurveyError("survey", [reason]) from error
    assert isinstance(frame, pd.DataFrame)  # noqa: S101 - narwhals' own promise
    return frame


NO_THING = "none"  # a word of programs for no value, and of people for nothing at all
MOSTLY = 0.5  # share of numbers in a column of text from which the rest is pointed at


def read_everything(source: Source | Table) -> Survey:
    """Read every named column: as numbers where all its cells are numbers or missing, else as text.

    Raises SurveyError where the source cannot be read, two columns have one name, or there are no rows.
    """
    table = source if isinstance(source, Table) else read_table(source)
    problems = [f'column "{name}" stands {n} times' for name, n in Counter(table.header).items() if name and n > 1]
    if nameless(table.header) and (problems or not all(name.isdecimal() for name in table.header)):
        problems = [NAMELESS]
    if not table.length:
        problems.append("there is no row of values below the columns' names")
    if problems:
        raise SurveyError(table.path, problems)
    cells = {name: Cells(table.column(k)) for k, name in enumerate(table.header) if name}
    numeric = {name: column for name, column in cells.items() if name not in table.as_text}
    read_as, columns, remarks = [*table.read_as, *with_points(numeric)], {}, [*table.remarks]
    for name, column in cells.items():
        if name in table.as_text:
            columns[name] = np.array(column.labels(column.where(lambda cell: not cell)), dtype=object)
            continue
        blank = column.where_no_number(lambda cell: cell in MISSING or says_nothing(cell))
        number = column.is_number
        exact = not any(mask.any() for _, mask in changed(column))
        if exact and (number | blank).all():
            values = column.numbers(blank)
            columns[name] = (
                values.astype(int) if np.all((values == np.round(values)) & (abs(values) < EXACT)) else values
            )
            read_as += like_codes(name, column)
        else:
            answers = column.where(lambda cell: folded(cell) == NO_THING) & ~number
            blank = blank & ~answers
            columns[name] = np.array(column.labels(blank), dtype=object)
            remarks += _mixed(name, column, number, blank | answers, table.row_name)
            remarks += _none(name, answers) if not number.any() else ()
    frame = pd.DataFrame(columns)
    origin, place = table.origin_said
    if place != table.place:
        frame = frame.drop(columns=ORIGIN_COLUMN)
    for name, labels in table.value_labels.items():
        remarks += labelled_as_missing(name, frame[name], labels) if name in frame else ()
    return Survey(
        frame, origin, place, table.coded, tuple(remarks), tuple(read_as), table.labels,
        table.value_labels, table.codebook,
    )  # fmt: skip


def _none(name: str, answers: Mask) -> Iterator[str]:
    """Yield a sentence on cells that hold the word none, which is an answer among words and no value in programs."""
    if answers.any():
        count = int(answers.sum())
        yield (
            f'{name}: the word "none" stands in {count} cells and is read as an answer like the others; where it '
            "stands for a missing value, name it in missing_codes, or leave those cells empty"
        )


def _mixed(name: str, cells: Cells, number: Mask, blank: Mask, row_name: RowName) -> Iterator[str]:
    """Yield a sentence on a column that holds mostly numbers and some words."""
    words = ~number & ~blank
    if not words.any():
        inexact = np.any([mask for _, mask in changed(cells)], axis=0)
        first = int(np.argmax(inexact))
        what = f"cannot be kept exactly as a number; is it an identifier? {int(inexact.sum())} such cells"
        yield f"{name}: is read as text, because {cells.quoted(first)} at {row_name(first)} {what}"
        return
    if number.any() and number.sum() >= MOSTLY * (~blank).sum():
        first = int(np.argmax(words))
        what = f"{int(words.sum())} of its cells hold no number, such as {cells.quoted(first)} at {row_name(first)}"
        yield f"{name}: is read as text, because {what}"
