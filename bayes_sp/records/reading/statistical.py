"""Files of SPSS (.sav, .zsav, .por), Stata (.dta) and SAS (.sas7bdat, .xpt) -> Table, through pyreadstat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.model.parts import Code
from bayes_sp.records.reading.frame import frame_table
from bayes_sp.records.reading.table import Table, needed
from bayes_sp.records.survey import Coded

READERS = {
    ".sav": "read_sav", ".zsav": "read_sav", ".por": "read_por", ".dta": "read_dta", ".sas7bdat": "read_sas7bdat",
    ".xpt": "read_xport",
}  # fmt: skip
DECLARING = ("read_sav", "read_dta", "read_sas7bdat")  # formats whose files declare codes for missing values


def read_statistical(path: Path) -> Table:
    """Read a file of a statistics program; values that it declares as missing become empty cells, and are counted.

    Raises SurveyError where pyreadstat is not installed, or the file cannot be read. Of broken files its parser raises
    what its own arithmetic and look-ups raise.
    """
    library = needed("pyreadstat", "spss", path)
    reader = READERS[path.suffix.lower()]
    try:
        with path.open("rb"):  # for the system's own word on why it cannot be read
            options = {"user_missing": True} if reader in DECLARING else {}
            frame, meta = getattr(library, reader)(str(path), **options)
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except (library.ReadstatError, library.PyreadstatError, ArithmeticError, LookupError, ValueError) as error:
        raise SurveyError(
            str(path), [f"is no file that {path.suffix} stands for, or a broken one ({error})"]
        ) from error
    coded = list[Coded]()
    clean = {}
    for name in frame.columns:
        clean[name], found = _without_declared(frame[name], meta.missing_ranges.get(name, []), name)
        coded += found
    labels = {str(name): label for name, label in meta.column_names_to_labels.items() if label}
    table = pd.DataFrame(clean, columns=frame.columns)
    return frame_table(
        table, str(path), path.name, "file", lambda row: f"case {row + 1}",
        coded=tuple(coded), labels=labels, value_labels=meta.variable_value_labels,
        declared={name: _single(ranges) for name, ranges in meta.missing_ranges.items()},
    )  # fmt: skip


def _without_declared(column: pd.Series, ranges: list[dict[str, Any]], name: str) -> tuple[pd.Series, list[Coded]]:
    """Return a column without what its file declares as missing, and how many cells held each such value."""
    gone = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        for each in ranges:
            gone |= (values >= each["lo"]) & (values <= each["hi"])
    else:
        words = {str(each["lo"]).strip() for each in ranges}
        gone = _extended(column)
        if words:
            gone |= np.array([str(cell).strip() in words for cell in column.to_numpy(dtype=object)], dtype=bool)
    if not gone.any():
        return column, []
    counts = column[gone].value_counts()
    found = [(name, f"{code:g}" if isinstance(code, float) else str(code), int(n)) for code, n in counts.items()]
    rest = column.mask(gone)
    if column.dtype == object and _extended(column).any():
        rest = pd.to_numeric(rest)
        found = [(name, f".{code}", n) for _, code, n in found]
    return rest, found


def _extended(column: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which cells hold a letter in place of a number: Stata's and SAS's extended missing values .a to .z."""
    if column.dtype != object:  # a column of text alone
        return np.zeros(len(column), dtype=bool)
    letters = np.array([isinstance(cell, str) and len(cell) == 1 for cell in column], dtype=bool)
    numbers = np.array([isinstance(cell, float | int) for cell in column], dtype=bool)
    return letters if numbers.any() and (letters | numbers | column.isna().to_numpy()).all() else letters & False


def _single(ranges: list[dict[str, Any]]) -> tuple[Code, ...]:
    """Return the declared values that stand alone, not those within a range."""
    return tuple(each["lo"] for each in ranges if each["lo"] == each["hi"])
