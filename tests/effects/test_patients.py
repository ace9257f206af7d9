"""Means over many patients by moments: against sums over all of them, and against the bound that they state."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_sp.effects import patients
from bayes_sp.effects.chain import Chain, Linear
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.responses import Mediator, Outcome
from bayes_sp.effects.means.worlds import world_means
from bayes_sp.effects.patients import LEAST, TOLERANCE, expanded, log_patient_mean


def covariates(n: int) -> np.ndarray:
    """Return a symmetric, a skewed, a rare binary and a heavy-tailed column."""
    rng = np.random.default_rng(3)
    columns = [rng.normal(size=n), rng.exponential(size=n), rng.random(n) < 0.01, rng.standard_t(4, n)]
    return np.stack(columns, axis=1).astype(float)


@pytest.mark.parametrize("spread", [0.003, 0.03, 0.3])
@pytest.mark.parametrize("weighed", [False, True])
def test_the_stated_bound_holds(spread, weighed):
    w, rng = covariates(5_000), np.random.default_rng(4)
    slopes = np.array([0.3, -0.2, 0.5, 0.1]) + spread * rng.normal(size=(200, 4))
    weights = rng.uniform(0.0, 3.0, len(w)) if weighed else np.ones(len(w))
    found, bound = expanded(slopes, w, weights)
    exact = np.log(np.exp(slopes @ w.T) @ weights / weights.sum())
    error = np.abs(np.expm1(found - exact))
    near = bound < 1.0
    assert (error[near] <= bound[near] + 1e-13).all()
    assert near.all() or spread > 0.01


def test_many_patients_have_the_means_of_sums(monkeypatch):
    """Narrow draws by moments, wide ones among them by sums, and weights of the patients as in any other mean."""
    w, rng = covariates(LEAST), np.random.default_rng(5)
    slopes = np.array([0.3, -0.2, 0.5, 0.1]) + 0.001 * rng.normal(size=(2, 40, 4))
    slopes[1, -3:] += 0.4
    weights = rng.integers(0, 3, len(w)).astype(float)
    summed = []
    whole = patients._summed
    monkeypatch.setattr(patients, "_summed", lambda s, *rest: summed.append(len(s)) or whole(s, *rest))
    for chosen in (None, weights):
        found = log_patient_mean(slopes, w, chosen)
        exact = whole(slopes.reshape(-1, 4), w, np.ones(len(w)) if chosen is None else chosen).reshape(2, 40)
        np.testing.assert_allclose(np.exp(found - exact), 1.0, rtol=0, atol=TOLERANCE)
    assert all(3 <= count < 80 for count in summed)
    assert len(summed) == 2


def test_draws_without_a_finite_slope_are_summed():
    slopes = np.zeros((20, 1))
    slopes[3] = np.nan
    found = log_patient_mean(slopes, np.ones((LEAST, 1)))
    assert np.isnan(found[3])
    np.testing.assert_array_equal(np.delete(found, 3), 0.0)


@pytest.mark.parametrize("rule", ["exp", "identity"])
def test_worlds_of_many_patients_are_those_of_all_their_rows(rule):
    """Predictors that depend on covariates alone give the same means as the rows that they stand for."""
    rng, draws = np.random.default_rng(6), 30
    slopes = np.zeros((draws, 2, 1))
    slopes[:, 1, 0] = rng.normal(0.4, 0.01, draws)
    outcome = Outcome(rule, np.zeros((draws, 1)), np.zeros(draws), np.zeros(draws))
    mediator = Mediator("normal", sigma=rng.uniform(0.5, 0.6, draws))
    chain = Chain((mediator,), outcome, rng.normal(0.2, 0.01, (draws, 2)), slopes, np.zeros((draws, 2, 1)), {})
    known = Linear(rng.normal(0.5, 0.01, (2, draws)), rng.normal(0.3, 0.003, (2, draws, 4)), covariates(LEAST))
    worlds = np.array([[False, False], [True, False], [False, True], [True, True]])
    for weights in (None, rng.uniform(0.0, 2.0, LEAST)):
        fast = world_means(chain, known, worlds, (0.0, 1.0), Rule(1.0), weights)
        rows = world_means(chain, known.__call__, worlds, (0.0, 1.0), Rule(1.0), weights)
        np.testing.assert_allclose(fast.plain, rows.plain, rtol=TOLERANCE)
