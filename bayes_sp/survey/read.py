"""A wide CSV file -> Survey. A cell that is neither a number nor missing is an error with its column and row."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.spec.load import load_model
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.checks import check_columns, check_values, describe_cells
from bayes_sp.survey.codes import decoded
from bayes_sp.survey.design import Array, Mask
from bayes_sp.survey.doubts import warn_of_doubts
from bayes_sp.survey.groups import HOW_MISSING, says_nothing
from bayes_sp.survey.records import ORIGIN_COLUMN, RECONSTRUCTED, Coded, Survey

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
MISSING = ("", "NA")  # cells that say that there is no value
CELL_WIDTH = 30
EXACT = 2**53  # whole numbers beyond it are not exact as floats
type Check = Callable[[pd.DataFrame, dict[str, Mask]], list[str]]
type Empty = Sequence[tuple[str, str]]


def read_survey(path: str | Path, model: PathModel | str | Path = "primary") -> Survey:
    """Read a wide CSV file (one row for each patient) and check it against a specification.

    Parameters
    ----------
    path
        A comma-separated UTF-8 file whose first line names the columns. Columns that the specification does
        not name are ignored; the others must hold numbers in every row.
    model
        The specification, its name or its file.

    Returns
    -------
    Survey
        With the specification's columns only.

    Raises
    ------
    SurveyError
        With every missing column, text, fractional or negative count and value off its scale.
        Rows are counted as a spreadsheet does: the columns' names are row 1.

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking the records as they are, such as -99 where no other value is below 0.
    """
    model = load_model(model)
    survey = read_columns(
        path, model, model.columns, lambda records, seen: check_values(model, records, row_in_file, seen)
    )
    warn_of_doubts(model, survey)
    return survey


def read_columns(path: str | Path, model: PathModel, needed: Sequence[str], check: Check, empty: Empty = ()) -> Survey:
    """Read some columns of a specification, and check them as the caller says.

    Parameters
    ----------
    path, model
        As in `read_survey`.
    needed
        Columns to read.
    check
        ``(records, reported) -> problems`` of the cells, beside those that reading itself finds.
    empty
        (column, rule) for columns that may be there but must be empty.
    """
    path = Path(os.path.expanduser(path))  # Path.expanduser raises for an unknown user
    header, rows = _read_rows(path)
    problems = check_columns(model, header, needed)
    if not rows:
        problems.append("there is no row of values below the columns' names")
    if problems:
        raise SurveyError(str(path), problems)
    longer = np.array([any(cell.strip() for cell in row[len(header) :]) for row in rows])
    nothing = np.array([not any(cell.strip() for cell in row) for row in rows])
    problems += _describe_rows(longer, f"has more fields than the {len(header)} that the first row names")
    problems += _describe_rows(nothing, "is blank")
    width = 1 + max((header.index(name) for name in needed), default=0)
    shorter = np.array([len(row) < width for row in rows]) & ~nothing
    problems += _describe_rows(shorter, f"has fewer fields than the {len(header)} that the first row names")
    columns: dict[str, Array] = {}
    groups: dict[str, list[str | None]] = {}
    coded: list[Coded] = []
    reported: dict[str, Mask] = {}
    for name, rule in empty:
        text = _cells(rows, header.index(name)) if name in header else []
        problems += describe_cells(
            name, np.array([cell not in MISSING for cell in text], dtype=bool), _quoted(text), row_in_file, rule
        )
    for name in needed:
        text = _cells(rows, header.index(name))
        codes = [code for code in model.missing_codes_of(name) if isinstance(code, str)]
        blank = np.array([cell in MISSING or cell in codes for cell in text])
        coded += [(name, code, text.count(code)) for code in codes if code in text and code not in MISSING]
        if name in model.grouping:
            groups[name] = [None if empty else cell for cell, empty in zip(text, blank, strict=True)]
            reported[name] = nothing | shorter
            continue
        wrong = ~blank & np.array([NUMBER.fullmatch(cell) is None for cell in text])
        no_value = wrong & np.array([says_nothing(cell) for cell in text])
        told = describe_cells(name, no_value, _quoted(text), row_in_file, "must be a number")
        problems += [f"{problem}; {HOW_MISSING}" for problem in told]
        problems += describe_cells(name, wrong & ~no_value, _quoted(text), row_in_file, "must be a number")
        reported[name] = wrong | nothing | shorter
        columns[name] = np.array([float("nan" if bad else text[i]) for i, bad in enumerate(blank | wrong)])
    records, numbers = decoded(model, pd.DataFrame(columns | groups, index=range(len(rows)))[list(needed)])
    coded += numbers
    problems += check(records, reported)
    if problems:
        raise SurveyError(str(path), problems)
    numeric = {name: records[name].to_numpy() for name in columns}
    whole = [name for name, values in numeric.items() if np.all((values == np.round(values)) & (abs(values) < EXACT))]
    records = records.astype(dict.fromkeys(whole, int))
    mark = _reconstruction_mark(header, rows)
    if mark:
        return Survey(records, "reconstruction", mark, tuple(coded))
    return Survey(records, "file", path.name, tuple(coded))


def _reconstruction_mark(header: list[str], rows: list[list[str]]) -> str:
    """Return what the ``origin`` column of a file of reconstructed records says; '' for a survey of patients."""
    if ORIGIN_COLUMN not in header:
        return ""
    place = header.index(ORIGIN_COLUMN)
    found = {row[place].strip() if place < len(row) else "" for row in rows}
    (mark,) = found if len(found) == 1 else ("",)
    return mark if mark.startswith(RECONSTRUCTED) else ""


def _cells(rows: list[list[str]], place: int) -> list[str]:
    """Return a column's cells, '' where a row is too short."""
    return [row[place].strip() if place < len(row) else "" for row in rows]


def row_in_file(row: int) -> str:
    """Return a record's row as a spreadsheet counts it: the columns' names are row 1."""
    return f"row {row + 2}"


def _describe_rows(mask: Mask, what: str) -> Iterator[str]:
    """Yield one sentence on the rows that something is wrong with."""
    if mask.any():
        first, more = int(np.argmax(mask)), int(mask.sum()) - 1
        yield f"{row_in_file(first)} {what}" + (f", and {more} more" if more else "")


def _quoted(cells: Sequence[str]) -> Callable[[int], str]:
    """Return a function that quotes the start of a cell."""
    return lambda row: repr(cells[row] if len(cells[row]) <= CELL_WIDTH else f"{cells[row][:CELL_WIDTH]}...")


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the columns' names and every row of cells as text; trailing blank rows are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise SurveyError(str(path), [f"is not UTF-8 text (byte {error.start}); save it as UTF-8 CSV"]) from error
    if not text.strip():
        raise SurveyError(str(path), ["is empty"])
    first = text.partition("\n")[0]
    if not first.strip(", "):
        raise SurveyError(str(path), ["the first row is blank; it must name the columns"])
    if "," not in first and any(mark in first for mark in ";\t"):
        reason = "the columns are not separated by commas; save the file as comma-separated CSV with decimal points"
        raise SurveyError(str(path), [reason])
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header, *rows = reader
    except csv.Error as error:
        raise SurveyError(str(path), [f"is not a well-formed CSV table: line {reader.line_num}: {error}"]) from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    return [name.strip() for name in header], rows
