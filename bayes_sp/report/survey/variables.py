"""The variables of a survey in lines: n, missing, mean, SD, minimum, maximum."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_sp.model.path_model import PathModel
from bayes_sp.records.codes import without_codes
from bayes_sp.records.sets import Sets
from bayes_sp.records.survey import Survey
from bayes_sp.records.tables.describe import moments_table
from bayes_sp.report.text.layout import aligned, wrapped


def variable_lines(model: PathModel, survey: Survey, least: int) -> list[str]:
    """Return the variables of a fit in lines, as its head.

    Smallest and largest values that fewer than ``least`` patients have, and counts of fewer cells, are left out.
    """
    records = without_codes(model, survey).records
    table = moments_table(records, model.columns, labels=(*model.grouping, *model.levelled), least=least)
    note = f"min and max where {least} patients have them; fewer than {least} cells are not counted."
    of = wrapped(f"Of the first of {len(survey.each)} sets of records.") if isinstance(survey, Sets) else []
    return [*moments_lines(table, least), *of, *(wrapped(note) if least > 1 else [])]


def moments_lines(table: pd.DataFrame, least: int = 1) -> list[str]:
    """Return n, missing, mean, SD, minimum and maximum of each variable as lines; a text has its number of levels.

    Where fewer than ``least`` cells are missing, or are there, it is not said how many.
    """
    rows = [["", "n", "missing", "mean", "SD", "min", "max", ""]]
    for row in table.to_dict("records"):
        n, missing = _counts(row["n"], row["missing"], least)
        count = row["levels"]
        levels = f"{count} level{'' if count == 1 else 's'}" if np.isnan(row["mean"]) and row["n"] else ""
        numbers = (short(row[key]) for key in ("mean", "sd", "minimum", "maximum"))
        rows.append([row["variable"], n, missing, *numbers, levels])
    if not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return aligned(rows, "l" + "r" * (len(rows[0]) - 1))


def _counts(n: int, missing: int, least: int) -> tuple[str, str]:
    """Return how many cells are there and how many are missing, in words where either are few."""
    if 0 < missing < least:
        return f"> {n + missing - least:,}", f"< {least}"
    if 0 < n < least:
        return f"< {least}", f"> {n + missing - least:,}"
    return f"{n:,}", f"{missing:,}"


def short(value: float) -> str:
    """Return a number with four digits, and all of those before its point; '' for none."""
    if np.isnan(value):
        return ""
    whole = value == round(value) or abs(value) >= 1e4
    return f"{value:.0f}" if whole and abs(value) < 1e9 else f"{value:.4g}"
