"""Can numbers be the means, SDs and correlations of patients? What a printed table gets wrong, named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, KeysView, Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError

SOURCE = "moments"
MOST_PATIENTS = 10**12
LEAST_PATIENTS = 3  # with two, every correlation is 1 or -1
ROUNDING = 1e-8  # of correlations that were computed, such as NumPy's
RANK = 1e-6  # eigenvalues of a correlation matrix below it count as 0
TRIANGLE = "give one printed triangle to Moments.from_triangle"


def as_numbers(what: str, values: object, names: tuple[str, ...], dimensions: int = 1) -> Array:
    """Return an array of real numbers, one for each name along each dimension; NaN where nothing stands.

    A labelled table of pandas is put in the names' order by its labels; errors call it ``what``.

    Raises SurveyError where ``values`` are not real numbers, of another shape, or carry other labels than the names.
    """
    shape = (len(names),) * dimensions
    hint = f"; {TRIANGLE}" if dimensions == 2 else ""
    array = real(f"{what} must be numbers in an array of shape {shape}", in_order(what, values, names), hint)
    if array.shape != shape:
        raise SurveyError(SOURCE, [f"{what} must have shape {shape}, one for each name, found {array.shape}"])
    return array


def real(rule: str, values: Any, hint: str = "") -> Array:  # noqa: ANN401 - what a user gives
    """Return an array of real numbers, NaN where a masked array or a table holds nothing.

    Raises SurveyError with the rule, where they are no numbers or have imaginary parts.
    """
    try:
        plain = values.to_numpy(dtype=float, na_value=np.nan) if hasattr(values, "to_numpy") else values
        plain = np.ma.filled(plain.astype(float), np.nan) if isinstance(plain, np.ma.MaskedArray) else plain
        if np.iscomplexobj(plain):
            raise TypeError("complex numbers")
        return np.array(plain, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise SurveyError(SOURCE, [f"{rule} ({error}){hint}"]) from error


def in_order(what: str, values: object, names: tuple[str, ...]) -> object:
    """Return a labelled table (pandas) with its rows and columns in the names' order; anything else as it is.

    Labels of which none is a name, such as the numbers of rows, say nothing of the order.

    Raises SurveyError where some of the labels are names and the others are not, or a name is lacking.
    """
    if not hasattr(values, "reindex"):
        return values
    for axis in ("index", "columns"):
        labels = [str(label) for label in getattr(values, axis, ())]
        if not set(labels) & set(names):
            continue
        if sorted(labels) != sorted(names):
            found, needed = ", ".join(map(repr, labels)), ", ".join(map(repr, names))
            raise SurveyError(SOURCE, [f"{what} has the labels {found}, which must be the names {needed}"])
        places = [labels.index(name) for name in names]
        values = values.iloc[:, places] if axis == "columns" else values.iloc[places]  # type: ignore[attr-defined]  # a frame
    return values


def checked_names(names: object) -> tuple[str, ...]:
    """Return the names of the variables, each once.

    Raises SurveyError where they are not different texts in an order.
    """
    if (isinstance(names, str | bytes | Set) and not isinstance(names, KeysView)) or not isinstance(names, Iterable):
        raise SurveyError(SOURCE, [f"names must be a list of texts, found {names!r}"])
    listed = list(names)
    found = tuple(str(name) for name in listed)
    problems = [f"names must be texts, found {name!r}" for name in listed if not isinstance(name, str)]
    problems += [
        f'"{name}" stands {count} times among the names' for name, count in Counter(found).items() if count > 1
    ]
    problems += [] if found else ["there is no variable"]
    if problems:
        raise SurveyError(SOURCE, problems)
    return found


def checked_count(n: object) -> int:
    """Return the number of patients.

    Raises SurveyError where it is no whole number from 3 to 1e12.
    """
    whole = isinstance(n, int | float | np.integer | np.floating) and not isinstance(n, bool) and n == n // 1
    if not whole or not LEAST_PATIENTS <= int(n) <= MOST_PATIENTS:  # type: ignore[call-overload] # a whole number
        found = "a larger number" if whole and n > MOST_PATIENTS else repr(n)  # type: ignore[operator]  # a number, where it is whole
        rule = f"n must be a whole number of patients, at least {LEAST_PATIENTS} and at most 1e12"
        raise SurveyError(SOURCE, [f"{rule}, found {found}"])
    return int(n)  # type: ignore[call-overload] # a whole number


def moment_problems(names: tuple[str, ...], mean: Array, sd: Array, correlation: Array, n: int) -> list[str]:
    """Return every reason why these cannot be moments of n patients; () where they can."""
    problems = [f"the mean of {names[i]!r} must be a finite number, found {mean[i]}" for i in _rows(~np.isfinite(mean))]
    for i in _rows(~(np.isfinite(sd) & (sd > 0))):
        reason = "; it has the same value for every patient, leave it out" if sd[i] == 0 else ""
        problems.append(f"the SD of {names[i]!r} must be a finite number above 0, found {sd[i]:g}{reason}")
    found = list(_matrix(names, sd, correlation))
    if not found and n <= (rank := int(np.linalg.matrix_rank(correlation, tol=RANK, hermitian=True))):
        found = [f"{n} patients cannot have these correlations of {len(names)} variables; n must be above {rank}"]
    return problems + found


def _rows(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(mask)


def _matrix(names: tuple[str, ...], sd: Array, r: Array) -> Iterator[str]:
    """Yield what is wrong with a matrix of correlations."""
    off = ~np.eye(len(names), dtype=bool)
    diagonal = np.diag(r)
    blank = [_blank(r[triangle]) for triangle in (np.tril_indices_from(r, -1), np.triu_indices_from(r, 1))]
    if blank[0] != blank[1]:
        empty, full = ("below", "above") if blank[0] else ("above", "below")
        yield f"correlations stand {full} the diagonal only, and nothing stands {empty} it; {TRIANGLE}"
        return
    for i, j in np.argwhere(~np.isfinite(r) & (np.tri(len(r), dtype=bool) | np.isfinite(r.T))):
        yield f"the correlation of {names[i]!r} with {names[j]!r} must be a finite number, found {r[i, j]}"
    if not np.isfinite(r).all():
        return
    if (abs(diagonal - 1) > ROUNDING).any():
        if np.allclose(diagonal, sd**2, rtol=0.02):
            yield "the matrix holds covariances (its diagonal is the squared SDs); divide each by its two SDs"
            return
        if np.allclose(diagonal, sd, rtol=0.02):
            yield "the matrix holds covariances, and sd their diagonal, the variances; give their square roots as sd"
            return
        i = int(np.argmax(abs(diagonal - 1)))
        reason = " (reliabilities are often printed there)" if ((diagonal > 0) & (diagonal <= 1)).all() else ""
        yield f"the correlation of {names[i]!r} with itself must be 1, found {diagonal[i]:g}{reason}"
    for i, j in np.argwhere((abs(r) > 1 + ROUNDING) & off & np.tri(len(r), dtype=bool)):
        yield f"the correlation of {names[j]!r} with {names[i]!r} must lie between -1 and 1, found {r[i, j]:g}"
    for i, j in np.argwhere((abs(r - r.T) > ROUNDING) & np.tri(len(r), dtype=bool)):
        yield (
            f"the correlation of {names[j]!r} with {names[i]!r} stands twice with different values, {r[j, i]:g} and "
            f"{r[i, j]:g}"
        )


def _blank(values: Array) -> bool:
    return bool(np.all((values == 0) | np.isnan(values)))


def whole_matrix(triangle: object, v: int) -> Array:
    """Return the symmetric matrix, (v, v), of one triangle.

    Raises SurveyError where the rows have other lengths, or both triangles hold numbers that differ.

    Rows are as printed: below the diagonal 1, 2, ... v numbers (v - 1 where the diagonal is left out), or above it v, v
    - 1, ... 1. A whole matrix with nothing (0 or NaN) in its other triangle is taken too.
    """
    rows = _number_rows(triangle)
    lengths = [len(row) for row in rows]
    matrix = np.eye(v)
    if v == 1 and not sum(lengths):
        return matrix
    if lengths == [v] * v and v > 1:
        return _mirrored(np.array(rows))
    rows = [row for row in rows if len(row)]
    lengths = [len(row) for row in rows]
    if lengths == list(range(1, v + 1)):
        places = np.tril_indices(v, 0)
    elif lengths == list(range(1, v)):
        places = np.tril_indices(v, -1)
    elif lengths == list(range(v, 0, -1)):
        places = np.triu_indices(v, 0)
    elif lengths == list(range(v - 1, 0, -1)):
        places = np.triu_indices(v, 1)
    else:
        needed = f"1, 2, ... {v} numbers (below the diagonal) or {v}, ... 2, 1 (above it), with or without the diagonal"
        raise SurveyError(SOURCE, [f"a triangle of {v} variables has rows of {needed}; found rows of {lengths}"])
    matrix[places] = np.concatenate(rows)
    matrix.T[places] = np.concatenate(rows)
    return matrix


def _number_rows(triangle: object) -> list[Array]:
    """Return rows of numbers of any lengths."""
    if isinstance(triangle, str | bytes | Set | Mapping) or not isinstance(triangle, Iterable):
        raise SurveyError(SOURCE, [f"a triangle must be a list of rows of numbers, found {type(triangle).__name__}"])
    given = triangle.to_numpy() if hasattr(triangle, "to_numpy") else triangle
    return [np.atleast_1d(real(f"row {i} of the triangle must hold numbers", row)) for i, row in enumerate(given, 1)]


def _mirrored(matrix: Array) -> Array:
    """Return a whole matrix with one triangle written into the other, which must hold nothing, or the same."""
    low, high = matrix[np.tril_indices_from(matrix, -1)], matrix[np.triu_indices_from(matrix, 1)]
    diagonal = np.where(np.isnan(np.diag(matrix)) | (np.diag(matrix) == 0), 1.0, np.diag(matrix))
    if not _blank(low) and not _blank(high):
        return matrix
    one = np.triu(matrix, 1) if _blank(low) else np.tril(matrix, -1)
    return np.asarray(one + one.T + np.diag(diagonal))
