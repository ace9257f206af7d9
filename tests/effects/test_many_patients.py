"""Means over very many patients from cells: against those over all of them, and where cells will not do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chains import made_up_chain

from bayes_sp.effects.chain import Linear, Moderation
from bayes_sp.effects.means import cells, worlds
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.worlds import from_cells, world_means
from bayes_sp.effects.patients import log_patient_mean

DRAWS, N = 60, 3_000
WORLDS = np.array([[False] * 4, [True, False, False, False], [False, True, False, True], [True] * 4])
RULE = Rule(1.0, nodes=8)


def narrow(mediators, outcome, *, spread=0.002, q=3):
    """Return a chain whose draws differ little, as those of many patients do, and predictors from covariates."""
    chain = made_up_chain(mediators, outcome, draws=1)[0].taken(np.zeros(DRAWS, dtype=int))
    rng = np.random.default_rng(7)
    exposure = chain.exposure + spread * rng.normal(size=chain.exposure.shape)
    slopes = chain.slopes * (1.0 + spread * rng.normal(size=chain.slopes.shape))
    j = exposure.shape[1]
    intercept = rng.normal(0.1, spread, (j, DRAWS))
    w = np.column_stack([rng.normal(size=N), rng.exponential(size=N), rng.integers(0, 3, N)])[:, :q].astype(float)
    effects = rng.normal(0, 0.4, (j, 1, q)) + spread * rng.normal(size=(j, DRAWS, q))
    return replace(chain, exposure=exposure, slopes=slopes), Linear(intercept, effects, w)


@pytest.fixture
def many(monkeypatch):
    """Take 3,000 patients for very many."""
    monkeypatch.setattr(cells, "MANY", 500)
    monkeypatch.setattr(cells, "_SAMPLE", 200)
    monkeypatch.setattr(cells, "TOLERANCE", 0.05)


def both(chain, baselines, weights, monkeypatch):
    """Return means from cells, and over all patients."""
    asked = WORLDS[:, : 2 ** len(chain.mediators)]
    found = world_means(chain, baselines, asked, (0.0, 1.0), RULE, weights)
    with monkeypatch.context() as patched:
        patched.setattr(cells, "MANY", 10**9)
        exact = world_means(chain, baselines, asked, (0.0, 1.0), RULE, weights)
    assert found.logarithmic == exact.logarithmic
    return found.values, exact.values


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize(
    ("mediators", "outcome"),
    [(("normal",), "logit"), (("normal", "normal"), "hurdle"), (("logit",), "identity"), (("probit",), "exp"),
     pytest.param(("normal", "logit"), "exp", marks=pytest.mark.slow), (("beta",), "probit")],
)  # fmt: skip
def test_cells_give_the_means_over_all_patients(many, monkeypatch, mediators, outcome, weighed):
    """RMS error within a hundredth of a posterior SD, of each world and its difference from the first."""
    chain, baselines = narrow(mediators, outcome)
    weights = np.random.default_rng(1).uniform(0.0, 2.0, N) if weighed else None
    found, exact = both(chain, baselines, weights, monkeypatch)
    assert not np.array_equal(found, exact)
    for a, b in ((found, exact), (found - found[0], exact - exact[0])):
        assert (np.sqrt(((a - b) ** 2).mean(axis=1)) <= 0.01 * b.std(axis=1) + 1e-12).all()


@pytest.mark.parametrize("outcome", ["exp", "logit"])
def test_cells_of_a_moderator_with_many_values(many, monkeypatch, outcome):
    """Slopes of each patient's own: patients near each other in the moderator share a cell."""
    chain, baselines = narrow(("normal",), outcome)
    rng = np.random.default_rng(5)
    j, k = chain.slopes.shape[1:]
    more = 0.1 + 0.002 * rng.normal(size=(DRAWS, j, 1))
    chain = replace(chain, moderation=Moderation((0,), ((0,),), more, np.zeros((DRAWS, j, k, 1))))
    found, exact = both(chain, baselines, None, monkeypatch)
    assert not np.array_equal(found, exact)
    assert (np.sqrt(((found - exact) ** 2).mean(axis=1)) <= 0.01 * exact.std(axis=1)).all()


def test_effects_say_that_patients_were_averaged_in_cells(monkeypatch):
    """Where cells may be used; not where means are closed forms, which stay exact for any number of patients."""
    assert not from_cells(*narrow(("normal",), "logit"))  # 3,000 are few
    monkeypatch.setattr(worlds, "MANY", 500)
    assert from_cells(*narrow(("normal",), "logit"))
    assert not from_cells(*narrow(("normal",), "exp"))


def test_wide_draws_are_averaged_over_all_patients(many, monkeypatch):
    """Draws far from each other see other cells: then no patient is left out."""
    monkeypatch.setattr(cells, "TOLERANCE", 1e-6)
    found, exact = both(*narrow(("normal",), "logit", spread=1.5), None, monkeypatch)
    np.testing.assert_array_equal(found, exact)


def test_alike_patients_are_one_at_any_number(many, monkeypatch):
    """Without covariates, or with few values of them, the means are exact and take one patient for each value."""
    chain, baselines = narrow(("logit",), "exp")
    for w in (np.zeros((N, 0)), baselines.w[:, 2:]):
        q = w.shape[1]
        own = Linear(baselines.intercept, baselines.slopes[..., :q], w)
        merged, counts = cells.distinct(own, None)
        assert len(merged.w) == max(1, 3 * q)
        assert counts.sum() == pytest.approx(len(merged.w))
        found = world_means(chain, own, WORLDS[:, :2], (0.0, 1.0), RULE)
        rows = world_means(chain, own.__call__, WORLDS[:, :2], (0.0, 1.0), RULE)
        np.testing.assert_allclose(found.values, rows.values, rtol=1e-10)
    np.testing.assert_array_equal(log_patient_mean(np.zeros((4, 5, 0)), np.zeros((200_000, 0))), np.zeros((4, 5)))
