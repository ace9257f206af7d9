"""Count regressions by maximum likelihood against statsmodels, weights against repeated rows, and every boundary."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import nbinom

from bayes_sp.errors import SurveyError
from bayes_sp.inference.bootstrap.boundary import EMPTY_LEVEL, NO_EVENTS, NO_OVERDISPERSION, SEPARATION
from bayes_sp.inference.likelihood.count_steps import beyond_table
from bayes_sp.inference.likelihood.counts import prepare_counts
from bayes_sp.inference.likelihood.negative_binomial import fit_counts

Array = NDArray[np.float64]


def simulated(n: int, slopes: list[float], intercept: float, phi: float, seed: int) -> tuple[Array, Array]:
    """Return counts and predictors, the last of them far from zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(slopes)))
    x[:, -1] = 55 + 14 * x[:, -1]
    mean = np.exp(intercept + x @ slopes)
    return rng.negative_binomial(phi, phi / (phi + mean)).astype(float), x


DATA = [
    simulated(178, [0.4, -0.3, 0.1, 0.0, 0.01], 0.8, 0.8, seed=1),
    simulated(400, [0.2, 0.5, -0.005], 1.5, 4.0, seed=2),
    simulated(90, [-0.6, 0.002], 0.2, 0.3, seed=3),
]


def reference(y: Array, x: Array, weights: Array | None = None) -> tuple[Array, float, float]:
    """Return statsmodels' coefficients, size and log-likelihood, converged tightly, for repeated rows.

    Its optimiser wants predictors of like scale, so they are standardised and the coefficients turned back.
    """
    rows = slice(None) if weights is None else np.repeat(np.arange(len(y)), weights.astype(int))
    centre, scale = x.mean(axis=0), x.std(axis=0)
    model = sm.NegativeBinomial(y[rows], sm.add_constant((x - centre) / scale)[rows], loglike_method="nb2")
    rough = model.fit(method="bfgs", maxiter=500, gtol=1e-4, disp=0)
    fit = model.fit(start_params=rough.params, method="newton", maxiter=100, tol=1e-12, disp=0)
    slopes = fit.params[1:-1] / scale
    return np.array([fit.params[0] - slopes @ centre, *slopes]), 1.0 / fit.params[-1], float(fit.llf)


