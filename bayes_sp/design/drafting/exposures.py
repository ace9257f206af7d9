"""What effects of a draft compare: one number, a category, or several exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.drafting.guesses import frequent_first, guess_contrast
from bayes_sp.records.codebook.derived import kind_and_ends
from bayes_sp.records.survey import Survey


def compared(
    survey: Survey, exposure: str, name: str, values: dict[str, Array], texts: dict[str, list[str]]
) -> tuple[dict[str, Any], str]:
    """Return what effects of the chain's exposure compare, as a table's keys, and the reason.

    A category are three texts or more, and numbers of which a codebook says so; its values become those of an
    indicator, whose slope has a prior.
    """
    found = np.unique(values[exposure])
    named = kind_and_ends(survey.codebook, exposure)[0] == "category"
    if len(found) <= 2 or not (named or exposure in texts):
        contrast, why = guess_contrast(values[exposure])
        return {"contrast": contrast}, f"exposure; effects are for {contrast[0]:g} to {contrast[1]:g}, {why}"
    levels, most = frequent_first(texts.pop(exposure, found.tolist()), values[exposure])
    values[exposure] = np.array([0.0, 1.0])
    return {"exposures": {name: {"levels": levels}}}, _category(len(levels), most)


def with_further(
    compared: Mapping[str, Any],
    first: str,
    others: Sequence[str],
    names: Mapping[str, str],
    values: Mapping[str, Array],
    drafted: dict[str, tuple[dict[str, Any], str]],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what effects of all exposures compare, and the reasons; further ones are drafted as covariates.

    A category stands among the exposures with its levels, and no more among the covariates.
    """
    if not others:
        return dict(compared), {}
    tables, reasons = dict(compared.get("exposures", {names[first]: {"contrast": compared.get("contrast")}})), {}
    for name in others:
        keys, why = drafted[name]
        if "levels" in keys:
            levels, most = frequent_first(sorted(keys["levels"]), values[name])
            tables[names[name]] = {"levels": levels}
            reasons[name] = _category(len(levels), most)
            del drafted[name]
            continue
        contrast, told = guess_contrast(values[name])
        tables[names[name]] = {"contrast": contrast}
        reasons[name] = f"exposure; effects are for {contrast[0]:g} to {contrast[1]:g}, {told}; {why}"
    return {"exposures": tables}, reasons


def _category(count: int, most: str) -> str:
    others = "reference = ... names another, pairs = [[from, to]] other comparisons"
    return f"exposure; a category of {count} levels without an order, each compared with the first, {most} ({others})"
