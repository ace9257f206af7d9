"""A wide CSV file -> Survey. A cell that is neither a number nor missing is an error with its column and row."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.checks import EXACT, RowName, check_columns, describe_cells
from bayes_sp.records.codes import decoded
from bayes_sp.records.groups import HOW_MISSING, may_say_nothing
from bayes_sp.records.persons import long_columns, repeated
from bayes_sp.records.reading.cells import Cells, changed, is_number
from bayes_sp.records.reading.frame import FRAME, row_in_frame, rows_of_frame
from bayes_sp.records.survey import ORIGIN_COLUMN, RECONSTRUCTED, Coded, Origin, Survey

MISSING = ("", "NA")  # cells that say that there is no value
ROWS_AT_ONCE = 10_000  # between which an interrupt is heard
SEPARATOR = re.compile(r"\"?sep=(.?)\"?,*", re.IGNORECASE)
type Check = Callable[[pd.DataFrame, dict[str, Mask], RowName], list[str]]
type Empty = Sequence[tuple[str, str]]


def read_columns(
    source: str | Path | pd.DataFrame, model: PathModel, needed: Sequence[str], check: Check, empty: Empty = ()
) -> Survey:
    """Read some columns of a specification, and check them as the caller says.

    Parameters
    ----------
    source, model
        As in `read_survey`.
    needed
        Columns to read.
    check
        ``(records, reported, row) -> problems`` of the cells, beside those that reading itself finds; ``row`` names a
        record's row.
    empty
        (column, rule) for columns that may be there but must be empty.
    """
    origin: Origin
    if isinstance(source, pd.DataFrame):
        path, place, origin, row_name = FRAME, FRAME, "memory", row_in_frame
        header, rows = rows_of_frame(source)
    else:
        file = Path(os.path.expanduser(source))  # Path.expanduser raises for an unknown user
        path, place, origin, row_name = str(file), file.name, "file", row_in_file
        header, rows = read_rows(file)
    problems = check_columns(model, header, [*needed, model.id] if model.id else needed)
    if not rows:
        problems.append("there is no row of values below the columns' names")
    if problems:
        raise SurveyError(path, problems)
    of_rows, nothing, shorter = _check_rows(header, rows, 1 + max(map(header.index, needed), default=0), row_name)
    problems += of_rows
    problems += repeated(model.id, _bare(rows, header.index(model.id)), row_name) if model.id else []
    columns: dict[str, Array] = {}
    groups: dict[str, list[str | None]] = {}
    coded: list[Coded] = []
    reported: dict[str, Mask] = {}
    for name, rule in empty:
        cells = Cells(_cells(rows, header.index(name)) if name in header else [])
        filled = ~cells.where(lambda cell: cell in MISSING)
        problems += describe_cells(name, filled, cells.quoted, row_name, rule)
    for name in needed:
        cells = Cells(_cells(rows, header.index(name)))
        codes = [code for code in model.missing_codes_of(name) if isinstance(code, str)]
        blank = cells.where({*MISSING, *codes}.__contains__)
        counts = [(name, code, cells.count(code)) for code in codes if code not in MISSING]
        coded += [found for found in counts if found[2]]
        if name in model.grouping:
            groups[name] = cells.labels(blank)
            reported[name] = nothing | shorter
            continue
        wrong = ~blank & ~cells.where(is_number)
        for rule, mask in changed(cells):
            problems += describe_cells(name, mask & ~blank, cells.quoted, row_name, rule)
        no_value = wrong & cells.where(lambda cell: not is_number(cell) and may_say_nothing(cell))
        told = describe_cells(name, no_value, cells.quoted, row_name, "must be a number")
        problems += [f"{problem}; {HOW_MISSING}" for problem in told]
        problems += describe_cells(name, wrong & ~no_value, cells.quoted, row_name, "must be a number")
        reported[name] = wrong | nothing | shorter
        columns[name] = cells.numbers(blank | wrong)
    records, numbers = decoded(model, pd.DataFrame(columns | groups, index=range(len(rows)))[list(needed)])
    coded += numbers
    problems += check(records, reported, row_name)
    if problems:
        raise SurveyError(path, problems)
    numeric = {name: records[name].to_numpy() for name in columns}
    whole = [name for name, values in numeric.items() if np.all((values == np.round(values)) & (abs(values) < EXACT))]
    records = records.astype(dict.fromkeys(whole, int))
    mark = _reconstruction_mark(header, rows)
    remarks = tuple(_remarks(model, header, rows, row_name))
    return Survey(records, "reconstruction" if mark else origin, mark or place, tuple(coded), remarks)


def _remarks(model: PathModel, header: list[str], rows: list[list[str]], row_name: RowName) -> Iterator[str]:
    """Yield what a file says beside its cells that a reader must know: lost fields, rows of one person."""
    named = max((k for k, name in enumerate(header, start=1) if name), default=0)
    fields = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
    for told in _describe_rows(fields < named, f"has fewer fields than the {named} that the first row names", row_name):
        yield f"{told}. The columns at its end are taken as empty; a field lost before them would shift the others."
    others = ((name, _bare(rows, k)) for k, name in enumerate(header) if name not in (*model.columns, model.id))
    yield from long_columns(others)


def _check_rows(
    header: list[str], rows: list[list[str]], width: int, row_name: RowName
) -> tuple[list[str], Mask, Mask]:
    """Return the problems of whole rows, and which rows are blank or lack fields of the first ``width`` columns."""
    named = max((k for k, name in enumerate(header, start=1) if name), default=0)
    fields = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
    longer = fields > len(header)
    for at in map(int, np.flatnonzero((fields > named) & ~longer)):
        longer[at] = any(cell.strip() for cell in rows[at][named:])
    nothing = np.array([not ((row and row[0].strip()) or "".join(row).strip()) for row in rows])
    problems = list(
        _describe_rows(
            longer,
            f"has more fields than the {named} that the first row names; a comma in a cell needs quotation marks",
            row_name,
        )
    )
    problems += _describe_rows(nothing & ~longer, "is blank", row_name)
    shorter = (fields < width) & ~nothing
    problems += _describe_rows(shorter, f"has fewer fields than the {named} that the first row names", row_name)
    return problems, nothing, shorter


def _reconstruction_mark(header: list[str], rows: list[list[str]]) -> str:
    """Return what the ``origin`` column of a file of reconstructed records says; '' for a survey of patients."""
    if ORIGIN_COLUMN not in header:
        return ""
    place = header.index(ORIGIN_COLUMN)
    found = {row[place].strip() if place < len(row) else "" for row in rows}
    (mark,) = found if len(found) == 1 else ("",)
    return mark if mark.startswith(RECONSTRUCTED) else ""


def _cells(rows: list[list[str]], place: int) -> list[str]:
    """Return a column's cells as they are, '' where a row is too short."""
    return [row[place] if place < len(row) else "" for row in rows]


