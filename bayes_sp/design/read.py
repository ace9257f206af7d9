"""A survey's file for a specification, with a warning of everything that speaks against its records."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from bayes_sp.design.checks.doubts import warn_of_doubts
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.checks import check_columns, check_values
from bayes_sp.records.codes import without_codes
from bayes_sp.records.reading.csv import read_columns, read_rows
from bayes_sp.records.survey import Survey

type Records = Survey | pd.DataFrame | str | Path  # as every public function takes them


def read_survey(source: str | Path | pd.DataFrame, model: PathModel | str | Path = "primary") -> Survey:
    """Read a wide CSV file or a DataFrame (one row for each patient) and check it against a specification.

    Parameters
    ----------
    source
        A comma-separated UTF-8 file whose first line names the columns, or a pandas DataFrame, whose index is not
        read. Columns that the specification does not name are ignored; the others must hold numbers in every row.
    model
        The specification, its name or its file.

    Returns
    -------
    Survey
        With the specification's columns only.

    Raises
    ------
    SurveyError
        With every missing column, text, fractional or negative count and value off its scale.
        Rows are counted as a spreadsheet does: the columns' names are row 1. Those of a DataFrame are counted from 0.

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking the records as they are, such as -99 where no other value is below 0.
    """
    model = load_model(model)
    survey = read_columns(
        source, model, model.columns, lambda records, seen, row: check_values(model, records, row, seen)
    )
    warn_of_doubts(model, survey)
    return survey


def survey_of(model: PathModel, given: Records) -> Survey:
    """Return the records that a public function was given for a specification, codes for missing values taken out.

    Parameters
    ----------
    model
        The specification.
    given
        A survey, or what `read_survey` reads.

    Raises
    ------
    SurveyError
        As `read_survey`; where this is nothing that holds records.

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking the records as they are; of a survey that was read from a file, reading it
        has warned.
    """
    if not isinstance(given, Survey | pd.DataFrame | str | os.PathLike):
        found = f"found {type(given).__name__}"
        raise SurveyError("survey", [f"must be a Survey, a pandas DataFrame or the path of a CSV file, {found}"])
    if not isinstance(given, Survey):
        return read_survey(given, model)
    survey = without_codes(model, given)
    if survey.origin == "memory":
        warn_of_doubts(model, survey)
    return survey


def read_survey_of_default(path: str | Path, model: PathModel) -> Survey:
    """Read a survey for the specification that is taken where none is named.

    Raises
    ------
    SurveyError
        As `read_survey`; where the file lacks columns, with a sentence on how to name one's own specification.
    """
    header, _ = read_rows(Path(os.path.expanduser(path)))
    if set(model.columns) <= set(header):
        return read_survey(path, model)
    reason = (
        f"lacks columns of the published study, which {model.name}, the specification taken where none is named, is "
        "about; --data needs a MODEL: name your own, as in fit mine.toml --data mine.csv (docs/specification.md says "
        "how to write one)"
    )
    raise SurveyError(str(path), [reason, *check_columns(model, header)])
