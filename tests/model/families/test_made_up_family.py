"""A family made up here goes from a specification to the report, and no file of the package knows of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pytensor.compile.mode import Mode
from scipy import stats

from bayes_sp.analysis.workflow import analyse
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.paths import compute_effects
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.reference.build import build_model
from bayes_sp.inference.sample import sample_posterior
from bayes_sp.model.families.base import Family, Parameter
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey
from bayes_sp.report.text.summary import summary_text

PLAIN = Mode(linker="py", optimizer=None)  # no compilation

ROWS = 120


def log_density(y, eta, _zeta, aux):
    """Inverse Gaussian with mean exp(eta) and variance mean^3 / rate."""
    mu, rate = np.exp(eta), aux[..., :1]
    return 0.5 * np.log(rate / (2 * math.pi * y**3)) - rate * (y - mu) ** 2 / (2 * mu**2 * y)


INVERSE_GAUSSIAN = Family(
    name="inverse_gaussian",
    link="log",
    response="positive",
    equation="y ~ InverseGaussian(mean exp(eta), rate)",
    log_density=log_density,
    simulate=lambda rng, eta, _zeta, aux: rng.wald(np.exp(eta), aux[..., :1]),
    mean=lambda eta, _zeta, _aux: np.exp(eta),
    pymc=lambda pm, eta, _zeta, aux: ("Wald", {"mu": pm.math.exp(eta), "lam": aux[0]}),
    scalars=(Parameter("rate", "the rate"),),
    outcome="exp",
    variance="mu^2",
)


@pytest.fixture
def model(monkeypatch):
    """A chain x -> m -> y whose outcome is of the made-up family."""
    monkeypatch.setitem(FAMILIES, INVERSE_GAUSSIAN.name, INVERSE_GAUSSIAN)
    return load_model(tables(), name="made up")


def tables():
    """A specification as a file has it."""
    real = {"dist": "normal", "mu": 0.0, "sigma": 0.4, "why": "x"}
    positive = {"dist": "gamma", "alpha": 4.0, "beta": 2.0, "why": "x"}
    return {
        "title": "Made up", "exposure": "x", "outcome": "y", "variables": {"y": {"kind": "positive"}},
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "inverse_gaussian"}],
        "priors": {"intercept": real, "slope": real, "sigma": positive, "rate": positive},
    }  # fmt: skip


@pytest.fixture
def survey(model):
    """Records drawn from it."""
    base = Survey(pd.DataFrame({"x": np.tile([0.0, 1.0], ROWS // 2)}), "simulation", "made up")
    truth = {
        "m": np.array([0.2, 0.5]),
        "y": np.array([0.3, 0.2, 0.4]),
        "sigma": np.array([0.8]),
        "rate": np.array([2.0]),
    }
    return simulate_survey(model, base, truth, n=ROWS, seed=1)


def test_a_family_that_nobody_knows_is_refused(model, monkeypatch):
    """The same tables without the family: the check, not a traceback."""
    monkeypatch.delitem(FAMILIES, model.outcome_family.name)
    with pytest.raises(SpecificationError, match="inverse_gaussian"):
        load_model(tables(), name="made up")


def test_its_places_and_priors_are_checked(model):
    """It has no rule for a mediator, and its parameter takes a prior on the positive numbers."""
    wrong = tables()
    wrong["equation"][0]["family"] = "inverse_gaussian"
    wrong["variables"]["m"] = {"kind": "positive"}
    wrong["priors"]["rate"] = wrong["priors"]["slope"]
    del wrong["priors"]["sigma"]
    with pytest.raises(SpecificationError) as refused:
        load_model(wrong, name="made up")
    assert any("not available for a mediator" in problem for problem in refused.value.problems)
    wrong["equation"][0]["family"], wrong["priors"]["sigma"] = "normal", tables()["priors"]["sigma"]
    del wrong["variables"]["m"]
    with pytest.raises(SpecificationError, match="rate needs a positive one"):
        load_model(wrong, name="made up")


def test_the_pymc_model_has_its_density(model, survey):
    """The likelihood at a point is that of SciPy's inverse Gaussian."""
    design = design_arrays(model, survey)
    built = build_model(model, design)
    point = built.initial_point()
    point["y"] = np.array([0.1, -0.2, 0.3])
    point["rate_log__"] = np.log([1.7])
    found = built.compile_logp(vars=[built["y_observed"]], sum=False, mode=PLAIN)(point)[0]
    eta = 0.1 - 0.2 * design.x + 0.3 * design.y[:, 0]
    expected = stats.invgauss(np.exp(eta) / 1.7, scale=1.7).logpdf(design.y[:, 1])
    assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.slow
def test_it_is_sampled_by_pymc_and_reported(model, survey):
    """NUTS takes the PyMC model, for the engine has no kernel; effects are those of a Gamma with the same draws."""
    options = SamplerOptions(draws=200, tune=200, chains=2)
    with pytest.raises(SpecificationError, match='no density of the family "inverse_gaussian"'):
        sample_posterior(model, survey, seed=1, options=replace(options, draws=1000, method="laplace"))
    analysis = analyse(model, survey, seed=1, options=options, replicates=50)
    fit = analysis.fit
    assert fit.posterior.attrs["method"] == "pymc"
    text = summary_text(analysis)
    assert "inverse gaussian" in text
    table = fit.coefficients().set_index(["equation", "term"])
    assert abs(table.loc[("y", "rate"), "mean"] - 2.0) < 5 * table.loc[("y", "rate"), "sd"]
    gamma = tables()
    gamma["equation"][1]["family"] = "gamma"
    gamma["priors"]["shape"] = gamma["priors"].pop("rate")
    other = load_model(gamma, name="gamma")
    draws = fit.posterior["posterior"].to_dataset().rename({"rate": "shape", "rate_response": "shape_response"})
    same = compute_effects(other, design_arrays(other, survey), draws)
    for name, values in fit.effects().draws.items():
        assert_allclose(values, same.draws[name], rtol=1e-12)
