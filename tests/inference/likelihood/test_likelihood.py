"""Maximum likelihood of every family against other densities and optimisers, and on every boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import optimize
from statsmodels.discrete.count_model import ZeroInflatedNegativeBinomialP
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.othermod.betareg import BetaModel

from bayes_sp.inference.bootstrap.boundary import EMPTY_ANSWER, NO_OVERDISPERSION, NO_STEP, NORMAL_TAILS, SEPARATION
from bayes_sp.inference.bootstrap.equation_fits import boundaries_of, fit_with_steps
from bayes_sp.inference.likelihood.equations import made_ready
from bayes_sp.inference.likelihood.maximum import Fits, Regression, determined
from bayes_sp.model.families.registry import FAMILIES

Array = NDArray[np.float64]

CUTS = np.array([-1.0, 0.3, 1.5])
TRUTH: dict[str, tuple[float, list[float]]] = {  # intercept, shared parameters
    "normal": (2.0, [0.8]),
    "student_t": (2.0, [0.8, 4.0]),
    "ordered_logit": (0.0, CUTS.tolist()),
    "ordered_probit": (0.0, CUTS.tolist()),
    "beta": (0.4, [6.0]),
    "bernoulli_logit": (0.3, []),
    "poisson": (0.8, []),
    "negative_binomial": (0.8, [1.5]),
    "zero_inflated_negative_binomial": (1.2, [1.5]),
    "hurdle_negative_binomial": (1.2, [1.5]),
    "gamma": (0.8, [3.0]),
    "lognormal": (0.8, [0.7]),
}


def simulated(family: str, n: int = 400, seed: int = 3) -> tuple[Regression, Array, dict[str, Array]]:
    """Return an equation with two predictors, one of them far from 0, its response and its columns."""
    rng = np.random.default_rng(seed)
    intercept, shared = TRUTH[family]
    x = np.column_stack([rng.normal(size=n), 50 + 10 * rng.normal(size=n)])
    eta = intercept + 0.5 * x[:, 0] - 0.02 * (x[:, 1] - 50)
    y = FAMILIES[family].simulate(rng, eta, -1.0 + 0.8 * x[:, 0], np.array(shared))
    columns = {"a": x[:, 0], "b": x[:, 1]}
    if not FAMILIES[family].ordered:
        columns = {"intercept": np.ones(n), **columns}
    zero = {"intercept": np.ones(n), "a": x[:, 0]} if FAMILIES[family].zero_part else {}
    cuts = len(CUTS) if FAMILIES[family].ordered else 0
    return made_ready("y", family, y, columns, zero, cuts=cuts), y, columns


def fitted(regression: Regression, weights: Array | None = None) -> Fits:
    """Return the fits to rows of weights, or to everyone once."""
    w = np.ones((1, len(regression.y))) if weights is None else weights
    return fit_with_steps(regression, w, determined(regression, w), None)


def split(family: str, theta: Array, columns: dict[str, Array]) -> tuple[Array, Array, Array]:
    """Return eta, zeta and shared parameters from coefficients, those of a zero part, and the scale without bounds."""
    count = len(columns)
    eta = np.column_stack(list(columns.values())) @ theta[:count]
    zeros = 2 if FAMILIES[family].zero_part else 0
    zeta = theta[count] + theta[count + 1] * columns["a"] if zeros else np.zeros_like(eta)
    shared = theta[count + zeros :]
    return eta, zeta, np.cumsum([shared[0], *np.exp(shared[1:])]) if FAMILIES[family].ordered else np.exp(shared)


@pytest.mark.parametrize("family", TRUTH)
def test_the_maximum_is_that_of_another_density_and_optimiser(family: str) -> None:
    """For repeated rows, SciPy's optimiser on the density in NumPy finds the same coefficients and likelihood."""
    regression, y, columns = simulated(family)
    weights = np.random.default_rng(5).multinomial(len(y), np.full(len(y), 1 / len(y)), size=2).astype(float)
    fits = fitted(regression, weights)
    found = regression.natural(fits.theta)
    assert fits.reason.tolist() == ["", ""]
    assert not fits.direction.any()

    def negative(theta: Array) -> float:
        eta, zeta, shared = split(family, theta, columns)
        return -float(weights[0] @ FAMILIES[family].log_density(y, eta, zeta, shared))

    names = list(columns)
    ours = [found["mean"][0, regression.parts[0].terms.index(name)] for name in names]
    if "zero" in found:
        ours += list(found["zero"][0])
    if FAMILIES[family].ordered:
        cuts = found["cutpoint"][0]
        ours += [cuts[0], *np.log(np.diff(cuts))]
    else:
        ours += [np.log(found[name][0]) for name in regression.parameters]
    best = np.array(ours)
    scale = np.where(np.array([*names, *["" for _ in range(len(best) - len(names))]]) == "b", 0.02, 1.0)
    start = best + 0.1 * scale * np.random.default_rng(1).normal(size=len(best))
    other = optimize.minimize(lambda z: negative(z * scale), start / scale, method="BFGS", options={"gtol": 1e-5})
    assert -negative(best) >= -other.fun - 1e-7
    np.testing.assert_allclose(best / scale, other.x, rtol=1e-3, atol=2e-3)


