"""Strengths of covariates by hand, and how much of a response is left to a confounder."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.design.build import design_arrays
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import BENCHMARK_COLUMNS
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.confounder.benchmarks import benchmark_strengths, greatest_strength, unexplained_sd


@pytest.fixture
def conditioned(small_model, make_user_survey, make_posterior):
    """The small specification with made-up draws."""
    survey = make_user_survey()
    return Conditioned(small_model, survey, make_posterior(small_model, design_arrays(small_model, survey)))


def row(table, covariate, response):
    return table[(table["covariate"] == covariate) & (table["response"] == response)].iloc[0]


def test_one_column_is_the_mean_absolute_coefficient_times_its_sd(conditioned):
    """Age stands in the model as (age - 50) / 10."""
    found = row(benchmark_strengths(conditioned), "age", "visits")
    draws = conditioned.posterior["posterior"]["visits"].sel(visits_term="age").to_numpy()
    sd = conditioned.survey.records["age"].std() / 10
    assert_allclose(found["strength"], np.abs(draws).mean() * sd)
    assert_allclose([found["lower"], found["upper"]], np.quantile(np.abs(draws) * sd, [0.025, 0.975]))
    assert found["link"] == "log"


def test_levels_are_the_sd_of_what_they_contribute(conditioned):
    """The covariate with three levels, patient by patient and draw by draw."""
    table = benchmark_strengths(conditioned)
    gamma = conditioned.posterior["posterior"]["mood"].sel(mood_term=["housing[2]", "housing[3]"]).to_numpy()
    housing = conditioned.survey.records["housing"].to_numpy()
    effect = {1: np.zeros(gamma.shape[:2]), 2: gamma[..., 0], 3: gamma[..., 1]}
    contribution = np.stack([effect[level] for level in housing], axis=-1)
    assert_allclose(row(table, "housing", "mood")["strength"], contribution.std(axis=-1, ddof=1).mean())


def test_there_is_a_row_for_each_covariate_of_each_equation(conditioned):
    """A covariate that is left out of an equation has no strength there."""
    table = benchmark_strengths(conditioned, ci_prob=0.5)
    assert tuple(table.columns) == BENCHMARK_COLUMNS
    assert len(table) == 6
    assert (table["ci_prob"] == 0.5).all()
    first, second = conditioned.model.equations
    model = replace(conditioned.model, equations=(replace(first, covariates=("age",)), second))
    some = benchmark_strengths(replace(conditioned, model=model))
    assert list(some.loc[some["response"] == "mood", "covariate"]) == ["age"]


def test_a_factor_on_a_column_changes_no_strength(conditioned):
    """A covariate in months instead of years has a smaller coefficient and a larger SD."""
    table = benchmark_strengths(conditioned)
    age, *others = conditioned.model.covariates
    model = replace(conditioned.model, covariates=(replace(age, scale=age.scale / 12), *others))
    tree = conditioned.posterior.copy(deep=True)
    for response in ("mood", "visits"):
        tree["posterior"][response].loc[{f"{response}_term": "age"}] /= 12
    again = benchmark_strengths(Conditioned(model, conditioned.survey, tree))
    assert_allclose(again["strength"], table["strength"])


def test_missing_cells_are_left_out_of_the_sd(conditioned):
    """The SD is that of the patients whose cell is there."""
    records = conditioned.survey.records.astype(float)
    records.loc[:30, "age"] = np.nan
    found = row(benchmark_strengths(replace(conditioned, survey=Survey(records, "file", "f"))), "age", "mood")
    draws = conditioned.posterior["posterior"]["mood"].sel(mood_term="age").to_numpy()
    assert_allclose(found["strength"], np.abs(draws).mean() * records["age"].std() / 10)


def test_what_is_unexplained(conditioned):
    """Sigma of a normal response; sqrt(log(1 + 1/phi)) of a count."""
    posterior = conditioned.posterior["posterior"].to_dataset()
    assert_allclose(unexplained_sd(conditioned.model, posterior, "mood"), posterior["sigma"].mean())
    phi = posterior["phi"].to_numpy()
    assert_allclose(unexplained_sd(conditioned.model, posterior, "visits"), np.sqrt(np.log(1 + 1 / phi)).mean())


def test_no_confounder_of_a_count_is_stronger_than_its_overdispersion():
    """All overdispersion by a lognormal confounder of that strength: the variance is that of the negative binomial."""
    rng, phi, mean = np.random.default_rng(0), 0.8, 5.0
    s = math.sqrt(math.log(1 + 1 / phi))
    counts = rng.poisson(mean * np.exp(s * rng.standard_normal(2_000_000) - s**2 / 2))
    assert_allclose(counts.mean(), mean, rtol=0.01)
    assert_allclose(counts.var(), mean + mean**2 / phi, rtol=0.03)


@pytest.mark.parametrize(
    ("family", "expected"),
    [("bernoulli_logit", math.pi / math.sqrt(3)), ("ordered_probit", 1.0), ("poisson", None), ("beta", None)],
)
def test_families_without_a_residual_variance(conditioned, family, expected):
    """The latent error's SD where the link fixes the scale; nothing where the family says nothing."""
    first, second = conditioned.model.equations
    model = replace(conditioned.model, equations=(first, replace(second, family=family)))
    posterior = conditioned.posterior["posterior"].to_dataset()
    found = unexplained_sd(model, posterior, "visits")
    assert found is None if expected is None else found == pytest.approx(expected)


def test_the_greatest_strength_leaves_room(conditioned):
    """0.8 times the unexplained SD; four times the strongest covariate, or 1, without one."""
    posterior = conditioned.posterior["posterior"].to_dataset()
    table = benchmark_strengths(conditioned)
    sigma = float(posterior["sigma"].mean())
    assert_allclose(greatest_strength(conditioned.model, posterior, table, "mood"), 0.8 * sigma)
    first, second = conditioned.model.equations
    model = replace(conditioned.model, equations=(first, replace(second, family="poisson")))
    strongest = table.loc[table["response"] == "visits", "strength"].max()
    assert_allclose(greatest_strength(model, posterior, table, "visits"), 4 * strongest)
    empty = pd.DataFrame(columns=list(BENCHMARK_COLUMNS))
    assert greatest_strength(model, posterior, empty, "visits") == 1.0


def test_the_shipped_specification_has_strengths_for_every_covariate(make_survey, make_posterior):
    """Seven covariates in each of three equations."""
    model, survey = load_model("primary"), make_survey()
    table = benchmark_strengths(Conditioned(model, survey, make_posterior(model, design_arrays(model, survey))))
    assert len(table) == 21
    assert (table["strength"] > 0).all()
    assert ((table["lower"] <= table["strength"]) & (table["strength"] <= table["upper"])).all()
