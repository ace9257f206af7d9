"""Effects of categories and of several exposures: against simulated potential outcomes, and what they reduce to."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from posteriors import made_up_posterior
from potential_outcomes import SETS, simulated

from bayes_sp.design.build import design_arrays, transformed
from bayes_sp.effects.baselines import linear_baselines
from bayes_sp.effects.comparisons.contrasts import asked_contrasts, contrasts
from bayes_sp.effects.comparisons.joined import joined_effects
from bayes_sp.effects.interventional import interventional_effects
from bayes_sp.effects.paths import compute_effects
from bayes_sp.errors import SpecificationError
from bayes_sp.model.reading.load import load_model, models_folder
from bayes_sp.names import (
    ALONE,
    AVERAGE,
    COEFFICIENT,
    DIFFERENCE,
    RATE_RATIO,
    RESIDUAL_CORRELATION,
    TOTAL,
    is_total,
    name_parts,
)

PRODUCTS = (["education:gender"], ["group_change:education"], ["education:loneliness_t1", "age:group_change"])


def exposed(name: str = "primary", products=PRODUCTS, **more):
    """Return tables in which education is the exposure, a category, and the change of groups another one."""
    tables = tomllib.loads((models_folder() / f"{name}.toml").read_text())
    for key in ("published", "contrast", "twin"):
        tables.pop(key, None)
    education = {"levels": [2, 1, 3], "pairs": [[2, 1], [1, 3]]}
    for equation, own in zip(tables["equation"], products, strict=True):
        equation["products"] = own
        equation.pop("interactions", None)
        if "parents" in equation:
            equation["parents"] = ["education" if p == "group_change" else p for p in equation["parents"]]
    exposures = {"education": education, "group_change": {"contrast": [-1, 2]}}
    tables |= {"exposure": "education", "exposures": exposures, "joint": {"education": [2, 3], "group_change": [0, 1]}}
    del tables["covariates"]["education"]
    return tables | more


def made(make_survey, tables, draws: int = 1, spread: float = 0.2):
    model = load_model(tables, name="exposed")
    design = design_arrays(model, make_survey(60))
    return model, design, made_up_posterior(model, design, chains=1, draws=draws, spread=spread)


def columns(model, move):
    """Return the columns of what moves, at both of its ends."""
    coded = {c.name: c for c in model.covariates}
    each = [{}, {}]
    for name, *ends in move.moved:
        for found, value in zip(each, ends, strict=True):
            own = transformed(coded[name], np.array([value]))
            found |= {term: float(column[0]) for term, column in zip(coded[name].terms, own, strict=True)}
    return each


CASES = [
    ("primary", 60_000),
    pytest.param("ordinal", 10**6, marks=pytest.mark.slow),
    *(pytest.param(n, 10**6, marks=pytest.mark.exhaustive) for n in ("primary", "bounded", "latent", "zinb", "hurdle")),
]


@pytest.mark.parametrize(("name", "size"), CASES)
def test_effects_are_those_of_simulated_potential_outcomes(make_survey, name, size):
    """Each path alone and the total of each move, the other exposures as observed, within 4 Monte Carlo errors."""
    model, design, posterior = made(make_survey, exposed(name))
    assert [move.label for move in model.moves] == [
        "education: 1 against 2", "education: 3 against 1", "group_change: 2 against -1", "together",
    ]  # fmt: skip
    for view in model.views:
        exact = compute_effects(view, design, posterior).draws[ALONE].sel(scale=DIFFERENCE).to_numpy().ravel()
        means = simulated(model, design, posterior, size, 3, columns(model, view.move))
        for value, world in zip([*exact[:4], exact[5]], SETS[1:], strict=True):
            pairs = (means[world] - means[SETS[0]]).mean(axis=-1).ravel()
            assert abs(pairs.mean() - value) < 4.0 * pairs.std(ddof=1) / np.sqrt(len(pairs)) + 1e-9


def test_a_number_under_exposures_has_the_effects_of_a_plain_one(make_survey):
    """Named among exposures, with another one beside it, nothing of its own effects changes, coefficients included."""
    tables = tomllib.loads((models_folder() / "primary.toml").read_text())
    tables.pop("twin")
    tables.pop("published")
    plain = load_model(tables, name="plain")
    design = design_arrays(plain, make_survey(60))
    posterior = made_up_posterior(plain, design)
    one = compute_effects(replace(plain, contrast=(-1.0, 2.0)), replace(design, contrast=(-1.0, 2.0)), posterior)
    among = load_model({**tables, "contrast": [-1, 2], "exposures": {"age": {"contrast": [40, 50]}}}, name="among")
    own = among.views[0]
    assert own.move.label == "group_change: 2 against -1"
    other = compute_effects(own, design_arrays(among, make_survey(60)), posterior)
    for scale in (COEFFICIENT, RATE_RATIO, DIFFERENCE):
        np.testing.assert_allclose(other.draws[AVERAGE].sel(scale=scale), one.draws[AVERAGE].sel(scale=scale), 1e-10)


def test_exposures_change_places(make_survey):
    """A further exposure has the effects that it has as the only one, with the first among the covariates."""
    tables = tomllib.loads((models_folder() / "primary.toml").read_text())
    for key in ("published", "twin"):
        tables.pop(key)
    covariates = {**tables["covariates"], "age": {}}
    first = load_model({**tables, "covariates": covariates, "exposures": {"age": {"contrast": [40, 50]}}}, name="a")
    del covariates["age"]
    swapped = {"exposure": "age", "contrast": [40, 50], "covariates": {**covariates, "group_change": {}}}
    other = load_model({**tables, **swapped}, name="b")
    survey = make_survey(60)
    posterior = made_up_posterior(first, design_arrays(first, survey), spread=0.01) * 1.0
    for response in ("belonging_t1", "loneliness_t1", "appointments_t1"):  # in tens of years
        scale = np.where(posterior[f"{response}_term"] == "age", 0.02, 1.0)
        posterior[response] = posterior[response] * scale
    moved = first.views[1]
    found = compute_effects(moved, design_arrays(first, survey), posterior)
    terms = {e.response: list(other.terms(e)) for e in other.equations}
    relabelled = posterior.sel({f"{response}_term": own for response, own in terms.items()})
    same = compute_effects(other, design_arrays(other, survey), relabelled)
    for scale in (COEFFICIENT, RATE_RATIO, DIFFERENCE):
        np.testing.assert_allclose(found.draws[AVERAGE].sel(scale=scale), same.draws[AVERAGE].sel(scale=scale), 1e-9)


def test_pairs_of_levels_are_consistent(make_survey):
    """Total log rate ratios add up along pairs, and the interventional total is the path-specific one."""
    pairs = [[1, 2], [2, 3], [1, 3]]
    exposures = {"education": {"levels": [1, 2, 3], "pairs": pairs}, "group_change": {"contrast": [0, 1]}}
    tables = exposed(products=([], [], []), exposures=exposures, joint={})
    model, design, posterior = made(make_survey, tables, draws=5)
    each = [compute_effects(view, design, posterior) for view in model.views]
    logs = [np.log(one.draws[AVERAGE].sel(path=TOTAL, scale=RATE_RATIO).to_numpy()) for one in each]
    np.testing.assert_allclose(logs[0] + logs[1], logs[2], rtol=1e-9)
    for view, one in zip(model.views, each, strict=True):
        total = interventional_effects(view, design, posterior)["difference"].sel(effect=TOTAL)
        np.testing.assert_allclose(total, one.draws[ALONE].sel(path=TOTAL, scale=DIFFERENCE), rtol=1e-9)
    joined = joined_effects(model, each)
    table = joined.table()
    assert list(table.columns[:3]) == ["exposure", "from", "to"]
    last = table[(table["to"] == "3") & (table["from"] == "1") & table["path"].map(is_total)]
    assert set(last["path"]) == {"total [education: 3 against 1]"}
    assert tuple(joined.draws["path"].to_numpy()) == model.effect_names


def joined(model, design, posterior, held=None):
    each = [
        compute_effects(view, design, posterior, baselines=linear_baselines(view, design, posterior, held=held or {}))
        for view in model.views
    ]
    return joined_effects(model, each) if model.moves else each[0]


def test_contrasts_are_differences_of_draws(make_survey):
    """Of paths, of levels of a moderator and of pairs; ratios are divided, and sizes compared where signs agree."""
    asked = {
        "paths": ["via belonging_t1 [education: 1 against 2]", "via loneliness_t1 [education: 1 against 2]"],
        "ages": ["total [together] at age = 60", "total [together] at age = 40"],
        "exposures": ["total [education: 3 against 1]", "direct [group_change: 2 against -1]"],
    }
    model, design, posterior = made(make_survey, exposed(products=([], [], []), contrasts=asked), draws=40)
    found = contrasts(asked_contrasts(model), lambda held: joined(model, design, posterior, dict(held)))
    table = found.table().set_index(["contrast", "scale"])
    whole = joined(model, design, posterior).draws[AVERAGE].isel(chain=0)
    path = "education -> {} -> appointments_t1 [education: 1 against 2]"
    for scale in (DIFFERENCE, RATE_RATIO):
        one, two = (whole.sel(path=path.format(m), scale=scale).to_numpy() for m in ("belonging_t1", "loneliness_t1"))
        row = table.loc[("paths", scale)]
        values = one / two if scale == RATE_RATIO else one - two
        np.testing.assert_allclose(row[["mean", "median"]].to_list(), [values.mean(), np.median(values)], rtol=1e-9)
        assert row["prob_negative"] == np.mean(one < two)
        a, b = (np.log(v) if scale == RATE_RATIO else v for v in (one, two))
        alike = np.median(a) * np.median(b) > 0
        assert np.isnan(row["prob_larger"]) if not alike else row["prob_larger"] == np.mean(np.abs(a) > np.abs(b))
        assert row["prob_one_sign"] == np.mean(a * b > 0)
    ages = [joined(model, design, posterior, {"age": age}).draws[AVERAGE].isel(chain=0) for age in (60.0, 40.0)]
    one, two = (at.sel(path="total [together]", scale=DIFFERENCE).to_numpy() for at in ages)
    assert table.loc[("ages", DIFFERENCE), "mean"] == pytest.approx((one - two).mean())


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("via mood", "direct"), '"via mood" is no effect'),
        (("direct", "direct"), "both effects are"),
        (("direct [a]", "total"), "compares one thing"),
        (("total at belonging_t1 = 2", "total"), "comes after the exposure"),
        (("total at agee = 2", "total"), 'did you mean "age"'),
        (("total at age = old", "total"), "is no number"),
    ],
)
def test_contrasts_of_what_is_not_there_are_refused(pair, words):
    """With the contrast's name and the nearest effect."""
    with pytest.raises(SpecificationError, match=r"contrasts\.mine") as error:
        asked_contrasts(load_model("primary"), {"mine": pair})
    assert words in str(error.value)


