"""Do records fit a specification? Every offending cell is named by column and row; nothing is coerced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel, Variable
from bayes_sp.records.groups import no_groups, repeated
from bayes_sp.records.levels import frame_problems
from bayes_sp.records.survey import Survey
from bayes_sp.records.told import CELLS_SHOWN, RowName, describe_cells, near_column, number_words
from bayes_sp.safe_text import control_problem

MOST_COUNT = 100_000
MOST_MISSING = 0.8
LEAST_KNOWN = 5  # cells, to take two values for all that there are
STEP_ROUNDING = 0.05  # of a step that was written with few digits, such as 0.33
EXACT = 2**53  # whole numbers beyond it are not exact as floats
INEXACT = "is a whole number beyond 2^53 that cannot be kept exactly; is it an identifier and not a number?"
Rule = tuple[Mask, str]


def check_columns(
    model: PathModel, columns: list[str], needed: Sequence[str] | None = None, *, renamed: bool = False
) -> list[str]:
    """Return one problem for each needed column that is missing or stands twice, with the nearest unused name.

    Needed are all columns of the model, or those that are given; under the names that the specification gives the
    file's columns, or ``renamed`` to its variables.
    """
    counts = Counter(columns)
    variables = model.columns if needed is None else needed
    needed = variables if renamed else [model.column_of(name) for name in variables]
    twice = [f'column "{name}" stands {counts[name]} times' for name in needed if counts[name] > 1]
    missing = [name for name in needed if name not in counts]
    used = model.columns if renamed else [model.column_of(name) for name in model.columns]
    free = [name for name in columns if name and name not in used]
    needs = f'(the specification "{model.name}" needs it)'
    return twice + [f'column "{name}" is missing {needs}{near_column(name, free)}' for name in missing]


def check_survey(model: PathModel, survey: Survey) -> None:
    """Check records against a specification: columns, kinds, scales and levels.

    Raises SurveyError with every problem found.
    """
    columns = [str(column) for column in survey.records.columns]
    problems = check_columns(model, columns, renamed=True)
    if not problems:
        problems = _identifiers(model, survey)
        problems += check_values(model, survey.records, lambda row: f"row {row + 1}")
    if problems:
        raise SurveyError(survey.source, problems)


def _identifiers(model: PathModel, survey: Survey) -> list[str]:
    """Return what is wrong with the column of identifiers; reading a file has looked at its own, and dropped it."""
    if not model.id or (model.id not in survey.records and survey.origin != "memory"):
        return []
    if model.id not in survey.records:
        return [f'column "{model.id}" is missing (id in the specification "{model.name}")']
    cells = ["" if pd.isna(cell) else str(cell).strip() for cell in survey.records[model.id]]
    return repeated(model.id, cells, lambda row: f"row {row + 1}")


def check_values(
    model: PathModel, records: pd.DataFrame, row_name: RowName, reported: dict[str, Mask] | None = None
) -> list[str]:
    """Return the problems of the cells: not a number, off the scale, fractional or negative counts, unknown levels.

    A missing cell is a problem only where a group is missing, or the observation window of a response that is there,
    or a binary exposure that would need a model, or more than 80 % of a column: of one of the chain, among patients of
    whom any response is there. ``reported`` marks, by column, cells that are in the list of problems already. Columns
    that the records lack are left to `check_columns`.
    """
    problems: list[str] = []
    absent: list[Mask] = []
    there = [name for name in model.columns if name in records]
    responses = [equation.response for equation in model.equations if equation.response in there]
    back = records[responses].notna().any(axis=1).to_numpy(dtype=bool)
    for name in there:
        column, known_bad = records[name], (reported or {}).get(name, np.zeros(len(records), dtype=bool))
        if name in model.grouping:
            problems += _check_groups(name, column, row_name, known_bad)
            continue
        types = pd.api.types
        is_number = types.is_numeric_dtype(column) and not types.is_bool_dtype(column)
        if not is_number or types.is_complex_dtype(column):
            texts = model.texts_of(name)
            told = list(frame_problems(name, column, texts, row_name)) if texts else []
            problems += told or [f'column "{name}": must hold numbers, found {column.dtype}']
            continue
        values = column.to_numpy(dtype=float, na_value=np.nan)
        missing = np.isnan(values) & ~known_bad
        rules = [(_inexact(column, values), INEXACT)]
        rules += [(np.isinf(values) & ~known_bad, "must be a number"), *_rules(model, name, values)]
        if name in model.windows:
            over = [e.response for e in model.equations if e.offset == name and e.response in there]
            counted = missing & records[over].notna().any(axis=1).to_numpy(dtype=bool)
            rules.append((counted, "must have a value in every row, because it is an observation window"))
        elif name == model.exposure and model.missing == "model" and _is_binary(model, values):
            modelled = missing & (back | any(records[c.name].isna().any() for c in model.covariates if c.name in there))
            rules.append((modelled, 'must have a value in every row; a binary exposure goes with missing = "complete"'))
        elif (share := _share(missing, back if name in model.chain else None)) > MOST_MISSING:
            most = f"{100 * share:.0f} % of the cells are missing, and at most {100 * MOST_MISSING:.0f} % may be"
            problems.append(f'column "{name}": {most}; leave the variable out of the model')
        else:
            absent.append(missing)
        for mask, rule in rules:
            problems.extend(describe_cells(name, mask, lambda row: number_words(values[row]), row_name, rule))  # noqa: B023 - used at once
    if model.missing == "model" and not problems and len(records) and len(there) == len(model.columns):
        nothing = np.flatnonzero(np.all(absent, axis=0))
        problems += [
            f"{row_name(int(row))}: every value is missing; leave the row out" for row in nothing[:CELLS_SHOWN]
        ]
    return problems


def two_values(model: PathModel, name: str, values: Array) -> tuple[float, ...]:
    """Return the two values that a column has, where it has no more and the specification says nothing of its scale."""
    variable, known = model.variable(name), values[np.isfinite(values)]
    said = variable.kind not in ("real", "integer") or (variable.minimum is not None and variable.maximum is not None)
    if said or len(known) < LEAST_KNOWN or model.levels(name):
        return ()
    found = np.unique(known)
    return (float(found[0]), float(found[1])) if len(found) == 2 else ()


def _is_binary(model: PathModel, values: Array) -> bool:
    """Return whether the exposure is binary: as the specification says, or because it has two values only."""
    if model.coded_exposure is not None:  # a missing category is summed over, as a covariate's
        return False
    return model.variable(model.exposure).kind == "binary" or bool(two_values(model, model.exposure, values))


def _inexact(column: pd.Series, values: Array) -> Mask:
    """Return which whole numbers of a column change where they become floats, (n,)."""
    if not pd.api.types.is_integer_dtype(column):
        return np.zeros(len(column), dtype=bool)
    inexact = np.abs(values) >= EXACT
    for row in np.flatnonzero(inexact):
        inexact[row] = int(column.iloc[row]) != int(values[row])
    return np.asarray(inexact)


def _share(missing: Mask, among: Mask | None) -> float:
    """Return the share of missing cells, among some patients where there are any."""
    cells = missing if among is None or not among.any() else missing[among]
    return float(cells.mean()) if len(cells) else 0.0


def _rules(model: PathModel, name: str, values: Array) -> Iterator[Rule]:
    """Yield what the numbers of a column must obey, each with the cells that do not."""
    finite = np.isfinite(values)
    variable = model.variable(name)
    if variable.kind in ("integer", "count", "binary"):
        noun = "count" if variable.kind == "count" else "whole number"
        yield finite & (values != np.round(values)), f"must be a {noun} without a fraction"
    yield from _scale(variable, values)
    if variable.step and variable.minimum is not None:
        steps = (values - variable.minimum) / variable.step
        off = np.abs(steps - np.round(steps))
        rule = f"must be {variable.minimum:g} plus a multiple of its step, {variable.step:g}"
        yield finite & (off * variable.step > _rounding(values) + STEP_ROUNDING * variable.step), rule
    if variable.kind == "positive" or name in model.windows:
        yield finite & (values <= 0), "must be above 0"
    if name == model.outcome and model.outcome_family.response == "count" and variable.maximum is None:
        enough = 10 ** min(len(str(int(values[finite].max(initial=0.0)))), 15)
        rule = (
            f"is far beyond a count of events, above {MOST_COUNT:,}; where it is meant, give the variable a max, such "
            f"as {name} = {{ max = {enough} }} under [variables]"
        )
        yield finite & (values > MOST_COUNT), rule
    for covariate in model.covariates:
        if covariate.name == name and covariate.levels:
            known = ", ".join(covariate.level_names)
            yield finite & ~np.isin(values, covariate.levels), f"must be one of the levels {known}"
        if covariate.name == name and covariate.transform == "log1p":
            yield finite & (values <= -1), "must be above -1 to enter as log1p"
    for equation in model.equations:
        if equation.response == name and FAMILIES[equation.family].bounded and variable.step == 0:
            ends = finite & ((values == variable.minimum) | (values == variable.maximum))
            yield ends, f'must be inside its scale, because "{equation.family}" has no step; give the variable a step'


def broken_cells(model: PathModel, name: str, values: Array) -> Mask:
    """Return which numbers of a column break a rule of the specification, (n,)."""
    masks = [np.isinf(values), *(mask for mask, _ in _rules(model, name, values))]
    return np.asarray(np.any(masks, axis=0), dtype=bool)


def _rounding(values: Array) -> float:
    """Return by how much values may have been rounded: half a unit of the last decimal that any of them has."""
    known = values[np.isfinite(values)]
    for digits in range(7):
        if np.all(np.abs(known - np.round(known, digits)) < 1e-9 * np.maximum(np.abs(known), 1.0)):
            return 0.5 * 10.0**-digits if digits else 0.0
    return 0.0


def _scale(variable: Variable, values: Array) -> Iterator[Rule]:
    """Yield what the ends of a variable's scale ask of its values."""
    finite = np.isfinite(values)
    low, high = variable.minimum, variable.maximum
    if variable.kind == "binary":
        low = low or 0.0
        rule = f"must be one of its two values, {low:g} and {low + 1:g}"
        yield finite & (values == np.round(values)) & (values != low) & (values != low + 1), rule
        return
    if variable.kind == "count" and low is None:
        low = 0.0
    if low is not None:
        limit = "a count of at least" if variable.kind == "count" else "on its scale, at least"
        yield finite & (values < low), f"must be {limit} {number_words(low)}"
    if high is not None:
        yield finite & (values > high), f"must be on its scale, at most {number_words(high)}"


