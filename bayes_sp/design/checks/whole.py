"""Everything that can be said of a survey before a fit, all at once: mistakes, doubts, Table 2, who came back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_sp.design.build import coded_factors, equation_matrix, unchecked_design
from bayes_sp.design.checks.doubts import equation_doubts, record_doubts
from bayes_sp.design.checks.estimable import check_design
from bayes_sp.design.checks.identified import check_identified, check_levels
from bayes_sp.design.checks.result import SurveyCheck
from bayes_sp.design.notes import survey_notes
from bayes_sp.design.read import Records, renamed
from bayes_sp.design.relevance import unaccounted
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.checks import broken_cells, check_survey, check_values
from bayes_sp.records.codebook.apply import apply_codebook
from bayes_sp.records.codebook.load import Source as CodebookSource
from bayes_sp.records.codebook.load import read_codebook
from bayes_sp.records.codebook.parts import Codebook
from bayes_sp.records.codes import code_cells, without_codes
from bayes_sp.records.nonresponders import NonResponders
from bayes_sp.records.published.article import published
from bayes_sp.records.published.compared import compared_tests
from bayes_sp.records.published.referred import published_nonresponders
from bayes_sp.records.reading.columns import read_columns
from bayes_sp.records.reading.everything import read_everything, read_table
from bayes_sp.records.reading.table import Table
from bayes_sp.records.survey import Survey
from bayes_sp.records.tables.compare import came_back, known_nonresponders_table, repeated_table, responders_table
from bayes_sp.records.tables.describe import (
    correlation_table,
    is_number,
    missing_by_wave,
    missing_patterns,
    moments_table,
)
from bayes_sp.records.tables.oddities import close_columns, column_oddities, identifies, row_oddities
from bayes_sp.records.tables.waves import Waves, waves_of
from bayes_sp.records.told import RowName

MOST_FORBIDDEN = 0.2  # share of a column's cells


def check(
    survey: Records,
    model: PathModel | str | Path | None = None,
    *,
    codebook: CodebookSource | None = None,
    nonresponders: NonResponders | None = None,
) -> SurveyCheck:
    """Say everything that speaks against a survey, and what it holds, before anything is fitted.

    Parameters
    ----------
    survey
        A survey, or what `read_survey` reads.
    model
        The specification, its name or its file: its columns, scales, equations and missing codes are then checked too.
    codebook
        What the columns of a file or data frame mean: its TOML file, or tables.
    nonresponders
        What is known of patients who did not come back, where the survey holds only those who did.

    Returns
    -------
    SurveyCheck
        Mistakes are in it and are not raised; only a specification or codebook that cannot be read is an error. Where
        the file does not fit the codebook, its own columns are described, without a specification.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> found = sp.check(sp.reconstruct(seed=1), "primary")
    >>> found.passed, found.repeated["variable"].tolist()
    (True, ['groups', 'belonging', 'appointments', 'loneliness'])
    """
    model = None if model is None else load_model(model)
    book = None if codebook is None else read_codebook(codebook)
    name, not_coded = "" if model is None else model.name, list[str]()
    try:
        given = survey if isinstance(survey, Survey) else read_table(survey)
        if book is not None:
            given, not_coded = _coded(book, given)
            model = None if not_coded else model
        every, used, row_name, problems = _read(given, model)
    except SurveyError as error:
        return SurveyCheck(error.source, specification=name, problems=error.problems)
    warnings = list[str]()
    if model is not None and (there := used or _tolerant(model, every)) is not None:
        found, doubts = _model_findings(model, there)
        problems, warnings = problems + found, doubts
    whole = _joined(model, every, used)
    waves = waves_of([str(column) for column in whole.records.columns], _said_waves(whole))
    warnings += _survey_findings(model, whole, waves, row_name)
    notes = [f"{whole.source}: {read}" for read in whole.read_as]
    if model is not None and used is not None and not problems:
        notes += survey_notes(model, used)
    said = dict.fromkeys(warnings)
    return replace(
        _described(model, whole, waves, nonresponders),
        specification=name, problems=(*not_coded, *problems), warnings=tuple(said), notes=tuple(notes),
    )  # fmt: skip


def _coded(book: Codebook, given: Survey | Table) -> tuple[Table, list[str]]:
    """Return a table by its codebook, or as it is and what does not fit the codebook."""
    if isinstance(given, Survey):
        raise SurveyError(given.source, ["a codebook goes with a file or a data frame, and this is a Survey already"])
    try:
        return apply_codebook(book, given), []
    except SurveyError as error:
        return given, list(error.problems)


def _items(survey: Survey) -> set[str]:
    """Return the items from which a codebook computes scores: the scores stand for them in comparisons."""
    derived = survey.codebook.derived if survey.codebook else ()
    return {item for each in derived if each.rule != "difference" for item in each.items}


def _said_waves(survey: Survey) -> dict[str, str]:
    """Return the waves that a codebook gives to variables."""
    variables = survey.codebook.variables if survey.codebook else ()
    return {variable.name: variable.wave for variable in variables if variable.wave}


def _read(given: Survey | Table, model: PathModel | None) -> tuple[Survey, Survey | None, RowName, list[str]]:
    """Return every column, the specification's columns where they can be read, names of rows, and mistakes."""
    if isinstance(given, Survey):
        if model is None:
            return given, None, _numbered, []
        used = without_codes(model, renamed(model, given))
        try:
            check_survey(model, used)
        except SurveyError as error:
            return given, None, _numbered, list(error.problems)
        return given, used, _numbered, []
    every = read_everything(given)
    if model is None:
        return every, None, given.row_name, []
    try:
        used = read_columns(
            given, model, model.columns, lambda records, seen, row: check_values(model, records, row, seen)
        )
    except SurveyError as error:
        return every, None, given.row_name, list(error.problems)
    return every, used, given.row_name, []


