"""Moderated mediation by least squares: the numbers of PyProcessMacro, and of regressions one by one."""

from __future__ import annotations

import csv
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from pyprocessmacro_reference import FILE, LEVELS, records

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.moderation.conditional import conditional_effects
from bayes_sp.effects.moderation.levels import settings_of
from bayes_sp.effects.paths import compute_effects
from bayes_sp.errors import SurveyError
from bayes_sp.inference.bootstrap.resample import resamples
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.names import COEFFICIENT, TOTAL

# The arrows that the moderator w changes, by the number of the model in PROCESS (Hayes 2022, appendix A).
ONE = {
    5: ["x -> y"], 7: ["x -> m1"], 8: ["x -> m1", "x -> y"], 14: ["m1 -> y"], 15: ["m1 -> y", "x -> y"],
    58: ["x -> m1", "m1 -> y"], 59: "all",
}  # fmt: skip
SERIAL = {
    83: ["x -> m1"], 84: ["x -> m1", "x -> m2"], 85: ["x -> m1", "x -> m2", "x -> y"], 86: ["x -> m1", "x -> y"],
    87: ["m2 -> y"], 88: ["m1 -> y", "m2 -> y"], 89: ["m1 -> y", "m2 -> y", "x -> y"], 90: ["m2 -> y", "x -> y"],
    91: ["m1 -> m2"], 92: "all",
}  # fmt: skip
# Of two moderators that change arrows one beside the other.
TWO: dict[int, dict[str, list[str]]] = {
    9: {"w": ["x -> m1"], "v": ["x -> m1"]},
    10: {"w": ["x -> m1", "x -> y"], "v": ["x -> m1", "x -> y"]},
    16: {"w": ["m1 -> y"], "v": ["m1 -> y"]},
    17: {"w": ["m1 -> y", "x -> y"], "v": ["m1 -> y", "x -> y"]},
    21: {"w": ["x -> m1"], "v": ["m1 -> y"]},
    22: {"w": ["x -> m1", "x -> y"], "v": ["m1 -> y"]},
    28: {"w": ["x -> m1"], "v": ["m1 -> y", "x -> y"]},
    29: {"w": ["x -> m1", "x -> y"], "v": ["m1 -> y", "x -> y"]},
    75: {"w": ["x -> m1", "m1 -> y"], "v": ["x -> m1", "m1 -> y"]},
    76: {"w": ["x -> m1", "m1 -> y", "x -> y"], "v": ["x -> m1", "m1 -> y", "x -> y"]},
}
# Parents of each mediator and of the outcome.
CHAINS = {
    "4": {"m1": "x", "y": "x m1"},
    "4, parallel": {"m1": "x", "m2": "x", "m3": "x", "y": "x m1 m2 m3"},
    "6": {"m1": "x", "m2": "x m1", "m3": "x m1 m2", "y": "x m1 m2 m3"},
    "80": {"m1": "x", "m2": "x", "m3": "x m1 m2", "y": "x m1 m2 m3"},
    "81": {"m1": "x", "m2": "x m1", "m3": "x m1", "y": "x m1 m2 m3"},
    "82": {"m1": "x", "m2": "x m1", "m3": "x", "m4": "x m3", "y": "x m1 m2 m3 m4"},
}
FAST = (7, 15, 59, 92, 21, 76)
DATA = pd.DataFrame(records())
_RNG = np.random.default_rng(3)
WIDE = DATA.assign(
    v=_RNG.normal(size=len(DATA)), m3=0.3 * DATA["m1"] + _RNG.normal(size=len(DATA)), m4=_RNG.normal(size=len(DATA))
)


def drafted(arrows, mediators):
    return sp.draft(DATA, exposure="x", mediators=mediators, outcome="y", covariates=["z"], moderators={"w": arrows})


def by_hand(arrows, mediators, data=DATA) -> tuple[dict[str, np.ndarray], dict[str, np.float64]]:
    """Return each path's product of coefficients at LEVELS by statsmodels, and derivatives of those linear in w."""
    chain = ["x", *mediators, "y"]
    every = [f"{a} -> {b}" for k, b in enumerate(chain) for a in chain[:k]]
    arrows = every if arrows == "all" else arrows
    slopes: dict[tuple[str, str], tuple[float, float]] = {}
    for k, response in enumerate(chain[1:], start=1):
        own = [arrow.split(" -> ")[0] for arrow in arrows if arrow.endswith(f"-> {response}")]
        table = data[[*chain[:k], "z", *(["w"] if own else [])]].assign(**{f"{p}w": data[p] * data["w"] for p in own})
        fit = sm.OLS(data[response], sm.add_constant(table)).fit()
        slopes |= {(p, response): (fit.params[p], fit.params.get(f"{p}w", 0.0)) for p in chain[:k]}
    paths = [
        ("x", "y"),
        *((("x", m, "y")) for m in mediators),
        *([("x", *mediators, "y")] if len(mediators) > 1 else []),
    ]
    products, index = {}, {}
    for path in paths:
        pairs = [slopes[pair] for pair in pairwise(path)]
        products[" -> ".join(path)] = np.array([np.prod([a + b * w for a, b in pairs]) for w in LEVELS])
        if sum(b != 0 for _, b in pairs) == 1:
            index[" -> ".join(path)] = np.prod([b if b else a for a, b in pairs])
    return products, index


