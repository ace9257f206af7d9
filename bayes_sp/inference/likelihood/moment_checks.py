"""Can numbers be the means, SDs and correlations of patients? What a printed table gets wrong, named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError

SOURCE = "moments"
LEAST_PATIENTS = 3  # with two, every correlation is 1 or -1
ROUNDING = 1e-8  # of correlations that were computed, such as NumPy's
RANK = 1e-6  # eigenvalues of a correlation matrix below it count as 0
TRIANGLE = "give one printed triangle to Moments.from_triangle"


def as_numbers(what: str, values: object, shape: tuple[int, ...]) -> Array:
    """Return an array of finite numbers of this shape.

    Raises
    ------
    SurveyError
        Where ``values`` are not numbers, not finite, or of another shape.
    """
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        hint = f"; {TRIANGLE}" if len(shape) == 2 else ""
        raise SurveyError(SOURCE, [f"{what} must be numbers in an array of shape {shape} ({error}){hint}"]) from error
    if array.shape != shape:
        raise SurveyError(SOURCE, [f"{what} must have shape {shape}, one for each name, found {array.shape}"])
    return array


def checked_names(names: object) -> tuple[str, ...]:
    """Return the names of the variables, each once.

    Raises
    ------
    SurveyError
        Where they are not a sequence of different texts.
    """
    if isinstance(names, str) or not isinstance(names, Sequence | np.ndarray):
        raise SurveyError(SOURCE, [f"names must be a list of texts, found {names!r}"])
    found = tuple(str(name) for name in names)
    problems = [f"names must be texts, found {name!r}" for name in names if not isinstance(name, str)]
    problems += [
        f'"{name}" stands {count} times among the names' for name, count in Counter(found).items() if count > 1
    ]
    problems += [] if found else ["there is no variable"]
    if problems:
        raise SurveyError(SOURCE, problems)
    return found


def checked_count(n: object) -> int:
    """Return the number of patients.

    Raises
    ------
    SurveyError
        Where it is no whole number of at least 3.
    """
    whole = isinstance(n, int | float | np.integer | np.floating) and not isinstance(n, bool) and n == n // 1
    if not whole or not LEAST_PATIENTS <= int(n):  # type: ignore[call-overload] # a whole number
        raise SurveyError(SOURCE, [f"n must be a whole number of patients, at least {LEAST_PATIENTS}, found {n!r}"])
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
        i = int(np.argmax(abs(diagonal - 1)))
        yield f"the correlation of {names[i]!r} with itself must be 1, found {diagonal[i]:g}"
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

    Parameters
    ----------
    triangle
        Rows of numbers, as printed: below the diagonal 1, 2, ... v numbers (v - 1 where the diagonal is left out), or
        above it v, v - 1, ... 1. A whole matrix with nothing (0 or NaN) in its other triangle is taken too.
    v
        Number of variables.

    Raises
    ------
    SurveyError
        Where the rows have other lengths, or both triangles hold numbers that differ.
    """
    rows = _number_rows(triangle)
    lengths = [len(row) for row in rows]
    matrix = np.eye(v)
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
    listed = isinstance(triangle, Sequence | np.ndarray) or hasattr(triangle, "__array__")
    if isinstance(triangle, str) or not listed:
        raise SurveyError(SOURCE, [f"a triangle must be a list of rows of numbers, found {type(triangle).__name__}"])
    found: list[Array] = []
    given: Sequence[ArrayLike] = np.asarray(triangle) if hasattr(triangle, "__array__") else triangle  # type: ignore[assignment]
    for row in given:
        try:
            found.append(np.atleast_1d(np.asarray(row, dtype=float)))
        except (TypeError, ValueError, OverflowError) as error:
            raise SurveyError(SOURCE, [f"row {len(found) + 1} of the triangle must hold numbers ({error})"]) from error
    return found


def _mirrored(matrix: Array) -> Array:
    """Return a whole matrix with one triangle written into the other, which must hold nothing, or the same."""
    low, high = matrix[np.tril_indices_from(matrix, -1)], matrix[np.triu_indices_from(matrix, 1)]
    diagonal = np.where(np.isnan(np.diag(matrix)) | (np.diag(matrix) == 0), 1.0, np.diag(matrix))
    if not _blank(low) and not _blank(high):
        return matrix
    one = np.triu(matrix, 1) if _blank(low) else np.tril(matrix, -1)
    return np.asarray(one + one.T + np.diag(diagonal))