def test_zero_inflation_agrees_with_statsmodels() -> None:
    """Coefficients of both parts and the size are those of statsmodels' zero-inflated NB2 regression."""
    regression, y, columns = simulated("zero_inflated_negative_binomial", 800)
    found = regression.natural(fitted(regression).theta)
    z = (columns["b"] - 50) / 10
    exog = np.column_stack([np.ones(len(y)), columns["a"], z])
    model = ZeroInflatedNegativeBinomialP(y, exog, exog_infl=exog[:, :2], p=2)
    fit = model.fit(start_params=[-1.0, 0.8, 1.2, 0.5, -0.2, 0.7], method="bfgs", maxiter=500, gtol=1e-6, disp=0)
    mean = found["mean"][0]
    np.testing.assert_allclose(found["zero"][0], fit.params[:2], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose([mean[0] + 50 * mean[2], mean[1], 10 * mean[2]], fit.params[2:5], rtol=1e-3)
    np.testing.assert_allclose(found["phi"][0], 1 / fit.params[5], rtol=1e-3)


@pytest.mark.parametrize("family", ["ordered_logit", "ordered_probit"])
def test_ordered_answers_agree_with_statsmodels(family: str) -> None:
    """Slopes and cutpoints are those of statsmodels' OrderedModel."""
    regression, y, columns = simulated(family)
    found = regression.natural(fitted(regression).theta)
    exog = np.column_stack([columns["a"], columns["b"] - 50])
    model = OrderedModel(y, exog, distr=family.removeprefix("ordered_"))
    fit = model.fit(method="bfgs", disp=0, gtol=1e-7, maxiter=500)
    np.testing.assert_allclose(found["mean"][0], fit.params[:2], rtol=1e-4)
    cuts = model.transform_threshold_params(fit.params)[1:-1] + 50 * fit.params[1]
    np.testing.assert_allclose(found["cutpoint"][0], cuts, rtol=1e-4, atol=1e-5)


def test_a_bounded_response_agrees_with_statsmodels() -> None:
    """Coefficients and precision are those of statsmodels' BetaModel."""
    regression, y, columns = simulated("beta")
    found = regression.natural(fitted(regression).theta)
    exog = np.column_stack([np.ones(len(y)), columns["a"], columns["b"] - 50])
    fit = BetaModel(y, exog).fit(disp=0)
    mean = found["mean"][0]
    np.testing.assert_allclose([mean[0] + 50 * mean[2], *mean[1:]], fit.params[:3], rtol=1e-4)
    np.testing.assert_allclose(found["precision"][0], np.exp(fit.params[3]), rtol=1e-4)


def bits(regression: Regression, fits: Fits) -> list[int]:
    """Return the boundaries on which fits to everyone lie."""
    return boundaries_of(regression, fits, determined(regression, np.ones((1, len(regression.y))))).tolist()


def test_a_hurdle_without_overdispersion_is_a_truncated_poisson() -> None:
    """Positive counts from a Poisson truncated at 0: the size has no bound, the mean is that of the closed form."""
    y = np.repeat([0.0, 1.0, 2.0, 3.0], [30, 40, 40, 20])
    regression = made_ready(
        "y", "hurdle_negative_binomial", y, {"intercept": np.ones(130)}, {"intercept": np.ones(130)}
    )
    fits = fitted(regression)
    assert bits(regression, fits) == [NO_OVERDISPERSION]
    rate = optimize.brentq(lambda mu: mu / -np.expm1(-mu) - y[y > 0].mean(), 0.1, 10)
    found = regression.natural(fits.theta + 15 * fits.direction)
    np.testing.assert_allclose(found["mean"][0, 0], np.log(rate), rtol=1e-4)
    np.testing.assert_allclose(found["zero"][0, 0], np.log(30 / 100), rtol=1e-7)


@pytest.mark.parametrize("case", range(8))
def test_light_tails_are_normal_ones(case: int) -> None:
    """Student t with errors that have no tails: degrees of freedom without bound, coefficients of least squares."""
    rng = np.random.default_rng([1, case])
    x, n = rng.normal(size=200), 200
    y = 1 + 0.5 * x + rng.uniform(-1, 1, n)
    regression = made_ready("y", "student_t", y, {"intercept": np.ones(n), "x": x}, {})
    fits = fitted(regression)
    assert bits(regression, fits) == [NORMAL_TAILS]
    ols = sm.OLS(y, sm.add_constant(x)).fit()
    found = regression.natural(fits.theta)
    np.testing.assert_allclose(found["mean"][0], ols.params, rtol=1e-3)
    np.testing.assert_allclose(found["sigma"][0], np.sqrt((ols.resid**2).mean()), rtol=1e-3)


def test_a_group_with_one_answer_is_separated() -> None:
    """Yes in everyone of a group: its log odds are infinite, the other coefficients those without the group."""
    rng = np.random.default_rng(2)
    x, group = rng.normal(size=150), (np.arange(150) < 15).astype(float)
    y = ((rng.random(150) < 1 / (1 + np.exp(-x))) | (group == 1)).astype(float)
    regression = made_ready("y", "bernoulli_logit", y, {"intercept": np.ones(150), "x": x, "g": group}, {})
    fits = fitted(regression)
    assert bits(regression, fits) == [SEPARATION]
    np.testing.assert_allclose(fits.direction[0, :2] @ [1, 0], fits.direction[0, 0])
    without = sm.Logit(y[15:], sm.add_constant(x[15:])).fit(disp=0, tol=1e-12)
    far = regression.natural(fits.theta + 15 * fits.direction)["mean"][0]
    np.testing.assert_allclose(far[:2], without.params, rtol=1e-4)
    assert far[2] > 15


def test_an_answer_that_nobody_gave_has_a_probability_of_0() -> None:
    """Without the third of four answers two cutpoints are one, and the others are those of three answers."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=300)
    y = np.array([0.0, 1.0, 3.0])[np.digitize(x + rng.logistic(size=300), [-1.0, 1.0])]
    regression = made_ready("y", "ordered_logit", y, {"x": x}, {}, cuts=3)
    fits = fitted(regression)
    assert bits(regression, fits) == [EMPTY_ANSWER]
    three = made_ready("y", "ordered_logit", np.minimum(y, 2.0), {"x": x}, {}, cuts=2)
    found, expected = ((r.natural(f.theta + 15 * f.direction)) for r, f in ((regression, fits), (three, fitted(three))))
    np.testing.assert_allclose(found["mean"], expected["mean"], rtol=1e-4)
    np.testing.assert_allclose(found["cutpoint"][0], expected["cutpoint"][0, [0, 1, 1]], rtol=1e-4)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_steps_of_one_sign_are_least_squares_with_bounds(sign: float) -> None:
    """Steps are those of SciPy's bounded least squares, of the sign that fits better."""
    rng = np.random.default_rng(6)
    n = 200
    level = rng.integers(0, 4, n)
    y = sign * np.array([0.0, 1.0, -0.2, 2.0])[level] + rng.normal(size=n)
    steps = {f"m >= {k}": (level >= k).astype(float) for k in (1, 2, 3)}
    regression = made_ready("y", "normal", y, {"intercept": np.ones(n), **steps}, {}, steps={"m": list(steps)})
    fits = fitted(regression)
    found = regression.natural(fits.theta)
    x = np.column_stack([np.ones(n), *steps.values()])
    tried: list[Any] = [
        optimize.lsq_linear(x, y, bounds=([-np.inf, *[low] * 3], [np.inf, *[high] * 3]))
        for low, high in ((0, np.inf), (-np.inf, 0))
    ]
    best = min(tried, key=lambda result: result.cost)
    by_term = dict(zip(regression.parts[0].terms, found["mean"][0], strict=True))
    np.testing.assert_allclose([by_term[name] for name in ("intercept", *steps)], best.x, atol=1e-6)
    assert bits(regression, fits) == [NO_STEP]


@pytest.mark.fixed_seed
def test_a_zero_part_that_becomes_a_step_has_its_limit() -> None:
    """Next to the step a few patients alone say where it is; the likelihood keeps rising, to a limit.

    Along the direction of such a fit the log-likelihood never falls, and what is left to gain is next to nothing.
    """
    rng = np.random.default_rng(2)
    n = 150
    x = rng.normal(size=n)
    m = 0.5 * x + rng.normal(size=n)
    y = rng.poisson(np.exp(1 + 0.3 * x + 0.3 * m) * rng.gamma(2.0, 0.5, n))
    y[rng.random(n) < 0.05] = 0
    columns = {"intercept": np.ones(n), "x": x, "m": m}
    regression = made_ready("y", "zero_inflated_negative_binomial", y, columns, columns)
    counts = rng.multinomial(n, np.full(n, 1 / n), 600).astype(float)
    fits = fit_with_steps(regression, counts, determined(regression, counts), fitted(regression).theta[0])
    assert (fits.reason == "").all()
    steps = np.flatnonzero((fits.direction != 0).any(axis=1))
    assert len(steps) > 5
    along = np.array([
        regression.derivatives(fits.theta[steps] + t * fits.direction[steps], counts[steps])[0] for t in (0, 1, 3)
    ])  # fmt: skip
    assert (np.diff(along, axis=0) > -1e-6).all()
    assert (along[-1] - along[0] < 0.01).all()
