"""A prior to a power is a prior of the same family, or is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import DISTRIBUTIONS, Prior
from bayes_sp.model.powers import scaled_model, scaled_prior
from bayes_sp.model.reading.write import specification_text


def prior(dist: str, **constants: float) -> Prior:
    return Prior(dist, tuple((name, constants[name]) for name in DISTRIBUTIONS[dist].arguments), "test")


PRIORS = [
    prior("normal", mu=0.4, sigma=1.3),
    prior("student_t", nu=3.5, mu=-0.2, sigma=0.8),
    prior("laplace", mu=0.3, b=0.7),
    prior("flat"),
    prior("half_flat"),
    prior("half_normal", sigma=1.7),
    prior("half_student_t", nu=4.0, sigma=0.6),
    prior("exponential", scale=2.2),
    prior("gamma", alpha=2.5, beta=0.9),
    prior("gamma", alpha=0.7, beta=0.9),
    prior("inverse_gamma", alpha=3.0, beta=1.4),
    prior("lognormal", mu=0.4, sigma=0.9),
    prior("dirichlet", alpha=2.5),
]
ids = [str(one) for one in PRIORS]


def points(one: Prior) -> np.ndarray:
    """Return 40 points where a prior has mass; of a simplex, 40 times three shares."""
    rng = np.random.default_rng(3)
    if one.support == "simplex":
        return rng.dirichlet([1.0, 2.0, 0.5], 40)
    return rng.normal(0.0, 3.0, 40) if one.support == "real" else rng.gamma(0.8, 3.0, 40)


@pytest.mark.parametrize("alpha", [0.5, 0.99, 2.0, 3.3])
@pytest.mark.parametrize("one", PRIORS, ids=ids)
def test_a_scaled_prior_is_a_power_of_the_density(one, alpha):
    """Its log-density is alpha times the prior's, up to a constant, and the family is the same."""
    scaled = scaled_prior(one, alpha)
    assert scaled.dist == one.dist
    x = points(one)
    difference = scaled.log_density(x) - alpha * one.log_density(x)
    assert_allclose(difference, difference[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("one", PRIORS, ids=ids)
def test_powers_multiply_and_the_power_1_changes_nothing(one):
    """p^0.5 to the power 3 is p^1.5; p^1 has the same constants and reason."""
    twice = scaled_prior(scaled_prior(one, 0.5), 3.0)
    assert_allclose(list(twice.values.values()), list(scaled_prior(one, 1.5).values.values()))
    same = scaled_prior(one, 1.0)
    assert_allclose(list(same.values.values()), list(one.values.values()))
    assert same.why == one.why


@pytest.mark.parametrize(
    ("one", "alpha"),
    [
        (prior("student_t", nu=1.0, mu=0.0, sigma=1.0), 0.5),
        (prior("half_student_t", nu=0.5, sigma=1.0), 0.6),
        (prior("gamma", alpha=0.3, beta=1.0), 2.0),
        (prior("inverse_gamma", alpha=0.5, beta=1.0), 0.5),
        (prior("dirichlet", alpha=0.4), 2.0),
    ],
)
def test_a_power_without_a_finite_integral_is_refused(one, alpha):
    """A Cauchy to the power 1/2, or a pole at 0 to the power 2, is no distribution."""
    with pytest.raises(SpecificationError, match="has no finite integral"):
        scaled_prior(one, alpha)


@pytest.mark.parametrize("alpha", [0.0, -1.0, np.inf, np.nan])
def test_a_power_must_be_above_0(alpha):
    """Nothing else is a power of a density."""
    with pytest.raises(ValueError, match="must be above 0"):
        scaled_prior(PRIORS[0], alpha)


def test_a_specification_is_scaled_where_asked_and_nowhere_else(small_model):
    """Only the named entries change, the text of the specification changes with them, and their reasons say so."""
    scaled = scaled_model(small_model, {("visits", "walks"), ("", "sigma")}, 2.0)
    before = {(where, key): one for where, key, one in small_model.priors}
    after = {(where, key): one for where, key, one in scaled.priors}
    assert {entry for entry in before if before[entry] != after[entry]} == {("visits", "walks"), ("", "sigma")}
    assert after["visits", "walks"].values["sigma"] == pytest.approx(0.2 / np.sqrt(2.0))
    assert "(density to the power 2)" in after["visits", "walks"].why
    assert specification_text(scaled) != specification_text(small_model)


def test_every_prior_that_cannot_be_scaled_is_named(small_model):
    """All problems are in one error, each with its key path."""
    heavy = prior("student_t", nu=1.0, mu=0.0, sigma=1.0)
    priors = tuple((w, k, heavy if k in ("slope", "walks") else one) for w, k, one in small_model.priors)
    with pytest.raises(SpecificationError) as caught:
        scaled_model(replace(small_model, priors=priors), {("", "slope"), ("visits", "walks"), ("", "phi")}, 0.5)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["priors.slope", "priors.visits.walks"]


def test_every_distribution_of_a_number_is_raised_to_powers():
    """One without its own `power` would stay as it is without a word. That of `lkj` is not tried here."""
    tried = {prior.dist for prior in PRIORS} | {"lkj"}
    assert set(DISTRIBUTIONS) == tried, "a distribution needs a prior in PRIORS of tests/model/test_powers.py"
