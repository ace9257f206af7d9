"""The comparison has every cell: each path and scale, {normal, the model's family} x {bootstrap, posterior}."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.comparison.table import Fitted, compare
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.paths import compute_effects
from bayes_sp.inference.bootstrap.bootstrap import bootstrap_effects
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import (
    AVERAGE,
    BOOTSTRAP_COLUMNS,
    COEFFICIENT,
    COMPARISON_COLUMNS,
    DIFFERENCE,
    RATE_RATIO,
    TOTAL,
    TOTAL_INDIRECT,
)


@pytest.fixture
def fitted(make_posterior):
    """Return a function: a model with a made-up posterior and a small bootstrap of a survey."""

    def make(model, survey, **changes):
        design = design_arrays(model, survey)
        posterior = make_posterior(model, design, chains=2, draws=60)["posterior"].to_dataset()
        result = replace(bootstrap_effects(design, seed=1, replicates=40), **changes)
        return Fitted(model, compute_effects(model, design, posterior), result)

    return make


@pytest.fixture
def both(fitted, small_model, make_user_survey):
    """Return the normal twin and the small model, each fitted; three replicates of the latter have failed."""
    survey = make_user_survey()
    normal, count = fitted(twin_of(small_model), survey), fitted(small_model, survey)
    failed = {"failed": 3, "undefined": count.bootstrap.undefined + 3, "at_boundary": 5}
    failed |= {"reasons": (("phi did not converge", 2), ("singular", 1)), "boundaries": (("no events", 5),)}
    return [normal, replace(count, bootstrap=replace(count.bootstrap, **failed))]


@pytest.fixture
def comparison(small_model, both):
    return compare(small_model, both, "made up")


def test_columns_are_the_fixed_ones(comparison):
    """The columns of comparison.csv and bootstrap.csv are interfaces."""
    assert tuple(comparison.table.columns) == COMPARISON_COLUMNS
    assert tuple(comparison.bootstrap.columns) == BOOTSTRAP_COLUMNS


def test_every_cell_is_there_once(comparison, small_model):
    """Each path and scale has four fitted cells; rate ratios belong to the log link alone."""
    table = comparison.table[comparison.table["likelihood"] != "published"]
    paths = [*(" -> ".join(path) for path in small_model.named_paths()), TOTAL_INDIRECT, TOTAL]
    cells = {
        *itertools.product(
            paths, [COEFFICIENT, DIFFERENCE], ["normal", "negative_binomial"], ["bootstrap", "posterior"]
        ),
        *itertools.product(paths, [RATE_RATIO], ["negative_binomial"], ["bootstrap", "posterior"]),
    }
    found = list(zip(table["path"], table["scale"], table["likelihood"], table["inference"], strict=True))
    assert set(found) == cells
    assert len(found) == len(cells)
    assert table[["estimate", "lower", "upper"]].notna().all(axis=None)


def test_rows_are_ordered_by_scale_then_path(comparison, small_model):
    """Within a scale the paths stand in the order of the chain, then total indirect and total."""
    difference = comparison.table[comparison.table["scale"] == DIFFERENCE]
    order = [*(" -> ".join(path) for path in small_model.named_paths()), TOTAL_INDIRECT, TOTAL]
    assert list(dict.fromkeys(difference["path"])) == order
    assert list(comparison.table["scale"]) == sorted(comparison.table["scale"])


def test_cells_hold_the_numbers_they_name(comparison, both):
    """Posterior cells are medians and equal-tailed limits of averaged effects; the others estimates and percentiles."""
    model = both[1]
    one = {"path": TOTAL_INDIRECT, "scale": DIFFERENCE, "likelihood": "negative_binomial"}
    rows = comparison.table.loc[(comparison.table[list(one)] == pd.Series(one)).all(axis=1)].set_index("inference")
    draws = model.effects.draws[AVERAGE].sel(path=TOTAL_INDIRECT, scale=DIFFERENCE).to_numpy()
    cell = rows.loc["posterior"]
    np.testing.assert_allclose(cell["estimate"], np.median(draws))
    np.testing.assert_allclose([cell["lower"], cell["upper"]], np.quantile(draws, [0.025, 0.975]))
    assert cell["ci_kind"] == "eti"
    result = model.bootstrap
    place = (len(result.paths), result.scales.index(DIFFERENCE), result.decompositions.index(AVERAGE))
    cell = rows.loc["bootstrap"]
    np.testing.assert_allclose([cell["estimate"], cell["lower"], cell["upper"]],
                               [result.estimate[place], result.lower[place], result.upper[place]])  # fmt: skip
    assert (cell["ci_kind"], cell["ci_prob"], cell["replicates"]) == ("percentile", 0.95, 40)


def test_failed_replicates_are_carried(comparison):
    """How many refits failed stands beside every interval, and why stands in the bootstrap's own table."""
    rows = comparison.table[comparison.table["inference"] == "bootstrap"]
    failed = rows.groupby("likelihood")["failed"].unique()
    assert (failed["normal"].tolist(), failed["negative_binomial"].tolist()) == ([0], [3])
    reasons = comparison.bootstrap.groupby("likelihood")["reasons"].unique()
    assert reasons["negative_binomial"].tolist() == ["2 x phi did not converge; 1 x singular"]
    assert rows.groupby("likelihood")["boundary"].unique()["negative_binomial"].tolist() == [5]
    boundaries = comparison.bootstrap.groupby("likelihood")["boundaries"].unique()
    assert boundaries["negative_binomial"].tolist() == ["5 x no events"]
    others = comparison.table[comparison.table["inference"] != "bootstrap"]
    assert others[["replicates", "failed"]].isna().all(axis=None)