def _numbered(row: int) -> str:
    return f"row {row + 1}"


def _model_findings(model: PathModel, survey: Survey) -> tuple[list[str], list[str]]:
    """Return what forbids to estimate the equations, and what speaks against the records."""
    design, problems = unchecked_design(model, survey), list[str]()
    rules: list[Callable[[], None]] = [
        lambda: check_levels(model, design, survey.source),
        lambda: check_design(design, survey.source, factors=coded_factors(model), beside=unaccounted(model, design)),
        lambda: check_identified(model, design, partial(equation_matrix, model, design), survey.source),
    ]
    for rule in rules:
        try:
            rule()
        except SurveyError as error:
            problems += error.problems
    return problems, [*record_doubts(model, survey), *(() if problems else equation_doubts(model, survey))]


def _tolerant(model: PathModel, every: Survey) -> Survey | None:
    """Return the specification's columns with every cell taken out that it forbids, to look at the others.

    None where a column is missing, a group is, or most cells of a column are forbidden.
    """
    records = renamed(model, every).records
    if any(name not in records or not records[name].notna().any() for name in model.columns):
        return None
    survey = without_codes(model, replace(every, records=records[list(model.columns)], remarks=()))
    kept = {}
    for name in model.columns:
        column = survey.records[name]
        if name in model.grouping:
            if column.isna().any():
                return None
            continue
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        gone = np.isnan(values) | broken_cells(model, name, values)
        if (gone & column.notna().to_numpy()).mean() > MOST_FORBIDDEN:
            return None
        kept[name] = np.where(gone, np.nan, values)
    return replace(survey, records=survey.records.assign(**kept))


def _joined(model: PathModel | None, every: Survey, used: Survey | None) -> Survey:
    """Return the specification's columns under its names and without its codes, and every other column."""
    if model is None:
        return every
    records = renamed(model, every).records
    if used is not None:
        records = records.assign(**{name: used.records[name].to_numpy() for name in model.columns})
    gone = {name: _uncoded(model, records[name]) for name in records if name not in model.columns}
    shown = every if used is None else used
    return replace(shown, records=records.assign(**gone), labels=every.labels, value_labels=every.value_labels)


def _uncoded(model: PathModel, column: pd.Series) -> pd.Series:
    """Return a column that the specification does not name, without the codes that it gives for every column."""
    masks = [code_cells(column, code) for code in model.missing_codes]
    return column.mask(np.any(masks, axis=0)) if masks and np.any(masks) else column


def _survey_findings(model: PathModel | None, survey: Survey, waves: Waves, row_name: RowName) -> Iterator[str]:
    """Yield what is odd about rows, and about columns of which no specification says anything."""
    yield from row_oddities(survey.records, waves, row_name)
    if model is None:
        yield from survey.remarks
        numbers = [name for name in _variables(model, survey, waves) if is_number(survey.records[name])]
        yield from close_columns(survey.records, numbers)
        yield from column_oddities(survey.records, row_name, value_labels=survey.value_labels)
        return
    other = [name for name in _variables(model, survey, waves) if name not in model.columns]
    yield from column_oddities(survey.records[other], row_name, value_labels=survey.value_labels)


def _variables(model: PathModel | None, survey: Survey, waves: Waves) -> list[str]:
    """Return the columns that Table 2 describes: the specification's and those of waves, or all but identifiers."""
    columns = [str(name) for name in survey.records.columns]
    if model is not None:
        asked = {column for when in waves.repeated.values() for column in when.values()}
        own = [name for name in model.columns if name in columns]
        return [*own, *(name for name in columns if name in asked and name not in own)]
    return [name for name in columns if not identifies(name, survey.records[name])]


def _described(
    model: PathModel | None, survey: Survey, waves: Waves, nonresponders: NonResponders | None
) -> SurveyCheck:
    """Return the tables of a survey."""
    records, names = survey.records, _variables(model, survey, waves)
    items, named = _items(survey), () if model is None else (*model.grouping, *model.categories)
    labels = () if model is None else (*model.grouping, *model.levelled)
    numbers = [name for name in names if is_number(records[name]) and name not in items and name not in named]
    others = nonresponders or (published_nonresponders() if survey.reconstructed else None)
    if others is not None:
        responders, known_from = known_nonresponders_table(records, others), others.source
    else:
        responders, known_from = _responders(model, records, numbers, waves), "these records"
    return SurveyCheck(
        survey.mark if survey.reconstructed else survey.source, len(survey),
        moments=moments_table(records, names, labels=labels), correlations=correlation_table(records, numbers),
        missing=missing_by_wave(records, names, waves), patterns=missing_patterns(records, names),
        repeated=repeated_table(records.drop(columns=[name for name in items if name in records]), waves),
        responders=responders,
        nonresponders=known_from if len(responders) else "",
        recovered=tuple(test.sentence for test in compared_tests(published())) if survey.reconstructed else (),
    )  # fmt: skip


def _responders(model: PathModel | None, records: pd.DataFrame, numbers: Sequence[str], waves: Waves) -> pd.DataFrame:
    """Compare those who came back with the others, on what was asked at first or at no time of its own."""
    responses = [] if model is None else [e.response for e in model.equations if e.response in records]
    later = {column for wave in waves.names[1:] for column in waves.columns(wave)} | set(responses)
    return responders_table(
        records, [name for name in numbers if name not in later], came_back(records, waves, responses)
    )