def estimates(arrows, mediators):
    found = sp.bootstrap(drafted(arrows, mediators), DATA, seed=1, replicates=2, at={"w": list(LEVELS)}).conditional
    table = found.table[found.table["scale"] == COEFFICIENT]
    products = {path: own["estimate"].to_numpy() for path, own in table.groupby("path")}
    index = found.index()
    return products, dict(zip(index["path"], index["estimate"], strict=True))


@pytest.mark.parametrize(
    ("arrows", "mediators"),
    [
        pytest.param(arrows, mediators, id=str(number), marks=[] if number in FAST else pytest.mark.slow)
        for models, mediators in ((ONE, ["m1"]), (SERIAL, ["m1", "m2"]))
        for number, arrows in models.items()
    ],
)
def test_conditional_effects_are_those_of_single_regressions(arrows, mediators):
    """Every path at every level, and the index where one arrow is moderated, to 1e-10."""
    found, index = estimates(arrows, mediators)
    expected, derivatives = by_hand(arrows, mediators)
    for path, values in expected.items():
        np.testing.assert_allclose(found[path], values, rtol=1e-10, atol=1e-12, err_msg=path)
    np.testing.assert_allclose(found[TOTAL], sum(expected.values()), rtol=1e-10)
    assert set(derivatives) == {path for path in index if "total" not in path}
    for path, value in derivatives.items():
        np.testing.assert_allclose(index[path], value, rtol=1e-10)


@pytest.mark.parametrize("number", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in TWO])
def test_two_moderators_are_those_of_single_regressions(number):
    """The product of coefficients at values of both, to 1e-10."""
    asked = TWO[number]
    model = sp.draft(WIDE, exposure="x", mediators=["m1"], outcome="y", covariates=["z"], moderators=asked)
    at = {"w": [1.0, 2.0], "v": [-1.0, 0.5]}
    found = sp.bootstrap(model, WIDE, seed=1, replicates=2, at=at).conditional
    slopes = {}
    for response, parents in (("m1", ["x"]), ("y", ["x", "m1"])):
        own = {p: [w for w, arrows in asked.items() if f"{p} -> {response}" in arrows] for p in parents}
        moderators = sorted({w for several in own.values() for w in several})
        products = {f"{p}{w}": WIDE[p] * WIDE[w] for p, several in own.items() for w in several}
        fit = sm.OLS(WIDE[response], sm.add_constant(WIDE[[*parents, "z", *moderators]].assign(**products))).fit()
        slopes |= {(p, response): (fit.params[p], {w: fit.params[f"{p}{w}"] for w in own[p]}) for p in parents}
    scale = found.scales.index(COEFFICIENT)
    for k, setting in enumerate(found.settings):
        held = dict(setting.held)
        assert set(held) == {"w", "v"}
        for path in (("x", "y"), ("x", "m1", "y")):
            each = (slopes[pair] for pair in pairwise(path))
            expected = np.prod([a + sum(b * held[w] for w, b in by.items()) for a, by in each])
            value = found.estimate[k, found.names.index(" -> ".join(path)), scale, 0]
            np.testing.assert_allclose(value, expected, rtol=1e-10)


@pytest.mark.parametrize("parents", CHAINS.values(), ids=CHAINS)
def test_chains_are_those_of_single_regressions(parents):
    """Products along every path of mediators in a row, side by side, and of both kinds, to 1e-10."""
    mediators = [name for name in parents if name != "y"]
    chain = ["x", *mediators, "y"]
    gone = [f"{p} -> {r}" for k, r in enumerate(chain) for p in chain[:k] if p not in parents[r].split()]
    model = sp.draft(WIDE, exposure="x", mediators=mediators, outcome="y", covariates=["z"], without=gone)
    table = sp.bootstrap(model, WIDE, seed=1, replicates=2).table
    found = table[table["scale"] == COEFFICIENT].set_index("path")["estimate"]
    slopes = {}
    for response, names in parents.items():
        fit = sm.OLS(WIDE[response], sm.add_constant(WIDE[[*names.split(), "z"]])).fit()
        slopes |= {(name, response): fit.params[name] for name in names.split()}
    paths = [path for path in found.index if path.startswith("x -> ")]
    products = [np.prod([slopes[pair] for pair in pairwise(path.split(" -> "))]) for path in paths]
    np.testing.assert_allclose(found[paths], products, rtol=1e-10, atol=1e-13)
    assert len(paths) == 1 + sum(path.count("->") > 1 for path in paths)
    np.testing.assert_allclose(found[TOTAL], sum(products), rtol=1e-10)
    total = sm.OLS(WIDE["y"], sm.add_constant(WIDE[["x", "z"]])).fit().params["x"]
    if parents == CHAINS["6"]:  # where nothing is left out, it is the slope of the outcome on the exposure alone
        np.testing.assert_allclose(found[TOTAL], total, rtol=1e-9)