def test_published_values_stand_per_unit_and_for_the_contrast(comparison):
    """A published product is shown as it is, and times the contrast of 2 in units of the outcome; both readings."""
    table = comparison.table[comparison.table["likelihood"] == "published"]
    serial = table[table["path"] == "walks -> mood -> visits"].set_index("scale")
    np.testing.assert_allclose(serial.loc[COEFFICIENT, "estimate"], [-0.2, -0.02])
    np.testing.assert_allclose(serial.loc[DIFFERENCE, "estimate"], [-0.4, -0.04])
    np.testing.assert_allclose(serial.loc[DIFFERENCE, "lower"], -0.8)
    np.testing.assert_allclose(serial.loc[DIFFERENCE, "upper"], -0.02)
    total = table[table["path"] == TOTAL]
    assert total[["lower", "upper"]].isna().all(axis=None)
    assert set(table["ci_kind"]) == {"as published"}


def test_a_reversed_contrast_turns_published_limits_round(small_model, fitted, make_user_survey):
    """From 2 to 0 the limits change sign and places, so that the lower one stays the lower."""
    turned = replace(small_model, contrast=(2.0, 0.0))
    table = compare(turned, [fitted(turned, make_user_survey())], "made up").table
    row = table[(table["likelihood"] == "published") & (table["scale"] == DIFFERENCE)].iloc[0]
    np.testing.assert_allclose([row["estimate"], row["lower"], row["upper"]], [0.4, 0.02, 0.8])


def test_a_model_that_is_its_own_twin_has_two_cells(fitted, make_survey):
    """The published robustness check compares inferences only, beside both readings of its misprint."""
    model = load_model("process4")
    table = compare(model, [fitted(model, make_survey())], "made up").table
    path = "group_change -> loneliness_t1 -> appointments_t1"
    rows = table[(table["path"] == path) & (table["scale"] == DIFFERENCE)]
    assert list(rows["inference"]) == ["published", "published", "bootstrap", "posterior"]
    np.testing.assert_allclose(rows["estimate"].head(2), [-0.03, -0.003])
    assert RATE_RATIO not in set(table["scale"])


def test_a_comparison_without_bootstrap_has_posteriors_only(small_model, both):
    """Where no resamples were asked for, no cell pretends to be one."""
    comparison = compare(small_model, [replace(fitted, bootstrap=None) for fitted in both], "made up")
    assert set(comparison.table["inference"]) == {"published", "posterior"}
    assert len(comparison.bootstrap) == 0
    assert tuple(comparison.bootstrap.columns) == BOOTSTRAP_COLUMNS


def test_the_probability_of_intervals_can_be_chosen(small_model, both):
    """Posterior intervals follow the probability asked for, and say it."""
    table = compare(small_model, both, "made up", ci_prob=0.5).table
    row = table[(table["inference"] == "posterior") & (table["path"] == TOTAL) & (table["scale"] == RATE_RATIO)].iloc[0]
    draws = both[1].effects.draws[AVERAGE].sel(path=TOTAL, scale=RATE_RATIO).to_numpy()
    np.testing.assert_allclose([row["lower"], row["upper"]], np.quantile(draws, [0.25, 0.75]))
    assert row["ci_prob"] == 0.5


def test_the_table_survives_being_written(comparison, tmp_path):
    """Counts stay whole numbers in CSV, and what does not apply stays empty."""
    comparison.table.to_csv(tmp_path / "c.csv", index=False)
    read = pd.read_csv(tmp_path / "c.csv")
    np.testing.assert_allclose(read["estimate"], comparison.table["estimate"])
    endings = {
        tuple(line.split(",")[-4:]) for line in (tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()[1:]
    }
    assert endings == {("", "", "", ""), ("40", "0", "0", "120"), ("40", "3", "5", "120")}
    assert "made up" in comparison._repr_html_()
