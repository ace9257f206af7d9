"""Draws become numbers: means, quantiles and convergence, against NumPy and ArviZ."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr

from bayes_sp.effects.summary import convergence, summarise


@pytest.fixture
def values():
    """Return draws (chain, draw, k) of a shifted, an autocorrelated and a skewed quantity."""
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((4, 400, 3))
    for t in range(1, 400):
        noise[:, t, 1] = 0.8 * noise[:, t - 1, 1] + 0.6 * noise[:, t, 1]
    noise[..., 0] -= 1.0
    noise[..., 2] = np.exp(noise[..., 2])
    return noise


@pytest.mark.parametrize("ci_prob", [0.95, 0.5])
def test_location_and_interval_are_those_of_all_draws(values, ci_prob):
    """Mean, median, SD (n - 1) and equal-tailed limits, all chains together."""
    table = summarise(values, ci_prob)
    flat = values.reshape(-1, 3)
    np.testing.assert_allclose(table["mean"], flat.mean(axis=0))
    np.testing.assert_allclose(table["median"], np.median(flat, axis=0))
    np.testing.assert_allclose(table["sd"], flat.std(axis=0, ddof=1))
    np.testing.assert_allclose(table["lower"], np.quantile(flat, (1 - ci_prob) / 2, axis=0))
    np.testing.assert_allclose(table["upper"], np.quantile(flat, (1 + ci_prob) / 2, axis=0))
    np.testing.assert_allclose(table["prob_negative"], (flat < 0).mean(axis=0))
    assert set(table["ci_kind"]) == {"eti"}
    assert set(table["ci_prob"]) == {ci_prob}


def test_the_summary_agrees_with_arviz(values):
    """ArviZ's own table of the same draws has the same numbers."""
    draws = xr.Dataset({"q": (("chain", "draw", "k"), values)})
    with az.rc_context({"stats.ci_prob": 0.95}):  # the tail ESS has no other setting
        known = az.summary(xr.DataTree.from_dict({"posterior": draws}), ci_prob=0.95, ci_kind="eti", round_to="none")
    table = summarise(values).join(convergence(values))
    pairs = {"mean": "mean", "sd": "sd", "lower": "eti95_lb", "upper": "eti95_ub", "ess_bulk": "ess_bulk",
             "ess_tail": "ess_tail", "r_hat": "r_hat", "mcse_mean": "mcse_mean"}  # fmt: skip
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(table[ours], known[theirs].astype(float), rtol=1e-6, err_msg=ours)


def test_autocorrelated_draws_count_less(values):
    """An AR(1) chain with coefficient 0.8 has about (1 - 0.8) / (1 + 0.8) of its draws' worth."""
    table = convergence(values)
    np.testing.assert_allclose(table["ess_bulk"][1] / values[..., 1].size, 1 / 9, rtol=0.6)
    assert table["ess_bulk"][1] < 0.5 * table["ess_bulk"][0]


def test_chains_in_different_places_have_a_large_r_hat(values):
    """One chain two SDs away is seen."""
    values[0, :, 0] += 2.0
    table = convergence(values)
    assert table["r_hat"][0] > 1.2
    assert table["r_hat"][2] < 1.02


@pytest.mark.parametrize("shape", [(4, 100, 1), (2, 4, 1), (1, 100, 1)])
def test_a_quantity_that_never_varies_has_no_r_hat(shape):
    """0/0 is reported as NaN, without a warning."""
    table = convergence(np.full(shape, 3.0))
    assert np.isnan(table["r_hat"][0])
    np.testing.assert_allclose(table["mcse_mean"], 0)


def test_one_chain_has_no_r_hat(values):
    """Nothing can be said of the agreement of chains from one."""
    assert convergence(values[:1])["r_hat"].isna().all()
