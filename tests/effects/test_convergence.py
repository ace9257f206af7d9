"""R-hat, effective sample sizes and Monte Carlo error of many quantities at once, against ArviZ one by one."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr

from bayes_sp.effects import convergence
from bayes_sp.effects.convergence import convergence_measures, energy_bfmi


def autoregressive(rng, shape, coefficient):
    x = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        x[:, t] += coefficient * x[:, t - 1]
    return x


def with_first(x, value):
    x.flat[0] = value
    return x


KINDS = {
    "independent": lambda rng, shape: rng.standard_normal(shape),
    "slow": lambda rng, shape: autoregressive(rng, shape, 0.9),
    "alternating": lambda rng, shape: autoregressive(rng, shape, -0.7),
    "walk": lambda rng, shape: np.cumsum(rng.standard_normal(shape), axis=1),
    "tied": lambda rng, shape: np.round(rng.standard_normal(shape)),
    "rare": lambda rng, shape: (rng.random(shape) < 0.1).astype(float),
    "heavy": lambda rng, shape: rng.standard_cauchy(shape),
    "apart": lambda rng, shape: rng.standard_normal(shape) + 5.0 * np.arange(shape[0])[:, None, None],
    "constant": lambda rng, shape: np.full(shape, 3.3),
    "stuck": lambda rng, shape: np.broadcast_to(1.0 * np.arange(shape[0])[:, None, None], shape),
    "tiny": lambda rng, shape: 1e-17 * rng.standard_normal(shape),
    "with NaN": lambda rng, shape: with_first(rng.standard_normal(shape), np.nan),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered", "ignore:divide by zero")  # ArviZ's, of constants
@pytest.mark.parametrize("shape", [(4, 1000, 3), (3, 7, 4), (2, 4, 4), (1, 50, 2), (4, 3, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_every_measure_is_that_of_arviz(kind, shape):
    """All kinds of chains: good and bad, tied, constant, too short, and with NaN."""
    values = KINDS[kind](np.random.default_rng(3), shape)
    draws = xr.Dataset({"q": (("chain", "draw", "k"), values)})
    known = {
        "ess_bulk": az.ess(draws, method="bulk"),
        "ess_tail": az.ess(draws, method="tail", prob=(0.05, 0.95)),
        "r_hat": az.rhat(draws),
        "mcse_mean": az.mcse(draws, method="mean"),
        "mcse_median": az.mcse(draws, method="median"),
    }
    found = convergence_measures(values)
    assert list(found) == list(known)
    for name, result in known.items():
        np.testing.assert_allclose(found[name], result["q"].to_numpy(), rtol=1e-12, err_msg=name)


def test_how_many_are_looked_at_together_changes_nothing(monkeypatch):
    """Blocks bound the memory; a quantity's numbers do not depend on its neighbours, also beside one with NaN."""
    values = np.random.default_rng(4).standard_normal((4, 100, 9))
    values[0, 0, 4] = np.nan
    whole = convergence_measures(values)
    monkeypatch.setattr(convergence, "BLOCK", 1)
    for name, one_by_one in convergence_measures(values).items():
        np.testing.assert_allclose(whole[name], one_by_one, rtol=1e-11, err_msg=name)
        assert np.isnan(one_by_one[4])


def test_the_fraction_of_missing_information_is_that_of_arviz():
    """E-BFMI of each chain."""
    energy = autoregressive(np.random.default_rng(5), (4, 200), 0.5)
    tree = xr.DataTree.from_dict({"sample_stats": xr.Dataset({"energy": (("chain", "draw"), energy)})})
    np.testing.assert_allclose(energy_bfmi(energy), az.bfmi(tree)["energy"].to_numpy(), rtol=1e-12)


def test_chains_that_stand_still_or_run_away_have_no_energy_and_no_warning():
    """Of a chain that never moved, and of energies whose squares are no numbers."""
    assert np.isnan(energy_bfmi(np.ones((1, 50)))).all()
    assert not np.isfinite(energy_bfmi(np.array([[1e200, -1e200, 1e200, 0.0]]))).any()
