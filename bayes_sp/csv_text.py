"""Tables as CSV text in which no cell is a formula to a spreadsheet, and which read back as they were."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]", re.DOTALL)  # and what was made harmless before
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf", re.ASCII)


def harmless(cell: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would compute it; numbers stay.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-1.5"), harmless("Elm Street")
    ("'=1+1", '-1.5', 'Elm Street')
    """
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell


def as_meant(cell: str) -> str:
    """Return a text without the apostrophe that `harmless` puts before it."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell


def csv_text(table: pd.DataFrame, *, index: bool = False) -> str:
    """Return a table as CSV text; texts in names and cells that a spreadsheet would compute get an apostrophe."""
    table = table.reset_index() if index else table
    changed = {
        name: [harmless(cell) if isinstance(cell, str) else cell for cell in column]
        for name, column in table.items()
        if column.dtype.kind not in "biufc"
    }
    table = table.assign(**changed) if all(isinstance(name, str) for name in changed) else table
    names = [harmless(name) if isinstance(name, str) else name for name in table.columns]
    return str(table.set_axis(names, axis=1).to_csv(index=False, lineterminator="\n"))


def write_csv(table: pd.DataFrame, path: Path, *, index: bool = False) -> None:
    """Write a table as UTF-8 CSV text; see `csv_text`."""
    path.write_bytes(csv_text(table, index=index).encode("utf-8", "surrogatepass"))


def restored(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it was before `csv_text`: its texts without their apostrophes."""
    changed = {
        name: [as_meant(cell) if isinstance(cell, str) else cell for cell in column]
        for name, column in table.items()
        if column.dtype.kind not in "biufc"
    }
    names = [as_meant(name) if isinstance(name, str) else name for name in table.columns]
    return table.assign(**changed).set_axis(names, axis=1)
