"""The PyMC model of surveys with holes: the engine's density, and PyMC's own functions on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from readable import PLAIN, assert_equal

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.model.reading.load import load_model

HOLES = {
    "a covariate's number": ("primary", ["age"]),
    "a covariate's level": ("primary", ["education"]),
    "exposure, covariate and outcome": ("primary", ["group_change", "age", "appointments_t1"]),
    "an ordered mediator": ("ordinal", ["belonging_t1"]),
    "a mediator in an interaction": ("interaction", ["belonging_t1"]),
    "a beta mediator": ("bounded", ["loneliness_t1", "appointments_t1"]),
    "a mediator measured with error": ("latent", ["belonging_t1", "appointments_t1"]),
}


def with_holes(survey, columns):
    """Return the survey with six cells of each column gone."""
    records = survey.records.astype(float)
    for k, column in enumerate(columns):
        records.loc[records.index[np.random.default_rng(k).choice(len(records), 6, replace=False)], column] = np.nan
    return replace(survey, records=records)


@pytest.mark.parametrize(("name", "columns"), HOLES.values(), ids=HOLES)
def test_the_pymc_model_has_the_engines_density(name, columns, study_survey):
    """Whatever is missing; the engine's gradient is that of its density."""
    model = load_model(name)
    assert_equal(model, design_arrays(model, with_holes(study_survey, columns)))


@pytest.mark.slow
def test_a_power_multiplies_the_likelihood_alone(study_survey):
    """The log-density is linear in the power, observed variables and missing levels alike."""
    survey = with_holes(study_survey, ["education"])
    values = []
    for power in (1.0, 2.0, 3.0):
        built = sp.pymc_model("primary", survey, likelihood_power=power)
        values.append(built.compile_logp(mode=PLAIN)(built.initial_point()))
    assert values[2] - values[1] == pytest.approx(values[1] - values[0], rel=1e-9)
    assert abs(values[1] - values[0]) > 100.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The effect of Potentials on other parameters is ignored")
def test_pymcs_own_functions_take_it(study_survey):
    """A graph, a few draws and replicates of a survey with holes of three kinds."""
    built = sp.pymc_model("primary", with_holes(study_survey, ["age", "education", "group_change"]))
    assert "appointments_t1_observed" in pm.model_to_mermaid(built)
    with built:
        tree = pm.sample(5, tune=5, chains=1, progressbar=False, random_seed=1, compute_convergence_checks=False)
        found = pm.sample_posterior_predictive(tree, progressbar=False, random_seed=1)
    replicates = found["posterior_predictive"]["appointments_t1_observed"]
    assert replicates.shape[:2] == (1, 5)
    assert (replicates >= 0).all()


def test_a_missing_count_has_the_engines_density(study_survey):
    """Summed over the counts up to the largest that the specification states, before a normal mediator and a count."""
    model = load_model("benchmarks/specifications/count_mediator.toml")
    most = tuple(replace(v, maximum=12.0) if v.name == "groups_t1" else v for v in model.variables)
    survey = with_holes(study_survey, ["groups_t1", "appointments_t1"])
    program = assert_equal(model := replace(model, variables=most), design_arrays(model, survey))
    assert [count for _, count in program.rows.split] == [13] * len(program.rows.split)
