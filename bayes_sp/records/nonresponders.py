"""Patients who did not come back: what is known of them, as records or as published moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.table import Table
from bayes_sp.model.reading.toml_text import read_tables, table_problems
from bayes_sp.records.checks import check_columns, check_known_values
from bayes_sp.records.reading.cells import MISSING
from bayes_sp.records.reading.columns import read_columns
from bayes_sp.records.reading.everything import read_table
from bayes_sp.records.reading.table import Table as FileTable
from bayes_sp.records.survey import Survey
from bayes_sp.records.told import describe_cells
from bayes_sp.shown import Part, Shown

CAME_BACK = "must be empty, because these patients did not come back; leave those who did out of the records"
FILL = (
    "must have a value in every row; leave the patient out, fill the cell in by imputation, or give moments instead "
    "of records"
)


@dataclass(frozen=True)
class Moment:
    """Mean and, where it is known, SD (n - 1 in the denominator) of one column among those who did not come back."""

    column: str
    mean: float
    sd: float | None = None


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class NonResponders(Shown):
    """Patients who did not come back.

    Attributes
    ----------
    n
        How many.
    source
        Where this is known from, in words.
    records
        Their covariates and groups, one row for each; None where only moments are known.
    moments
        Of any columns of the survey of those who came back; () with records.
    """

    n: int
    source: str
    records: pd.DataFrame | None = None
    moments: tuple[Moment, ...] = ()

    def _shown(self) -> tuple[str, list[Part]]:
        known = "records" if self.records is not None else f"moments of {len(self.moments)} columns"
        moments = pd.DataFrame([(m.column, m.mean, m.sd) for m in self.moments], columns=["variable", "mean", "sd"])
        return f"{self.n} patients; {known}; {self.source}", [moments] if len(moments) else []


def nonresponders_from_records(
    model: PathModel | str | Path, records: Survey | pd.DataFrame | str | Path
) -> NonResponders:
    """Check the records of patients who did not come back against a specification.

    Parameters
    ----------
    model
        The specification, its name or its file. Needed are the columns of its covariates and groups; exposures,
        mediators and outcome may be left out, and the last two must be empty where they are there. Of several
        exposures those are kept that are known: effects of one leave the others as observed.
    records
        A CSV file as `read_survey` reads it, a table, or a survey: one row for each patient, only those who did not
        come back.

    Returns
    -------
    NonResponders

    Raises
    ------
    SurveyError
        With every missing column or cell, every value off its scale, every patient who has an answer.
    """
    model = load_model(model)
    answers = (*model.mediators, model.outcome)
    if isinstance(records, str | Path):
        file = read_table(records)
        needed = _needed(model, lambda name: _filled(file, model.column_of(name)))
        survey = read_columns(
            file, model, needed,
            lambda table, reported, row: check_known_values(model, table, needed, row, reported, FILL),
            [(name, CAME_BACK) for name in answers],
        )  # fmt: skip
    else:
        survey = records if isinstance(records, Survey) else Survey(records, "memory", "a table of non-responders")
        cells = survey.records
        needed = _needed(model, lambda name: name in cells and bool(cells[name].notna().any()))
        _check_table(model, survey, needed, answers)
    return NonResponders(len(survey), survey.mark, survey.records[list(needed)].reset_index(drop=True))


def _needed(model: PathModel, known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the columns that are kept: covariates, groups, and of several exposures those that are known."""
    exposures = [exposure.name for exposure in model.exposures]
    names = [c.name for c in model.covariates if c.name not in exposures or (len(exposures) > 1 and known(c.name))]
    return tuple(dict.fromkeys((*names, *model.grouping)))


def _filled(table: FileTable, column: str) -> bool:
    """Return whether a file has a column with any cell that is not empty."""
    return column in table.header and any(cell.strip() not in MISSING for cell in table.cells(column))


def read_nonresponders(model: PathModel | str | Path, path: str | Path) -> NonResponders:
    """Read those who did not come back from a file: moments where its name ends in ``.toml``, else records in CSV.

    Raises SurveyError as `nonresponders_from_records` and `nonresponders_from_moments`.
    """
    if str(path).lower().endswith(".toml"):
        return nonresponders_from_moments(path)
    return nonresponders_from_records(model, path)


def nonresponders_from_moments(source: str | Path | Mapping[str, Any]) -> NonResponders:
    """Read what is published of patients who did not come back.

    Parameters
    ----------
    source
        A TOML file, or its tables: ``n``, how many; ``source``, in words; ``[moments]``, one line for each column
        that is known, ``age = { mean = 51.6, sd = 15.0 }``, the SD left out where it is not known. Columns are those
        of the survey of the patients who came back, whether or not they are covariates of a specification.

    Returns
    -------
    NonResponders

    Raises
    ------
    SurveyError
        With every mistake found, each with its key path.
    """
    if isinstance(source, Mapping):
        return _parse(source, "moments")
    tables = read_tables(source, SurveyError)
    return _parse(tables, str(source))


def _check_table(model: PathModel, survey: Survey, needed: tuple[str, ...], answers: tuple[str, ...]) -> None:
    """Refuse a table that lacks columns, has no row, values off their scale, or patients who answered."""
    names = [str(column) for column in survey.records.columns]
    problems = check_columns(model, names, needed, renamed=True)
    problems += [] if len(survey) else ["there is no row: nobody who did not come back"]
    if not problems:
        problems = check_known_values(model, survey.records, needed, _row_name, {}, FILL)
        for name in [name for name in answers if name in names]:
            answered = survey.records[name].notna().to_numpy()
            problems += describe_cells(name, answered, lambda _: "a value", _row_name, CAME_BACK)
    if problems:
        raise SurveyError(survey.source, problems)


def _row_name(row: int) -> str:
    return f"row {row + 1}"


def _parse(tables: Mapping[str, Any], where: str) -> NonResponders:
    problems = table_problems(tables)
    if problems:
        raise SurveyError(where, problems)
    top = Table(tables, "", problems)
    n = top.take("n", required=True)
    if n is not None and (isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1):
        top.report("n", f"must be a whole number of at least 1, found {n!r}")
        n = None
    words = top.take_text("source", required=True)
    table = top.take_table("moments", required=True)
    moments = []
    for name in table.names():
        own = table.take_table(name)
        mean, sd = own.take_number("mean", required=True), own.take_positive("sd")
        own.finish()
        if sd is not None and n == 1:
            own.report("sd", "one patient has no SD; leave it out")
        moments.append(Moment(name, mean if mean is not None else 0.0, sd))
    top.finish()
    if problems:
        raise SurveyError(where, problems)
    return NonResponders(int(n or 0), words, moments=tuple(moments))
