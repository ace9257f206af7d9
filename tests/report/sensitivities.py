"""Finished sensitivity analyses for the tests of text, figures and folders."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from scripted import FEW, Scripted, chain_model, chain_records, chain_survey, fits_made_once

from bayes_sp.analysis.batch.cell import Cell
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import PARTS
from bayes_sp.records.nonresponders import NonResponders, nonresponders_from_records
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import RECONSTRUCTED, Survey
from bayes_sp.sensitivity.every import Sensitivity, analyse
from bayes_sp.sensitivity.prior.grid_file import Grid, read_grid

SLOPES = {"slope.sigma": [0.25, 0.5, 1.0]}
CROSSES: dict[int, dict[str, Any]] = {
    0: {"named": ["sceptical", "wide"]},
    1: {"cross": SLOPES},
    2: {"cross": {**SLOPES, "intercept.sigma": [2.0, 5.0]}},
    3: {"cross": {**SLOPES, "intercept.sigma": [2.0, 5.0], "sigma.sigma": [1.0, 2.0]}},
}


@cache
def grid_of(keys: int, mediators: int = 1, outcome: str = "negative_binomial") -> Grid:
    """Return a grid with a number of crossed keys."""
    return read_grid(chain_model(mediators, outcome), {"title": "A grid", **CROSSES[keys]})


@cache
def survey_of(mediators: int, missing: int, *, reconstructed: bool) -> Survey:
    """Return a made-up survey, as if its records had been reconstructed or not."""
    survey = chain_survey(200, mediators, missing=missing)
    if reconstructed:
        return Survey(survey.records, "reconstruction", f"{RECONSTRUCTED} (seed 1)")
    return survey


@cache
def absent_of(number: int, mediators: int, outcome: str) -> NonResponders:
    """Return records of those who did not come back."""
    records = chain_records(number, mediators, seed=3)[["age", "before"]]
    return nonresponders_from_records(chain_model(mediators, outcome), records)


def nobody(_: Cell) -> bool:
    return False


def unlucky(cell: Cell) -> bool:
    """Whether a cell is one of those that fail where some do: a named set, and two of six crossings."""
    return cell.name == "sceptical" or "0.25" in cell.name


@cache
def analysed(
    parts: tuple[str, ...] = PARTS,
    *,
    mediators: int = 1,
    outcome: str = "negative_binomial",
    published: bool = False,
    reconstructed: bool = False,
    missing: int = 0,
    absent: int = 0,
    keys: int | None = None,
    failing: Callable[[Cell], bool] = nobody,
    doubtful: Callable[[Cell], bool] = nobody,
) -> Sensitivity:
    """Return an analysis of a made-up survey, its refits answered by a formula.

    ``missing`` patients have rows without answers in the survey; ``absent`` ones stand in another file.
    """
    with fits_made_once():
        return analyse(
            chain_model(mediators, outcome, published=published),
            survey_of(mediators, missing, reconstructed=reconstructed),
            parts,
            grid=None if keys is None else grid_of(keys, mediators, outcome),
            nonresponders=absent_of(absent, mediators, outcome) if absent else None,
            options=FEW,
            runner=Scripted(failing=failing, doubtful=doubtful),
        )


@cache
def linear(parts: tuple[str, ...]) -> Sensitivity:
    """Return an analysis of the shipped specification whose outcome is normal, on the reconstructed records."""
    return analyse(load_model("process6"), reconstruct(seed=1), parts, options=FEW)
