"""A survey's file for a specification, with a warning of everything that speaks against its records.

What reads files and codebooks is imported where there are some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_sp.design.checks.doubts import warn_of_doubts
from bayes_sp.errors import SurveyError, SurveyWarning, warn
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.checks import check_columns, check_survey, check_values
from bayes_sp.records.codes import without_codes
from bayes_sp.records.sets import Sets, sets_of
from bayes_sp.records.survey import Survey

if TYPE_CHECKING:
    from bayes_sp.records.codebook.load import Source as CodebookSource
    from bayes_sp.records.reading.everything import Source

type Records = Survey | Source  # as every public function takes them


def read_survey(
    source: Source, model: PathModel | str | Path | None = None, codebook: CodebookSource | None = None
) -> Survey:
    """Read a wide file or data frame (one row for each patient), and check it against a specification if there is one.

    Parameters
    ----------
    source
        A file, known by the end of its name: text (``.csv``, ``.tsv``, any other), whose separator, encoding, decimal
        commas and heading are recognised and said; a spreadsheet (``.xlsx``, ``.xls``, ``.ods``), of which the first
        sheet is read; SPSS (``.sav``, ``.zsav``), Stata (``.dta``) or SAS, whose declared missing values become
        missing; Parquet. Or a data frame of pandas or another library, whose index is not read. Columns that the
        specification does not name are ignored; the others must hold numbers in every row.
    model
        The specification, its name or its file; without one every column is read, as numbers where all of its cells
        are, and checked where the survey meets a specification.
    codebook
        What the file's columns mean: its TOML file, or tables. The columns are then the codebook's variables, by their
        names there, with those that it computes.

    Returns
    -------
    Survey
        With the specification's columns only, where there is one.

    Raises
    ------
    CodebookError
        With every mistake of the codebook.
    SurveyError
        With every missing column, text, fractional or negative count and value off its scale.
        Rows are counted as the program does that wrote them: a spreadsheet's first row is row 1, a case of SPSS is
        counted from 1, a row of a data frame from 0.

    Warns
    -----
    SurveyWarning
        Of whatever speaks against taking the records as they are, such as -99 where no other value is below 0.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> records = sp.reconstruct(seed=1).records
    >>> len(sp.read_survey(records, "primary"))
    178
    """
    from bayes_sp.records.reading.everything import read_everything, read_table
    from bayes_sp.records.reading.table import Table

    if codebook is not None:
        from bayes_sp.records.codebook.apply import apply_codebook
        from bayes_sp.records.codebook.load import read_codebook

        book = read_codebook(codebook)
        source = apply_codebook(book, source if isinstance(source, Table) else read_table(source))
    if model is None:
        survey = read_everything(source)
        for remark in survey.remarks:
            warn(f"{survey.source}: {remark}", SurveyWarning)
        return survey
    model = load_model(model)
    survey = _read(source, model)
    warn_of_doubts(model, survey)
    return survey


def read_sets(
    sources: Sequence[Source], model: PathModel, *, codebook: CodebookSource | None = None, imputations: str = ""
) -> Sets:
    """Read several sets of records that stand for the same people.

    Raises SurveyError as `read_survey`, and where the column does not number them or there is one set alone.

    Each source holds one set or, with ``imputations``, several: that column of a long file numbers the completed data
    sets. Rows with the number 0, the original, are left out.
    """
    from bayes_sp.records.codebook.apply import apply_codebook
    from bayes_sp.records.codebook.load import read_codebook
    from bayes_sp.records.reading.everything import read_table
    from bayes_sp.records.reading.imputed import LEAST, completed_tables, has_original

    book = None if codebook is None else read_codebook(codebook)
    surveys, labels, problems, original = list[Survey](), list[str](), list[str](), False
    for source in sources:
        table = read_table(source)
        parts = completed_tables(table, imputations) if imputations else {0: table}
        original = original or bool(imputations and has_original(table, imputations))
        for number, part in parts.items():
            labels.append(f"{table.place}, imputation {number}" if imputations else table.place)
            try:
                surveys.append(_read(part if book is None else apply_codebook(book, part), model))
            except SurveyError as error:
                problems += error.problems
        if problems:
            raise SurveyError(table.path, list(dict.fromkeys(problems)))
    if len(surveys) < LEAST:
        reason = f"needs {LEAST} sets of records or more, found {len(surveys)}; give one as it is"
        raise SurveyError("several sets of records", [reason])
    places = ", ".join(dict.fromkeys(survey.source for survey in surveys))
    left = f"; the original, {imputations} = 0, is left out" if original else ""
    found = sets_of(
        surveys, f"{places} ({len(surveys)} imputations by {imputations}{left})" if imputations else "", labels
    )
    warn_of_doubts(model, found)
    return found


def _read(source: Source, model: PathModel) -> Survey:
    from bayes_sp.records.reading.columns import read_columns

    return read_columns(
        source, model, model.columns, lambda records, seen, row: check_values(model, records, row, seen)
    )


def survey_of(model: PathModel, given: Records) -> Survey:
    """Return the records that a public function was given for a specification, codes for missing values taken out.

    Raises SurveyError as `read_survey`, and where this is nothing that holds records. A SurveyWarning says whatever
    speaks against taking the records as they are; of a survey that was read from a file, reading it has warned.
    """
    if not isinstance(given, Survey):
        return read_survey(given, model)
    survey = without_codes(model, renamed(model, given))
    check_survey(model, survey)
    if survey.origin == "memory":
        warn_of_doubts(model, survey)
    return survey


def renamed(model: PathModel, survey: Survey) -> Survey:
    """Return a survey whose columns have the names of the specification's variables."""
    there = set(survey.records.columns)
    names = {
        model.column_of(name): name for name in model.columns if name not in there and model.column_of(name) in there
    }
    return replace(survey, records=survey.records.rename(columns=names)) if names else survey


def read_survey_of_default(path: str | Path, model: PathModel) -> Survey:
    """Read a survey for the specification that is taken where none is named.

    Raises SurveyError as `read_survey`, and where the file lacks columns, with a sentence on how to name one's own
    specification.
    """
    from bayes_sp.records.reading.everything import read_table

    table = read_table(path)
    if not check_columns(model, table.header):
        return read_survey(table, model)
    reason = (
        f"lacks columns of the published study, which {model.name}, the specification taken where none is named, is "
        "about; --data needs a MODEL: name your own, as in fit mine.toml --data mine.csv (docs/specification.md says "
        "how to write one)"
    )
    raise SurveyError(str(path), [reason, *check_columns(model, table.header)])
