"""The engine's posterior with a power of the likelihood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_sp.design.build import design_arrays
from bayes_sp.errors import FitError
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities
from bayes_sp.inference.labels import label_draws
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

MODELS = ("primary", "ordinal", "zinb", "bounded")


@pytest.fixture
def normal_chain():
    """Return a chain of two normal equations, whose posterior is known in closed form, and 40 records."""
    normal = {"family": "normal"}
    tables = {
        "title": "A normal chain", "exposure": "x", "outcome": "y",
        "equation": [{"response": "m", **normal}, {"response": "y", **normal}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 0.5, "sigma": 0.5, "why": "test"},
            "slope": {"dist": "normal", "mu": 0.0, "sigma": 0.3, "why": "test"},
            "sigma": {"dist": "half_normal", "sigma": 0.5, "why": "test"},
        },
    }  # fmt: skip
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, 40)
    m = 0.5 + 0.6 * x + rng.normal(0, 0.7, 40)
    y = 0.2 - 0.6 * m + rng.normal(0, 0.7, 40)
    survey = Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "memory", "forty records")
    return load_model(tables, name="normal_chain"), survey


def evaluated(model, survey, theta, power):
    """Return log-density and gradient at points theta, (s, P)."""
    posterior = log_posterior(compile_program(model, design_arrays(model, survey), power))
    return log_densities(posterior, theta, 1)


def some_points(model, survey, count=3):
    program = compile_program(model, design_arrays(model, survey))
    return program.start + 0.1 * np.random.default_rng(2).standard_normal((count, program.size))


@pytest.mark.parametrize("name", MODELS)
def test_a_power_multiplies_the_log_likelihood_alone(name, make_survey):
    """From power 1 to 2.5 the log-density moves by 1.5 times the pointwise log-likelihoods' sum, computed in NumPy.

    The engine's densities are per unit of a response's coded value, the pointwise ones per unit of the response.
    """
    model, survey = load_model(name), make_survey(60)
    design, theta = design_arrays(model, survey), some_points(model, survey)
    draws = label_draws(model, compile_program(model, design).parameters, theta[None])
    likelihood = sum(array.sum("patient").to_numpy()[0] for array in log_likelihood(model, design, draws).values())
    codings = [model.coding(response) for response in design.responses]
    likelihood += sum(design.n * np.log(coding.unit) for coding in codings if not coding.levels)
    once, more = (evaluated(model, survey, theta, power)[0] for power in (1.0, 2.5))
    assert_allclose(more - once, 1.5 * likelihood, rtol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_with_a_power_is_that_of_finite_differences(name, make_survey):
    """By central differences, at power 0.6."""
    model, survey = load_model(name), make_survey(60)
    theta = some_points(model, survey, 1)
    _, gradient = evaluated(model, survey, theta, 0.6)
    moves = 1e-5 * np.eye(theta.shape[1])
    above, below = (evaluated(model, survey, theta + sign * moves, 0.6)[0] for sign in (1.0, -1.0))
    assert_allclose(gradient[0], (above - below) / 2e-5, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_power_2_is_every_patient_twice(name, make_survey):
    """The log-density and gradient of records that stand twice in the survey."""
    model, survey = load_model(name), make_survey(60)
    doubled = replace(survey, records=pd.concat([survey.records, survey.records], ignore_index=True))
    theta = some_points(model, survey)
    for found, expected in zip(
        evaluated(model, survey, theta, 2.0), evaluated(model, doubled, theta, 1.0), strict=True
    ):
        assert_allclose(found, expected, rtol=1e-9, atol=1e-8)


def test_the_power_1_is_exactly_the_posterior(make_survey):
    """Draws are the same to the last bit, and the attributes say nothing of a power."""
    model, survey, options = load_model("primary"), make_survey(60), SamplerOptions(draws=20, tune=20, chains=1)
    plain = sample_posterior(model, survey, seed=3, options=options)
    powered = sample_posterior(model, survey, seed=3, options=options, likelihood_power=1.0)
    assert plain["posterior"].to_dataset().identical(powered["posterior"].to_dataset())
    assert "likelihood_power" not in powered.attrs


def test_draws_with_a_power_are_those_of_the_closed_form(normal_chain):
    """Power 2 of a normal chain: means and SDs of the exact posterior of records that stand twice, within 5 errors."""
    model, survey = normal_chain
    tree = sample_posterior(model, survey, seed=1, options=SamplerOptions(draws=1500), likelihood_power=2.0)
    assert tree.attrs["likelihood_power"] == 2.0
    doubled = replace(survey, records=pd.concat([survey.records, survey.records], ignore_index=True))
    exact = exact_posterior(model, design_arrays(model, doubled), seed=2, draws=4000)
    for name in ("m", "y", "sigma"):
        draws, expected = tree["posterior"][name].to_numpy(), exact[name].to_numpy()
        sd = expected.std(axis=(0, 1))
        assert_allclose(draws.mean(axis=(0, 1)), expected.mean(axis=(0, 1)), atol=5 * sd.max() / np.sqrt(3000))
        assert_allclose(draws.std(axis=(0, 1)), sd, rtol=0.08)


@pytest.mark.parametrize("hidden", ["latent", "covariate"])
def test_hidden_values_have_no_power(hidden, make_survey):
    """A power of the likelihood given hidden values is refused, because it is not one of what was observed."""
    model, survey = load_model("latent" if hidden == "latent" else "primary"), make_survey(60)
    if hidden == "covariate":
        records = survey.records.astype({"age": float})
        records.loc[3, "age"] = np.nan
        survey = replace(survey, records=records)
    name = "loneliness_t1" if hidden == "latent" else "age"
    with pytest.raises(FitError, match=f"values of {name} are missing, measured with error or unmeasured"):
        sample_posterior(model, survey, seed=1, likelihood_power=2.0)


@pytest.mark.parametrize("power", [0.0, -1.0, np.inf, np.nan])
def test_a_power_must_be_above_0(power, make_survey):
    """Without the likelihood there is nothing to fit."""
    with pytest.raises(ValueError, match="power of the likelihood"):
        sample_posterior(load_model("primary"), make_survey(40), seed=1, likelihood_power=power)
