"""Mediators side by side whose errors correlate: effects, records simulated and refitted, specifications."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chains import made_up_chain, outcome_mean

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.normal import every_path
from bayes_sp.effects.means.worlds import world_means
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.bootstrap.general import general_chain
from bayes_sp.inference.estimates import maximum_likelihood
from bayes_sp.inference.likelihood.equations import as_draws
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_tables
from bayes_sp.report.text.assumptions import independence_words

U = (0.0, 1.5)
WORLDS = np.array([(0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 0), (1, 1, 1, 1)], dtype=bool)


def parallel(family: str = "negative_binomial", **second: object):
    model = sp.load_model("primary")
    one, two, three = model.equations
    two = replace(two, parents=("group_change",), **second)
    return replace(model, equations=(one, two, replace(three, family=family)), published=(), twin="")


@pytest.fixture(scope="module")
def study_survey():
    return sp.reconstruct(seed=1)


TWO = np.array([[1.0, 0.7], [0.7, 1.0]])
THREE = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 1.0]])


def side_by_side(outcome: str, correlations: np.ndarray):
    count = len(correlations)
    chain, baselines = made_up_chain(("normal",) * count, outcome, draws=2, seed=6)
    slopes = chain.slopes.copy()
    slopes[:, :count] = 0.0
    return replace(chain, slopes=slopes, rho=np.stack([correlations, correlations])), baselines


@pytest.mark.parametrize(
    ("outcome", "correlations"),
    [("exp", THREE), ("identity", TWO), pytest.param("logit", TWO, marks=pytest.mark.slow), ("hurdle", THREE)],
    ids=["exp", "identity", "logit", "hurdle"],
)
def test_means_are_those_of_correlated_errors(outcome, correlations):
    """Mean outcomes of every world are within four Monte Carlo errors of half a million simulated, whatever kappa."""
    chain, baselines = side_by_side(outcome, correlations)
    rng, size, base, count = np.random.default_rng(2), 500_000, baselines(1, 2)[:, 0], len(correlations)
    patient = rng.integers(0, base.shape[1], size)
    errors = rng.multivariate_normal(np.zeros(count), correlations, size).T
    full = every_path(count)
    switched = [{()}, {(0,)}, {(), (count - 1,)}, set(full)]
    worlds = np.array([[path in some for path in full] for some in switched])
    for kappa in (0.3, 1.0):
        found = world_means(chain, baselines, worlds, U, Rule(kappa, 24)).plain[:, 1]
        for v, some in enumerate(switched):
            seen = {path: U[int(path in some)] for path in full}
            m = [
                base[k][patient] + chain.exposure[1, k] * seen[(k,)] + chain.mediators[k].sigma[1] * errors[k]
                for k in range(count)
            ]
            predictors = [
                base[j][patient]
                + chain.exposure[1, j] * seen[()]
                + sum(chain.slopes[1, j, k] * m[k] for k in range(count))
                for j in range(count, count + 1 + chain.zero_part)
            ]
            y = outcome_mean(chain.outcome, 1, *predictors)
            assert abs(found[v] - y.mean()) < 4.0 * y.std() / np.sqrt(size), (kappa, v)


def test_under_a_log_link_the_correlation_is_one_factor():
    """E Y has the factor exp(rho s1 s2 b1 b2) in every world: it leaves ratios, and scales differences."""
    one, baselines = side_by_side("exp", TWO)
    none = replace(one, rho=None)
    found, without = (world_means(c, baselines, WORLDS, U, Rule()).plain for c in (one, none))
    sigma = [mediator.sigma for mediator in one.mediators]
    factor = np.exp(0.7 * sigma[0] * sigma[1] * one.slopes[:, 2, 0] * one.slopes[:, 2, 1])
    np.testing.assert_allclose(found, without * factor, rtol=1e-12)


def test_simulated_records_have_the_correlation(study_survey):
    """Records drawn from the model with rho = 0.6 have it in their residuals, and least squares finds it."""
    model = parallel()
    parameters = {
        "belonging_t1": np.zeros(len(model.terms(model.equations[0]))),
        "loneliness_t1": np.zeros(len(model.terms(model.equations[1]))),
        "appointments_t1": np.zeros(len(model.terms(model.equations[2]))),
        "sigma": np.array([0.8, 0.5]),
        "residual_correlation": np.array([0.6]),
        "phi": np.array([2.0]),
    }
    survey = simulate_survey(model, study_survey, parameters, n=20_000, seed=5)
    m1, m2 = (survey.records[name].to_numpy() for name in model.mediators)
    assert abs(np.corrcoef(m1, m2)[0, 1] - 0.6) < 0.03  # five Monte Carlo errors
    np.testing.assert_allclose([m1.std(), m2.std()], [0.8, 0.5], rtol=0.03)


def test_the_bootstrap_takes_the_correlation_of_residuals(study_survey):
    """Of all patients it is that of least-squares residuals, as in a path analysis with correlated errors."""
    model = parallel()
    design = design_arrays(model, study_survey)
    made = general_chain(model, design, pilot=0)
    everyone = np.ones((1, design.n))
    fits, _, _ = made._fitted(everyone)
    found = as_draws(model, made.regressions, [fit.theta for fit in fits], everyone)
    x = np.column_stack([np.ones(design.n), design.x, design.w])
    residual = design.y[:, :2] - x @ np.linalg.lstsq(x, design.y[:, :2], rcond=None)[0]
    expected = np.corrcoef(residual.T)[0, 1]
    np.testing.assert_allclose(found["residual_correlation"].item(), expected, rtol=1e-8)
    value, error = maximum_likelihood(model, study_survey, design).values["loneliness_t1", "residual_correlation"]
    np.testing.assert_allclose([*value, *error], [expected, (1 - expected**2) / np.sqrt(design.n)], rtol=1e-8)


def test_specifications_say_where_a_correlation_can_stand():
    """It is there by default, goes out with an empty list, and is refused beside an arrow, with the place."""
    assert parallel().correlated == ("belonging_t1", "loneliness_t1")
    assert parallel(residual_correlations=()).correlated == ()
    assert sp.load_model("primary").correlated == ()
    tables = specification_tables(parallel(residual_correlations=()))
    assert load_model(tables).correlated == ()
    tables = specification_tables(sp.load_model("primary"))
    tables["equation"][1]["residual_correlations"] = ["belonging_t1"]
    prior = {"dist": "lkj", "eta": 2, "why": "moderate"}
    tables["priors"]["loneliness_t1"] = {"residual_correlation": prior}
    with pytest.raises(SpecificationError) as caught:
        load_model(tables)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "equation[2].residual_correlations", "priors.loneliness_t1.residual_correlation"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({0: {"family": "student_t"}}, "all mediators must be normal, found belonging_t1 (student_t); with"),
        ({1: {"family": "latent_normal", "reliability": 0.8}}, "must be normal, found loneliness_t1 (latent_normal)"),
        ({1: {"parents": ["group_change", "belonging_t1"]}}, "is a parent of loneliness_t1: the arrow is all"),
        ({1: {"residual_correlations": ["belonging"]}}, '"belonging" is no mediator before loneliness_t1; did you'),
        ({2: {"residual_correlations": ["loneliness_t1"]}}, "between mediators, and appointments_t1 is the outcome"),
        ({}, "unmeasured confounders are what mediators share, found U"),
    ],
)
def test_the_limit_that_a_correlation_meets_is_named(changes, words):
    """Another family, an arrow, an unknown name, the outcome, an unmeasured confounder: which of them it is."""
    tables = specification_tables(parallel("normal"))
    tables["equation"][1]["residual_correlations"] = ["belonging_t1"]
    for j, own in changes.items():
        tables["equation"][j] |= own
    if not changes:
        tables["unmeasured"] = {"U": {"belonging_t1": 0.3, "appointments_t1": 0.3}}
    with pytest.raises(SpecificationError) as caught:
        load_model(tables)
    problems = [problem for problem in caught.value.problems if "residual_correlations" in problem]
    assert any(words in problem for problem in problems), problems


def test_other_families_side_by_side_are_said_to_be_independent():
    """Beside a mediator of another family there is no correlation, and the assumptions say what is taken for it."""
    tables = specification_tables(parallel("normal"))
    tables["equation"][0]["family"] = "student_t"
    tables["priors"]["nu"] = {"dist": "gamma", "alpha": 2, "beta": 0.1, "why": "a test"}
    tables["priors"]["sigma"] = {"dist": "half_normal", "sigma": 2, "why": "a test"}
    del tables["priors"]["appointments_t1"]["phi"]
    (said,) = independence_words(load_model(tables))
    assert "have no arrow between them: they are assumed independent given the exposure" in said
