"""A sheet of Excel or OpenDocument -> Table, through python-calamine."""

from __future__ import annotations

import datetime
import unicodedata
from pathlib import Path

import numpy as np

from bayes_sp.errors import SurveyError
from bayes_sp.records.reading.cells import is_number
from bayes_sp.records.reading.frame import cell_text
from bayes_sp.records.reading.heading import heading_of
from bayes_sp.records.reading.table import Table, needed

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def read_spreadsheet(path: Path) -> Table:
    """Read the first sheet that holds anything; a heading above the values is recognised as in text files.

    Raises SurveyError where python-calamine is not installed, the file cannot be read, or no sheet holds anything.
    """
    library = needed("python_calamine", "excel", path)
    try:
        with path.open("rb") as file:
            book = library.CalamineWorkbook.from_filelike(file)
            sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except library.CalamineError as error:
        raise SurveyError(str(path), [f"is no spreadsheet, or a broken or locked one ({error})"]) from error
    full = [name for name, rows in sheets.items() if any(cell != "" for row in rows for cell in row)]
    if not full:
        raise SurveyError(str(path), ["is empty"])
    values = sheets[full[0]]
    rows = [[_text(cell) for cell in row] for row in values]
    while not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    heading = heading_of(rows)
    below = rows[heading.first :]
    header = [unicodedata.normalize("NFC", name.strip()) for name in rows[heading.title]]
    remarks = list(heading.remarks)
    if len(full) > 1:
        others = ", ".join(map(repr, full[1:]))
        remarks.insert(0, f"sheet {full[0]!r} was read, and not {others}")
    remarks += _numbers_as_text(header, values[heading.first : heading.first + len(below)])
    return Table(
        str(path), path.name, "file", header, len(below),
        lambda k: [row[k] if k < len(row) else "" for row in below],
        np.array([not "".join(row).strip() for row in below], dtype=bool),
        lambda row: f"row {row + heading.first + 1}",
        read_as=tuple(remarks),
    )  # fmt: skip


def _text(cell: object) -> str:
    """Return a cell as text from which the same value is read back."""
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell == round(cell) and abs(cell) < 2**53:
        return str(int(cell))  # every number of a spreadsheet is a float
    return cell_text(cell)


def _numbers_as_text(header: list[str], values: list[list[object]]) -> list[str]:
    """Return a sentence for each column in which numbers stand as text beside numbers."""
    told = []
    for place, name in enumerate(header):
        column = [row[place] for row in values if place < len(row)]
        words = [cell for cell in column if isinstance(cell, str) and is_number(cell.strip())]
        if words and any(isinstance(cell, float | int) for cell in column):
            told.append(f"{name}: {len(words)} of its numbers stand as text, such as {words[0]!r}")
    return told
