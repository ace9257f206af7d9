"""Columns in any units: the effects are those in ordinary units, and what has no finite value is a FitError."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.errors import FitError
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.samplers.mode import find_mode
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.inference.samplers.units import inverse_root
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

FAMILIES = ["normal", "negative_binomial"]


def normal(sd: float) -> dict:
    return {"dist": "normal", "mu": 0.0, "sigma": sd, "why": "x"}


def model_of(family: str, *, sd: float = 0.5, center: float = 0.0, intercept: dict | None = None):
    """A mediator, an outcome of this family, and a covariate w whose slopes have priors of their own."""
    priors = {"slope": normal(0.5), "w": normal(sd), "intercept": intercept or normal(5.0)}
    priors["sigma"] = {"dist": "half_normal", "sigma": 2.0, "why": "x"}
    if family == "negative_binomial":
        priors["phi"] = {"dist": "lognormal", "mu": 0.0, "sigma": 1.0, "why": "x"}
    tables = {
        "title": "t", "exposure": "x", "outcome": "y", "covariates": {"w": {"center": center}}, "priors": priors,
        "variables": {"y": {"kind": "count"}} if family == "negative_binomial" else {},
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": family}],
    }  # fmt: skip
    return load_model(tables, name="t")


def records(family: str, center: float = 0.0, scale: float = 1.0, n: int = 150) -> Survey:
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(2, n))
    m = 0.5 * x + 0.3 * w + rng.normal(size=n)
    eta = 0.3 + 0.4 * m + 0.2 * x + 0.3 * w
    y = eta + rng.normal(size=n) if family == "normal" else rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, n))
    return Survey(pd.DataFrame({"x": x, "m": m, "y": y, "w": center + scale * w}), "file", "made up")


def mode_of(model, survey):
    """Return the coefficients at the mode, with their SDs."""
    posterior = log_posterior(compile_program(model, design_arrays(model, survey)))
    mode, parameters = find_mode(posterior), posterior.program.parameters
    sd = np.sqrt((mode.scale**2).sum(axis=1))
    places = {f"{r}_{t}": parameters.place(r, t) for r in ("m", "y") for t in model.terms(model.equations[r == "y"])}
    return {name: np.array([mode.theta[place], sd[place]]) for name, place in places.items()}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scale", [1e9, 1e-150])
def test_other_units_change_the_slope_of_the_column_alone(family, scale):
    """A column, its centre and its prior times 1e9: that slope's mode and SD divided by it, nothing else."""
    plain = mode_of(model_of(family, center=0.2), records(family))
    scaled = mode_of(model_of(family, center=0.2 * scale, sd=0.5 / scale), records(family, scale=scale))
    for name, values in plain.items():
        np.testing.assert_allclose(scaled[name] * (scale if name.endswith("_w") else 1.0), values, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("center", "scale"), [(1.7e12, 1e7), (2e7, 1e3)])
def test_time_stamps_need_no_centre(family, center, scale):
    """With a flat prior of the intercept, the slopes' posterior is that of the centred column, and of SDs."""
    flat = {"dist": "flat", "why": "x"}
    survey = records(family, center, scale)
    raw, centred = (mode_of(model_of(family, intercept=flat, center=c), survey) for c in (0.0, center))
    unit = mode_of(model_of(family, intercept=flat, sd=0.5 * scale), records(family))
    for name in raw.keys() - {"m_intercept", "y_intercept"}:
        np.testing.assert_allclose(raw[name], centred[name], rtol=2e-3, atol=1e-4 * centred[name][1])
        np.testing.assert_allclose(centred[name] * (scale if name.endswith("_w") else 1.0), unit[name], rtol=1e-3)


def test_a_prior_that_holds_against_the_units_gives_its_own_answer():
    """A column of 1e-200 tells nothing of its slope: the posterior is the prior."""
    found = mode_of(model_of("negative_binomial"), records("negative_binomial", scale=1e-200))
    np.testing.assert_allclose(found["y_w"], [0.0, 0.5], atol=1e-6)


@pytest.mark.parametrize("method", [pytest.param("nuts", marks=pytest.mark.slow), "laplace"])
def test_effects_are_the_same_in_any_units(method):
    """The indirect effect with a covariate in units of 1e9, within six Monte Carlo errors."""
    options = sp.SamplerOptions(method=method, draws=1000, tune=500)
    effects = []
    for scale in (1.0, 1e9):
        fit = sp.fit(
            model_of("negative_binomial", sd=0.5 / scale), records("negative_binomial", scale=scale), options=options
        )
        effects.append(fit.effects().draws["alone"].sel(path="x -> m -> y").isel(scale=0).to_numpy().ravel())
    a, b = effects
    assert abs(a.mean() - b.mean()) < 6 * np.hypot(a.std(), b.std()) / np.sqrt(1000)


def test_what_no_float_holds_is_an_error_with_words():
    """A response whose squares are infinite ends in a FitError that points at units, not in a traceback."""
    survey = records("normal")
    survey = replace(survey, records=survey.records.assign(m=1e165 * survey.records["m"]))
    with pytest.raises(FitError, match="units of the columns"):
        sp.fit(model_of("normal"), survey)


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_the_root_of_the_inverse_is_one(scale):
    """L' (X' X + diag) L = 1, L lower triangular, whatever the columns' units."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3)) * [1.0, scale, 1.0] + [0.0, 0.0, 1e5]
    roots = np.array([0.3, 0.0, 0.1])
    root = inverse_root(x, roots)
    assert not np.triu(root, 1).any()
    table = np.concatenate([x @ root, np.diag(roots) @ root])
    np.testing.assert_allclose(table.T @ table, np.eye(3), atol=1e-6)
