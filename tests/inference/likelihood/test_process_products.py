"""Two moderators with products of theirs: the numbers of regressions one by one, by the models of PROCESS."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import bayes_sp as sp
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.names import COEFFICIENT, TOTAL

# Moderators with the arrows that they change, by the number of the model in PROCESS (Hayes 2022, appendix A).
A, B, C = "x -> m", "m -> y", "x -> y"
MODELS: dict[int, dict[str, list[str]]] = {
    11: {"w:z": [A]},
    12: {"w:z": [A, C]},
    13: {"w:z": [A], "w": [C]},
    18: {"w:z": [B]},
    19: {"w:z": [B, C]},
    20: {"w:z": [B], "w": [C]},
    60: {"w": [A, B], "z": [A]},
    61: {"w": [A, B, C], "z": [A]},
    62: {"w": [A, B], "z": [A, C]},
    63: {"w": [A, B, C], "z": [A, C]},
    64: {"w": [A, B], "z": [B]},
    65: {"w": [A, B, C], "z": [B]},
    66: {"w": [A, B], "z": [B, C]},
    67: {"w": [A, B, C], "z": [B, C]},
    68: {"w:z": [A], "w": [B]},
    69: {"w:z": [A, C], "w": [B]},
    70: {"w:z": [B], "w": [A]},
    71: {"w:z": [B, C], "w": [A]},
    72: {"w:z": [A, B]},
    73: {"w:z": [A, B, C]},
}
FAST = (13, 20, 73)
AT = {"w": [1.0, 2.5], "z": [-1.0, 0.5]}
PATHS = (("x", "y"), ("x", "m", "y"))


def records(n: int = 150) -> pd.DataFrame:
    """Return records of a chain whose arrows depend on w, z and their product."""
    rng = np.random.default_rng(8)
    w, z, c = rng.normal(2.0, 1.0, n), rng.normal(size=n), rng.normal(size=n)
    x = 0.3 * w + rng.normal(size=n)
    m = 0.3 * x + 0.2 * w + 0.2 * x * w - 0.3 * x * z + 0.2 * x * w * z + 0.1 * c + rng.normal(size=n)
    y = 0.2 * x + 0.4 * m + 0.1 * m * w + 0.2 * m * z - 0.15 * m * w * z + 0.1 * w * z + rng.normal(size=n)
    return pd.DataFrame({"x": x, "w": w, "z": z, "c": c, "m": m, "y": y})


DATA = records()


def drafted(moderators):
    return sp.draft(DATA, exposure="x", mediators=["m"], outcome="y", covariates=["c"], moderators=moderators)


def slopes_of(moderators, data=DATA):
    """Return by arrow its coefficients by statsmodels: of the parent, and of its products by their moderators."""
    found = {}
    for response, parents in (("m", ["x"]), ("y", ["x", "m"])):
        own = {}
        for parent in parents:
            own[parent] = {
                part
                for key, arrows in moderators.items()
                if f"{parent} -> {response}" in arrows
                for part in (*key.split(":"), key)
            }
        table = data[[*parents, "c"]].copy()
        for key in sorted({key for keys in own.values() for key in keys}):
            table[key] = data[key.split(":")].prod(axis=1)
        for parent, keys in own.items():
            for key in keys:
                table[f"{key}*{parent}"] = table[key] * data[parent]
        fit = sm.OLS(data[response], sm.add_constant(table)).fit()
        for parent, keys in own.items():
            by = {key: fit.params[f"{key}*{parent}"] for key in keys}
            found[parent, response] = fit.params[parent], by
    return found


def slope_at(slope, held):
    alone, by = slope
    return alone + sum(b * np.prod([held[name] for name in key.split(":")]) for key, b in by.items())


@pytest.mark.parametrize("number", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in MODELS])
def test_effects_at_values_of_both_are_those_of_single_regressions(number):
    """Every path at every combination of values, and every index, to 1e-10."""
    asked = MODELS[number]
    slopes = slopes_of(asked)
    found = sp.bootstrap(drafted(asked), DATA, seed=1, replicates=2, at=AT).conditional
    assert len(found.settings) == 4
    scale = found.scales.index(COEFFICIENT)
    for k, setting in enumerate(found.settings):
        own = [np.prod([slope_at(slopes[arrow], dict(setting.held)) for arrow in pairwise(path)]) for path in PATHS]
        for path, value in zip([*map(" -> ".join, PATHS), TOTAL], [*own, sum(own)], strict=True):
            result = found.estimate[k, found.names.index(path), scale, 0]
            np.testing.assert_allclose(result, value, rtol=1e-10, err_msg=f"{path} at {setting}")
    index = found.index().set_index(["moderator", "unit", "path"])["estimate"]
    expected = indexes(asked, slopes)
    assert {place for place in index.index if "total" not in place[-1]} == expected.keys()
    for place, value in expected.items():
        np.testing.assert_allclose(index[place], value, rtol=1e-10, err_msg=str(place))


def indexes(asked, slopes):
    """Return the derivatives of paths of which one arrow is moderated: by each moderator, and by both."""
    together = any(":" in key for key in asked)
    found = {}
    for path in PATHS:
        arrows = list(pairwise(path))
        moderated = [arrow for arrow in arrows if slopes[arrow][1]]
        if len(moderated) != 1:
            continue
        by, rest = slopes[moderated[0]][1], np.prod([slopes[arrow][0] for arrow in arrows if arrow not in moderated])
        name = " -> ".join(path)
        for one, other in (("w", "z"), ("z", "w")):
            if one not in by:
                continue
            for value in AT[other] if together else [None]:
                unit = "one unit" if value is None else f"one unit at {other} = {value:g}"
                found[one, unit, name] = rest * (by[one] + by.get("w:z", 0.0) * (value or 0.0))
        if "w:z" in by:
            found["w, z", "one unit of w and one unit of z", name] = rest * by["w:z"]
    return found


def test_categories_of_both_have_an_index_for_each_two_levels():
    """Levels coded as sum-to-zero indicators give the second differences between cells of a full factorial."""
    rng = np.random.default_rng(4)
    data = DATA.assign(w=np.tile([1, 2, 3], 50), z=rng.permutation(np.repeat([1, 2], 75)))
    model = sp.draft(data, exposure="x", mediators=["m"], outcome="y", moderators={"w:z": [A]})
    found = sp.bootstrap(model, data, seed=1, replicates=2)
    cells = {
        (w, z): sm.OLS(own["m"], sm.add_constant(own[["x"]])).fit().params["x"]
        for (w, z), own in data.groupby(["w", "z"])
    }
    b = sm.OLS(data["y"], sm.add_constant(data[["x", "m"]])).fit().params["m"]
    table = found.conditional.table
    own = table[(table["path"] == "x -> m -> y") & (table["scale"] == COEFFICIENT)].set_index("at")["estimate"]
    for (w, z), slope in cells.items():
        np.testing.assert_allclose(own[f"{w}, {z}"], slope * b, rtol=1e-9)
    index = found.conditional.index().set_index(["moderator", "unit", "path"])["estimate"]
    for w in (2, 3):
        value = (cells[w, 2] - cells[1, 2]) - (cells[w, 1] - cells[1, 1])
        place = ("w, z", f"w = {w} against 1 and one unit of z", "x -> m -> y")
        np.testing.assert_allclose(index[place], value * b, rtol=1e-9)
        place = ("w", f"{w} against 1 at z = 2", "x -> m -> y")
        np.testing.assert_allclose(index[place], (cells[w, 2] - cells[1, 2]) * b, rtol=1e-9)


def test_an_index_needs_values_of_both():
    """With one of two moderators held the derivative by it depends on the other, which is said."""
    model = drafted(MODELS[11])
    fit = sp.fit(model, DATA, seed=1, options=sp.SamplerOptions(draws=100, cores=1))
    at = fit.conditional_effects(at={"w": [1.0, 2.0]})
    assert at.index().empty
    (sentence,) = at.without_index
    assert sentence == (
        "no single index of w for x -> m -> y: the arrow depends on another moderator in a product with it; name "
        "values of both"
    )
    curves = fit.effect_curves(points=3)
    assert [curve.name.split("_at_")[0] for curve in curves] == ["along_w"] * 3 + ["along_z"] * 3
    held = fit.effect_curve("w", at={"z": 0.5}, points=3)
    assert held.at == "z = 0.5"
    first = held.table[(held.table["path"] == TOTAL) & (held.table["scale"] == COEFFICIENT)].iloc[0]
    both = fit.conditional_effects(at={"w": first["value"], "z": 0.5}).table()
    same = both[(both["path"] == TOTAL) & (both["scale"] == COEFFICIENT)].iloc[0]
    np.testing.assert_allclose(first["median"], same["median"], rtol=1e-10)
    for wrong, words in (({"w": 1.0}, "w: is what effects are along"), ({"z": [0.1, 0.2]}, "z: must be one number"),
                         ({"q": 1.0}, "q: is not in"), ({"z": 99.0}, "z: 99 is beyond the records")):  # fmt: skip
        with pytest.raises(SpecificationError, match=words):
            fit.effect_curve("w", at=wrong)


def test_wrong_moderators_are_named_at_once():
    """One after the exposure, the exposure, one with itself, three at once, none, an arrow that is not there."""
    wrong = {"w:m": [A], "x:z": "all", "w:w": [A], "w:z:c": [A], "w:": [A], "w:z": ["z -> m"]}
    with pytest.raises(SurveyError) as error:
        drafted(wrong)
    for words in (
        "m: comes after the exposure, which could change it", "x: is the exposure", "w:w: is a moderator times itself",
        "w:z:c: has 3 moderators; a product has two at most", '"w:": a moderator has no name',
        'w:z: there is no arrow "z -> m"',
    ):  # fmt: skip
        assert words in str(error.value)
    with pytest.raises(SurveyError, match='"q"'):
        drafted({"w:q": [A]})


def test_another_exposure_whose_slopes_are_alike_beside_a_moderated_category() -> None:
    """With the moderators held, slopes of hours are alike, and its effects are products of least-squares slopes.

    To its view the category is one of the covariates, and products with that are no moderation of its own.
    """
    rng, n = np.random.default_rng(5), 240
    table = pd.DataFrame({
        "x": rng.integers(0, 3, n), "hours": rng.normal(size=n), "age": rng.integers(0, 3, n),
        "sex": rng.integers(0, 2, n),
    }).astype(float)  # fmt: skip
    table["m"] = table["age"] * (table["x"] == 2) + 0.5 * table["hours"] + rng.normal(size=n)
    table["y"] = 0.7 * table["m"] + rng.normal(size=n)
    wide = {"dist": "normal", "mu": 0, "sigma": 2, "why": "w"}
    products = ["age:x", "sex:x", "age:sex", "age:sex:x"]
    model = sp.load_model({
        "title": "t", "exposure": "x", "outcome": "y", "covariates": {"age": {}, "sex": {}},
        "exposures": {"x": {"levels": [0, 1, 2]}, "hours": {"contrast": [0, 2]}},
        "equation": [{"response": "m", "family": "normal", "parents": ["x"], "products": products},
                     {"response": "y", "family": "normal", "parents": ["x", "m"]}],
        "priors": {"intercept": wide, "slope": wide, "sigma": {"dist": "half_normal", "sigma": 2, "why": "w"}},
    })  # fmt: skip
    found = sp.bootstrap(model, table, seed=1, replicates=20).conditional
    assert found.scales == ("coefficient", "difference")
    levels = [(table["x"] == 1).astype(float), (table["x"] == 2).astype(float)]
    own, both = [*levels, table["hours"], table["age"], table["sex"]], table["age"] * table["sex"]
    moderated = [level * by for level in levels for by in (table["age"], table["sex"], both)]
    first = sm.OLS(table["m"], sm.add_constant(np.column_stack([*own, both, *moderated]))).fit().params.iloc[3]
    second = sm.OLS(table["y"], sm.add_constant(np.column_stack([*own, table["m"]]))).fit().params.iloc[-1]
    place = next(k for k, name in enumerate(found.names) if "hours" in name and "m" in name.split())
    np.testing.assert_allclose(found.estimate[:, place, 0], first * second, rtol=1e-6)
    np.testing.assert_allclose(found.estimate[:, place, 1], 2 * first * second, rtol=1e-6)
