"""Whatever a user's records stand in -> Table, by the kind of object or the end of the file's name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.records.reading.frame import frame_table, read_parquet
from bayes_sp.records.reading.optional import needed
from bayes_sp.records.reading.spreadsheet import SUFFIXES, read_spreadsheet
from bayes_sp.records.reading.statistical import READERS, read_statistical
from bayes_sp.records.reading.table import Table
from bayes_sp.records.reading.text import read_text

type Source = str | Path | pd.DataFrame | Any  # or a data frame of another library, through narwhals


def read_table(source: Source) -> Table:
    """Read a file (text, spreadsheet, SPSS, Stata, SAS, Parquet) or a data frame.

    Raises SurveyError where it cannot be read, with the reason.
    """
    if isinstance(source, pd.DataFrame):
        return frame_table(source)
    if not isinstance(source, str | os.PathLike):
        return frame_table(_as_pandas(source))
    path = Path(os.path.expanduser(source))  # Path.expanduser raises for an unknown user
    suffix = path.suffix.lower()
    if suffix in READERS:
        return read_statistical(path)
    if suffix in SUFFIXES:
        return read_spreadsheet(path)
    if suffix == ".toml":
        raise SurveyError(str(path), ["is a TOML file by its name, and no table of records"])
    return read_parquet(path) if suffix in (".parquet", ".pq") else read_text(path)


def _as_pandas(source: object) -> pd.DataFrame:
    """Return a data frame of another library (Polars, PyArrow, Modin, ...) as one of pandas."""
    reason = f"must be a Survey, a data frame or the path of a file, found {type(source).__name__}"
    if type(source).__module__ in ("builtins", "numpy"):
        raise SurveyError("survey", [reason])
    narwhals = needed("narwhals", "frames", Path("the data frame"))
    try:
        frame = narwhals.from_native(source, eager_only=True).to_pandas()
    except TypeError as error:
        raise SurveyError("survey", [reason]) from error
    assert isinstance(frame, pd.DataFrame)  # noqa: S101 - narwhals' own promise
    return frame
