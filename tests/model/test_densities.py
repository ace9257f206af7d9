"""Log-densities of priors as samplers take them: derivatives, constants and moments by SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy_priors import NAMES, PRIORS

from bayes_sp.model import densities
from bayes_sp.model.distributions import DISTRIBUTIONS, Prior

HALF_STUDENT_T = Prior("half_student_t", (("nu", 3.0), ("sigma", 1.3)), "test"), stats.t(3.0, 0.0, 1.3)


@pytest.mark.parametrize(("prior", "reference"), [*PRIORS, HALF_STUDENT_T], ids=[*NAMES, "half_student_t"])
def test_a_density_and_its_derivative_are_those_of_scipy(prior, reference):
    """With its constant; the derivative by central differences of SciPy's logarithm."""
    x, h = np.abs(reference.ppf([0.55, 0.71, 0.94, 0.995])), 1e-5
    _, slope = prior.distribution.kernel(x, *prior.numbers)
    twice = np.log(2.0) if prior is HALF_STUDENT_T[0] else 0.0
    np.testing.assert_allclose(prior.log_density(x), reference.logpdf(x) + twice, rtol=1e-10, atol=1e-12)
    differences = (reference.logpdf(x + h) - reference.logpdf(x - h)) / (2 * h)
    np.testing.assert_allclose(slope + 0.0 * x, differences, rtol=1e-6, atol=1e-7)


def test_every_distribution_of_a_number_is_in_the_list():
    """None goes without these tests."""
    known = {name for name, distribution in DISTRIBUTIONS.items() if distribution.frozen}
    missing = known - {*NAMES, "half_student_t"}
    assert not missing, f"{missing}: a prior and SciPy's distribution in PRIORS of tests/scipy_priors.py"


@pytest.mark.parametrize("eta", [0.7, 1.0, 2.0, 5.5])
def test_a_correlation_has_its_constant_and_derivative(eta):
    """A beta variable stretched to (-1, 1)."""
    reference = stats.beta(eta, eta, -1.0, 2.0)
    x, h = np.array([-0.9, -0.2, 0.4, 0.95]), 1e-6
    value, slope = densities.lkj(x, eta)
    np.testing.assert_allclose(value + densities.lkj_constant(eta), reference.logpdf(x), rtol=1e-10, atol=1e-12)
    differences = (reference.logpdf(x + h) - reference.logpdf(x - h)) / (2 * h)
    np.testing.assert_allclose(slope, differences, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(("nu", "sigma"), [(2.5, 1.3), (4.0, 0.6), (30.0, 2.0)])
def test_moments_and_quantiles_of_a_half_student_t(nu, sigma):
    """Those of twice SciPy's density above 0."""
    prior, whole = densities.HalfStudentT(nu, sigma), stats.t(nu, 0.0, sigma)
    first, second = (integrate.quad(lambda x, k=k: 2 * x**k * whole.pdf(x), 0, np.inf, limit=200)[0] for k in (1, 2))
    assert prior.mean() == pytest.approx(first, rel=1e-7)
    if nu > 3:
        assert prior.std() == pytest.approx(math.sqrt(second - first**2), rel=1e-6)
    for p in (0.0, 0.2, 0.9):
        assert 2 * whole.cdf(prior.ppf(p)) - 1 == pytest.approx(p, abs=1e-10)


def test_heavy_tails_have_no_moments():
    """No mean up to nu = 1, no SD up to nu = 2, and both just above."""
    assert [densities.HalfStudentT(nu, 1.0).mean() for nu in (0.5, 1.0)] == [math.inf] * 2
    assert [densities.HalfStudentT(nu, 1.0).std() for nu in (1.0, 2.0)] == [math.inf] * 2
    assert math.isfinite(densities.HalfStudentT(1.01, 1.0).mean())
    assert math.isfinite(densities.HalfStudentT(2.01, 1.0).std())
