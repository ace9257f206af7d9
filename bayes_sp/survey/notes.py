"""What a reader must know of the records that a model sees: missing cells, and answers that nobody gave."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import complete_cases
from bayes_sp.survey.records import Survey

Treatment = Literal["dropped", "parameter", "summed"]
WORDS: dict[Treatment, str] = {
    "dropped": "these patients do not enter the outcome's likelihood, and stay in the others",
    "parameter": "each is an unknown that is estimated with the rest",
    "summed": "each is summed over its possible values",
}


def treatment(model: PathModel, column: str) -> Treatment:
    """Return what a model does with missing cells of a column.

    Missing outcomes leave the outcome's likelihood, values out of a few (``model.levels``) are summed over, and any
    other missing value is a parameter.
    """
    if column == model.outcome:
        return "dropped"
    return "summed" if model.levels(column) else "parameter"


def survey_notes(model: PathModel, survey: Survey) -> tuple[str, ...]:
    """Return sentences on missing cells and on levels of ordered responses that no record has; () if there are none."""
    used = complete_cases(model, survey)
    notes = []
    if dropped := len(survey) - len(used):
        notes.append(f"{dropped} of {len(survey)} records have missing cells and are left out.")
    for name in model.columns:
        if missing := int(used.records[name].isna().sum()):
            share = f"{missing} of {len(used)} values ({100 * missing / len(used):.0f} %)"
            notes.append(f"{name}: {share} are missing; {WORDS[treatment(model, name)]}.")
    for equation in model.equations:
        if FAMILIES[equation.family].ordered:
            seen = used.records[equation.response].to_numpy(dtype=float, na_value=np.nan)
            unseen = [f"{level:g}" for level in model.levels(equation.response) if level not in seen]
            if unseen:
                which = f"level{'' if len(unseen) == 1 else 's'} {', '.join(unseen)}"
                notes.append(f"{equation.response}: no record has the {which}; the prior alone speaks of it.")
    return tuple(notes)