def check_known_values(
    model: PathModel,
    records: pd.DataFrame,
    names: Sequence[str],
    row_name: RowName,
    reported: dict[str, Mask],
    why: str,
) -> list[str]:
    """Return the problems of the cells of some columns where a missing cell is one too: ``why`` says what to do.

    One group is enough. ``reported`` and columns that are not there as in `check_values`.
    """
    problems: list[str] = []
    for name in (name for name in names if name in records):
        known_bad = reported.get(name, np.zeros(len(records), dtype=bool))
        column = records[name]
        types = pd.api.types
        if name in model.grouping:
            problems += _check_groups(name, column, row_name, known_bad, least=1)
            continue
        if not types.is_numeric_dtype(column) or types.is_bool_dtype(column) or types.is_complex_dtype(column):
            problems.append(f'column "{name}": must hold numbers, found {column.dtype}')
            continue
        values = column.to_numpy(dtype=float, na_value=np.nan)
        empty = np.isnan(values) & ~known_bad
        problems += describe_cells(name, empty, lambda _: "empty", row_name, why)
        for mask, rule in [(np.isinf(values) & ~known_bad, "must be a number"), *_rules(model, name, values)]:
            problems += describe_cells(name, mask, lambda row: number_words(values[row]), row_name, rule)  # noqa: B023 - used at once
    return problems


