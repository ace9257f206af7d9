"""Can a chain's equations be estimated from a design? Enough records, no constant and no collinear column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayes_sp.arrays import Array, least_squares, triangle
from bayes_sp.design.design import Design
from bayes_sp.design.relevance import came_back
from bayes_sp.errors import FitError, SurveyError
from bayes_sp.model.terms import Factor, Level

COLLINEAR = 1e-5  # as a distance; the normal equations see its square
SOME = 10_000  # records that are looked at first where there are many more
# A response's squares, products and likelihood have to stay among the computer's numbers, 1e-308 to 1e308; any other
# column is brought to a size of 1 first, and only its own size and the inverse of that have to.
MOST_SQUARED, MOST = 1e100, 1e305


def check_design(
    design: Design,
    source: str,
    products: Mapping[str, Array] | None = None,
    factors: Sequence[Factor] = (),
    beside: Sequence[str] = (),
) -> None:
    """Check that the equations can be estimated: enough patients, no constant and no collinear column.

    Patients of whom no response is observed say nothing of the equations and are not counted. Constant columns are
    looked for among the cells that there are, collinear ones among complete records.

    ``products`` are columns of products of two variables, (n,) each, and ``beside`` is what else is wrong with the
    records.

    Raises SurveyError naming the columns.
    """
    back = came_back(design)
    coded = any(factor.variable == design.exposure for factor in factors)  # in columns among the covariates
    columns = {} if coded else {design.exposure: design.x[back]}
    columns |= {name: design.y[back, k] for k, name in enumerate(design.responses)}
    columns |= {name: design.w[back, j] for j, name in enumerate(design.covariate_terms)}
    columns |= {name: column[back] for name, column in (products or {}).items()}
    needed, count = len(columns) + 2, int(back.sum())
    problems = list(beside)
    if count < needed:
        left_out = f" ({design.dropped} with missing cells are left out)" if design.dropped else ""
        left_out += f" ({design.n - count} without any response are not counted)" if count < design.n else ""
        problems.append(
            f"{count} records are too few for {len(columns)} columns; at least {needed} are needed{left_out}"
        )
    else:
        constant = [name for name, values in columns.items() if not _varies(values)]
        extreme = [text for name, values in columns.items() if (text := _extreme(name, values, MOST))]
        problems += [f"{text}; give it another unit" for text in extreme]
        alone = [name for name in constant if name not in (products or {})]
        problems += [_constant(name, design, factors) for name in alone or constant]
        if not constant and not any(np.isinf(values).any() for values in columns.values()):
            problems += _collinear({name: values for name, values in columns.items() if name != design.outcome})
    if problems:
        raise SurveyError(source, problems)


def _varies(values: Array) -> bool:
    known = values[~np.isnan(values)]
    return bool(known.size) and bool(known.max() > known.min())


def check_responses(design: Design, model: str, source: str) -> None:
    """Refuse responses in a unit in which a likelihood leaves the range of numbers, before anything is computed.

    Raises FitError naming the columns.
    """
    if problems := extreme_responses(design):
        advice = "squares of such numbers are none; look at the units of the columns"
        raise FitError(source, [f'the model "{model}" could not be fitted: {text}; {advice}' for text in problems])


def extreme_responses(design: Design) -> list[str]:
    """Return what is wrong with the units of responses, for each that has no room."""
    found = [_extreme(name, design.y[:, k], MOST_SQUARED) for k, name in enumerate(design.responses)]
    return [text for text in found if text]


def _extreme(name: str, values: Array, most: float) -> str:
    """Return what is wrong with a column in a unit that arithmetic has no room for; '' where nothing is."""
    size = float(np.abs(values).max(initial=0.0, where=~np.isnan(values)))
    if np.isinf(size):
        return f'column "{name}": its values are beyond the range of numbers after center and scale'
    if size > most:
        return f'column "{name}": its values reach {size:.3g}, beyond {most:g}'
    if 0.0 < size < 1.0 / most:
        return f'column "{name}": its values are all nearer to 0 than {1.0 / most:g} ({size:.3g} at most)'
    return ""


def _constant(name: str, design: Design, factors: Sequence[Factor]) -> str:
    """Return what is wrong with a column that never varies, and what to do about it."""
    factor = next((factor for factor in factors if factor.column == name), None)
    if factor is not None and isinstance(factor.coding, Level):
        level = f"{factor.coding.level:g}"
        return (
            f'column "{factor.variable}": no record, or every record, has the level {level}; take it out of the levels'
        )
    known = name in (design.exposure, *design.responses)
    advice = "nothing can be learned about its effects" if known else "leave it out"
    return f'column "{name}" has the same value in every record; {advice}'


def _collinear(columns: dict[str, Array]) -> list[str]:
    """Return each column that is a linear combination of those before it (relative distance below 1e-5).

    Columns are taken in units of their own largest value and then of their SD, so that no unit changes the answer.
    """
    table = np.column_stack(list(columns.values()))
    absent = np.isnan(table).any(axis=1)
    table = table[~absent] if absent.any() else table
    varies = np.array([bool(len(column)) and _varies(column / _largest(column)) for column in table.T])
    names = [name for name, moves in zip(columns, varies, strict=True) if moves]
    table = table if varies.all() else table[:, varies]
    if len(table) < table.shape[1] + 2:  # with so few complete records anything looks collinear
        return []
    if len(table) >= 2 * SOME and _independent(table):
        return []
    centred = table / _largest(table)
    centred = centred - centred.mean(axis=0)
    centred = centred / _largest(centred)
    centred = (centred - centred.mean(axis=0)) / centred.std(axis=0)
    distance = np.abs(np.diag(triangle(centred))) / np.sqrt(len(centred))
    found = []
    for j in np.flatnonzero(distance < COLLINEAR):
        weights = np.abs(least_squares(centred[:, :j], centred[:, j]))
        parts = [names[i] for i in np.flatnonzero(weights > 1e-6 * weights.max())]
        found.append(f'column "{names[j]}" follows exactly from {", ".join(parts)}; leave one of them out')
    return found


def _independent(table: Array) -> bool:
    """Return whether some of many records show that no column follows from those before it.

    The squared distance of a column from the others, summed over all records, is at least that over some of them.
    """
    some = table[:: len(table) // SOME] / _largest(table)
    spread = np.array([np.std(column / _largest(column)) for column in table.T])
    distance = np.abs(np.diag(np.linalg.qr(some - some.mean(axis=0), mode="r")))
    return bool(np.all(distance > COLLINEAR * np.sqrt(len(table)) * spread))


def _largest(table: Array) -> Array:
    """Return each column's largest absolute value, 1 where that is 0."""
    largest = np.maximum(table.max(axis=0), -table.min(axis=0))
    return np.where(largest > 0, largest, 1.0)
