"""Pareto k of draws: that of ArviZ, and the tail index of distributions where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.effects.tails import pareto_k

KINDS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "left": lambda rng, shape: -np.exp(2.0 * rng.standard_normal(shape)),
    "bounded": lambda rng, shape: rng.random(shape),
    "slow": lambda rng, shape: np.cumsum(rng.standard_normal(shape), axis=1),
}


@pytest.mark.filterwarnings("ignore:Number of tail draws")
@pytest.mark.parametrize("shape", [(4, 1000, 3), (2, 50, 2), (1, 30, 2), (1, 24, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_that_of_arviz(kind, shape):
    """All kinds of tails, with the same share of effective draws."""
    values = KINDS[kind](np.random.default_rng(5), shape)
    found = pareto_k(values, convergence_measures(values)["ess_tail"])
    known = array_stats.pareto_khat(np.moveaxis(values, -1, 0), chain_axis=-2, draw_axis=-1)
    np.testing.assert_allclose(found, known, rtol=1e-9)


@pytest.mark.parametrize("index", [0.5, 1.0, 2.0])
def test_it_is_the_index_of_a_power_law(index):
    """P(x > t) = t^(-1/k) has k; 5 standard errors (1 + k) / sqrt(tail)."""
    values = np.random.default_rng(6).pareto(1.0 / index, (4, 4000, 1)) + 1.0
    (found,) = pareto_k(values, np.array([16000.0]))
    assert abs(found - index) < 5 * (1 + index) / np.sqrt(379)


def test_what_has_no_tail_to_fit():
    """Infinite draws, a constant, NaN, and too few draws."""
    values = np.random.default_rng(7).standard_normal((4, 100, 4))
    values[0, 0, 0], values[..., 1], values[2, 5, 2] = np.inf, 1.0, np.nan
    found = pareto_k(values, np.array([400.0, 400.0, np.nan, 400.0]))
    assert found[0] == np.inf
    assert np.isnan(found[1:3]).all()
    assert np.isfinite(found[3])
    assert np.isnan(pareto_k(values[:1, :4], np.full(4, 4.0))).all()
