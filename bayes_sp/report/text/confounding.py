"""What an unmeasured confounder could do, in plain text."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bayes_sp.model.path_model import PathModel
from bayes_sp.report.text.assumptions import path_words
from bayes_sp.report.text.layout import aligned, size_words, wrapped
from bayes_sp.sensitivity.confounder.confounding import Confounding
from bayes_sp.sensitivity.confounder.e_values import EValues
from bayes_sp.sensitivity.every import Sensitivity
from bayes_sp.shown import decimals_for, number


def confounding_lines(found: Sensitivity) -> Iterator[str]:
    """Yield the conclusion for each pair, multiples of the covariates, assumptions, and E-values."""
    if found.confounding is not None:
        for text in found.confounding.sentences():
            yield from wrapped(text)
        yield from _multiples(found.fit.model, found.confounding)
        yield from _grids(found.confounding)
        for text in found.confounding.assumptions:
            yield from wrapped(text, "- ", "  ")
    if found.e_values is not None:
        yield from _e_values(found, found.e_values)


def _multiples(model: PathModel, found: Confounding) -> list[str]:
    table = found.multiples
    if table.empty:
        return []
    lines = ["", "   How many times as strong as a covariate, in both equations"]
    pairs = list(dict.fromkeys(zip(table["first"], table["second"], strict=True)))
    rows = [["", *(f"{first}, {second}" for first, second in pairs)]]
    cells = {(row["first"], row["second"], row["covariate"]): row for row in table.to_dict("records")}
    for covariate in dict.fromkeys(table["covariate"]):
        row = [model.variable(str(covariate)).label.partition(" (")[0]]
        for first, second in pairs:
            cell = cells.get((first, second, covariate))
            row.append("" if cell is None else _multiple(cell))
        rows.append(row)
    note = (
        f"The least multiple at which the interval includes {found.target.null:g}; > where none up to there does (the "
        "end of the grid). Marked *: found by fits; the others interpolated between the fits of the grid."
    )
    return [*lines, *aligned(rows, "l" + "r" * len(pairs)), *wrapped(note)]


def _multiple(row: dict[str, float]) -> str:
    star = "*" if row["refitted"] else ""
    return f"> {row['most']:.1f}" if pd.isna(row["multiple"]) else f"{row['multiple']:.1f}{star}"


def _grids(found: Confounding) -> Iterator[str]:
    target = found.target
    for (first, second), surface in found.surfaces.items():
        at = surface.sel(path=target.path, scale=target.scale)
        fitted = at["fitted"] & at["median"].notnull()
        one_side = ((at["lower"] > target.null) | (at["upper"] < target.null)) & fitted
        medians = at["median"].where(fitted)
        text = (
            f"Grid of {first} (0 to {float(surface[first].max()):.2g}) and {second} "
            f"({float(surface[second].min()):.2g} to {float(surface[second].max()):.2g}): the interval excludes "
            f"{target.null:g} in {int(one_side.sum())} of {int(fitted.sum())} fits"
        )
        if fitted.any():
            decimals = decimals_for(float((at["upper"] - at["lower"]).where(fitted).min()))
            low, high = (number(float(end), decimals) for end in (medians.min(), medians.max()))
            text += f"; posterior medians from {low} to {high}"
        yield from wrapped(f"{text}.")


def _e_values(found: Sensitivity, values: EValues) -> Iterator[str]:
    yield from ["", "   E-values"]
    table = values.table
    if not table.empty:
        rows = [["", "ratio", "E-value", "of the limit nearest to 1"]]
        for row in table.to_dict("records"):
            size = size_words(row["median"], row["lower"], row["upper"])
            words = path_words(found.fit.model, str(row["path"]))
            rows.append([words, size, f"{row['e_value']:.2f}", f"{row['e_value_limit']:.2f}"])
        yield from aligned(rows, "lrrr")
    for note in values.notes:
        yield from wrapped(note, "- ", "  ")
