"""Rows of a survey with missing levels: a patient is a row for each combination of levels that the cells may hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.build import transformed
from bayes_sp.design.design import Design
from bayes_sp.design.relevance import MOST_ROWS, informative, relevant, summed_values
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

# What is known of a response in a row: seen, missing without a trace, missing, or measured with error.
SEEN, ABSENT, MISSING, MEASURED = range(4)


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Rows:
    """A design with rows in place of patients; missing levels stand as every value that they may have."""

    design: Design  # its arrays have a row for each combination; cells that cannot be summed over are still NaN
    kept: NDArray[np.int64]  # patients who have rows, by their number in the survey, (N,)
    # Place among those of each row's patient, (R,): first the patients with one row, those of whom a number is hidden
    # last; then the others, those of whom a number is hidden first. So the engine finds hidden numbers in rows that
    # follow each other, and rows that moments stand for before those.
    patient: NDArray[np.int64]
    single: int  # number of patients with one row
    split: tuple[tuple[int, int], ...]  # (first row, number of rows) of each of the others
    summed: dict[str, tuple[float, ...]]  # columns that are summed over, with their levels
    # Number of the level of each summed column's cell in each row, (R,), where it was missing, else -1.
    levels: dict[str, NDArray[np.int64]]
    # Logarithm of what each row's density is multiplied with in the sum, (R,); None for 1 (`summed_values`).
    log_weights: Array | None = None

    @property
    def count(self) -> int:
        """Number of rows, R."""
        return len(self.patient)


def split_rows(model: PathModel, design: Design) -> Rows:
    """Return the rows of a design: one for each patient, or for each combination of missing levels.

    Patients of whom nothing bears on the likelihood have no row, and levels on which nothing that was observed depends
    stay missing (`bayes_sp.design.relevance`).

    Raises SurveyError where a patient's missing levels have more than 64 combinations.
    """
    kept = np.flatnonzero(informative(design, model))
    design = design if len(kept) == design.n else design.taken(kept)
    cells = _summed_cells(model, design)
    summed = {name: _levels(model, design, name) for name in cells}
    hidden = _hidden(model, design, summed)
    if not summed:
        ordered = np.argsort(hidden, kind="stable")
        return Rows(design.taken(ordered) if hidden.any() else design, kept, ordered, design.n, (), {}, {})
    incomplete = np.any(list(cells.values()), axis=0)
    single = np.concatenate([np.flatnonzero(~incomplete & ~hidden), np.flatnonzero(~incomplete & hidden)])
    patient, split = list(single), []
    levels: dict[str, list[int]] = {name: [-1] * len(single) for name in summed}
    for i in np.concatenate([np.flatnonzero(incomplete & hidden), np.flatnonzero(incomplete & ~hidden)]):
        choices = [range(len(values)) if cells[name][i] else (-1,) for name, values in summed.items()]
        combinations = list(product(*choices))
        if len(combinations) > MOST_ROWS:
            names = ", ".join(name for name in summed if cells[name][i])
            problem = f"row {kept[i] + 1}: {len(combinations)} combinations of missing levels ({names})"
            raise SurveyError(
                "the survey", [f'{problem}; at most {MOST_ROWS}. Leave the patient out, or set missing = "complete"']
            )
        split.append((len(patient), len(combinations)))
        patient += [i] * len(combinations)
        for combination in combinations:
            for name, level in zip(summed, combination, strict=True):
                levels[name].append(level)
    numbers = {name: np.array(values) for name, values in levels.items()}
    index = np.array(patient)
    filled = _filled(model, design.taken(index), summed, numbers)
    weights = np.zeros(len(index))
    for name in summed:
        known = summed_values(model, name)[1]
        weights += np.where(numbers[name] >= 0, np.array(known)[numbers[name]], 0.0) if any(known) else 0.0
    return Rows(filled, kept, index, len(single), tuple(split), summed, numbers, weights if weights.any() else None)


def _hidden(model: PathModel, design: Design, summed: dict[str, tuple[float, ...]]) -> Mask:
    """Return of whom a number is hidden: missing and not summed over, or behind a measurement error, (n,)."""
    found = np.full(design.n, bool(model.confounders))
    for name, mask in design.missing.items():
        if name not in summed:
            found |= mask & relevant(design, name) if name in design.responses else mask
    for equation in model.equations:
        if FAMILIES[equation.family].latent:
            found |= relevant(design, equation.response)
    return found


def _levels(model: PathModel, design: Design, name: str) -> tuple[float, ...]:
    """Return the values that a cell can have where they are few: as the specification says, or the two that it has."""
    return summed_values(model, name)[0] or design.pairs.get(name, ())


def _summed_cells(model: PathModel, design: Design) -> dict[str, Mask]:
    """Return whose cells are summed over, (n,), by column."""
    found: dict[str, Mask] = {}
    for name, mask in design.missing.items():
        if _levels(model, design, name):
            cells = mask & relevant(design, name) if name in design.responses else mask
            found |= {name: cells} if cells.any() else {}
    return found


def _filled(
    model: PathModel, rows: Design, summed: dict[str, tuple[float, ...]], levels: dict[str, NDArray[np.int64]]
) -> Design:
    """Write the levels into the cells that they stand for."""
    y, w = rows.y.copy(), rows.w.copy()
    left = {name: mask & (levels[name] < 0) if name in summed else mask for name, mask in rows.missing.items()}
    missing = {name: mask for name, mask in left.items() if mask.any()}
    for name, values in summed.items():
        cells = levels[name] >= 0
        chosen = np.array(values)[levels[name][cells]]
        if name in rows.responses:
            y[cells, rows.responses.index(name)] = chosen
        else:
            for term, column in zip(*_covariate(model, name, chosen), strict=True):
                w[cells, rows.covariate_terms.index(term)] = column
    return replace(rows, y=y, w=w, missing=missing)


def _covariate(model: PathModel, name: str, values: Array) -> tuple[tuple[str, ...], list[Array]]:
    covariate = next(c for c in model.covariates if c.name == name)
    return covariate.terms, transformed(covariate, values)