@pytest.mark.filterwarnings("ignore:Inverting hessian")  # the reference's standard errors, which nobody asks for
@pytest.mark.parametrize("case", range(len(DATA)))
def test_maximum_likelihood_agrees_with_statsmodels(case: int) -> None:
    """Coefficients, size and log-likelihood are those of statsmodels' NB2 regression."""
    y, x = DATA[case]
    fit = fit_counts(prepare_counts(y, x))
    coefficients, phi, log_likelihood = reference(y, x)
    assert fit.converged.tolist() == [True]
    np.testing.assert_allclose(fit.coefficients[0], coefficients, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(fit.phi[0], phi, rtol=1e-7)
    np.testing.assert_allclose(fit.log_likelihood[0], log_likelihood, rtol=1e-11)


def test_weights_are_repeated_rows() -> None:
    """Weighted fits agree with statsmodels on rows repeated as often as the weights say."""
    y, x = DATA[0]
    weights = np.random.default_rng(7).multinomial(len(y), np.full(len(y), 1 / len(y)), size=4).astype(float)
    data = prepare_counts(y, x)
    fits = fit_counts(data, weights, start=fit_counts(data))
    for r in range(4):
        coefficients, phi, log_likelihood = reference(y, x, weights[r])
        np.testing.assert_allclose(fits.coefficients[r], coefficients, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(fits.phi[r], phi, rtol=1e-7)
        np.testing.assert_allclose(fits.log_likelihood[r], log_likelihood, rtol=1e-11)


def test_the_start_does_not_matter() -> None:
    """Starting from the full-sample fit or from the mean and variance gives the same maximum."""
    y, x = DATA[0]
    data = prepare_counts(y, x)
    weights = np.random.default_rng(8).multinomial(len(y), np.full(len(y), 1 / len(y)), size=50).astype(float)
    near, far = fit_counts(data, weights, fit_counts(data)), fit_counts(data, weights)
    np.testing.assert_allclose(near.coefficients, far.coefficients, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(near.phi, far.phi, rtol=1e-8)


@pytest.mark.parametrize("outlier", [False, True])
def test_likelihood_falls_on_every_side_of_the_maximum(outlier: bool) -> None:
    """SciPy's log-likelihood is the reported one at the maximum and lower a hundredth of a standard error away.

    With one count of 3,000 among small ones too, where statsmodels finds no maximum.
    """
    y, x = DATA[2]
    if outlier:
        y = np.array([3000.0, *y[1:]])
    fit = fit_counts(prepare_counts(y, x))

    def log_likelihood(theta: Array) -> float:
        mu, phi = np.exp(theta[0] + x @ theta[1:-1]), np.exp(theta[-1])
        return float(nbinom.logpmf(y, phi, phi / (phi + mu)).sum())

    best = np.array([*fit.coefficients[0], np.log(fit.phi[0])])
    assert log_likelihood(best) == pytest.approx(fit.log_likelihood[0], rel=1e-12)
    for shift in np.diag([2e-3, 2e-3, 4e-5, 2e-3]):
        assert log_likelihood(best + shift) < log_likelihood(best)
        assert log_likelihood(best - shift) < log_likelihood(best)


def poisson_reference(y: Array, x: Array, offset: Array | None = None) -> tuple[Array, float]:
    """Return statsmodels' Poisson coefficients and log-likelihood."""
    fit = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson(), offset=offset).fit(tol=1e-13, maxiter=100)
    return np.asarray(fit.params), float(fit.llf)


def test_poisson_regression_with_windows_agrees_with_statsmodels() -> None:
    """Coefficients and log-likelihood are those of a Poisson GLM with an offset."""
    y, x = DATA[1]
    offset = np.log(np.random.default_rng(3).uniform(0.5, 3.0, len(y)))
    fit = fit_counts(prepare_counts(y, x, offset=offset), family="poisson")
    coefficients, log_likelihood = poisson_reference(y, x, offset)
    np.testing.assert_allclose(fit.coefficients[0], coefficients, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(fit.log_likelihood[0], log_likelihood, rtol=1e-10)
    assert np.isinf(fit.phi).all()
    assert not fit.boundary.any()


def test_windows_enter_the_negative_binomial() -> None:
    """With an offset coefficients and size are those of statsmodels' NB2 regression with the same offset."""
    y, x = DATA[1]
    offset = np.log(np.random.default_rng(3).uniform(0.5, 3.0, len(y)))
    fit = fit_counts(prepare_counts(y, x, offset=offset))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    model = sm.NegativeBinomial(y, sm.add_constant(z), offset=offset, loglike_method="nb2")
    rough = model.fit(method="bfgs", maxiter=500, gtol=1e-4, disp=0)
    found = model.fit(start_params=rough.params, method="newton", maxiter=100, tol=1e-12, disp=0)
    np.testing.assert_allclose(fit.coefficients[0, 1:], found.params[1:-1] / x.std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(fit.phi[0], 1 / found.params[-1], rtol=1e-6)


def test_counts_without_overdispersion_are_the_poisson_fit() -> None:
    """Counts that vary less than Poisson counts have a size without bound, and the coefficients of a Poisson GLM."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 1))
    y = rng.binomial(8, 0.5, 200).astype(float)
    fit = fit_counts(prepare_counts(y, x))
    coefficients, log_likelihood = poisson_reference(y, x)
    assert fit.boundary.tolist() == [NO_OVERDISPERSION]
    assert np.isposinf(fit.phi).all()
    np.testing.assert_allclose(fit.coefficients[0], coefficients, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(fit.log_likelihood[0], log_likelihood, rtol=1e-11)


@pytest.mark.parametrize("family", ["negative_binomial", "poisson"])
def test_a_group_without_events_has_a_rate_of_0(family: str) -> None:
    """Its coefficient goes to minus infinity; the others, and the size, are those of the fit without the group."""
    y, x = DATA[1]
    group = (np.arange(len(y)) < 20).astype(float)
    y = np.where(group == 1, 0.0, y)
    offset = np.log(np.random.default_rng(3).uniform(0.05, 30.0, len(y)))  # windows
    fit = fit_counts(prepare_counts(y, np.column_stack([x, group]), offset=offset), family=family)
    rest = fit_counts(prepare_counts(y[20:], x[20:], offset=offset[20:]), family=family)
    assert fit.boundary.tolist() == [SEPARATION]
    np.testing.assert_allclose(fit.direction[0, :-1], 0.0, atol=1e-7)
    np.testing.assert_allclose(fit.direction[0, -1], -1.0, rtol=1e-5)
    np.testing.assert_allclose(fit.coefficients[0, :-1], rest.coefficients[0], rtol=1e-6)
    np.testing.assert_allclose(fit.log_likelihood, rest.log_likelihood, rtol=1e-8)
    if family == "negative_binomial":
        np.testing.assert_allclose(fit.phi, rest.phi, rtol=1e-6)


def test_boundaries_are_each_replicates_own() -> None:
    """Among five resamples, one without a group, one without events in it, one without any, keep their verdicts."""
    y, x = DATA[1]
    group = (np.arange(len(y)) < 20).astype(float)
    y = np.where(np.arange(len(y)) < 3, 0.0, y)  # the group has patients without events, whatever the draws are
    data = prepare_counts(y, np.column_stack([x, group]))
    weights = np.ones((5, len(y)))
    weights[1, group == 1] = 0.0
    weights[2, (group == 1) & (y > 0)] = 0.0
    weights[3, y > 0] = 0.0
    fits = fit_counts(data, weights)
    assert fits.boundary.tolist() == [0, EMPTY_LEVEL, SEPARATION, NO_EVENTS, 0]
    assert fits.reason.tolist() == [""] * 5
    np.testing.assert_allclose(fits.coefficients[0], fits.coefficients[4], rtol=1e-9, atol=1e-12)
    assert np.isnan(fits.coefficients[3]).all()
    without = fit_counts(prepare_counts(y[20:], x[20:]))
    assert fits.kept[1].tolist() == [True] * 4 + [False]
    np.testing.assert_allclose(fits.coefficients[1, :-1], without.coefficients[0], rtol=1e-7)
    np.testing.assert_allclose(fits.phi[1], without.phi[0], rtol=1e-7)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.0, 1.5, 2.0], "appointments: a count must be a whole number of 0 or more, found 1.5"),
        ([0.0, -1.0, 2.0], "found -1"),
        ([0.0, np.nan, 2.0], "found nan"),
        ([0.0, 0.0, 0.0], "every patient has a count of 0"),
    ],
)
def test_what_is_not_a_count_is_refused(y: list[float], message: str) -> None:
    """Fractions, negative numbers, missing values and all-zero counts are errors that say what was found."""
    with pytest.raises(SurveyError, match=message):
        prepare_counts(y, np.array([[0.0], [1.0], [3.0]]), "appointments")


@pytest.mark.parametrize("phi", [1e-3, 0.7, 40.0, 1e5, 1e9, 1e13])
def test_steps_beyond_the_table_are_their_sums(phi: float) -> None:
    """Closed forms of the three sums over k from K to y - 1, added one by one."""
    for y in (300, 20_000, 1_000_000):
        k = np.arange(256.0, y)
        sums = np.log1p(k / phi).sum(), (k / (phi + k)).sum(), (k * phi / (phi + k) ** 2).sum()
        found = [part.item() for part in beyond_table(np.array([[phi]]), np.array([float(y)]), 256)]
        np.testing.assert_allclose(found, sums, rtol=1e-11)


@pytest.mark.parametrize(("mean", "phi"), [(8e4, 3.0), (5e5, 2e6)])
def test_counts_of_a_week_have_their_maximum(mean: float, phi: float) -> None:
    """Steps in a week, against SciPy's probabilities; at the second a size above a million still adds a quarter."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 2))
    mu = mean * np.exp(x @ [0.1, -0.05])
    y = rng.negative_binomial(phi, phi / (phi + mu)).astype(float)
    fit = fit_counts(prepare_counts(y, x))

    def log_likelihood(coefficients: Array, size: float) -> float:
        fitted = np.exp(coefficients[0] + x @ coefficients[1:])
        return float(nbinom.logpmf(y, size, size / (size + fitted)).sum())

    (beta,), (size,) = fit.coefficients, fit.phi
    best = log_likelihood(beta, size)
    assert fit.boundary.tolist() == [0]
    np.testing.assert_allclose(fit.log_likelihood[0], best, rtol=1e-8)
    around = [(beta, size * 1.05), (beta, size / 1.05)]
    around += [(beta + sign * 0.01 / np.sqrt(mean) * unit, size) for unit in np.eye(3) for sign in (-1, 1)]
    assert max(log_likelihood(*point) for point in around) < best