def _check_groups(name: str, column: pd.Series, row_name: RowName, known_bad: Mask, least: int = 2) -> list[str]:
    """Return the problems of a grouping column: a missing group, a fraction, fewer than the least number of groups."""
    types = pd.api.types
    empty = column.isna().to_numpy(dtype=bool) & ~known_bad
    problems: list[str] = list(
        describe_cells(name, empty, lambda _: "empty", row_name, "must have a group in every row")
    )
    if types.is_bool_dtype(column) or types.is_complex_dtype(column) or types.is_datetime64_any_dtype(column):
        return [*problems, f'column "{name}": must hold groups as text or whole numbers, found {column.dtype}']
    if types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        fraction = ~np.isnan(values) & (values != np.round(values)) | np.isinf(values)
        rule = "must be a whole number or text, because it names a group"
        problems += describe_cells(name, fraction, lambda row: number_words(values[row]), row_name, rule)
    else:
        cells = list(column)
        other = np.array([not isinstance(cell, str) for cell in cells], dtype=bool) & ~empty & ~known_bad
        rule = "must be text or a whole number, because it names a group"
        problems += describe_cells(name, other, lambda row: type(cells[row]).__name__, row_name, rule)
        none = no_groups(column) & ~known_bad
        rule = "cannot name a group, because it says that there is none; every row needs a group, or leave the row out"
        problems += describe_cells(name, none, lambda row: repr(cells[row]), row_name, rule)
        blank = np.array([isinstance(cell, str) and not cell.strip() for cell in cells], dtype=bool) & ~known_bad
        problems += describe_cells(name, blank, lambda _: "empty", row_name, "must have a group in every row")
        control = np.array([isinstance(cell, str) and bool(control_problem(cell)) for cell in cells], dtype=bool)
        rule = "must have no control characters, because it names a group"
        problems += describe_cells(name, control & ~known_bad, lambda row: repr(cells[row]), row_name, rule)
    if not problems and not known_bad.any() and len(set(group_labels(column))) < least:
        problems.append(f'column "{name}": must have at least two groups; leave varying out where there is one')
    return problems


def group_labels(column: pd.Series) -> list[str]:
    """Return each record's group as text, whole numbers without a fraction."""
    if pd.api.types.is_numeric_dtype(column):
        return [str(int(value)) for value in column]
    return [str(value).strip() for value in column]
