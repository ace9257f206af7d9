"""Sentences on columns and cells; those on cells also know them, so that they can stand in a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np

from bayes_sp.arrays import Mask
from bayes_sp.errors import nearest

CELLS_SHOWN = 5
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")
NAMELESS = "the first row holds numbers, where the columns' names are expected: write the names above it"
type RowName = Callable[[int], str]


class Told(str):
    """A sentence, the column that it is about, and the first cells that it names as (row, value).

    Examples
    --------
    >>> told = Told("column age: must be on its scale; found at row 7 (430)", "age", [("row 7", "430")])
    >>> told.column, told.cells
    ('age', (('row 7', '430'),))
    """

    column: str
    cells: tuple[tuple[str, str], ...]

    def __new__(cls, text: str, column: str = "", cells: list[tuple[str, str]] | None = None) -> Self:
        """Make a sentence."""
        told = super().__new__(cls, text)
        told.column, told.cells = column, tuple(cells or ())
        return told


def describe_cells(column: str, mask: Mask, cell: Callable[[int], str], row_name: RowName, rule: str) -> Iterator[Told]:
    """Yield one sentence for a rule that some cells of a column break; the first cells are named, all are counted."""
    rows = np.flatnonzero(mask)
    if rows.size:
        cells = [(row_name(int(row)), cell(int(row))) for row in rows[:CELLS_SHOWN]]
        shown = ", ".join(f"{name} ({value})" for name, value in cells)
        more = f" and {rows.size - CELLS_SHOWN} more" if rows.size > CELLS_SHOWN else ""
        yield Told(f'column "{column}": {rule}; found at {shown}{more}', column, cells)


def near_column(name: str, columns: Sequence[str]) -> str:
    """Return as `nearest` does, or that the first row holds values, which then are nobody's to see."""
    return f"; {NAMELESS}" if nameless(columns) else nearest(name, columns)


def nameless(columns: Sequence[str]) -> bool:
    """Whether a table's names, two or more, are all numbers."""
    names = [name for name in columns if name]
    return len(names) > 1 and all(NUMBER.fullmatch(name.strip()) for name in names)


def number_words(value: float) -> str:
    """Return a number as a file holds it where it is whole, else with six digits.

    Examples
    --------
    >>> number_words(1189920.0), number_words(0.25)
    ('1189920', '0.25')
    """
    return str(int(value)) if abs(value) < 2.0**53 and value == int(value) else f"{value:g}"
