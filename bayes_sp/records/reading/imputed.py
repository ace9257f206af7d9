"""One long file with every completed data set of a multiple imputation -> the table of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from bayes_sp.errors import SurveyError, nearest
from bayes_sp.records.reading.cells import MISSING, Cells
from bayes_sp.records.reading.table import Table
from bayes_sp.records.told import describe_cells

ORIGINAL = 0  # the number that mice, Stata and SPSS give to the incomplete data
LEAST = 2  # completed data sets that can be pooled
# Column that numbers completed data sets -> the program that writes it.
IMPUTATION_COLUMNS: Mapping[str, str] = MappingProxyType({".imp": "mice", "_mi_m": "Stata", "imputation_": "SPSS"})
type Rows = tuple[int, ...]


def completed_tables(table: Table, column: str) -> dict[int, Table]:
    """Return the table of each completed data set by its number; rows with the number 0, the original, are left out.

    Raises SurveyError where there is no such column, a cell in it is no whole number of 0 or more, there are fewer than
    two completed data sets, or they have different numbers of rows.
    """
    if table.header.count(column) != 1:
        found = "has several columns" if column in table.header else "has no column"
        raise SurveyError(table.path, [f'{found} "{column}" of imputations{nearest(column, table.header)}'])
    cells = Cells(table.cells(column))
    blank = cells.where({*MISSING}.__contains__)
    numbers = cells.numbers(blank | ~cells.is_number)
    wrong = ~((numbers >= 0) & (numbers == np.round(numbers)))
    rule = "must be the number of a completed data set, or 0 for the original"
    if problems := list(describe_cells(column, wrong, cells.quoted, table.row_name, rule)):
        raise SurveyError(table.path, problems)
    rows = {int(number): np.flatnonzero(numbers == number) for number in np.unique(numbers) if number != ORIGINAL}
    if len(rows) < LEAST:
        reason = f'column "{column}" numbers {len(rows)} completed data sets; {LEAST} or more are pooled'
        raise SurveyError(table.path, [reason])
    sizes = {number: len(own) for number, own in rows.items()}
    if len(set(sizes.values())) > 1:
        usual = max(sizes.values(), key=list(sizes.values()).count)
        odd = ", ".join(f"{number} has {size}" for number, size in sizes.items() if size != usual)
        reason = f'column "{column}": every completed set must hold the same people; {usual} rows are usual, {odd}'
        raise SurveyError(table.path, [reason])
    return {number: _taken(table, tuple(map(int, own))) for number, own in rows.items()}


def unnamed(table: Table, column: str = "") -> Iterator[str]:
    """Yield a sentence on a column that numbers completed data sets but for the one that is named as such."""
    for name in table.header:
        program = IMPUTATION_COLUMNS.get(name.strip().casefold())
        if program and name != column and len({*table.cells(name)}) > 1:
            yield (
                f'column "{name}" numbers the completed data sets of a multiple imputation by {program}: every person '
                f"stands in the file once for each, and is counted as many. --imputations {name} (in Python "
                f"imputations={name!r}) fits each set on its own and pools them"
            )


def has_original(table: Table, column: str) -> bool:
    """Return whether rows of the original, incomplete data are left out."""
    cells = Cells(table.cells(column))
    return bool((cells.numbers(~cells.is_number) == ORIGINAL).any())


def _taken(table: Table, rows: Rows) -> Table:
    """Return a table of some of the rows, which keep their names."""

    def column(k: int) -> list[str]:
        cells = table.column(k)
        return [cells[i] for i in rows]

    return replace(
        table, length=len(rows), column=column, blank=table.blank[list(rows)],
        row_name=lambda i: table.row_name(rows[i]), fields=tuple(table.fields[i] for i in rows) if table.fields else (),
    )  # fmt: skip