def test_names_of_effects_are_forgiving():
    """Paths by their mediators, in any of the usual spellings."""
    model = load_model("primary")
    pairs = {
        "a": ("via belonging_t1, loneliness_t1", "Total indirect"),
        "b": ("via belonging_t1 and loneliness_t1", "indirect"),
    }
    (a, b) = asked_contrasts(model, pairs)
    assert (a.first, a.second) == (b.first, b.second)
    assert name_parts(a.first.name) == ("group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1", "")


TWO_LEVELS = ["primary", "parallel", pytest.param("counts", marks=pytest.mark.slow)]
TWO_LEVELS += [pytest.param(n, marks=pytest.mark.exhaustive) for n in ("ordinal", "bounded", "latent", "zinb")]


@pytest.mark.parametrize("name", TWO_LEVELS)
def test_a_category_of_two_levels_is_a_binary_exposure(make_survey, name):
    """Whatever the families: the same effects as of a number that is 0 or 1, interactions with mediators included."""
    shipped = "primary" if name in ("counts", "parallel") else name
    tables = tomllib.loads((models_folder() / f"{shipped}.toml").read_text())
    for key in ("published", "contrast", "twin"):
        tables.pop(key, None)
    del tables["covariates"]["relationship"]
    for equation in tables["equation"]:
        equation.pop("interactions", None)
        if "parents" in equation:
            equation["parents"] = ["relationship" if p == "group_change" else p for p in equation["parents"]]
    tables |= {"exposure": "relationship", "covariates": {**tables["covariates"], "group_change": {}}}
    tables["equation"][-1]["products"] = ["relationship:loneliness_t1", "gender:relationship"]
    if name == "parallel":
        tables["equation"][1]["parents"] = ["relationship"]
    if name == "counts":
        own = {"kind": "count", "min": 0, "max": 10}
        tables["variables"] = {**tables["variables"], "belonging_t1": own}
        tables["equation"][0]["family"] = "poisson"
        tables["equation"][2]["log1p"] = ["belonging_t1"]
    plain = load_model(tables, name="plain")
    category = load_model({**tables, "exposures": {"relationship": {"levels": [0, 1]}}}, name="category")
    survey = make_survey(60)
    designs = [design_arrays(model, survey) for model in (plain, category)]
    posterior = made_up_posterior(plain, designs[0], draws=10)
    if plain.correlated:  # the mediators' errors
        draws = np.linspace(-0.5, 0.5, 20).reshape(2, 10, 1)
        posterior[RESIDUAL_CORRELATION] = (("chain", "draw", f"{RESIDUAL_CORRELATION}_response"), draws)
        posterior = posterior.assign_coords({f"{RESIDUAL_CORRELATION}_response": list(plain.correlated_pairs)})
    renamed = posterior.copy()
    for dim in (dim for dim in posterior.dims if str(dim).endswith("_term")):
        names = [str(term).replace("relationship", "relationship[1]") for term in posterior[dim].to_numpy()]
        renamed = renamed.assign_coords({dim: names})
    one = compute_effects(plain, designs[0], posterior).draws
    other = compute_effects(category.views[0], designs[1], renamed).draws
    for decomposition in (ALONE, AVERAGE):
        np.testing.assert_allclose(other[decomposition], one[decomposition], rtol=1e-9, atol=1e-12)


def test_drawn_columns_give_the_effects_of_known_ones(make_survey):
    """Where cells of exposures are missing their draws stand in; products of two that do not move go with them."""
    model, design, posterior = made(make_survey, exposed(), draws=3)
    for view in model.views:
        known = compute_effects(view, design, posterior).draws
        drawn = linear_baselines(view, design, posterior, lambda start, stop: np.stack([design.w] * (stop - start)))
        found = compute_effects(view, design, posterior, baselines=drawn).draws
        np.testing.assert_allclose(found[AVERAGE], known[AVERAGE], rtol=1e-9, atol=1e-12)
