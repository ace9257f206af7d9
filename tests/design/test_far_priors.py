"""Priors in other units than the records' are named before anything is fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.far_priors import far_priors
from bayes_sp.records.survey import Survey

N = 120


def found(m, y, sigma=10.0, family="normal"):
    """What is far in a small chain whose priors are Normal(0, 10), Normal(0, 5) and HalfNormal(sigma)."""
    why = {"why": "w"}
    model = sp.load_model({
        "title": "t", "exposure": "x", "outcome": "y",
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": family}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 0, "sigma": 10, **why},
            "slope": {"dist": "normal", "mu": 0, "sigma": 5, **why},
            "sigma": {"dist": "half_normal", "sigma": sigma, **why},
        },
    })  # fmt: skip
    records = pd.DataFrame({"x": np.arange(N) % 2, "m": m, "y": y})
    return dict(far_priors(model, design_arrays(model, Survey(records, "memory", "made up"))))


RIPPLE = np.sin(1.7 * np.arange(N))  # does not depend on x
M = 0.5 * (np.arange(N) % 2) + RIPPLE
Y = 0.4 * M + np.cos(2.9 * np.arange(N))


@pytest.mark.parametrize(("m", "y"), [(M, Y), (M * 30, Y), (M + 20, Y), (M * 1e-12, Y)])
def test_priors_that_fit_or_are_wide_are_not_far(m, y):
    """Also where a prior says little beside the records: 20 is two prior SDs away and known to a tenth."""
    assert found(m, y) == {}


def test_time_stamps_under_priors_of_a_scale():
    """The intercept and the residual SD are named with what the records say and what the priors do."""
    (words,) = found(1.7e9 + 1e4 * M, Y).values()
    assert words[0] == "intercept 1.7e+09 (Normal(mu=0, sigma=10))"
    assert words[1].startswith("sigma ")
    residual = float(words[1].split()[1])
    groups = [1e4 * M[k::2] for k in (0, 1)]
    expected = np.sqrt(sum(np.square(group - group.mean()).sum() for group in groups) / (N - 2))
    assert residual == pytest.approx(expected, rel=0.005)


def test_a_prior_counts_only_where_it_moves_the_estimate():
    """A slope of 50 is ten SDs of its prior away: known to a thousandth the records decide, else the prior does."""
    x = np.arange(N) % 2
    assert "m" not in found(50.0 * x + 0.01 * RIPPLE, Y)
    assert found(50.0 * x + 20.0 * RIPPLE, Y)["m"][0].startswith("x ")


@pytest.mark.parametrize("scale", [1e150, 1e-150])
def test_sizes_whose_squares_are_no_numbers(scale):
    """Nothing overflows on the way to the answer."""
    assert ("m" in found(M * scale, Y)) == (scale > 1)


def test_amounts_are_looked_at_on_their_logarithms():
    """Of a lognormal response."""
    assert "y" not in found(M, np.exp(Y), family="lognormal")
    assert found(M, np.exp(Y), sigma=0.05, family="lognormal")["y"][0].startswith("sigma 0.7")
