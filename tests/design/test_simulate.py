"""What an equation says of its response, part by part: groups, windows, confounders and zero parts, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.design.elements import with_elements
from bayes_sp.design.simulate import predicted, simulate_survey
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

FLAT = {"dist": "normal", "mu": 0.0, "sigma": 1.0, "why": "test"}
WIDE = {"dist": "half_normal", "sigma": 1.0, "why": "test"}
PATIENTS = 60
AT = {
    "m": [0.3, 0.5], "y": [0.2, -0.4, 0.6], "y_zero": [-0.5, 0.7, 0.9], "sigma": [0.8], "phi": [3.0],
    "y_varying": [1.0, -0.5, 0.25], "tau": [1.0],
}  # fmt: skip
PARTS = ("groups", "window", "confounder", "zero part")


@pytest.fixture(scope="module")
def whole():
    """Return a specification with all of these, its arrays, parameters, and a confounder's values."""
    model = load_model(
        {
            "title": "every part", "exposure": "x", "outcome": "y",
            "variables": {name: {"label": name} for name in ("x", "m", "y")},
            "equation": [
                {"response": "m", "family": "normal"},
                {"response": "y", "family": "zero_inflated_negative_binomial", "varying": "clinic", "offset": "weeks",
                 "offset_reference": 13.0},
            ],
            "unmeasured": {"U": {"m": 0.5, "y": 0.8}},
            "priors": {"intercept": FLAT, "slope": FLAT, "zero_intercept": FLAT, "zero_slope": FLAT, "sigma": WIDE,
                       "phi": WIDE, "tau": WIDE},
        },
        name="parts",
    )  # fmt: skip
    rng = np.random.default_rng(3)
    columns = {"x": rng.normal(size=PATIENTS), "m": rng.normal(size=PATIENTS), "y": rng.poisson(3, PATIENTS)}
    columns |= {"clinic": np.arange(PATIENTS) % 3 + 1, "weeks": rng.integers(8, 20, PATIENTS)}
    survey = Survey(pd.DataFrame(columns), "simulation", "made")
    at = with_elements(model, {name: np.array(value) for name, value in AT.items()})
    return model, survey, design_arrays(model, survey), at, {"U": rng.normal(size=PATIENTS)}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_an_equation_is_what_its_formula_says(whole, part):
    """What a part adds to a linear predictor, and the predictor of the zero part."""
    model, survey, design, at, values = whole
    x, m, clinic, weeks = (survey.records[name].to_numpy() for name in ("x", "m", "clinic", "weeks"))
    found = predicted(model, design, 1, at, values)
    if part == "zero part":
        np.testing.assert_allclose(found.zeta, -0.5 + 0.7 * x + 0.9 * m, rtol=1e-12)
        return
    added = {
        "groups": np.array(AT["y_varying"])[clinic - 1],
        "window": np.log(weeks / 13.0),
        "confounder": 0.8 * values["U"],
    }
    others = sum(own for name, own in added.items() if name != part)
    np.testing.assert_allclose(found.eta - others, 0.2 - 0.4 * x + 0.6 * m + added[part], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("part", PARTS)
def test_simulated_records_show_each_part(whole, part):
    """Records with one part made large differ as it says between the patients whom it moves most and least."""
    model, survey, _, _, _ = whole
    source = Survey(pd.concat([survey.records] * 40, ignore_index=True), "simulation", "made")
    plain = {"m": [0.0, 0.0], "y": [2.0, 0.0, 0.0], "y_zero": [-9.0, 0.0, 0.0], "y_varying": [0.0, 0.0, 0.0]}
    large = {
        "groups": {"y_varying": [2.0, 0.0, -2.0]}, "zero part": {"y_zero": [0.0, 3.0, 0.0]}, "confounder": {},
        "window": {},
    }[part]  # fmt: skip
    at = {**AT, **plain, **large, "sigma": [0.1], "phi": [1e4]}
    made = simulate_survey(model, source, {name: np.array(value) for name, value in at.items()}, seed=1).records
    if part == "groups":
        means = made.groupby("clinic")["y"].mean()
        assert means[1] > 5 * means[2] > 25 * means[3] / 1.5
    elif part == "window":
        long = made["weeks"] > 13
        assert np.log(made["y"][long].mean() / made["y"][~long].mean()) == pytest.approx(
            np.log(made["weeks"][long].mean() / made["weeks"][~long].mean()), abs=0.15
        )
    elif part == "confounder":
        assert np.corrcoef(made["m"], np.log1p(made["y"]))[0, 1] > 0.7  # it moves both, and nothing else does
    else:
        many = made["x"] > 1.0
        assert (made["y"][many] == 0).mean() > 0.8 > 0.3 > (made["y"][made["x"] < -1.0] == 0).mean()
