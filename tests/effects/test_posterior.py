"""Draws of coefficients become draws of effects, labelled, with their table."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.effects.paths import compute_effects
from bayes_sp.effects.problem import chain_coefficients
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ALONE, AVERAGE, COEFFICIENT, DIFFERENCE, EFFECT_COLUMNS, RATE_RATIO, TOTAL, TOTAL_INDIRECT


@pytest.fixture
def fitted(make_posterior, make_survey):
    """Return the primary model with a made-up posterior of 2 x 50 draws."""
    model = load_model("primary")
    design = design_arrays(model, make_survey())
    return model, design, make_posterior(model, design, seed=1, chains=2, draws=50)["posterior"].to_dataset()


@pytest.fixture
def effects(fitted):
    return compute_effects(*fitted, mark="made up")


@pytest.fixture
def normal_effects(make_posterior, make_survey):
    model = load_model("process6")
    design = design_arrays(replace(model, contrast=(-1.0, 2.0)), make_survey())
    posterior = make_posterior(model, design, seed=2, chains=2, draws=50)["posterior"].to_dataset()
    return compute_effects(replace(model, contrast=(-1.0, 2.0)), design, posterior), posterior


def test_coefficients_are_put_in_their_places(fitted):
    """Each term of each equation lands where the formulas look for it, and a removed edge is zero."""
    model, design, posterior = fitted
    found = chain_coefficients(model, design, posterior)
    outcome = posterior["appointments_t1"]
    np.testing.assert_array_equal(found.exposure[..., 2], outcome.sel(appointments_t1_term="group_change"))
    np.testing.assert_array_equal(found.mediators[..., 2, 1], outcome.sel(appointments_t1_term="loneliness_t1"))
    np.testing.assert_array_equal(found.mediators[..., 0, :], 0)
    np.testing.assert_array_equal(found.covariates[..., 2, -1], outcome.sel(appointments_t1_term="education[3]"))
    np.testing.assert_array_equal(
        found.variance[..., 1], posterior["sigma"].sel(sigma_response="loneliness_t1").to_numpy() ** 2
    )


def test_predictions_are_those_of_the_centred_equations(fitted):
    """Intercepts are moved so that uncentred parents give the same linear predictor as centred ones did."""
    model, design, posterior = fitted
    found = chain_coefficients(model, design, posterior)
    beta = posterior["appointments_t1"]
    belonging, loneliness = design.y[0, 0], design.y[0, 1]
    centred = (
        beta.sel(appointments_t1_term="intercept")
        + beta.sel(appointments_t1_term="belonging_t1") * (belonging - 2.75)
        + beta.sel(appointments_t1_term="loneliness_t1") * (loneliness - 2.35)
    )
    plain = found.intercept[..., 2] + found.mediators[..., 2, :] @ design.y[0, :2]
    np.testing.assert_allclose(plain, centred)


def test_effects_do_not_depend_on_fixed_centres(fitted):
    """Another centre with the intercept that belongs to it describes the same model: no effect changes."""
    model, design, posterior = fitted
    moved = posterior.copy(deep=True)
    for name in ("loneliness_t1", "appointments_t1"):
        slope = posterior[name].sel({f"{name}_term": "belonging_t1"})
        moved[name].loc[{f"{name}_term": "intercept"}] += slope * (10.0 - 2.75)
    variables = tuple(replace(v, center=10.0) if v.name == "belonging_t1" else v for v in model.variables)
    before = compute_effects(model, design, posterior).draws
    after = compute_effects(replace(model, variables=variables), design, moved).draws
    for name in (ALONE, AVERAGE):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-10)


def test_the_table_has_the_fixed_columns_in_their_order(effects):
    """The columns of effects.csv are an interface."""
    table = effects.table()
    assert tuple(table.columns) == EFFECT_COLUMNS
    assert set(table["ci_kind"]) == {"eti"}
    assert set(table["ci_prob"]) == {0.95}
    assert set(table["kappa"]) == {1.0}


def test_the_table_has_one_row_for_every_path_scale_and_decomposition(effects, fitted):
    """Alone and average stand apart where they can differ; products and the total have one row."""
    table = effects.table()
    names = [" -> ".join(path) for path in fitted[0].named_paths()]
    expected = [
        (path, scale, kind)
        for path, scale in itertools.product([*names, TOTAL_INDIRECT, TOTAL], [COEFFICIENT, RATE_RATIO, DIFFERENCE])
        for kind in (("",) if path == TOTAL or scale == COEFFICIENT else (ALONE, AVERAGE))
    ]
    assert list(zip(table["path"], table["scale"], table["decomposition"], strict=True)) == expected


def test_averaged_effects_add_up_to_the_total(effects):
    """In every draw the paths' differences sum to the total, their ratios multiply to it, their products sum to it."""
    average = effects.draws[AVERAGE]
    paths = average.sel(path=[name for name in average["path"].to_numpy() if "->" in name])
    total = average.sel(path=TOTAL)
    for scale, combined in (
        (DIFFERENCE, paths.sum("path")),
        (COEFFICIENT, paths.sum("path")),
        (RATE_RATIO, paths.prod("path")),
    ):
        np.testing.assert_allclose(combined.sel(scale=scale), total.sel(scale=scale))
    direct = average.sel(path="group_change -> appointments_t1", scale=DIFFERENCE)
    indirect = average.sel(path=TOTAL_INDIRECT, scale=DIFFERENCE)
    np.testing.assert_allclose(direct + indirect, total.sel(scale=DIFFERENCE))


