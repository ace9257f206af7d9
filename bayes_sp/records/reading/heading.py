"""Where a table's names and values begin, and rows that are blank or have more or fewer fields than its names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Mask
from bayes_sp.records.groups import may_say_nothing
from bayes_sp.records.reading.cells import is_number
from bayes_sp.records.reading.table import Table
from bayes_sp.records.told import RowName


def named_columns(table: Table) -> int:
    """Return how many columns the header names, trailing nameless ones left out."""
    return max((k for k, name in enumerate(table.header, start=1) if name), default=0)


def check_rows(table: Table, width: int) -> tuple[list[str], Mask]:
    """Return the problems of whole rows, and which rows are blank or lack fields of the first ``width`` columns."""
    nothing, row_name = table.blank, table.row_name
    longer = shorter = np.zeros(table.length, dtype=bool)
    named = named_columns(table)
    if table.fields:
        fields = np.array(table.fields)
        longer = fields > len(table.header)
        for at in map(int, np.flatnonzero((fields > named) & ~longer)):
            longer[at] = any(table.column(k)[at].strip() for k in range(named, len(table.header)))
        shorter = (fields < width) & ~nothing
    what = f"has more fields than the {named} that the first row names; a comma in a cell needs quotation marks"
    problems = list(describe_rows(longer, what, row_name))
    problems += describe_rows(nothing & ~longer, "is blank", row_name)
    problems += describe_rows(shorter, f"has fewer fields than the {named} that the first row names", row_name)
    return problems, nothing | shorter


def describe_rows(mask: Mask, what: str, row_name: RowName) -> Iterator[str]:
    """Yield one sentence on the rows that something is wrong with."""
    if mask.any():
        first, more = int(np.argmax(mask)), int(mask.sum()) - 1
        yield f"{row_name(first)} {what}" + (f", and {more} more" if more else "")


MOST_TITLES = 10  # rows above the names
MOST_HEADERS = 2  # rows below the names that hold words and no values (questions, identifiers of an export)
ROWS_JUDGED = 200
SHARE_NUMBERS = 0.9  # of the cells of a column that holds numbers
SHARE_WORDS = 2 / 3  # of the columns of numbers, in a row that is a header


@dataclass(frozen=True)
class Heading:
    """The row of names, the first row of values (both counted from 0), and what was left out, in words."""

    title: int
    first: int
    remarks: tuple[str, ...] = ()


def heading_of(rows: Sequence[Sequence[str]]) -> Heading:
    """Return where names and values begin.

    A title is a row at the top with one cell, or none, above a row of several cells of which none is a number. A
    further header row stands just below the names and has words in most of the columns that hold numbers below it.
    """
    titles = 0
    while titles < min(MOST_TITLES, len(rows) - 1) and _filled(rows[titles]) <= 1:
        titles += 1
    if _filled(rows[titles]) < 2 or any(is_number(cell.strip()) for cell in rows[titles]):
        titles = 0  # a table of one column, or values without names: not for us to say where they begin
    first, remarks = titles + 1, list[str]()
    if titles:
        remarks.append(f"its columns' names stand in row {titles + 1}, and what is above them was left out")
    numeric = _numeric(rows[first + MOST_HEADERS : first + MOST_HEADERS + ROWS_JUDGED], len(rows[titles]))
    while first - titles <= MOST_HEADERS and first + 1 < len(rows) and _is_header(rows[first], numeric):
        remarks.append(f"row {first + 1}, below the columns' names, holds words for them and was left out")
        first += 1
    return Heading(titles, first, tuple(remarks))


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _numeric(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the places of the columns that hold numbers."""
    found = []
    for place in range(width):
        cells = [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
        if cells and sum(map(is_number, cells)) >= SHARE_NUMBERS * len(cells):
            found.append(place)
    return found


def _is_header(row: Sequence[str], numeric: Sequence[int]) -> bool:
    """Return whether a row has words, and no number, where the rows below it have numbers."""
    cells = [row[place].strip() for place in numeric if place < len(row)]
    words = [cell for cell in cells if cell and not is_number(cell) and not may_say_nothing(cell)]
    return len(numeric) > 1 and len(words) >= SHARE_WORDS * len(numeric) and not any(map(is_number, cells))
