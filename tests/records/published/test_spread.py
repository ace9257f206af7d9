"""Spread of effects over reconstructions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayes_sp as sp
from bayes_sp.analysis.ensemble import spread_over_reconstructions


def test_each_column_is_the_maximum_likelihood_fit_of_its_reconstruction():
    """A column equals the point estimates that a bootstrap of the same reconstruction reports."""
    model = sp.load_model("primary")
    table = spread_over_reconstructions(model, [3, 8])
    for seed in (3, 8):
        found = sp.bootstrap(model, sp.reconstruct(seed), seed=0, replicates=20)
        assert_allclose(table[seed].to_numpy(), found.estimate[:, 2, 1], rtol=1e-12)
    assert not np.allclose(table[3], table[8])


def test_least_squares_hardly_depends_on_the_reconstruction():
    """Least squares needs moments only, and every reconstruction has the published ones: the spread is rounding."""
    table = spread_over_reconstructions(sp.load_model("process6"), range(1, 6))
    assert np.ptp(table.to_numpy(), axis=1).max() < 0.06
    serial = table.loc["group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"]
    assert_allclose(serial, -0.038, atol=0.003)


@pytest.mark.parametrize("name", ["primary", "process6", "process4"])
def test_paths_add_up_to_the_total(name):
    """In every column the paths' average differences add up to the total."""
    table = spread_over_reconstructions(sp.load_model(name), [1, 2])
    assert_allclose(table.iloc[:-2].sum(), table.loc["total"], rtol=1e-9)
