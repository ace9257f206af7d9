"""Moments: what no patients can have is refused where it is made, and one printed triangle is enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_sp.errors import SurveyError
from bayes_sp.inference.likelihood.least_squares import Moments, least_squares

R = np.array([[1.0, 0.3, 0.2], [0.3, 1.0, 0.4], [0.2, 0.4, 1.0]])
GIVEN: dict[str, Any] = {"names": ("x", "m", "y"), "mean": [2, 3, 4], "sd": [1, 2, 3], "correlation": R, "n": 100}


def changed(row: int, column: int, value: float) -> list[list[float]]:
    """Return the matrix with one correlation changed on both sides."""
    matrix = R.copy()
    matrix[row, column] = matrix[column, row] = value
    return matrix.tolist()


def test_lists_are_taken_and_slopes_are_the_closed_form() -> None:
    """Slopes are R_xx^-1 r_xy times the SDs' ratio, whether arrays or lists are given."""
    fit = least_squares(Moments(**GIVEN | {"correlation": R.tolist()}), "y", ["x", "m"])
    standardised = np.linalg.solve(R[:2, :2], R[:2, 2])
    np.testing.assert_allclose(fit.coefficients[1:], standardised * 3 / [1, 2], rtol=1e-12)
    np.testing.assert_allclose(fit.coefficients[1:], [0.2637, 0.5604], atol=5e-5)
    assert fit.r_squared == pytest.approx(standardised @ R[:2, 2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correlation": np.tril(R)}, "stand below the diagonal only.*from_triangle"),
        ({"correlation": np.triu(R)}, "stand above the diagonal only.*from_triangle"),
        ({"correlation": np.where(np.tri(3, dtype=bool), R, np.nan)}, "stand below the diagonal only"),
        ({"correlation": [[1], [0.3, 1], [0.2, 0.4, 1]]}, "must be numbers in an array.*from_triangle"),
        ({"correlation": [[1, 0.3, 0.2], [0.1, 1, 0.4], [0.2, 0.4, 1]]}, "'x' with 'm' stands twice .* 0.3 and 0.1"),
        ({"correlation": R * np.outer([1, 2, 3], [1, 2, 3])}, "holds covariances"),
        ({"correlation": R - 0.1 * np.diag([0, 1, 0])}, "'m' with itself must be 1, found 0.9"),
        ({"correlation": changed(0, 1, 1.02)}, "'x' with 'm' must lie between -1 and 1, found 1.02"),
        ({"correlation": changed(0, 1, np.nan)}, "'m' with 'x' must be a finite number, found nan"),
        ({"correlation": R[:2, :2]}, r"correlation must have shape \(3, 3\)"),
        ({"mean": [2, 3]}, r"mean must have shape \(3,\)"),
        ({"mean": [2, np.inf, 4]}, "the mean of 'm' must be a finite number"),
        ({"sd": [1, -2, 3]}, "the SD of 'm' must be a finite number above 0, found -2"),
        ({"sd": [1, 0, 3]}, "the SD of 'm' .* found 0; it has the same value for every patient"),
        ({"sd": ["1", "two", "3"]}, "sd must be numbers"),
        ({"n": 2}, "n must be a whole number of patients, at least 3 and at most 1e12, found 2"),
        ({"n": 99.5}, "n must be a whole number"),
        ({"n": float("inf")}, "n must be a whole number"),
        ({"n": "100"}, "n must be a whole number"),
        ({"n": 3}, "3 patients cannot have these correlations of 3 variables; n must be above 3"),
        ({"n": 10**400}, "at most 1e12, found a larger number"),
        ({"sd": [1, 4, 9], "correlation": R * np.outer([1, 2, 3], [1, 2, 3])}, "and sd their diagonal, the variances"),
        ({"correlation": R - np.diag([0.1, 0.2, 0.3])}, "found 0.7 .reliabilities"),
        ({"correlation": R + 0.1j}, "complex numbers"),
        ({"correlation": np.ma.array(R, mask=np.triu(R, 1))}, "stand below the diagonal only"),
        ({"mean": np.ma.array([2, 3, 4], mask=[0, 1, 0])}, "the mean of 'm' must be a finite number, found nan"),
        ({"mean": pd.Series([2, 3, 4], ["x", "m", "z"])}, "mean has the labels 'x', 'm', 'z', which must be"),
        ({"names": {"x", "m", "y"}}, "names must be a list of texts"),
        ({"names": "xmy"}, "names must be a list of texts"),
        ({"names": ("x", "m", "x")}, '"x" stands 2 times'),
    ],
)
def test_what_no_patients_can_have_is_refused(change: dict[str, Any], words: str) -> None:
    """Each is an error of the user's where the moments are made, with the place and the number."""
    with pytest.raises(SurveyError, match=words):
        Moments(**GIVEN | change)


