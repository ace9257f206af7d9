"""Do records fit a specification? Every offending cell is named by column and row; nothing is coerced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_sp.errors import SurveyError, nearest
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array, Design
from bayes_sp.survey.records import Survey

CELLS_SHOWN = 5
COLLINEAR = 1e-5  # as a distance; the normal equations see its square
MOST_COUNT = 100_000
RowName = Callable[[int], str]
Mask = NDArray[np.bool_]


def check_columns(model: PathModel, columns: list[str]) -> list[str]:
    """Return one problem for each column of the model that is missing or stands twice, with the nearest unused name."""
    counts = Counter(columns)
    twice = [f'column "{name}" stands {counts[name]} times' for name in model.columns if counts[name] > 1]
    missing = [name for name in model.columns if name not in counts]
    free = [name for name in columns if name and name not in model.columns]
    needs = f'(the specification "{model.name}" needs it)'
    return twice + [f'column "{name}" is missing {needs}{nearest(name, free)}' for name in missing]


def check_survey(model: PathModel, survey: Survey) -> None:
    """Check records against a specification: columns, kinds, scales and levels.

    Raises
    ------
    SurveyError
        With every problem found.
    """
    columns = [str(column) for column in survey.records.columns]
    problems = check_columns(model, columns)
    if not problems:
        problems = check_values(model, survey.records, lambda row: f"row {row + 1}")
    if problems:
        raise SurveyError(survey.source, problems)


def check_values(
    model: PathModel, records: pd.DataFrame, row_name: RowName, reported: dict[str, Mask] | None = None
) -> list[str]:
    """Return the problems of the cells: not a number, off the scale, fractional or negative counts, unknown levels.

    ``reported`` marks, by column, cells that are in the list of problems already.
    """
    problems: list[str] = []
    levels = {covariate.name: covariate.levels for covariate in model.covariates if covariate.levels}
    logged = {covariate.name for covariate in model.covariates if covariate.transform == "log1p"}
    for name in model.columns:
        variable = model.variable(name)
        types = pd.api.types
        is_number = types.is_numeric_dtype(records[name]) and not types.is_bool_dtype(records[name])
        if not is_number or types.is_complex_dtype(records[name]):
            problems.append(f'column "{name}": must hold numbers, found {records[name].dtype}')
            continue
        values = records[name].to_numpy(dtype=float, na_value=np.nan)
        finite = np.isfinite(values)
        known_bad = (reported or {}).get(name, np.zeros(len(values), dtype=bool))
        wrong = [(~finite & ~known_bad, "must be a number")]
        if variable.kind != "real":
            noun = "count" if variable.kind == "count" else "whole number"
            wrong.append((finite & (values != np.round(values)), f"must be a {noun} without a fraction"))
        low = 0.0 if variable.kind == "count" and variable.minimum is None else variable.minimum
        if low is not None:
            limit = "a count of at least" if variable.kind == "count" else "on its scale, at least"
            wrong.append((finite & (values < low), f"must be {limit} {low:g}"))
        if name == model.outcome and model.outcome_family.response == "count":
            rule = f"is far beyond a count of events, above {MOST_COUNT:,}; is it a typing mistake?"
            wrong.append((finite & (values > MOST_COUNT), rule))
        if variable.maximum is not None:
            wrong.append((finite & (values > variable.maximum), f"must be on its scale, at most {variable.maximum:g}"))
        if name in levels:
            known = ", ".join(f"{level:g}" for level in levels[name])
            wrong.append((finite & ~np.isin(values, levels[name]), f"must be one of the levels {known}"))
        if name in logged:
            wrong.append((finite & (values <= -1), "must be above -1 to enter as log1p"))
        for mask, rule in wrong:
            problems.extend(describe_cells(name, mask, lambda row: f"{values[row]:g}", row_name, rule))  # noqa: B023 - used at once
    return problems


def describe_cells(column: str, mask: Mask, cell: Callable[[int], str], row_name: RowName, rule: str) -> Iterator[str]:
    """Yield one sentence for a rule that some cells of a column break; the first cells are named, all are counted."""
    rows = np.flatnonzero(mask)
    if rows.size:
        shown = ", ".join(f"{row_name(int(row))} ({cell(int(row))})" for row in rows[:CELLS_SHOWN])
        more = f" and {rows.size - CELLS_SHOWN} more" if rows.size > CELLS_SHOWN else ""
        yield f'column "{column}": {rule}; found at {shown}{more}'


def check_design(design: Design, source: str) -> None:
    """Check that the equations can be estimated: enough patients, no constant and no collinear column.

    Raises
    ------
    SurveyError
        Naming the columns.
    """
    columns = {design.exposure: design.x}
    columns |= {name: design.y[:, k] for k, name in enumerate(design.responses)}
    columns |= {name: design.w[:, j] for j, name in enumerate(design.covariate_terms)}
    needed = len(columns) + 2
    problems = []
    if design.n < needed:
        problems.append(f"{design.n} records are too few for {len(columns)} columns; at least {needed} are needed")
    else:
        constant = [name for name, values in columns.items() if np.ptp(values) == 0]
        problems += [_constant(name, design) for name in constant]
        if not constant:
            problems += _collinear({name: values for name, values in columns.items() if name != design.outcome})
    if problems:
        raise SurveyError(source, problems)


def _constant(name: str, design: Design) -> str:
    """Return what is wrong with a column that never varies, and what to do about it."""
    covariate, _, level = name.rstrip("]").partition("[")
    if level:
        return f'column "{covariate}": no record, or every record, has the level {level}; take it out of the levels'
    advice = "leave it out" if name in design.covariate_terms else "nothing can be learned about its effects"
    return f'column "{name}" has the same value in every record; {advice}'


def _collinear(columns: dict[str, Array]) -> list[str]:
    """Return each column that is a linear combination of those before it (relative distance below 1e-5)."""
    names = list(columns)
    centred = np.column_stack([(values - values.mean()) / values.std() for values in columns.values()])
    distance = np.abs(np.diag(np.linalg.qr(centred, mode="r"))) / np.sqrt(len(centred))
    found = []
    for j in np.flatnonzero(distance < COLLINEAR):
        weights = np.linalg.lstsq(centred[:, :j], centred[:, j])[0]
        parts = [names[i] for i in np.flatnonzero(np.abs(weights) > 1e-6)]
        found.append(f'column "{names[j]}" follows exactly from {", ".join(parts)}; leave one of them out')
    return found
