r"""What a response leaves to its priors alone: separation, a hurdle with nothing above it, a zero part without zeros.

**Separation** (Albert & Anderson 1984). The likelihood of a yes-or-no response has no finite maximum where a direction
b of the coefficients has s_i x_i'b >= 0 for every record, and > 0 for some (s_i = 1 for yes and -1 for no). So it is
for the zeros of a count with a log link where x_i'b <= 0 at every zero, < 0 at some, and = 0 at every other record. The
largest sum of what is >= 0, over directions with elements in [-1, 1], is a linear program; it is solved only where an
iteratively reweighted fit runs away.

References
----------
Albert & Anderson (1984). On the existence of maximum likelihood estimates in logistic regression models. Biometrika 71,
1-10. doi:10.1093/biomet/71.1.1
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.build import equation_matrix, zero_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.triangular import least_squares

MOST_ROWS = 20_000  # different ones that the linear program takes
SOME = 10_000  # records that are looked at first where there are many more
RUNAWAY = 12.0  # linear predictor beyond which a fit is looked at
FEASIBLE = 1e-7
EACH = 2  # records that a coefficient needs at the very least
MOST_APART = 1e5  # a column's largest value, in units of where nine tenths of it lie


def separations(model: PathModel, design: Design) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield (response, terms, which of its parts) of each part of an equation that its terms separate."""
    for j, equation in enumerate(model.equations):
        y, family = design.coded(j), FAMILIES[equation.family]
        if family.response == "binary":
            terms = _separating(model.terms(equation), equation_matrix(model, design, j), y, count=False)
            yield from _found(equation, terms, "one value from the other")
        elif family.response == "count" and family.zero_part != "hurdle":
            terms = _separating(model.terms(equation), equation_matrix(model, design, j), y, count=True)
            yield from _found(equation, terms, "zeros from counts")
        elif family.zero_part == "hurdle":
            none = np.where(np.isnan(y), np.nan, (y == 0).astype(float))
            terms = _separating(model.zero_terms(equation), zero_matrix(model, design, j), none, count=False)
            yield from _found(equation, terms, "zeros from other counts")
            above = np.where(y > 0, y - 1.0, np.nan)
            terms = _separating(model.terms(equation), equation_matrix(model, design, j), above, count=True)
            yield from _found(equation, terms, "counts of 1 from higher ones")