@pytest.mark.parametrize(
    "triangle",
    [
        [[1], [0.3, 1], [0.2, 0.4, 1]],
        [[0.3], [0.2, 0.4]],
        [[], [0.3], [0.2, 0.4]],
        [[1, 0.3, 0.2], [1, 0.4], [1]],
        [[0.3, 0.2], [0.4]],
        np.tril(R),
        np.triu(R, 1),
        np.where(np.tri(3, dtype=bool), R, np.nan),
        R,
    ],
)
def test_any_printed_triangle_is_the_whole_matrix(triangle: Any) -> None:
    """Either half, with or without the diagonal, gives the same moments."""
    given = {name: value for name, value in GIVEN.items() if name != "correlation"}
    np.testing.assert_array_equal(Moments.from_triangle(**given, triangle=triangle).correlation, R)


@pytest.mark.parametrize("triangle", [[[0.3], [0.2]], [0.3, 0.2, 0.4, 1.0], "0.3", [["a"], [0.2, 0.4]], 5])
def test_rows_of_other_lengths_are_refused(triangle: Any) -> None:
    """A triangle that cannot be one is an error of the user's."""
    given = {name: value for name, value in GIVEN.items() if name != "correlation"}
    with pytest.raises(SurveyError, match="triangle"):
        Moments.from_triangle(**given, triangle=triangle)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_moments_of_records_in_any_unit(unit: float) -> None:
    """Correlations do not depend on the unit, however large or small its numbers are."""
    rng = np.random.default_rng(4)
    data = rng.normal([3.0, -1.0], 1.0, (20, 2))
    found = Moments.from_records(("a", "b"), data * [unit, 1.0])
    np.testing.assert_allclose(found.correlation, np.corrcoef(data.T), rtol=1e-9)
    np.testing.assert_allclose(found.sd, data.std(axis=0, ddof=1) * [unit, 1.0], rtol=1e-9)
    with pytest.raises(SurveyError, match=r"'b' .* same value for every patient"):
        Moments.from_records(("a", "b"), np.column_stack([data[:, 0], np.full(20, 0.1)]))


def test_labels_say_the_order() -> None:
    """A labelled table in another order is the same table; labels that are no names leave the order as given."""
    table, order = pd.DataFrame(R, GIVEN["names"], GIVEN["names"]), ["y", "x", "m"]
    labelled = {"correlation": table.loc[order, order], "mean": pd.Series({"y": 4, "x": 2, "m": 3})}
    for change in (labelled, {"correlation": pd.DataFrame(R)}, {"names": table.columns}):
        found = Moments(**GIVEN | change)
        np.testing.assert_array_equal(found.correlation, R)
        np.testing.assert_array_equal(found.mean, GIVEN["mean"])
    triangle = table.where(np.tri(3, dtype=bool), 0.0)
    given = {name: value for name, value in GIVEN.items() if name != "correlation"}
    np.testing.assert_array_equal(Moments.from_triangle(**given, triangle=triangle).correlation, R)
    records = pd.DataFrame(np.random.default_rng(3).normal(size=(9, 3)), columns=order)
    found = Moments.from_records(GIVEN["names"], records)
    np.testing.assert_allclose(found.mean, records.mean()[list(GIVEN["names"])], rtol=1e-12)
    with pytest.raises(SurveyError, match="the records have no column 'y'"):
        Moments.from_records(GIVEN["names"], records.rename(columns={"y": "z"}))


def test_records_that_are_no_numbers_are_refused() -> None:
    """Nothing is dropped or made up where a cell is missing or no number."""
    table = np.random.default_rng(3).normal(size=(9, 2))
    holes = np.where(table > 0.5, np.nan, table)
    for records in (holes, np.ma.masked_invalid(holes), pd.DataFrame(holes).astype("Float64")):
        with pytest.raises(SurveyError, match=r"the records of '[ab]' must be finite numbers; leave out"):
            Moments.from_records(("a", "b"), records)
    for bad in ([[1, 2], [3]], [["a", "b"]] * 4, table + 1j, None):
        with pytest.raises(SurveyError, match="records must"):
            Moments.from_records(("a", "b"), bad)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_coefficients_in_any_unit(unit: float) -> None:
    """The response's unit is that of its coefficients and their errors, the predictor's divides them."""
    plain = least_squares(Moments(**GIVEN), "y", ["x", "m"])
    other = least_squares(Moments(**GIVEN | {"sd": [1, 2, 3 * unit], "mean": [2, 3, 4 * unit]}), "y", ["x", "m"])
    np.testing.assert_allclose(other.coefficients, plain.coefficients * unit, rtol=1e-12)
    np.testing.assert_allclose(other.standard_errors, plain.standard_errors * unit, rtol=1e-12)
    turned = least_squares(Moments(**GIVEN | {"sd": [unit, 2, 3], "mean": [2 * unit, 3, 4]}), "y", ["x", "m"])
    np.testing.assert_allclose(turned.standard_errors / [1, 1 / unit, 1], plain.standard_errors, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "response", "predictors", "words"),
    [
        ({}, "y", ["x", "y"], "'y' stands among its own predictors"),
        ({}, "y", "x", "predictors must be a list of names, found 'x'"),
        ({"sd": [5e-324, 2, 3]}, "y", ["x"], "beyond what a computer's numbers hold"),
    ],
)
def test_a_regression_that_cannot_be_is_refused(change: dict, response: str, predictors: Any, words: str) -> None:
    """By name, and never as an infinite number."""
    with pytest.raises(SurveyError, match=words):
        least_squares(Moments(**GIVEN | change), response, predictors)