def test_the_serial_product_is_that_of_three_coefficients(effects, fitted):
    """The coefficient scale is the product along the path, in each draw."""
    posterior = fitted[2]
    steps = [("belonging_t1", "group_change"), ("loneliness_t1", "belonging_t1"), ("appointments_t1", "loneliness_t1")]
    product = np.prod([posterior[y].sel({f"{y}_term": x}).to_numpy() for y, x in steps], axis=0)
    serial = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"
    np.testing.assert_allclose(effects.draws[ALONE].sel(path=serial, scale=COEFFICIENT), product)
    np.testing.assert_allclose(effects.draws[AVERAGE].sel(path=serial, scale=RATE_RATIO), np.exp(product))


def test_effects_on_a_normal_outcome_are_products_times_the_contrast(normal_effects):
    """From -1 to 2 is three units: a difference is three times the product of coefficients, and there is no ratio."""
    effects, posterior = normal_effects
    assert list(effects.draws["scale"].to_numpy()) == [COEFFICIENT, DIFFERENCE]
    for name in (ALONE, AVERAGE):
        by_scale = effects.draws[name]
        np.testing.assert_allclose(by_scale.sel(scale=DIFFERENCE), 3.0 * by_scale.sel(scale=COEFFICIENT))
    direct = posterior["appointments_t1"].sel(appointments_t1_term="group_change")
    found = effects.draws[ALONE].sel(path="group_change -> appointments_t1", scale=DIFFERENCE)
    np.testing.assert_allclose(found, 3.0 * direct)


def test_a_normal_outcome_has_one_row_for_each_effect(normal_effects):
    """Under an identity link the order of switching does not matter, so no decomposition is named."""
    table = normal_effects[0].table()
    assert set(table["decomposition"]) == {""}
    assert not table.duplicated(["path", "scale"]).any()


@pytest.mark.parametrize("kappa", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_correlation_outside_0_to_1_is_refused(fitted, kappa):
    """Kappa is a correlation of errors in two worlds."""
    with pytest.raises(ValueError, match="kappa is a correlation between 0 and 1"):
        compute_effects(*fitted, kappa=kappa)


def test_kappa_changes_counterfactuals_but_not_products(fitted, effects):
    """With kappa = 0 differences change, products do not, and the table says which kappa it is."""
    other = compute_effects(*fitted, kappa=0.0)
    np.testing.assert_array_equal(
        other.draws[ALONE].sel(scale=COEFFICIENT), effects.draws[ALONE].sel(scale=COEFFICIENT)
    )
    belonging = {"path": "group_change -> belonging_t1 -> appointments_t1", "scale": DIFFERENCE}
    assert (other.draws[ALONE].sel(belonging) != effects.draws[ALONE].sel(belonging)).all()
    assert set(other.table()["kappa"]) == {0.0}
    np.testing.assert_allclose(other.draws[AVERAGE].sel(path=TOTAL), effects.draws[AVERAGE].sel(path=TOTAL))


def test_the_probability_of_a_negative_effect_is_that_of_a_ratio_below_one(effects):
    """P(< 0) counts differences below 0 and ratios below 1; for the total both say the same."""
    table = effects.table().set_index(["path", "scale", "decomposition"])
    for name in (ALONE, AVERAGE):
        values = effects.draws[name].sel(path=TOTAL_INDIRECT)
        for scale, none in ((DIFFERENCE, 0.0), (RATE_RATIO, 1.0)):
            share = float((values.sel(scale=scale) < none).mean())
            np.testing.assert_allclose(table.loc[(TOTAL_INDIRECT, scale, name), "prob_negative"], share)
    total = table.loc[TOTAL]["prob_negative"]
    assert 0 < total.loc[DIFFERENCE].item() < 1
    np.testing.assert_allclose(total.loc[RATE_RATIO].item(), total.loc[DIFFERENCE].item())


def test_quantities_are_every_effect_once_by_name(effects):
    """Diagnostics see each path on each scale."""
    quantities = effects.quantities()
    assert len(quantities) == 6 * 3
    np.testing.assert_array_equal(
        quantities["total [difference]"], effects.draws[AVERAGE].sel(path=TOTAL, scale=DIFFERENCE)
    )
    assert {values.shape for values in quantities.values()} == {(2, 50)}


def test_effects_say_what_they_are_of(effects, fitted):
    """Contrast, kappa, the outcome's unit and what the records are stay with the draws."""
    assert effects.draws.attrs == {"kappa": 1.0, "contrast": [0.0, 1.0], "data_source": "made up"}
    assert effects.unit == "appointments per patient per three months"
    assert "made up. Effects of moving the exposure from 0 to 1" in effects._repr_html_()
    assert "&lt;i&gt;" in compute_effects(*fitted, mark="<i>")._repr_html_()


def test_an_outcome_without_a_unit_is_its_own_unit(small_tables, make_posterior, make_user_survey):
    """Where no unit is given, differences are in the outcome's label."""
    tables = copy.deepcopy(small_tables)
    del tables["variables"]["visits"]["unit"]
    model = load_model(tables)
    design = design_arrays(model, make_user_survey())
    posterior = make_posterior(model, design, chains=2, draws=10)["posterior"].to_dataset()
    assert compute_effects(model, design, posterior).unit == "Visits"
