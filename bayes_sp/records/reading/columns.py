"""The columns of a table that a specification names -> Survey.

A cell that is neither a number nor missing is an error with its column and row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import SurveyError
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.checks import EXACT, check_columns
from bayes_sp.records.codes import decoded, labelled_as_missing
from bayes_sp.records.groups import HOW_MISSING, long_columns, may_say_nothing, repeated
from bayes_sp.records.levels import text_numbers, text_problems
from bayes_sp.records.reading.cells import MISSING, Cells, changed, like_codes, with_points
from bayes_sp.records.reading.everything import Source, read_table
from bayes_sp.records.reading.heading import check_rows, describe_rows, named_columns
from bayes_sp.records.reading.imputed import unnamed
from bayes_sp.records.reading.table import Table
from bayes_sp.records.survey import Survey
from bayes_sp.records.told import RowName, describe_cells

type Check = Callable[[pd.DataFrame, dict[str, Mask], RowName], list[str]]
type Empty = Sequence[tuple[str, str]]


def read_columns(source: Source, model: PathModel, needed: Sequence[str], check: Check, empty: Empty = ()) -> Survey:
    """Read some columns of a specification, and check them as the caller says.

    Variables in ``needed`` are read from the column that the specification names for each; those in ``empty``,
    (variable, rule), may be there but must be empty. ``check(records, reported, row)`` yields problems of the cells,
    beside those that reading itself finds; ``row`` names a record's row.
    """
    table = source if isinstance(source, Table) else read_table(source)
    row_name, header = table.row_name, table.header
    problems = check_columns(model, header, [*needed, model.id] if model.id else needed)
    if not table.length:
        raise SurveyError(table.path, [*problems, "there is no row of values below the columns' names"])
    needed = [name for name in needed if header.count(model.column_of(name)) == 1]
    place = {name: header.index(model.column_of(name)) for name in needed}
    of_rows, bad_rows = check_rows(table, 1 + max(place.values(), default=0))
    problems += of_rows
    problems += repeated(model.id, _bare(table.cells(model.id)), row_name) if model.id and model.id in header else []
    for name, rule in empty:
        column = model.column_of(name)
        cells = Cells(table.cells(column) if column in header else [])
        filled = ~cells.where(lambda cell: cell in MISSING)
        problems += describe_cells(name, filled, cells.quoted, row_name, rule)
    cells_of = {name: Cells(table.column(place[name])) for name in needed}
    numbers = {n: cells for n, cells in cells_of.items() if n not in model.grouping and not model.texts_of(n)}
    read_as = [*table.read_as, *with_points(numbers)]
    columns: dict[str, Array] = {}
    groups: dict[str, list[str | None]] = {}
    coded = [(name, code, count) for name in needed for at, code, count in table.coded if at == model.column_of(name)]
    reported: dict[str, Mask] = {}
    for name, cells in cells_of.items():
        codes = [code for code in model.missing_codes_of(name) if isinstance(code, str)]
        blank = cells.where({*MISSING, *codes}.__contains__)
        counts = [(name, code, cells.count(code)) for code in codes if code not in MISSING]
        coded += [found for found in counts if found[2]]
        reported[name] = bad_rows
        if name in model.grouping:
            groups[name] = cells.labels(blank)
            continue
        if texts := model.texts_of(name):
            values_of = text_numbers(cells.distinct, texts)[cells.place]
            wrong = ~blank & np.isnan(values_of)
            problems += text_problems(name, cells.distinct, cells.place, texts, wrong, row_name)
            reported[name], columns[name] = wrong | bad_rows, np.where(blank, np.nan, values_of)
            continue
        found, wrong = _numbers_problems(name, cells, blank, row_name)
        problems += found
        reported[name] = wrong | bad_rows
        columns[name] = cells.numbers(blank | wrong)
        read_as += like_codes(name, cells)
    records, taken = decoded(model, pd.DataFrame(columns | groups, index=range(table.length))[list(needed)])
    problems += check(records, reported, row_name)
    if problems:
        raise SurveyError(table.path, problems)
    numeric = {name: records[name].to_numpy() for name in columns}
    whole = [name for name, values in numeric.items() if np.all((values == np.round(values)) & (abs(values) < EXACT))]
    records = records.astype(dict.fromkeys(whole, int))
    origin, source_words = table.origin_said
    labels = {name: table.labels.get(model.column_of(name), "") for name in needed}
    values = {name: table.value_labels.get(model.column_of(name), {}) for name in needed}
    labelled = [told for name, words in values.items() for told in labelled_as_missing(name, records[name], words)]
    return Survey(
        records, origin, source_words, (*coded, *taken),
        (*table.remarks, *labelled, *_remarks(model, table)), tuple(read_as),
        {name: label for name, label in labels.items() if label},
        {name: found for name, found in values.items() if found}, table.codebook,
    )  # fmt: skip


def _numbers_problems(name: str, cells: Cells, blank: Mask, row_name: RowName) -> tuple[list[str], Mask]:
    """Return what is wrong with the cells of a column of numbers, and which cells hold no number."""
    wrong = ~blank & ~cells.is_number
    problems = list[str]()
    for rule, mask in changed(cells):
        problems += describe_cells(name, mask & ~blank, cells.quoted, row_name, rule)
    no_value = wrong & cells.where_no_number(may_say_nothing)
    told = describe_cells(name, no_value, cells.quoted, row_name, "must be a number")
    problems += [f"{problem}; {HOW_MISSING}" for problem in told]
    problems += describe_cells(name, wrong & ~no_value, cells.quoted, row_name, "must be a number")
    return problems, wrong


def _remarks(model: PathModel, table: Table) -> Iterator[str]:
    """Yield what a file says beside its cells that a reader must know: lost fields, rows of one person."""
    if table.fields:
        named, fields = named_columns(table), np.array(table.fields)
        what = f"has fewer fields than the {named} that the first row names"
        for told in describe_rows(fields < named, what, table.row_name):
            yield f"{told}. The columns at its end are taken as empty; a field lost before them would shift the others."
    yield from unnamed(table)
    used = {*map(model.column_of, model.columns), model.id}
    yield from long_columns((name, _bare(table.column(k))) for k, name in enumerate(table.header) if name not in used)


def _bare(cells: list[str]) -> list[str]:
    """Return cells without white space around them."""
    return [cell.strip() for cell in cells]
