"""Planted moderated effects come back, with complete records and with missing cells of the moderator."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE, RATE_RATIO

N = 600
SPECIFICATION = """
title = "A planted moderated chain"
exposure = "x"
outcome = "y"

[variables]
m1 = { label = "m1", center = 1.0 }

[covariates]
sex = { levels = [1, 2] }
age = { center = 50, scale = 10 }

[[equation]]
response = "m1"
family = "normal"
products = ["sex:x"]

[[equation]]
response = "m2"
family = "normal"
products = ["age:m1"]

[[equation]]
response = "y"
family = "negative_binomial"
products = ["sex:m2", "x:m1"]

[priors]
intercept = { dist = "normal", mu = 0, sigma = 2, why = "a test" }
slope = { dist = "normal", mu = 0, sigma = 1, why = "a test" }
sigma = { dist = "half_normal", sigma = 2, why = "a test" }
phi = { dist = "lognormal", mu = 0, sigma = 1, why = "a test" }
"""


def planted(seed: int = 11) -> pd.DataFrame:
    """Return records of a chain whose arrows depend on sex and age."""
    rng = np.random.default_rng(seed)
    sex, age, x = rng.integers(1, 3, N), np.round(rng.normal(50, 10, N)), rng.normal(0, 1, N)
    two, a = (sex == 2) - 0.5, (age - 50) / 10
    m1 = 1.0 + (0.4 + 0.4 * two) * x + 0.2 * two + 0.1 * a + rng.normal(0, 0.8, N)
    m2 = (0.3 + 0.2 * a) * (m1 - 1.0) + 0.2 * x + 0.1 * a + rng.normal(0, 0.7, N)
    eta = 0.8 + 0.1 * x + (0.2 + 0.1 * x) * (m1 - 1.0) + (0.3 - 0.3 * two) * m2 + 0.1 * a
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(eta)))
    return pd.DataFrame({"x": x, "sex": sex, "age": age, "m1": m1, "m2": m2, "y": y})


def truth() -> dict[int, float]:
    """Return the log rate ratio of the serial path for each sex at the age of 60."""
    halves = {1: -0.5, 2: 0.5}
    return {sex: (0.4 + 0.4 * two) * (0.3 + 0.2) * (0.3 - 0.3 * two) for sex, two in halves.items()}


@pytest.mark.slow
@pytest.mark.parametrize("missing", [False, True], ids=["complete", "missing cells of moderators"])
def test_planted_effects_come_back(missing):
    """The serial path's rate ratio at both levels and its difference lie within 3.5 posterior SDs of the truth."""
    model, frame = load_model(tomllib.loads(SPECIFICATION), name="planted"), planted()
    if missing:
        rng = np.random.default_rng(5)
        frame = frame.astype(float)
        frame.loc[rng.random(N) < 0.1, "sex"] = np.nan
        frame.loc[rng.random(N) < 0.05, "age"] = np.nan
    fit = sp.fit(model, frame, seed=2, options=sp.SamplerOptions(draws=500, cores=2))
    assert fit.diagnose().numbers["r_hat"] < 1.03  # few draws, of which levels that are missing take some
    expected = truth()
    found = fit.conditional_effects(at={"sex": [1, 2], "age": 60})
    serial = "x -> m1 -> m2 -> y"
    logs = [np.log(one.draws[AVERAGE].sel(path=serial, scale=RATE_RATIO).to_numpy()) for one in found.each]
    for sex, draws in zip((1, 2), logs, strict=True):
        assert abs(draws.mean() - expected[sex]) < 3.5 * draws.std()
        assert draws.std() < 0.08
    between = logs[1] - logs[0]
    assert abs(between.mean() - (expected[2] - expected[1])) < 3.5 * between.std()
    table = found.differences()
    assert set(table["moderator"]) == {"sex, age"}
    assert np.isfinite(fit.effects().intervals()["median"]).all()
    at = fit.conditional_effects()
    assert {setting.moderator for setting in at.settings} == {"sex", "age"}