def test_pyprocessmacro_says_the_same():
    """Models 7, 8, 14, 15, 58 and 59: effects through the mediator, direct ones and the index."""
    with FILE.open() as file:
        rows = list(csv.DictReader(file))
    for number in sorted({int(row["model"]) for row in rows}):
        found, index = estimates(ONE[number], ["m1"])
        own = {"indirect": found["x -> m1 -> y"], "direct": found["x -> y"]}
        for row in (row for row in rows if int(row["model"]) == number):
            if row["what"] == "index":
                value = index["x -> m1 -> y"]
            else:
                value = own[row["what"]][LEVELS.index(float(row["moderator"])) if row["moderator"] else 0]
            np.testing.assert_allclose(value, float(row["value"]), rtol=1e-10, err_msg=str(row))


def test_the_posterior_is_centred_on_least_squares():
    """Exact draws of the normal chain with weak priors have the mean of the products to a part of their SD."""
    model = drafted(SERIAL[83], ["m1", "m2"])
    design = design_arrays(model, sp.read_survey(DATA, model))
    draws = exact_posterior(model, design, seed=1, chains=4, draws=2000)
    settings = settings_of(model, {name: DATA[name].to_numpy() for name in ("z", "w")}, {"w": list(LEVELS)})
    each = [
        compute_effects(model, design, draws, baselines=linear_baselines(model, design, draws, held=dict(one.held)))
        for one in settings
    ]
    found = conditional_effects(model, draws, settings, each)
    expected, index = by_hand(SERIAL[83], ["m1", "m2"])
    table = found.table()
    own = table[(table["path"] == "x -> m1 -> y") & (table["scale"] == COEFFICIENT)]
    assert (np.abs(own["mean"] - expected["x -> m1 -> y"]) < 0.35 * own["sd"]).all()
    row = found.index().set_index(["path", "scale"]).loc[("x -> m1 -> y", COEFFICIENT)]
    assert abs(row["mean"] - index["x -> m1 -> y"]) < 0.35 * row["sd"]


def test_arrows_that_do_not_exist_are_named_at_once():
    """Unknown arrows, a moderator after the exposure and the exposure itself, in one error."""
    with pytest.raises(SurveyError) as error:
        sp.draft(
            DATA, exposure="x", mediators=["m1"], outcome="y",
            moderators={"w": ["x -> m2", "y -> x"], "m1": "all", "x": "all"},
        )  # fmt: skip
    text = str(error.value)
    assert 'there is no arrow "x -> m2"; did you mean "x -> m1"' in text
    assert "m1: comes after the exposure" in text
    assert "x: is the exposure" in text


def test_the_bootstrap_is_a_plain_loop():
    """Each resample's effects at levels, differences and index are those of regressions on its own rows."""
    arrows, mediators = SERIAL[83], ["m1", "m2"]
    model = drafted(arrows, mediators)
    found = sp.bootstrap(model, DATA, seed=7, replicates=12, at={"w": list(LEVELS)}).conditional
    counts = np.concatenate(list(resamples(len(DATA), 7, 12, block=12, batch_bytes=2**26)))
    path = "x -> m1 -> m2 -> y"
    values = found.values[:, :, found.names.index(path), found.scales.index(COEFFICIENT), 0]
    rows_of = list(zip(found.index_rows.path, found.index_rows.scale, strict=True))
    row = rows_of.index((path, COEFFICIENT))
    for r, weights in enumerate(counts):
        rows = DATA.loc[np.repeat(DATA.index, weights.astype(int))].reset_index(drop=True)
        expected, index = by_hand(arrows, mediators, rows)
        np.testing.assert_allclose(values[r], expected[path], rtol=1e-9)
        np.testing.assert_allclose(found.index_values[r, row], index[path], rtol=1e-9)
    own = found.differences().set_index(["from", "to", "path", "scale"]).loc[("1.5", "3.5", path, COEFFICIENT)]
    np.testing.assert_allclose(own["lower"], np.quantile(values[:, 2] - values[:, 0], 0.025), rtol=1e-9)


def test_with_two_moderators_each_is_held_in_turn():
    """The other one stays as observed, so that there is no single product of coefficients at a level."""
    data = DATA.assign(sex=np.tile([1, 2], len(DATA) // 2))
    model = sp.draft(
        data, exposure="x", mediators=["m1"], outcome="y", moderators={"w": ["x -> m1"], "sex": ["m1 -> y"]}
    )
    found = sp.bootstrap(model, data, seed=1, replicates=3)
    assert "coefficient" not in found.conditional.scales
    assert [setting.moderator for setting in found.conditional.settings] == ["w", "w", "w", "sex", "sex"]
    assert found.conditional.index().empty
    both = sp.bootstrap(model, data, seed=1, replicates=3, at={"w": [2, 3], "sex": [1, 2]}).conditional
    assert "coefficient" in both.scales
    table = both.table[both.table["scale"] == "coefficient"]
    assert len(table["at"].unique()) == 4
