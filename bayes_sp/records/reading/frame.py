"""A pandas DataFrame -> rows of cells, so that it is read as strictly as a file."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

FRAME = "the data frame"


def row_in_frame(row: int) -> str:
    """Return a record's row by its position, as ``.iloc`` counts."""
    return f"row {row} (from 0)"


def rows_of_frame(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the columns' names, and every row of cells as text from which the same value is read back.

    What pandas takes for missing is an empty cell, true and false are 1 and 0; the index is not read.
    """
    columns = [_cells(frame.iloc[:, k]) for k in range(frame.shape[1])]
    header = [unicodedata.normalize("NFC", str(name).strip()) for name in frame.columns]
    return header, [list(row) for row in zip(*columns, strict=True)]


def _cells(column: pd.Series) -> list[str]:
    missing = column.isna().to_numpy(dtype=bool)
    return ["" if gone else _cell(value) for gone, value in zip(missing, column.tolist(), strict=True)]


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    return float.__repr__(float(value)) if isinstance(value, float | np.floating) else str(value)
