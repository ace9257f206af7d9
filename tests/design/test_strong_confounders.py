"""Assumed confounders that make up more than is unexplained are named before anything is fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.doubts import survey_doubts
from bayes_sp.design.checks.strong_confounders import strong_confounders
from bayes_sp.records.survey import Survey

N = 400
WHY = {"why": "w"}


def made(sigma, strengths=(0.8, 0.6)):
    """Records of x -> m -> y in which one SD of U adds 0.8 to m and 0.6 to y, whose own residual SD is sigma."""
    rng = np.random.default_rng(2)
    u, x = rng.normal(size=N), np.arange(N) % 2
    m = 0.5 * x + 0.8 * u + rng.normal(size=N)
    y = 0.4 * m + 0.6 * u + sigma * rng.normal(size=N)
    model = sp.load_model({
        "title": "t", "exposure": "x", "outcome": "y", "unmeasured": {"U": dict(zip("my", strengths, strict=True))},
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "normal"}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 0, "sigma": 5, **WHY},
            "slope": {"dist": "normal", "mu": 0, "sigma": 5, **WHY},
            "sigma": {"dist": "half_normal", "sigma": 5, **WHY},
        },
    })  # fmt: skip
    return model, Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "memory", "made up")


def test_a_confounder_that_makes_up_more_of_the_outcome_than_there_is():
    """Given m, U has the variance 1 / (1 + 0.8^2) left; what it makes up of y is 2^2 times this."""
    model, survey = made(0.02, (0.8, 2.0))
    ((name, response, found, taken),) = strong_confounders(model, design_arrays(model, survey))
    assert (name, response) == ("U", "y")
    assert taken == pytest.approx(4.0 / 1.64, rel=4 * np.sqrt(2 / N))
    assert found == pytest.approx(0.36 / 1.64 + 0.0004, rel=4 * np.sqrt(2 / N))
    assert any("impossible with these records" in doubt for doubt in survey_doubts(model, survey))


@pytest.mark.parametrize(
    ("sigma", "strengths"),
    [(1.0, (0.8, 0.6)), (0.02, (0.8, 0.6)), (0.02, (0.8, {"dist": "normal", "mu": 0, "sigma": 1, "why": "w"}))],
)
def test_nothing_is_named_that_is_possible(sigma, strengths):
    """An outcome with a spread of its own; one that U all but determines; a strength that the records may choose."""
    model, survey = made(sigma, strengths)
    assert list(strong_confounders(model, design_arrays(model, survey))) == []


def test_a_mediator_of_which_the_confounder_takes_more_than_there_is():
    """The first response has the whole of U before it, and what follows is not looked at."""
    model, survey = made(1.0, (2.0, 0.6))
    ((_, response, found, taken),) = strong_confounders(model, design_arrays(model, survey))
    assert (response, taken) == ("m", 4.0)
    assert found == pytest.approx(1.64, rel=4 * np.sqrt(2 / N))
