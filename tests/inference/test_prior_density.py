"""Log-densities of priors in NumPy and in PyMC are SciPy's."""

from __future__ import annotations

import numba
import numpy as np
import pymc as pm
import pytest
from numpy.testing import assert_allclose
from readable import PLAIN
from scipy import stats
from scipy_priors import NAMES, PRIORS

from bayes_sp.inference.engine.families import compiled_prior
from bayes_sp.model.distributions import DISTRIBUTIONS, Prior


@pytest.mark.parametrize(("prior", "reference"), PRIORS, ids=NAMES)
def test_a_log_density_is_scipys(prior, reference):
    """With its constant, at points over the whole range, whatever the shape."""
    x = reference.ppf(np.linspace(0.001, 0.999, 12)).reshape(3, 4)
    assert_allclose(prior.log_density(x), reference.logpdf(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("prior", "reference"), PRIORS, ids=NAMES)
def test_pymc_has_the_distribution_by_the_same_name_and_constants(prior, reference):
    """As the readable model takes it; of correlations PyMC has the matrix only."""
    if prior.support == "correlation":
        assert hasattr(pm, f"{prior.distribution.display}Corr")
        return
    known, x = getattr(pm, prior.distribution.display), reference.ppf(np.array([0.2, 0.9]))
    values = {
        name: np.float64(value) for name, value in prior.values.items()
    }  # PyTensor rounds a plain float to 32 bits
    assert_allclose(pm.logp(known.dist(**values), x).eval(mode=PLAIN), reference.logpdf(x), rtol=1e-10)


@pytest.mark.parametrize(("prior", "reference"), PRIORS, ids=NAMES)
def test_a_kernel_takes_one_number_as_machine_code(prior, reference):
    """Value and derivative are those of NumPy; a kernel that numba cannot compile fails here, and not in the engine."""
    kernel, x = compiled_prior(prior.distribution), float(reference.ppf(0.7))
    call = numba.njit(lambda x, constants: kernel(x, *constants))
    expected = prior.distribution.kernel(np.array([x]), *prior.numbers)
    assert_allclose(call(x, prior.numbers), [np.squeeze(number) for number in expected], rtol=1e-12)


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
    for dist, kind in DISTRIBUTIONS.items():
        prior = Prior(dist, tuple((name, 1.0) for name in kind.arguments), "")
        assert np.isfinite(prior.log_density(np.array([0.4, 0.6]))).all()
