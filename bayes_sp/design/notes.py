"""What a reader must know of the records that a model sees: missing cells, and answers that nobody gave."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from bayes_sp.design.build import complete_cases, pair_of
from bayes_sp.design.checks.dose import FEWEST, MOST
from bayes_sp.design.relevance import summed_values
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.shifts import shift_words
from bayes_sp.names import LEAST_COUNT
from bayes_sp.records.codes import without_codes
from bayes_sp.records.small_counts import count_words, ends_shown, share_words
from bayes_sp.records.survey import Survey

Treatment = Literal["dropped", "parameter", "summed"]
WORDS: dict[Treatment, str] = {
    "dropped": "these patients do not enter the outcome's likelihood, and stay in the others; effects are averaged "
    "over them too",
    "parameter": "each is an unknown that is estimated with the rest",
    "summed": "each is summed over its possible values",
}


def treatment(model: PathModel, column: str) -> Treatment:
    """Return what a model does with missing cells of a column.

    Missing outcomes leave the outcome's likelihood, values out of a few, or of a bounded scale (`summed_values`), are
    summed over, and any other missing value is a parameter.
    """
    if column == model.outcome:
        return "dropped"
    return "summed" if summed_values(model, column)[0] else "parameter"


def survey_notes(model: PathModel, survey: Survey) -> tuple[str, ...]:
    """Return sentences on codes, missing cells, shifts, an exposure of few levels, levels that no record has; or ()."""
    survey = without_codes(model, survey)
    used = complete_cases(model, survey)
    notes = [f"{name}: {_cells(count)} {code} and are missing (missing_codes)." for name, code, count in survey.coded]
    for name in model.chain:
        if (texts := model.texts_of(name)) and not (name == model.exposure and model.levels(name)):
            numbers = ", ".join(f"{text!r} is {k}" for k, text in enumerate(texts))
            notes.append(f"{name}: its texts are numbered; {numbers}.")
    notes += _as_number(model, used)
    notes += _beyond(model, used)
    if dropped := len(survey) - len(used):
        notes.append(f"{share_words(dropped, len(survey))} records have missing cells and are left out.")
    back = used.records[[equation.response for equation in model.equations]].notna().any(axis=1)
    notes += _without_response(model, back)
    covariates = {covariate.name for covariate in model.covariates}
    for name in model.columns:
        among = used.records[name][back] if name in model.chain else used.records[name]
        if missing := int(among.isna().sum()):
            many = min(missing, len(among) - missing) >= LEAST_COUNT
            percent = f" ({100 * missing / len(among):.0f} %)" if many else ""
            share = f"{share_words(missing, len(among))} values{percent}"
            pair = pair_of(model, name, among.to_numpy(dtype=float, na_value=np.nan)) if name in covariates else ()
            what = WORDS["summed" if pair else treatment(model, name)]
            what += f", {pair[0]:g} and {pair[1]:g}, the only ones among the others" if pair else ""
            notes.append(f"{name}: {share} are missing; {what}.")
    notes += _shifts(model, used)
    for equation in model.equations:
        if FAMILIES[equation.family].ordered:
            seen = used.records[equation.response].to_numpy(dtype=float, na_value=np.nan)
            unseen = [f"{level:g}" for level in model.levels(equation.response) if level not in seen]
            if unseen:
                which = f"level{'' if len(unseen) == 1 else 's'} {', '.join(unseen)}"
                notes.append(f"{equation.response}: no record has the {which}; the prior alone speaks of it.")
    return tuple(notes)


def _cells(count: int) -> str:
    return f"{count_words(count)} cells hold"


def _as_number(model: PathModel, survey: Survey) -> list[str]:
    """Say what an exposure of few levels means, where it has more than two."""
    values = survey.records[model.exposure].dropna().unique()
    if model.levels(model.exposure):
        return []
    if not FEWEST <= len(values) <= MOST:
        return []
    levels = ", ".join(f"{value:g}" for value in sorted(values))
    u0, u1 = model.contrast
    return [
        f"{model.exposure}: its levels {levels} enter as numbers, so that every step of 1 is taken to do the same; "
        f"{u1:g} against {u0:g} is {_steps(u1 - u0)}."
    ]


def _beyond(model: PathModel, survey: Survey) -> list[str]:
    """Say where the contrast leaves the exposure's values."""
    if model.levels(model.exposure):
        return []
    values = survey.records[model.exposure].dropna().to_numpy(dtype=float)
    low, high = (float(values.min()), float(values.max())) if len(values) else model.contrast
    outside = [f"{value:g}" for value in model.contrast if not low <= value <= high]
    if not outside:
        return []
    low, high = ends_shown(values)
    most = "" if np.isnan(low) else f": most of its values go from {low:g} to {high:g}"
    return [
        f"{model.exposure}: effects speak of {' and '.join(outside)}, and no record is there{most}. That is "
        "extrapolation; contrast = [from, to] in the specification names other values."
    ]


def _steps(width: float) -> str:
    return "one such step" if abs(width) == 1 else f"{abs(width):g} such steps"


def _without_response(model: PathModel, back: pd.Series) -> list[str]:
    """Say how many patients came back, where not all did."""
    if back.all():
        return []
    responses = ", ".join(equation.response for equation in model.equations)
    return [
        f"{share_words(int(back.sum()), len(back))} patients have a response of the chain; of the others none "
        f"({responses}) is known. They say nothing of the equations of the chain, and effects are averaged over them "
        "too; what follows counts the cells of the chain among those who have one."
    ]


def _shifts(model: PathModel, survey: Survey) -> list[str]:
    """Say by how much missing values are shifted."""
    notes = []
    for name, delta in model.missing_shift:
        if missing := int(survey.records[name].isna().sum()):
            words = shift_words(model, name, delta)
            whose = f"its missing values ({count_words(missing)}) follow"
            notes.append(f"{name}: {whose} its equation shifted: {words} (missing_shift).")
        else:
            notes.append(f"{name}: no value is missing, so its missing_shift does nothing.")
    return notes
