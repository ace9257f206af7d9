"""Densities against SciPy, statsmodels and PyMC, and against each other where one family becomes another."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytest
from family_cases import random_case
from scipy import special, stats
from statsmodels.distributions.discrete import truncatednegbin, zinegbin

from bayes_sp.model.families.registry import FAMILIES

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def size_and_share(eta, aux):
    return aux[0], aux[0] / (aux[0] + np.exp(eta))


def hurdle(y, eta, zeta, aux):
    positive = np.log(special.expit(-zeta)) + truncatednegbin.logpmf(y, np.exp(eta), 1 / aux[0], 2, 0)
    return positive if y > 0 else np.log(special.expit(zeta))


def interval(law):
    def density(y, eta, _zeta, aux):
        ends = (np.array([-np.inf, *aux, np.inf]) - eta)[[int(y), int(y) + 1]]
        # From the tail that the interval lies in: a difference of two numbers near 1 would have few digits.
        return np.log(np.diff(law.cdf(ends)) if ends[0] < 0 else -np.diff(law.sf(ends)))

    return density


REFERENCES = {
    "normal": lambda y, eta, _zeta, aux: stats.norm.logpdf(y, eta, aux[0]),
    "student_t": lambda y, eta, _zeta, aux: stats.t.logpdf(y, aux[1], eta, aux[0]),
    "latent_normal": lambda y, eta, _zeta, aux: stats.norm.logpdf(y, eta, np.sqrt(aux[0] ** 2 + aux[1] ** 2)),
    "ordered_logit": interval(stats.logistic),
    "ordered_probit": interval(stats.norm),
    "beta": lambda y, eta, _zeta, aux: stats.beta.logpdf(y, aux[0] * special.expit(eta), aux[0] * special.expit(-eta)),
    "bernoulli_logit": lambda y, eta, _zeta, _aux: stats.bernoulli.logpmf(y, special.expit(eta)),
    "poisson": lambda y, eta, _zeta, _aux: stats.poisson.logpmf(y, np.exp(eta)),
    "negative_binomial": lambda y, eta, _zeta, aux: stats.nbinom.logpmf(y, *size_and_share(eta, aux)),
    "zero_inflated_negative_binomial": lambda y, eta, zeta, aux: zinegbin.logpmf(
        y, np.exp(eta), 1 / aux[0], 2, special.expit(zeta)
    ),
    "hurdle_negative_binomial": hurdle,
    "gamma": lambda y, eta, _zeta, aux: stats.gamma.logpdf(y, aux[0], scale=np.exp(eta) / aux[0]),
    "lognormal": lambda y, eta, _zeta, aux: stats.lognorm.logpdf(y, aux[0], scale=np.exp(eta)),
}


def density(name: str, y, eta, zeta, aux):
    n = np.ones(np.size(y))
    return FAMILIES[name].log_density(np.atleast_1d(y), eta * n, zeta * n, np.asarray(aux, dtype=float))


@every_family
def test_a_density_is_that_of_scipy_or_statsmodels(family):
    """At random points, written by others."""
    assert family.name in REFERENCES, "a family needs the density of another library in REFERENCES of this file"
    rng = np.random.default_rng(1)
    for case in (random_case(family, rng) for _ in range(60)):
        expected = REFERENCES[family.name](*case)
        assert density(family.name, *case) == pytest.approx(expected, rel=1e-10, abs=1e-12), case


@every_family
def test_a_density_is_that_of_pymc(family):
    """The likelihood that the readable model is built of, at random points with the same parameters."""
    rng = np.random.default_rng(2)
    cases = [random_case(family, rng) for _ in range(40)]
    y, eta, zeta = (np.array([case[i] for case in cases]) for i in range(3))
    aux = cases[0].aux
    whole = family.response in ("count", "integer", "binary")
    with pm.Model(coords={"patient": np.arange(len(cases))}) as model:
        tensors = [pytensor.tensor.as_tensor(value) for value in (eta, zeta, aux)]
        observed = family.likelihood(pm, "y_observed", *tensors, y.astype(int) if whole else y)
    assert model.named_vars_to_dims["y_observed"] == ("patient",)
    (expression,) = model.logp(vars=[observed], sum=False)
    values = pytensor.function([], expression, mode=pytensor.compile.mode.Mode(linker="py", optimizer=None))()
    np.testing.assert_allclose(family.log_density(y, eta, zeta, aux), values, rtol=1e-10, atol=1e-10)


@every_family
def test_a_density_takes_draws_in_front_of_patients(family):
    """(chain, draw, patient), parameters (chain, draw, parameter): as the posterior has them."""
    rng = np.random.default_rng(3)
    cases = [random_case(family, rng) for _ in range(6)]
    y = np.array([case.y for case in cases[:2]])
    eta, zeta = rng.normal(size=(3, 1, 2)), rng.normal(size=(3, 1, 2))
    aux = np.array([case.aux for case in cases[:3]])[:, None, :]
    found = family.log_density(y, eta, zeta, aux)
    assert found.shape == (3, 1, 2)
    assert family.mean(eta, zeta, aux).shape == (3, 1, 2)
    assert family.simulate(rng, eta, zeta, aux).shape == (3, 1, 2)
    for i in range(3):
        np.testing.assert_allclose(found[i, 0], family.log_density(y, eta[i, 0], zeta[i, 0], aux[i, 0]), rtol=1e-12)


Y, COUNTS, ETA, ZETA = np.array([-1.2, 0.1, 2.5]), np.array([0.0, 1.0, 6.0]), 0.7, -0.4
COLLAPSES = {
    "one cut is a Bernoulli with intercept -cut": (
        ("ordered_logit", [0.0, 1.0], ETA, ZETA, [0.3]),
        ("bernoulli_logit", [0.0, 1.0], ETA - 0.3, ZETA, []),
    ),
    "one probit cut": (
        ("ordered_probit", [1.0], ETA, ZETA, [0.3]),
        ("ordered_probit", [0.0], -ETA, ZETA, [-0.3]),
    ),
    "no structural zeros": (
        ("zero_inflated_negative_binomial", COUNTS, ETA, -800.0, [0.9]),
        ("negative_binomial", COUNTS, ETA, ZETA, [0.9]),
    ),
    "a hurdle as high as the count part has it": (
        ("hurdle_negative_binomial", COUNTS, ETA, -np.log(np.expm1(0.9 * np.log1p(np.exp(ETA) / 0.9))), [0.9]),
        ("negative_binomial", COUNTS, ETA, ZETA, [0.9]),
    ),
    "no overdispersion": (
        ("negative_binomial", COUNTS, ETA, ZETA, [1e12]),
        ("poisson", COUNTS, ETA, ZETA, []),
    ),
    "light tails": (("student_t", Y, ETA, ZETA, [1.3, 1e12]), ("normal", Y, ETA, ZETA, [1.3])),
    "no measurement error": (("latent_normal", Y, ETA, ZETA, [1.3, 0.0]), ("normal", Y, ETA, ZETA, [1.3])),
    "exponential, by gamma": (
        ("gamma", [1.3], ETA, ZETA, [1.0]),
        ("poisson", [0.0], np.log(1.3) - ETA, ZETA, []),  # log y's density times mean: P(no event before y)
    ),
    "uniform": (("beta", [0.2, 0.9], 0.0, ZETA, [2.0]), ("beta", [0.5, 0.5], 0.0, ZETA, [2.0])),
}


@pytest.mark.parametrize(("one", "other"), COLLAPSES.values(), ids=COLLAPSES)
def test_one_family_becomes_another(one, other):
    """At the edge of its parameters, or with a parameter of 1."""
    scale = ETA if one[0] == "gamma" else 0.0
    np.testing.assert_allclose(density(*one) + scale, density(*other), rtol=1e-9, atol=1e-9)


def test_a_lognormal_is_a_normal_of_the_logarithm():
    """Save for the density of the transformation."""
    y = np.array([0.2, 1.0, 7.0])
    expected = density("normal", np.log(y), ETA, ZETA, [0.8]) - np.log(y)
    np.testing.assert_allclose(density("lognormal", y, ETA, ZETA, [0.8]), expected, rtol=1e-12)


@every_family
def test_probabilities_add_up_to_one(family):
    """Over the levels of an ordered answer, yes and no, or enough counts."""
    rng = np.random.default_rng(4)
    if family.response in ("integer", "count", "binary"):
        for _ in range(5):
            case = random_case(family, rng)
            values = np.arange({"integer": 4.0, "count": 20_000.0, "binary": 2.0}[family.response])
            aux = np.maximum(case.aux, 0.3) if family.sized else case.aux
            shares = np.exp(density(family.name, values, min(case.eta, 1.0), case.zeta, aux))
            assert shares.sum() == pytest.approx(1.0, rel=1e-9)
