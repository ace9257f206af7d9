"""Categories as exposures, and several of them: one density in engine and readable model, and planted effects found."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import xarray as xr
from known_truth import with_gaps
from readable import assert_equal

import bayes_sp as sp
from bayes_sp.analysis.further import Further
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError, SurveyWarning
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.model.reading.load import load_model, models_folder

LEVELS = ("none", "sport", "choir")
WEAK = {
    "intercept": {"dist": "normal", "mu": 0, "sigma": 10, "why": "wide"},
    "slope": {"dist": "normal", "mu": 0, "sigma": 5, "why": "wide"},
    "sigma": {"dist": "half_normal", "sigma": 5, "why": "wide"},
}


def exposed(**more):
    tables = tomllib.loads((models_folder() / "primary.toml").read_text())
    for key in ("published", "contrast", "twin"):
        tables.pop(key, None)
    del tables["covariates"]["education"]
    exposures = {"education": {"levels": [1, 2, 3]}, "group_change": {"contrast": [0, 1]}}
    tables["equation"][2]["products"] = ["education:loneliness_t1", "gender:group_change"]
    return load_model({**tables, "exposure": "education", "exposures": exposures, **more}, name="exposed")


@pytest.mark.parametrize(
    "gaps",
    [
        {"education": range(4), "loneliness_t1": range(5, 8)},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"group_change": range(3), "education": range(3, 6)}, marks=pytest.mark.slow),
    ],
    ids=["levels of the exposure", "complete", "both exposures"],
)
def test_engine_and_readable_model_agree(study_survey, gaps):
    """Values are equal, and the gradient is that of the density, whatever is missing."""
    model = exposed()
    assert_equal(model, design_arrays(model, with_gaps(study_survey, **gaps)))


def records(n: int = 300, seed: int = 1, planted=(0.0, 0.8, 0.3)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    k, age = rng.integers(0, 3, n), rng.normal(45, 10, n)
    sleep = 6 + np.array(planted)[k] + 0.02 * (age - 45) + rng.normal(0, 1, n)
    mood = 3 + 0.4 * sleep + np.array([0, 0.2, 0.6])[k] + rng.normal(0, 1, n)
    days = 8 - 0.3 * sleep - 0.4 * mood + np.array([0, -0.5, 0.4])[k] + rng.normal(0, 1, n)
    return pd.DataFrame({"activity": np.array(LEVELS)[k], "age": age, "sleep": sleep, "mood": mood, "days_off": days})


def tables(**more):
    return {
        "title": "Activity, sleep, mood, days off",
        "exposure": "activity",
        "outcome": "days_off",
        "exposures": {"activity": {"levels": list(LEVELS), "pairs": [["none", "sport"], ["sport", "choir"]]}},
        "covariates": {"age": {"center": 45, "scale": 10}},
        "equation": [{"response": name, "family": "normal"} for name in ("sleep", "mood", "days_off")],
        "priors": WEAK,
    } | more


def slopes(data: pd.DataFrame, response: str, *mediators: str):
    found = (
        smf.ols(f"{response} ~ C(activity, Treatment('none')) + {' + '.join(['age', *mediators])}", data).fit().params
    )
    own = {"none": 0.0} | {level: found[f"C(activity, Treatment('none'))[T.{level}]"] for level in LEVELS[1:]}
    return own, found


def test_effects_of_a_category_are_those_of_least_squares():
    """Relative direct and indirect effects, as PROCESS model 6 with a multicategorical X; of other pairs too."""
    data = records()
    found = sp.bootstrap(tables(), data, replicates=20).table
    a1, _ = slopes(data, "sleep")
    a2, second = slopes(data, "mood", "sleep")
    c, last = slopes(data, "days_off", "sleep", "mood")
    for low, high in (("none", "sport"), ("sport", "choir")):
        expected = {
            "activity -> days_off": c[high] - c[low],
            "activity -> sleep -> days_off": (a1[high] - a1[low]) * last["sleep"],
            "activity -> mood -> days_off": (a2[high] - a2[low]) * last["mood"],
            "activity -> sleep -> mood -> days_off": (a1[high] - a1[low]) * second["sleep"] * last["mood"],
        }
        whole, _ = slopes(data, "days_off")
        expected["total"] = whole[high] - whole[low]
        for path, value in expected.items():
            for scale in ("coefficient", "difference"):
                own = found[(found["path"] == f"{path} [{high} against {low}]") & (found["scale"] == scale)]
                np.testing.assert_allclose(own["estimate"], value, rtol=1e-10)


def test_draws_and_resamples_centre_on_the_same_contrasts():
    """With flat priors a contrast's posterior mean is the bootstrap's estimate, up to Monte Carlo error."""
    flat = {"intercept": "flat", "slope": "flat", "sigma": "half_flat"}
    asked = {"either": ["total [sport against none]", "total [choir against sport]"],
             "path": ["via sleep [sport against none]", "via mood [sport against none]"]}  # fmt: skip
    model = load_model(
        tables(contrasts=asked, priors={name: {"dist": dist, "why": "reference"} for name, dist in flat.items()}),
        name="flat",
    )
    data = records(600)
    boot = sp.bootstrap(model, data, replicates=60)
    survey = read_survey(data, model)
    draws = exact_posterior(model, design_arrays(model, survey), seed=1)
    fit = Further(model, survey, xr.DataTree.from_dict({"posterior": draws}))
    found, twin = fit.contrasts().table(), boot.contrasts()
    assert list(found["contrast"]) == list(twin["contrast"])
    assert list(found["scale"]) == list(twin["scale"])
    np.testing.assert_allclose(found["mean"], twin["estimate"], atol=5 * float(found["sd"].max()) / 60**0.5)
    one = fit.contrast("via sleep [sport against none]", "via mood [sport against none]").table()
    np.testing.assert_allclose(one["median"], found[found["contrast"] == "path"]["median"])


def test_levels_that_few_records_have_are_refused_with_their_place():
    """One that no record has, one that two have, and a text that is no level; the pairs name levels."""
    data = records(200)
    data.loc[data["activity"] == "choir", "activity"] = "sport"
    with pytest.raises(SurveyError, match='"activity": the level choir has no record'):
        sp.bootstrap(tables(), data)
    data.loc[:1, "activity"] = "choir"
    with pytest.raises(SurveyError, match='"activity": the level choir has 2 records with a response'):
        sp.bootstrap(tables(), data)
    data.loc[:3, "activity"] = "choir"
    with pytest.warns(SurveyWarning, match="activity: fewer than 10 records with a response have the level choir"):
        sp.bootstrap(tables(), data, replicates=2)
    data.loc[:5, "activity"] = "chess"
    with pytest.raises(SurveyError, match="activity"):
        sp.bootstrap(tables(), data)


@pytest.mark.slow
def test_planted_effects_are_found_with_missing_levels():
    """Of 500 patients, some of whose level is missing: every effect within 4 posterior SDs of the planted one."""
    data = records(500, seed=5)
    data.loc[:25, "activity"] = None
    fit = sp.fit(tables(), data, options=sp.SamplerOptions(draws=500, cores=1))
    table = fit.effects().table()
    planted = {
        "activity -> sleep -> days_off [sport against none]": 0.8 * -0.3,
        "activity -> mood -> days_off [choir against sport]": 0.4 * -0.4,
        "activity -> sleep -> mood -> days_off [sport against none]": 0.8 * 0.4 * -0.4,
        "activity -> days_off [choir against sport]": 0.9,
    }
    for path, value in planted.items():
        row = table[(table["path"] == path) & (table["scale"] == "difference")].iloc[0]
        assert abs(row["mean"] - value) < 4 * row["sd"]
