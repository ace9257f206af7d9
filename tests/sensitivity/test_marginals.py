"""Exact marginal priors against SciPy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy_priors import NAMES, PRIORS

from bayes_sp.model.distributions import Prior
from bayes_sp.sensitivity.power.overlap import marginal, marginal_cutpoint, marginal_share


def prior(dist, **constants):
    return Prior(dist, tuple(constants.items()), "test")


@pytest.mark.parametrize(("one", "reference"), PRIORS, ids=NAMES)
def test_a_prior_has_scipys_mean_sd_and_density(one, reference):
    """On the parameter's own scale, and with the Jacobian in the coordinate, where it integrates to 1."""
    found = marginal(one)
    assert_allclose([found.mean, found.sd], [reference.mean(), reference.std()], rtol=1e-10, atol=1e-12)
    x = reference.ppf(np.linspace(0.01, 0.99, 9))
    assert_allclose(found.log_density(x), reference.logpdf(x), rtol=1e-10, atol=1e-12)
    t = np.linspace(*found.to_coordinate(reference.ppf(np.array([1e-8, 1 - 1e-8]))), 40_001)
    assert_allclose(np.trapezoid(found.coordinate_density(t), t), 1.0, atol=1e-5)


def test_a_half_student_t_has_the_moments_of_its_draws():
    """By numerical integration of the density."""
    found = marginal(prior("half_student_t", nu=6.0, sigma=1.3))
    x = np.linspace(0.0, 3000.0, 3_000_001)
    density = np.exp(found.log_density(x))
    mean = np.trapezoid(x * density, x)
    assert_allclose([found.mean, found.sd], [mean, np.sqrt(np.trapezoid((x - mean) ** 2 * density, x))], rtol=1e-5)


@pytest.mark.parametrize(
    ("one", "known"),
    [
        (prior("student_t", nu=2.0, mu=0.4, sigma=1.0), 0.4),
        (prior("student_t", nu=1.0, mu=0.4, sigma=1.0), math.nan),
        (prior("half_student_t", nu=1.0, sigma=1.0), math.nan),
        (prior("inverse_gamma", alpha=1.0, beta=1.0), math.nan),
        (prior("inverse_gamma", alpha=2.0, beta=1.0), 1.0),
    ],
)
def test_moments_that_do_not_exist_are_nan(one, known):
    """A prior without a finite variance still has a density."""
    found = marginal(one)
    assert_allclose(found.mean, known)
    assert math.isnan(found.sd)
    assert np.isfinite(found.log_density(np.array([0.5, 2.0]))).all()


@pytest.mark.parametrize("dist", ["flat", "half_flat"])
def test_an_improper_prior_has_no_marginal(dist):
    """Nothing can be compared with it."""
    assert marginal(prior(dist)) is None


def test_a_share_of_a_dirichlet_is_beta():
    """Of four shares with constant 1.7, against SciPy, on its own scale and as a logit."""
    found, reference = marginal_share(prior("dirichlet", alpha=1.7), 4), stats.beta(1.7, 5.1)
    x = np.linspace(0.05, 0.9, 9)
    assert_allclose([found.mean, found.sd], [reference.mean(), reference.std()])
    assert_allclose(found.log_density(x), reference.logpdf(x), rtol=1e-10)
    assert_allclose(found.coordinate_density(found.to_coordinate(x)), reference.pdf(x) * x * (1 - x), rtol=1e-10)


@pytest.mark.parametrize(
    "one",
    [
        prior("normal", mu=0.4, sigma=1.5),
        prior("student_t", nu=4.0, mu=0.4, sigma=1.5),
        prior("laplace", mu=0.4, b=1.5),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_cutpoint_is_an_order_statistic(one, place):
    """Of three: mean, SD and distribution function against 400,000 sorted draws."""
    found = marginal_cutpoint(one, place, 3)
    reference = {
        "normal": stats.norm(0.4, 1.5), "student_t": stats.t(4.0, 0.4, 1.5), "laplace": stats.laplace(0.4, 1.5),
    }[one.dist]  # fmt: skip
    draws = np.sort(reference.rvs((400_000, 3), random_state=1), axis=1)[:, place - 1]
    assert_allclose([found.mean, found.sd], [draws.mean(), draws.std()], atol=0.02)
    grid = np.linspace(-60.0, 60.0, 60_001)
    density = np.exp(found.log_density(grid))
    assert_allclose(np.trapezoid(density, grid), 1.0, atol=1e-4)
    for limit in (-1.0, 0.5, 2.0):
        below = np.trapezoid(np.where(grid <= limit, density, 0.0), grid)
        assert_allclose(below, (draws <= limit).mean(), atol=4e-3)


def test_a_cutpoint_without_moments_or_without_a_prior_is_told():
    """The outermost of three Cauchy draws has no mean; the middle one has a mean and no variance; flat has neither."""
    cauchy = prior("student_t", nu=1.0, mu=0.0, sigma=1.0)
    assert math.isnan(marginal_cutpoint(cauchy, 1, 3).mean)
    middle = marginal_cutpoint(cauchy, 2, 3)
    assert_allclose(middle.mean, 0.0, atol=1e-6)
    assert math.isnan(middle.sd)
    assert marginal_cutpoint(prior("flat"), 1, 3) is None
