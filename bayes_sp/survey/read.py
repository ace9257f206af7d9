"""A wide CSV file -> Survey. Every cell that is not plainly a number is an error with its column and row."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.spec.load import load_model
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.checks import Mask, check_columns, check_values, describe_cells
from bayes_sp.survey.records import Survey

NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"


def read_survey(path: str | Path, model: PathModel | str | Path = "primary") -> Survey:
    """Read a wide CSV file (one row for each patient) and check it against a specification.

    Parameters
    ----------
    path
        A comma-separated UTF-8 file whose first line names the columns. Columns that the specification does
        not name are ignored; the others must hold numbers in every row.
    model
        The specification, its name or its file.

    Returns
    -------
    Survey
        With the specification's columns only.

    Raises
    ------
    SurveyError
        With every missing column, empty cell, text, fractional or negative count and value off its scale.
        Rows are counted as lines of the file: the line of column names is row 1.
    """
    path = Path(path)
    model = model if isinstance(model, PathModel) else load_model(model)
    cells = _read_cells(path)
    header = [str(name).strip() for name in cells.iloc[0]]
    twice = [name for name in model.columns if header.count(name) > 1]
    problems = [f'column "{name}" stands {header.count(name)} times' for name in twice]
    problems += check_columns(model, header)
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        problems = ["the columns are not separated by commas; save the file as comma-separated CSV with decimal points"]
    if len(cells) == 1:
        problems.append("there is no row of values below the columns' names")
    if problems:
        raise SurveyError(str(path), problems)

    def row_name(row: int) -> str:
        return f"row {row + 2}"

    columns: dict[str, pd.Series[float]] = {}
    reported: dict[str, Mask] = {}
    for name in model.columns:
        text = cells.iloc[1:, header.index(name)].fillna("").reset_index(drop=True)
        blank = (text.str.strip() == "").to_numpy(dtype=bool)
        wrong = ~blank & ~text.str.fullmatch(NUMBER).to_numpy(dtype=bool)
        problems += describe_cells(name, blank, lambda _: "empty", row_name, "has no value")
        problems += describe_cells(name, wrong, lambda row: repr(text[row]), row_name, "must be a number")  # noqa: B023 - used at once
        reported[name] = blank | wrong
        columns[name] = text.mask(reported[name], "nan").astype(float)
    records = pd.DataFrame(columns)
    problems += check_values(model, records, row_name, reported)
    if problems:
        raise SurveyError(str(path), problems)
    whole = [name for name in records if np.all(records[name] == np.round(records[name]))]
    return Survey(records.astype(dict.fromkeys(whole, int)), "file", path.name)


def _read_cells(path: Path) -> pd.DataFrame:
    """Return every cell as text, the columns' names as first row; trailing blank lines are not rows."""
    try:
        cells = pd.read_csv(
            path, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig",
            quoting=csv.QUOTE_MINIMAL,
        )  # fmt: skip
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise SurveyError(str(path), [f"is not UTF-8 text (byte {error.start}); save it as UTF-8 CSV"]) from error
    except pd.errors.EmptyDataError as error:
        raise SurveyError(str(path), ["is empty"]) from error
    except pd.errors.ParserError as error:
        reason = str(error).split("C error: ")[-1].strip()
        raise SurveyError(str(path), [f"is not a well-formed CSV table: {reason}"]) from error
    filled = (cells.fillna("") != "").any(axis=1).to_numpy()
    return cells.iloc[: int(np.flatnonzero(filled)[-1]) + 1] if filled.any() else cells.iloc[:1]
