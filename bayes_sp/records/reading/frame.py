"""A pandas DataFrame -> Table, so that it is read as strictly as a file."""

from __future__ import annotations

import functools
import importlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.model.parts import Code
from bayes_sp.records.reading.table import Table, needed
from bayes_sp.records.survey import Coded, Origin
from bayes_sp.records.told import RowName

FRAME = "the data frame"
INDEX = re.compile(r"__index_level_\d+__")  # how pandas calls rows in a Parquet file


def row_in_frame(row: int) -> str:
    """Return a record's row by its position, as ``.iloc`` counts."""
    return f"row {row} (from 0)"


def frame_table(
    frame: pd.DataFrame,
    path: str = FRAME,
    place: str = FRAME,
    origin: Origin = "memory",
    row_name: RowName = row_in_frame,
    *,
    coded: tuple[Coded, ...] = (),
    remarks: tuple[str, ...] = (),
    labels: Mapping[str, str] | None = None,
    value_labels: Mapping[str, Mapping[float | str, str]] | None = None,
    declared: Mapping[str, tuple[Code, ...]] | None = None,
) -> Table:
    """Return a data frame as a table: what pandas takes for missing is an empty cell, true and false are 1 and 0.

    The index is not read.
    """
    header = [unicodedata.normalize("NFC", str(name).strip()) for name in frame.columns]
    blank = frame.isna().to_numpy(dtype=bool).all(axis=1) if frame.shape[1] else np.zeros(len(frame), dtype=bool)
    return Table(
        path, place, origin, header, len(frame), functools.cache(lambda k: _cells(frame.iloc[:, k])), blank, row_name,
        coded=coded, remarks=remarks, labels=labels or {}, value_labels=value_labels or {},
        declared=declared or {},
    )  # fmt: skip


def read_parquet(path: Path) -> Table:
    """Read a Parquet file.

    Raises SurveyError where pyarrow is not installed, or the file cannot be read.
    """
    arrow = needed("pyarrow", "parquet", path)
    try:
        found = importlib.import_module("pyarrow.parquet").read_table(path)
        frame = found.to_pandas(ignore_metadata=True)  # what pandas wrote beside the columns may be broken too
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror or error})"]) from error
    except (arrow.ArrowException, ValueError) as error:
        raise SurveyError(str(path), [f"is no Parquet file, or a broken one ({error})"]) from error
    frame = frame.drop(columns=[name for name in frame.columns if INDEX.fullmatch(str(name))])
    return frame_table(frame.reset_index(drop=True), str(path), path.name, "file")


def _cells(column: pd.Series) -> list[str]:
    if column.dtype == np.longdouble:  # where it is longer than a float, whose digits are all that is used
        column = column.astype(float)
    if column.dtype.kind in "biufO" and column.dtype != object:  # each distinct value is written once
        place, distinct = pd.factorize(column)
        writers: dict[str, Callable[[Any], str]] = {"f": float.__repr__, "i": str, "u": str}
        write = writers.get(column.dtype.kind, cell_text)
        text = np.array([*(write(value) for value in distinct.tolist()), ""], dtype=object)
        return list(text[place])  # -1, the place of a missing value, is the last
    missing = column.isna().to_numpy(dtype=bool)
    values = column.to_numpy(dtype=object).tolist()
    return ["" if gone else cell_text(value) for gone, value in zip(missing, values, strict=True)]


def cell_text(value: object) -> str:
    """Return a value as text from which the same value is read back."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    return float.__repr__(float(value)) if isinstance(value, float | np.floating) else str(value)