def _found(equation: Equation, terms: tuple[str, ...], what: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if terms:
        yield equation.response, terms, what


def _separating(terms: tuple[str, ...], columns: Array, y: Array, *, count: bool) -> tuple[str, ...]:
    """Return the fewest terms found that separate a response; () where none do."""
    absent = np.isnan(columns).any(axis=1) | np.isnan(y)
    columns, y = (columns[~absent], y[~absent]) if absent.any() else (columns, y)
    if len(y) < columns.shape[1] + 2 or not y.max() > y.min():
        return ()
    if len(y) >= 2 * SOME and _some_bound(columns, y, count=count):
        return ()
    size = np.abs(columns).max(axis=0)
    bulk = np.quantile(np.abs(columns - np.median(columns, axis=0)), 0.9, axis=0)
    if (size / MOST_APART > np.where(bulk > 0, bulk, size)).any():
        return ()  # beside such a value the others are all alike to the linear program
    columns = columns / np.where(size > 0, size, 1.0)
    if not _runs_away(columns, y, count=count):
        return ()
    rows = np.unique(np.column_stack([y > 0, columns]), axis=0)
    if len(rows) > MOST_ROWS:
        return ()
    above, columns = rows[:, 0] > 0, rows[:, 1:]
    constant = [k for k, name in enumerate(terms) if name == "intercept"]
    for k in range(len(terms)):
        if k not in constant and _direction(columns[:, [*constant, k]], above, count=count) is not None:
            return (terms[k],)
    direction = _direction(columns, above, count=count)
    if direction is None:
        return ()
    return tuple(name for k, name in enumerate(terms) if abs(direction[k]) > FEASIBLE and k not in constant)


def _some_bound(columns: Array, y: Array, *, count: bool) -> bool:
    """Return whether some of many records have a finite maximum; what separates all records would separate them too."""
    some, part = columns[:: len(y) // SOME], y[:: len(y) // SOME]
    size = np.abs(some).max(axis=0)
    some = some / np.where(size > 0, size, 1.0)
    if not part.max() > part.min() or np.linalg.matrix_rank(some) < some.shape[1]:
        return False
    return not _runs_away(some, part, count=count)


def _runs_away(columns: Array, y: Array, *, count: bool) -> bool:
    """Return whether a few reweighted least-squares steps of the maximum likelihood lead to extreme predictors."""
    start = np.log(y.mean()) if count else 0.0
    eta = np.full(len(y), start)
    for _ in range(30):
        mean = np.exp(eta) if count else 1.0 / (1.0 + np.exp(-eta))
        weight = np.maximum(mean if count else mean * (1.0 - mean), 1e-10)
        root = np.sqrt(weight)
        moved = columns @ least_squares(columns * root[:, None], root * (eta + (y - mean) / weight))
        if not np.isfinite(moved).all():
            return True
        done = np.abs(moved - eta).max() < 1e-6
        eta = np.clip(moved, np.maximum(eta - 5.0, -40.0), np.minimum(eta + 5.0, 40.0))
        if done:
            break
    away = start - eta.min() if count else np.abs(eta).max()
    return bool(away > RUNAWAY)


def _direction(columns: Array, above: Mask, *, count: bool) -> Array | None:
    """Return a direction of coefficients along which the likelihood only rises; None where there is none."""
    from scipy.optimize import linprog  # its import takes longer than all else here

    if count:
        some, equal = -columns[~above], columns[above]
    else:
        some, equal = np.where(above[:, None], columns, -columns), np.empty((0, columns.shape[1]))
    found = linprog(
        -some.sum(axis=0), A_ub=-some, b_ub=np.zeros(len(some)), A_eq=equal if len(equal) else None,
        b_eq=np.zeros(len(equal)) if len(equal) else None, bounds=(-1.0, 1.0), method="highs",
    )  # fmt: skip
    return np.asarray(found.x) if found.status == 0 and -found.fun > 1e-6 else None


def only_ones(model: PathModel, design: Design) -> Iterator[tuple[str, bool]]:
    """Yield (response, whether it has a hurdle) of each with a zero part and no count above 1."""
    for j, equation in enumerate(model.equations):
        if FAMILIES[equation.family].zero_part and not np.nanmax(design.y[:, j]) > 1:
            yield equation.response, FAMILIES[equation.family].zero_part == "hurdle"


def scarce(model: PathModel, design: Design) -> Iterator[tuple[str, str, int, int, int]]:
    """Yield (response, what is rare, how often it is, of how many, coefficients) where it is rarer than `EACH` for one.

    Rare is the value, the count above 0, or with a zero part the count above 1, on which coefficients rest.
    """
    for j, equation in enumerate(model.equations):
        y, family = design.coded(j), FAMILIES[equation.family]
        known = y[~np.isnan(y)]
        if family.response == "binary":
            what, count = "the rarer of its two values", min(int((known > 0).sum()), int((known == 0).sum()))
        elif family.response == "count":
            least = 1 if family.zero_part else 0
            what, count = f"a count above {least}", int((known > least).sum())
        else:
            continue
        terms = len(model.terms(equation))
        if 0 < count < EACH * terms <= len(known):
            yield equation.response, what, count, len(known), terms


def without_zeros(model: PathModel, design: Design) -> Iterator[str]:
    """Yield the responses with a zero part of which no record is 0."""
    for j, equation in enumerate(model.equations):
        if equation.zero_part and not (design.y[:, j] == 0).any():
            yield equation.response
