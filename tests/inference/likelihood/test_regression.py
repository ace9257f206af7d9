"""Least squares against statsmodels, and from moments against records."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from bayes_sp.errors import SurveyError
from bayes_sp.inference.likelihood.least_squares import Moments, least_squares

NAMES = ("a", "b", "c", "y")


def records(n: int = 60, seed: int = 0) -> NDArray[np.float64]:
    """Return records of three predictors far from zero and a response."""
    rng = np.random.default_rng(seed)
    x = rng.normal([3.0, -20.0, 55.0], [1.0, 0.2, 14.0], (n, 3))
    return np.column_stack([x, 2 + x @ [0.5, -1.0, 0.05] + rng.normal(size=n)])


def test_least_squares_agrees_with_statsmodels() -> None:
    """Coefficients, standard errors, t, p, R squared and residual SD are those of statsmodels' OLS."""
    data = records()
    fit = least_squares(Moments.from_records(NAMES, data), "y", ["a", "b", "c"])
    other = sm.OLS(data[:, 3], sm.add_constant(data[:, :3])).fit()
    assert fit.terms == ("intercept", "a", "b", "c")
    assert fit.df == other.df_resid
    np.testing.assert_allclose(fit.coefficients, other.params, rtol=1e-10)
    np.testing.assert_allclose(fit.standard_errors, other.bse, rtol=1e-10)
    np.testing.assert_allclose(fit.t, other.tvalues, rtol=1e-10)
    np.testing.assert_allclose(fit.p_values, other.pvalues, rtol=1e-8)
    np.testing.assert_allclose(fit.r_squared, other.rsquared, rtol=1e-10)
    np.testing.assert_allclose(fit.residual_sd, np.sqrt(other.mse_resid), rtol=1e-10)


def test_moments_are_all_that_least_squares_needs() -> None:
    """Moments computed elsewhere (NumPy's, n - 1) give what the records give."""
    data = records(seed=1)
    mean, sd = np.asarray(data.mean(axis=0)), np.asarray(data.std(axis=0, ddof=1))
    by_hand = Moments(NAMES, mean, sd, np.atleast_2d(np.corrcoef(data.T)), len(data))
    one, two = (least_squares(m, "y", ["c", "a"]) for m in (by_hand, Moments.from_records(NAMES, data)))
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=1e-10)
    np.testing.assert_allclose(one.standard_errors, two.standard_errors, rtol=1e-10)


def test_lists_are_taken_for_arrays() -> None:
    """What is printed becomes arrays, and a correlation that is rounded two ways the middle of both."""
    found = Moments(("a", "y"), [1, 2], [0.5, 3], [[1, 0.3], [0.3 + 1e-12, 1]], 30)  # type: ignore[arg-type]  # lists
    assert (found.mean.dtype, found.sd.shape, found.correlation.shape) == (float, (2,), (2, 2))
    assert found.correlation[0, 1] == found.correlation[1, 0]


def test_no_predictors_leave_the_mean() -> None:
    """A regression on the intercept alone returns the mean and its standard error."""
    data = records()
    fit = least_squares(Moments.from_records(NAMES, data), "y", [])
    np.testing.assert_allclose(fit.coefficients, [data[:, 3].mean()])
    np.testing.assert_allclose(fit.standard_errors, [data[:, 3].std(ddof=1) / np.sqrt(60)])


def test_a_perfect_fit_has_no_residual() -> None:
    """A response that is exactly linear has R squared 1 and residual SD 0 to rounding."""
    data = records()
    data[:, 3] = 1 + 2 * data[:, 0]
    fit = least_squares(Moments.from_records(NAMES, data), "y", ["a"])
    np.testing.assert_allclose(fit.coefficients, [1.0, 2.0], rtol=1e-10)
    assert fit.r_squared == pytest.approx(1.0)
    assert fit.residual_sd == pytest.approx(0.0, abs=1e-6)


def test_collinear_predictors_are_named() -> None:
    """A predictor that is a sum of others is refused with the names of exactly those that determine it."""
    data = records()
    extra = np.column_stack([data, 0.5 * data[:, 0] - data[:, 2]])
    moments = Moments.from_records((*NAMES, "sum"), extra)
    with pytest.raises(SurveyError, match=r"regression of y: 'sum' is a linear combination of 'a', 'c'; remove one"):
        least_squares(moments, "y", ["a", "b", "c", "sum"])


def test_too_few_patients_are_named() -> None:
    """Missing degrees of freedom are an error that says how many patients are needed."""
    with pytest.raises(SurveyError) as caught:
        least_squares(Moments.from_records(NAMES, records(n=4)), "y", ["a", "b", "c"])
    assert caught.value.problems == (
        "4 patients are too few for an intercept and 3 predictors; remove covariates or add patients (at least 5)",
    )
    assert np.isfinite(
        least_squares(Moments.from_records(NAMES, records(n=5)), "y", ["a", "b", "c"]).coefficients
    ).all()


def test_unknown_names_suggest_the_nearest() -> None:
    """A misspelt predictor is an error that suggests the known name."""
    moments = Moments.from_records(("age", "gender", "y", "z"), records())
    with pytest.raises(SurveyError, match=r"no variable 'gendr'; did you mean \"gender\"\?"):
        least_squares(moments, "y", ["gendr"])


def test_correlations_that_contradict_each_other_are_refused() -> None:
    """A printed matrix that no data can have is refused, among predictors and with the response."""
    r = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    moments = Moments(("a", "b", "y"), np.zeros(3), np.ones(3), r, 50)
    with pytest.raises(SurveyError, match="no data can have these correlations of 'y' with 'a', 'b'"):
        least_squares(moments, "y", ["a", "b"])
    four = np.eye(4)
    four[:3, :3] = r
    moments = Moments(("a", "b", "c", "y"), np.zeros(4), np.ones(4), four, 50)
    with pytest.raises(SurveyError, match="no data can have these correlations of 'c' with 'a', 'b'"):
        least_squares(moments, "y", ["a", "b", "c"])
