"""The columns of a table that a specification names -> Survey.

A cell that is neither a number nor missing is an error with its column and row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.checks import EXACT, check_columns
from bayes_sp.records.codes import decoded
from bayes_sp.records.groups import HOW_MISSING, may_say_nothing
from bayes_sp.records.persons import long_columns, repeated
from bayes_sp.records.reading.cells import Cells, changed, is_number
from bayes_sp.records.reading.source import Source, read_table
from bayes_sp.records.reading.table import Table
from bayes_sp.records.survey import ORIGIN_COLUMN, RECONSTRUCTED, Survey
from bayes_sp.records.told import RowName, describe_cells

MISSING = ("", "NA")  # cells that say that there is no value
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)
PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?", re.ASCII)
LIKE_A_CODE = re.compile(r"0\d+|\d+[eE]\d+", re.ASCII)  # identifiers as they come out of spreadsheets
type Check = Callable[[pd.DataFrame, dict[str, Mask], RowName], list[str]]
type Empty = Sequence[tuple[str, str]]


def read_columns(source: Source, model: PathModel, needed: Sequence[str], check: Check, empty: Empty = ()) -> Survey:
    """Read some columns of a specification, and check them as the caller says.

    Parameters
    ----------
    source, model
        As in `read_survey`.
    needed
        Variables to read, each from the column that the specification names for it.
    check
        ``(records, reported, row) -> problems`` of the cells, beside those that reading itself finds; ``row`` names a
        record's row.
    empty
        (variable, rule) for variables that may be there but must be empty.
    """
    table = source if isinstance(source, Table) else read_table(source)
    row_name, header = table.row_name, table.header
    problems = check_columns(model, header, [*needed, model.id] if model.id else needed)
    if not table.length:
        raise SurveyError(table.path, [*problems, "there is no row of values below the columns' names"])
    needed = [name for name in needed if header.count(model.column_of(name)) == 1]
    place = {name: header.index(model.column_of(name)) for name in needed}
    of_rows, bad_rows = _check_rows(table, 1 + max(place.values(), default=0))
    problems += of_rows
    problems += repeated(model.id, _bare(table.cells(model.id)), row_name) if model.id and model.id in header else []
    for name, rule in empty:
        column = model.column_of(name)
        cells = Cells(table.cells(column) if column in header else [])
        filled = ~cells.where(lambda cell: cell in MISSING)
        problems += describe_cells(name, filled, cells.quoted, row_name, rule)
    cells_of = {name: Cells(table.column(place[name])) for name in needed}
    numbers = {name: cells for name, cells in cells_of.items() if name not in model.grouping}
    read_as = [*table.read_as, *with_points(numbers)]
    columns: dict[str, Array] = {}
    groups: dict[str, list[str | None]] = {}
    coded = [(name, code, count) for name in needed for at, code, count in table.coded if at == model.column_of(name)]
    reported: dict[str, Mask] = {}
    for name, cells in cells_of.items():
        codes = [code for code in model.missing_codes_of(name) if isinstance(code, str)]
        blank = cells.where({*MISSING, *codes}.__contains__)
        counts = [(name, code, cells.count(code)) for code in codes if code not in MISSING]
        coded += [found for found in counts if found[2]]
        reported[name] = bad_rows
        if name in model.grouping:
            groups[name] = cells.labels(blank)
            continue
        found, wrong = _numbers_problems(name, cells, blank, row_name)
        problems += found
        reported[name] = wrong | bad_rows
        columns[name] = cells.numbers(blank | wrong)
        read_as += like_codes(name, cells)
    records, taken = decoded(model, pd.DataFrame(columns | groups, index=range(table.length))[list(needed)])
    problems += check(records, reported, row_name)
    if problems:
        raise SurveyError(table.path, problems)
    numeric = {name: records[name].to_numpy() for name in columns}
    whole = [name for name, values in numeric.items() if np.all((values == np.round(values)) & (abs(values) < EXACT))]
    records = records.astype(dict.fromkeys(whole, int))
    mark = _reconstruction_mark(table)
    labels = {name: table.labels.get(model.column_of(name), "") for name in needed}
    values = {name: table.value_labels.get(model.column_of(name), {}) for name in needed}
    return Survey(
        records, "reconstruction" if mark else table.origin, mark or table.place, (*coded, *taken),
        (*table.remarks, *_remarks(model, table)), tuple(read_as),
        {name: label for name, label in labels.items() if label},
        {name: found for name, found in values.items() if found},
    )  # fmt: skip


def _numbers_problems(name: str, cells: Cells, blank: Mask, row_name: RowName) -> tuple[list[str], Mask]:
    """Return what is wrong with the cells of a column of numbers, and which cells hold no number."""
    wrong = ~blank & ~cells.where(is_number)
    problems = list[str]()
    for rule, mask in changed(cells):
        problems += describe_cells(name, mask & ~blank, cells.quoted, row_name, rule)
    no_value = wrong & cells.where(lambda cell: not is_number(cell) and may_say_nothing(cell))
    told = describe_cells(name, no_value, cells.quoted, row_name, "must be a number")
    problems += [f"{problem}; {HOW_MISSING}" for problem in told]
    problems += describe_cells(name, wrong & ~no_value, cells.quoted, row_name, "must be a number")
    return problems, wrong


def with_points(columns: dict[str, Cells]) -> Iterator[str]:
    """Give numbers with decimal commas their points, and say so; nothing changes where any number has a point.

    Three digits behind the comma alone, as in 1,250, could be thousands: those are left as they are, and refused.
    """
    cells = {cell for column in columns.values() for cell in column.distinct}
    commas = {cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)}
    if not commas or any(map(DECIMAL_POINT.fullmatch, cells)) or all(map(PERHAPS_THOUSANDS.fullmatch, commas)):
        return
    for column in columns.values():
        column.distinct = [cell.replace(",", ".") if cell in commas else cell for cell in column.distinct]
    yield f"its decimal commas were read as points, as in {min(commas, key=len)!r}"


def like_codes(name: str, cells: Cells) -> Iterator[str]:
    """Yield what is read as a number and may be a code, such as 01 or 1e5."""
    found = [cell for cell in cells.distinct if LIKE_A_CODE.fullmatch(cell)]
    if found:
        yield f"{name}: {found[0]!r} is read as the number {float(found[0]):.15g}"


def _remarks(model: PathModel, table: Table) -> Iterator[str]:
    """Yield what a file says beside its cells that a reader must know: lost fields, rows of one person."""
    if table.fields:
        named, fields = _named(table), np.array(table.fields)
        what = f"has fewer fields than the {named} that the first row names"
        for told in _describe_rows(fields < named, what, table.row_name):
            yield f"{told}. The columns at its end are taken as empty; a field lost before them would shift the others."
    used = {*map(model.column_of, model.columns), model.id}
    yield from long_columns((name, _bare(table.column(k))) for k, name in enumerate(table.header) if name not in used)


def _named(table: Table) -> int:
    """Return how many columns the header names, trailing nameless ones left out."""
    return max((k for k, name in enumerate(table.header, start=1) if name), default=0)


def _check_rows(table: Table, width: int) -> tuple[list[str], Mask]:
    """Return the problems of whole rows, and which rows are blank or lack fields of the first ``width`` columns."""
    nothing, row_name = table.blank, table.row_name
    longer = shorter = np.zeros(table.length, dtype=bool)
    named = _named(table)
    if table.fields:
        fields = np.array(table.fields)
        longer = fields > len(table.header)
        for at in map(int, np.flatnonzero((fields > named) & ~longer)):
            longer[at] = any(table.column(k)[at].strip() for k in range(named, len(table.header)))
        shorter = (fields < width) & ~nothing
    what = f"has more fields than the {named} that the first row names; a comma in a cell needs quotation marks"
    problems = list(_describe_rows(longer, what, row_name))
    problems += _describe_rows(nothing & ~longer, "is blank", row_name)
    problems += _describe_rows(shorter, f"has fewer fields than the {named} that the first row names", row_name)
    return problems, nothing | shorter


def _reconstruction_mark(table: Table) -> str:
    """Return what the ``origin`` column of a file of reconstructed records says; '' for a survey of patients."""
    if ORIGIN_COLUMN not in table.header:
        return ""
    found = {cell.strip() for cell in table.cells(ORIGIN_COLUMN)}
    (mark,) = found if len(found) == 1 else ("",)
    return mark if mark.startswith(RECONSTRUCTED) else ""


def _bare(cells: list[str]) -> list[str]:
    """Return cells without white space around them."""
    return [cell.strip() for cell in cells]


def _describe_rows(mask: Mask, what: str, row_name: RowName) -> Iterator[str]:
    """Yield one sentence on the rows that something is wrong with."""
    if mask.any():
        first, more = int(np.argmax(mask)), int(mask.sum()) - 1
        yield f"{row_name(first)} {what}" + (f", and {more} more" if more else "")
