"""E-values: published examples, the formula's invariances, and the bounding factor that defines them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_sp.design.build import design_arrays
from bayes_sp.effects.paths import Effects, compute_effects
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import ALONE, AVERAGE, E_VALUE_COLUMNS
from bayes_sp.sensitivity.confounder.e_values import NONE, e_value, e_values


def effects_of(ratios, scale="rate_ratio"):
    """Effects whose total has these draws, the path twice them, and alone six times."""
    values = np.stack([2.0 * np.asarray(ratios), np.asarray(ratios)], axis=-1).reshape(1, -1, 2, 1)
    dims = ("chain", "draw", "path", "scale")
    draws = xr.Dataset(
        {ALONE: (dims, values * np.array([3.0, 1.0]).reshape(2, 1)), AVERAGE: (dims, values)},
        coords={"path": ["x -> m -> y", "total"], "scale": [scale]},
    )
    return Effects(draws, (0.0, 2.0), 1.0, "visits", "made up", ordered=True)


@pytest.mark.parametrize(
    ("ratio", "nearest", "expected", "of_limit"),
    [
        (10.73, 8.02, 20.95, 15.52),  # VanderWeele & Ding 2017: smoking and lung cancer
        (3.9, 1.8, 7.26, 3.0),  # breastfeeding and death by respiratory infection
        (0.80, 0.91, 1.81, 1.43),  # breastfeeding and leukaemia
    ],
)
def test_published_examples(ratio, nearest, expected, of_limit):
    """The three examples of the article that introduced E-values, to the printed decimals."""
    assert_allclose(e_value([ratio, nearest]), [expected, of_limit], atol=0.005)


def test_a_confounder_at_the_e_value_explains_the_ratio_exactly():
    """With both of its ratios equal to E the bounding factor, E^2 / (2 E - 1), is the ratio."""
    ratio = np.array([1.0, 1.05, 1.8, 3.9, 40.0])
    found = e_value(ratio)
    assert_allclose(found**2 / (2 * found - 1), ratio, rtol=1e-12)


def test_a_ratio_and_its_inverse_have_one_e_value():
    """E(RR) = E(1/RR), E(1) = 1, and E grows with the distance from 1."""
    ratio = np.geomspace(1.0, 50.0, 40)
    assert_allclose(e_value(ratio), e_value(1.0 / ratio), rtol=1e-12)
    assert e_value(1.0) == 1.0
    assert (np.diff(e_value(ratio)) > 0).all()


def test_a_ratio_that_is_not_positive_is_refused():
    """No rate ratio is 0 or less."""
    with pytest.raises(ValueError, match="positive"):
        e_value([1.2, 0.0])


def test_the_table_holds_the_median_and_the_limit_nearest_to_1():
    """Averaged over orders, not alone; by hand from the quantiles of the draws."""
    ratios = np.exp(np.random.default_rng(0).normal(-0.4, 0.1, 4000))
    table = e_values(effects_of(ratios), ci_prob=0.9).table
    assert tuple(table.columns) == E_VALUE_COLUMNS
    assert list(table["path"]) == ["x -> m -> y", "total"]
    total = table.iloc[1]
    assert_allclose(total["e_value"], e_value(np.median(ratios)))
    assert_allclose(total["e_value_limit"], e_value(np.quantile(ratios, 0.95)))
    assert (total["contrast_from"], total["contrast_to"], total["ci_prob"]) == (0.0, 2.0, 0.9)
    assert_allclose(table.iloc[0]["median"], 2 * np.median(ratios))


def test_above_1_the_lower_limit_counts():
    """The limit nearest to 1 is the lower one where the ratio is above 1."""
    ratios = np.exp(np.random.default_rng(1).normal(0.4, 0.1, 4000))
    total = e_values(effects_of(ratios, "risk_ratio")).table.iloc[1]
    assert_allclose(total["e_value_limit"], e_value(np.quantile(ratios, 0.025)))
    assert "risk ratio" in total["words"]


def test_an_interval_that_includes_1_needs_no_confounder():
    """Its E-value is 1, and the words say so."""
    ratios = np.exp(np.random.default_rng(2).normal(0.02, 0.1, 4000))
    total = e_values(effects_of(ratios)).table.iloc[1]
    assert total["e_value_limit"] == 1.0
    assert total["words"].endswith("the 95 % interval includes 1 without any.")


def test_words_name_the_ends_of_the_confounder():
    """Exposure and outcome for the total effect, mediator and outcome for a path."""
    path, total = e_values(effects_of(np.linspace(0.6, 0.8, 1000))).table["words"]
    assert "with mediator and outcome by a rate ratio of" in path
    assert "with exposure and outcome by a rate ratio of" in total
    assert total.endswith("weaker ones not.")


def test_inverting_the_draws_changes_no_e_value():
    """An effect told the other way round needs the same confounder."""
    ratios = np.exp(np.random.default_rng(3).normal(0.5, 0.15, 3999))
    there, back = (e_values(effects_of(r)).table.iloc[1] for r in (ratios, 1.0 / ratios))
    assert_allclose(there["e_value"], back["e_value"], rtol=1e-12)
    assert_allclose(there["e_value_limit"], back["e_value_limit"], rtol=1e-3)  # quantiles between neighbouring draws


def test_effects_of_a_specification(small_model, small_design, make_posterior):
    """Every path of a count outcome has a row; a normal outcome has none, and a note says why."""
    posterior = make_posterior(small_model, small_design)["posterior"].to_dataset()
    effects = compute_effects(small_model, small_design, posterior, mark="some records")
    found = e_values(effects)
    assert list(found.table["path"]) == ["walks -> visits", "walks -> mood -> visits", "total_indirect", "total"]
    rows = effects.intervals().query("scale == 'rate_ratio' and decomposition != 'alone'")
    assert_allclose(found.table["median"], rows["median"])
    assert (found.mark, found.notes[0][:10]) == ("some records", "An E-value")
    assert "some records" in found._repr_html_()


def test_a_normal_outcome_has_no_e_values(make_survey, make_posterior):
    """There is no ratio to explain away."""
    model = load_model("process6")
    design = design_arrays(model, make_survey())
    effects = compute_effects(model, design, make_posterior(model, design)["posterior"].to_dataset())
    found = e_values(effects)
    assert found.table.empty
    assert tuple(found.table.columns) == E_VALUE_COLUMNS
    assert found.notes == (NONE,)
    assert e_values(replace(effects, mark="m")).mark == "m"
