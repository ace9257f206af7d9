"""Log-densities of priors in NumPy are SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bayes_sp.model.distributions import DISTRIBUTIONS, Prior

CASES = [
    ("normal", {"mu": 0.3, "sigma": 1.2}, stats.norm(0.3, 1.2)),
    ("student_t", {"nu": 3.0, "mu": 0.3, "sigma": 1.2}, stats.t(3.0, 0.3, 1.2)),
    ("laplace", {"mu": 0.3, "b": 0.8}, stats.laplace(0.3, 0.8)),
    ("half_normal", {"sigma": 1.4}, stats.halfnorm(scale=1.4)),
    ("exponential", {"scale": 2.5}, stats.expon(scale=2.5)),
    ("gamma", {"alpha": 2.0, "beta": 1.5}, stats.gamma(2.0, scale=1 / 1.5)),
    ("inverse_gamma", {"alpha": 3.0, "beta": 1.5}, stats.invgamma(3.0, scale=1.5)),
    ("lognormal", {"mu": 0.2, "sigma": 0.7}, stats.lognorm(0.7, scale=np.exp(0.2))),
]


@pytest.mark.parametrize(("dist", "constants", "reference"), CASES, ids=[case[0] for case in CASES])
def test_a_log_density_is_scipys(dist, constants, reference):
    """With its constant, at points over the whole range, whatever the shape."""
    x = reference.ppf(np.linspace(0.001, 0.999, 12)).reshape(3, 4)
    assert_allclose(Prior(dist, tuple(constants.items()), "").log_density(x), reference.logpdf(x), rtol=1e-10)


def test_a_half_student_t_is_twice_a_student_t():
    """On the positive numbers."""
    x = np.linspace(0.01, 9.0, 20)
    prior = Prior("half_student_t", (("nu", 4.0), ("sigma", 1.3)), "")
    assert_allclose(prior.log_density(x), stats.t(4.0, 0.0, 1.3).logpdf(x) + np.log(2.0), rtol=1e-12)


def test_a_dirichlet_is_scipys_along_the_last_axis():
    """Shares of a simplex have one density together."""
    shares = np.random.default_rng(0).dirichlet([1.0, 2.0, 3.0, 4.0], (2, 5))
    found = Prior("dirichlet", (("alpha", 1.7),), "").log_density(shares)
    expected = [[stats.dirichlet([1.7] * 4).logpdf(one) for one in row] for row in shares]
    assert found.shape == (2, 5)
    assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("dist", ["flat", "half_flat"])
def test_an_improper_density_is_constant(dist):
    """Its logarithm is 0 everywhere."""
    assert not Prior(dist, (), "").log_density(np.array([0.1, 1.0, 50.0])).any()


def test_every_distribution_of_the_specification_has_a_density():
    """No prior that a specification may state is missing here."""
    ones = dict.fromkeys(("mu", "sigma", "nu", "b", "scale", "alpha", "beta", "eta"), 1.0)
    for dist, kind in DISTRIBUTIONS.items():
        prior = Prior(dist, tuple((name, ones[name]) for name in kind.arguments), "")
        assert np.isfinite(prior.log_density(np.array([0.4, 0.6]))).all()
