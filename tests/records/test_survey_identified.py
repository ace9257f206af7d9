"""What no sampler could tell from the data is named before sampling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.doubts import survey_doubts
from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

WIDE, SPREAD = {"dist": "normal", "mu": 0, "sigma": 10, "why": "x"}, {"dist": "half_normal", "sigma": 10, "why": "x"}


def model_of(mediators: dict, outcome: dict, **extra):
    """Return x -> mediators -> y; each mediator and the outcome with its keys of an equation."""
    equations = [{"response": name, **keys} for name, keys in {**mediators, "y": outcome}.items()]
    priors = {"intercept": WIDE, "slope": WIDE, "sigma": SPREAD}
    priors |= dict.fromkeys(extra.pop("scales", ()), SPREAD)
    tables = {"title": "x", "exposure": "x", "outcome": "y", "contrast": [0, 1], "equation": equations}
    return load_model({**tables, "priors": priors, **extra}, name="identified")


def records(n=400, seed=1) -> pd.DataFrame:
    """Return x, m with a reliability of .6 (true residual variance .75, slope .5, error .6667), y, and groups."""
    rng = np.random.default_rng(seed)
    x, true = rng.normal(size=n), 0.0
    true = 0.5 * x + np.sqrt(0.75) * rng.normal(size=n)
    m = true + np.sqrt(1 / 0.6 - 1) * rng.normal(size=n)
    y = 0.2 * x + 0.9 * true + 0.4 * rng.normal(size=n)
    pairs = np.arange(n) // 2
    return pd.DataFrame(
        {"x": x, "m": m, "y": y, "own": np.arange(n) + 1, "pair": pairs + 1, "count": rng.poisson(2, n)}
    )


def problem_of(model, frame) -> str:
    with pytest.raises(SurveyError) as caught:
        design_arrays(model, Survey(frame, "memory", "a frame"))
    return str(caught.value)


def test_a_reliability_below_what_is_explained_is_impossible():
    """The smallest one is 1 - s^2 (1 - R^2) / s^2 = R^2 of the regression on x: named, and accepted just above."""
    frame = records()
    explained = np.corrcoef(frame["x"], frame["m"])[0, 1] ** 2
    variance = frame["m"].var()
    found = problem_of(model_of({"m": {"family": "latent_normal", "reliability": 0.05}}, {"family": "normal"}), frame)
    assert 'column "m": a reliability of 0.05 of m is impossible' in found
    assert f"the variance {variance * (1 - explained):.3g} as observed" in found
    assert f"{variance * (0.05 - explained):.3g} after" in found
    assert f"above {explained:.2f} for m" in found
    possible = model_of({"m": {"family": "latent_normal", "reliability": explained + 0.01}}, {"family": "lognormal"})
    design_arrays(possible, Survey(frame.assign(y=np.exp(frame["y"])), "memory", "a frame"))


def test_a_reliability_below_what_the_outcome_shows_is_impossible():
    """With the error's variance E, Var(y | x, m) = s_yy - s' (S - E)^-1 s; here by partial correlations.

    Given x, true m cannot explain more of y than there is: corr(m, y | x)^2 below the reliability given x.
    """
    frame = records()
    residuals = frame[["m", "y"]] - np.outer(frame["x"] - frame["x"].mean(), [1, 1]) * [
        np.polyfit(frame["x"], frame[name], 1)[0] for name in ("m", "y")
    ]
    partial = np.corrcoef(residuals.T)[0, 1] ** 2
    within, variance = residuals["m"].var(), frame["m"].var()
    least = 1.0 - within * (1.0 - partial) / variance  # error variance = within (1 - partial)
    normal = {"family": "normal"}
    found = problem_of(model_of({"m": {"family": "latent_normal", "reliability": least - 0.02}}, normal), frame)
    assert 'column "y": a reliability of' in found
    assert f"above {least:.2f} for m" in found
    allowed = model_of({"m": {"family": "latent_normal", "reliability": least + 0.02}}, normal)
    assert design_arrays(allowed, Survey(frame, "memory", "a frame")).n == len(frame)


def test_a_group_for_each_record_is_named_where_it_cannot_be_told():
    """Beside a residual SD or an overdispersion; a Poisson count has neither, and pairs tell."""
    frame = records()
    normal = {"family": "normal"}
    found = problem_of(model_of({"m": {**normal, "varying": "own"}}, normal, scales=["tau"]), frame)
    assert 'column "own": 400 groups for 400 records of m' in found
    assert "the residual SD (sigma)" in found
    few = frame.assign(own=["first"] * 6 + [f"own {i}" for i in range(394)])
    found = problem_of(model_of({"m": {**normal, "varying": "own"}}, normal, scales=["tau"]), few)
    assert 'column "own": 395 groups for 400 records of m' in found
    counts = frame.assign(y=frame["count"])
    nb = {"family": "negative_binomial", "varying": "own"}
    found = problem_of(model_of({"m": normal}, nb, scales=["tau", "phi"]), counts)
    assert "the overdispersion (phi)" in found
    assert 'choose the family "poisson"' in found
    survey = Survey(counts, "memory", "a frame")
    assert design_arrays(model_of({"m": normal}, {**nb, "family": "poisson"}, scales=["tau"]), survey).n == 400
    assert design_arrays(model_of({"m": {**normal, "varying": "pair"}}, nb | {"varying": "pair"},
                                  scales=["tau", "phi"]), survey).n == 400  # fmt: skip


def test_groups_of_which_most_hold_one_record_are_named_before_sampling():
    """With the numbers, in the words of the family; a Poisson count has no spread of its own to be taken for theirs."""
    frame = records(150).assign(own=[*range(130), *range(20)])
    model = model_of({"m": {"family": "normal", "varying": "own"}}, {"family": "normal"}, scales=["tau"])
    (doubt,) = survey_doubts(model, Survey(frame, "memory", "a frame"))
    assert "own: 130 groups for 150 records of m" in doubt
    assert "only 20 tell the groups' SD (tau[m]) from the residual SD (sigma)" in doubt
    gaps = frame.assign(m=frame["m"].where(frame.index < 130))  # the repeats' own cells
    assert 'column "own": 130 groups for 130 records of m' in problem_of(model, gaps)
    assert survey_doubts(model, Survey(gaps, "memory", "a frame")) == ()  # refused, and not warned of beside
    thick = frame.assign(own=[*range(90), *range(60)])
    assert survey_doubts(model, Survey(thick, "memory", "a frame")) == ()
    counts = {"family": "poisson", "varying": "own"}
    poisson = model_of({"m": {"family": "normal"}}, counts, scales=["tau"])
    assert survey_doubts(poisson, Survey(frame.assign(y=frame["count"]), "memory", "a frame")) == ()
