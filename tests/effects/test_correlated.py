"""Two mediators side by side whose errors correlate: effects, records simulated and refitted, specifications."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chains import made_up_chain, outcome_mean

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.joint import joint_model
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.worlds import world_means
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.inference.bootstrap.general import general_chain
from bayes_sp.inference.likelihood.equations import as_draws
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_tables

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


def side_by_side(outcome: str, rho: float):
    chain, baselines = made_up_chain(("normal", "normal"), outcome, draws=2, seed=6)
    slopes = chain.slopes.copy()
    slopes[:, 1, 0] = 0.0
    return replace(chain, slopes=slopes, rho=np.array([rho, rho])), baselines


@pytest.mark.parametrize("outcome", ["exp", "identity", "logit", "hurdle"])
def test_means_are_those_of_correlated_errors(outcome):
    """Mean outcomes of every world are within four Monte Carlo errors of a million simulated ones, whatever kappa."""
    chain, baselines = side_by_side(outcome, 0.7)
    rng, size, base = np.random.default_rng(2), 10**6, baselines(1, 2)[:, 0]
    patient = rng.integers(0, base.shape[1], size)
    e1, e2 = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.7], [0.7, 1.0]], size).T
    for kappa in (0.3, 1.0):
        found = world_means(chain, baselines, WORLDS, U, Rule(kappa, 24)).plain[:, 1]
        for v, (direct, first, second, _) in enumerate(np.where(WORLDS, U[1], U[0])):
            m1 = base[0][patient] + chain.exposure[1, 0] * first + chain.mediators[0].sigma[1] * e1
            m2 = base[1][patient] + chain.exposure[1, 1] * second + chain.mediators[1].sigma[1] * e2
            predictors = [
                base[j][patient]
                + chain.exposure[1, j] * direct
                + chain.slopes[1, j, 0] * m1
                + chain.slopes[1, j, 1] * m2
                for j in range(2, 3 + chain.zero_part)
            ]
            y = outcome_mean(chain.outcome, 1, *predictors)
            assert abs(found[v] - y.mean()) < 4.0 * y.std() / np.sqrt(size), (kappa, v)


def test_under_a_log_link_the_correlation_is_one_factor():
    """E Y has the factor exp(rho s1 s2 b1 b2) in every world: it leaves ratios, and scales differences."""
    one, baselines = side_by_side("exp", 0.7)
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


def test_specifications_say_where_a_correlation_can_stand():
    """It is there by default, goes out with an empty list, and is refused beside an arrow, with the place."""
    assert parallel().correlated == ("belonging_t1", "loneliness_t1")
    assert parallel(residual_correlations=()).correlated is None
    assert sp.load_model("primary").correlated is None
    tables = specification_tables(parallel(residual_correlations=()))
    assert load_model(tables).correlated is None
    tables = specification_tables(sp.load_model("primary"))
    tables["equation"][1]["residual_correlations"] = ["belonging_t1"]
    prior = {"dist": "lkj", "eta": 2, "why": "moderate"}
    tables["priors"]["loneliness_t1"] = {"residual_correlation": prior}
    with pytest.raises(SpecificationError) as caught:
        load_model(tables)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "equation[2].residual_correlations", "priors.loneliness_t1.residual_correlation"
    ]  # fmt: skip


def test_missing_cells_of_correlated_mediators_are_refused(study_survey):
    """They have no account, and the error says what to do."""
    model, records = parallel(), study_survey.records.copy()
    records.loc[3, "loneliness_t1"] = np.nan
    design = design_arrays(model, replace(study_survey, records=records))
    with pytest.raises(SurveyError, match=r"residual_correlations = \[\] in the equation of loneliness_t1"):
        joint_model(model, design)