def _bare(rows: list[list[str]], place: int) -> list[str]:
    """Return a column's cells without white space around them."""
    return [cell.strip() for cell in _cells(rows, place)]


def row_in_file(row: int) -> str:
    """Return a record's row as a spreadsheet counts it: the columns' names are row 1."""
    return f"row {row + 2}"


def _describe_rows(mask: Mask, what: str, row_name: RowName) -> Iterator[str]:
    """Yield one sentence on the rows that something is wrong with."""
    if mask.any():
        first, more = int(np.argmax(mask)), int(mask.sum()) - 1
        yield f"{row_name(first)} {what}" + (f", and {more} more" if more else "")


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the columns' names, in composed letters, and every row of cells; trailing blank rows are left out.

    A first line ``sep=,``, which spreadsheets write and do not show, is no row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise SurveyError(str(path), [f"is not UTF-8 text (byte {error.start}); save it as UTF-8 CSV"]) from error
    except ValueError as error:
        raise SurveyError(repr(str(path)), [f"is no path of a file ({error})"]) from error
    if not text.strip():
        raise SurveyError(str(path), ["is empty"])
    first, _, rest = text.partition("\n")
    mark = SEPARATOR.fullmatch(first.strip())
    if mark:
        first, text = rest.partition("\n")[0], rest
    if not first.strip(", "):
        raise SurveyError(str(path), ["the first row is blank; it must name the columns"])
    if (mark and mark[1] != ",") or ("," not in first and any(mark in first for mark in ";\t")):
        reason = "the columns are not separated by commas; save the file as comma-separated CSV with decimal points"
        raise SurveyError(str(path), [reason])
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header, rows = next(reader), list[list[str]]()
        while block := list(islice(reader, ROWS_AT_ONCE)):
            rows += block
    except csv.Error as error:
        raise SurveyError(str(path), [f"is not a well-formed CSV table: line {reader.line_num}: {error}"]) from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    return [unicodedata.normalize("NFC", name.strip()) for name in header], rows
