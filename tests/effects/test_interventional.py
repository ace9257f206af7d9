"""Interventional effects against numbers worked out elsewhere, closed forms and simulation from margins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chains import made_up_chain
from scipy import special

from bayes_sp.effects.chain import Chain
from bayes_sp.effects.interventional import _means, interventional_of
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.normal import every_path
from bayes_sp.effects.means.responses import Mediator, Outcome
from bayes_sp.effects.means.worlds import world_means
from bayes_sp.effects.problem import Problem

BASE = (0.0, 0.0, 0.3)  # intercepts


def trap(outcome: str = "exp") -> Problem:
    """Return the example whose total is wrong where m2 is drawn independently of m1."""
    slopes, cross = np.zeros((2, 1, 3, 2))
    slopes[0, 1, 0], slopes[0, 2] = 0.5, (-0.3, 0.45)
    cross[0, 2, 1] = 0.25
    mediators = tuple(Mediator("normal", sigma=np.array([sigma])) for sigma in (0.9, 0.8))
    end = Outcome(outcome, cuts=np.zeros((1, 1)), phi=np.ones(1), shift=np.zeros(1))
    chain = Chain(mediators, end, np.array([[0.4, 0.25, 0.1]]), slopes, cross, {})
    base = np.array(BASE)[:, None, None]
    return Problem(chain, lambda start, stop: base, every_path(2), (), (0.0, 1.0), (), {})


def test_the_total_is_right_where_independent_draws_are_wrong():
    """Total rate ratio 1.471 and difference 0.679; m2 drawn independently of m1 would give 1.516 and 0.787."""
    _, joint, marginal = _means(trap())
    y0, y1 = joint[0, 0, 0][0], joint[1, 1, 1][0]
    np.testing.assert_allclose([y1 / y0, y1 - y0], [1.471, 0.679], atol=5e-4)
    none = np.zeros((1, 4), dtype=bool)
    wrong = world_means(trap().chain, trap().baselines, none, (0.0, 1.0), Rule(0.0, apart=True)).plain[0, 0]
    np.testing.assert_allclose(marginal[1, 1, 1][0] / wrong, 1.516, atol=5e-4)
    np.testing.assert_allclose(marginal[1, 1, 1][0] - wrong, 0.787, atol=5e-4)


def test_the_closed_form_is_the_one_written_out():
    """Joint means have half V + 2 C in their exponent, marginal ones half V; m2's margin moves with a2 + d a1."""
    _, joint, marginal = _means(trap())
    known = [(key, mean, 1.0) for key, mean in joint.items()] + [(key, mean, 0.0) for key, mean in marginal.items()]
    for worlds, mean, together in known:
        np.testing.assert_allclose(mean[0], written_out(*worlds, together), rtol=1e-12)


def written_out(u: int, first: int, second: int, together: float) -> float:
    """Return the mean outcome of `trap` with the exposure u, m1 as under ``first`` and m2 as under ``second``."""
    b1, b2 = -0.3, 0.45 + 0.25 * u
    level = 0.3 + 0.1 * u + b1 * 0.4 * first + b2 * (0.25 + 0.5 * 0.4) * second
    v = b1**2 * 0.81 + b2**2 * (0.25 * 0.81 + 0.64)
    return float(np.exp(level + 0.5 * (v + 2 * together * b1 * b2 * 0.5 * 0.81)))


def test_each_effect_is_its_difference_of_means():
    """Two draws of one chain, in the outcome's unit; an outcome's origin is in its means alone."""
    problem = trap()
    outcome = replace(problem.chain.outcome, origin=1.0, unit=2.0)
    problem = replace(problem, chain=replace(problem.chain, outcome=outcome), places={"chain": [0], "draw": [0]})
    found = interventional_of(problem, ("m1", "m2"), mark="made up")
    joint = {key: written_out(*key, 1.0) for key in ((0, 0, 0), (1, 0, 0), (1, 1, 1))}
    apart = {key: written_out(*key, 0.0) for key in ((1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1))}
    interaction = apart[1, 1, 1] - apart[1, 1, 0] - apart[1, 0, 1] + apart[1, 0, 0]
    known = {
        "direct": joint[1, 0, 0] - joint[0, 0, 0],
        "via m1": apart[1, 1, 0] - apart[1, 0, 0],
        "via m2": apart[1, 0, 1] - apart[1, 0, 0],
        "mediated_interaction": interaction,
        "dependence": joint[1, 1, 1] - joint[1, 0, 0] - (apart[1, 1, 1] - apart[1, 0, 0]),
        "total": joint[1, 1, 1] - joint[0, 0, 0],
    }
    assert list(found["effect"].to_numpy()) == list(known)
    np.testing.assert_allclose(found["difference"][0, 0], 2.0 * np.array(list(known.values())), rtol=1e-10)
    np.testing.assert_allclose(found["mean"][0, 0], [1.0 + 2.0 * joint[key] for key in ((0, 0, 0), (1, 1, 1))])
    np.testing.assert_array_equal(found["exposure"], [0.0, 1.0])
    assert found.attrs["data_source"] == "made up"


@pytest.mark.parametrize("mediators", [("logit", "normal"), ("normal", "logit"), ("logit", "beta")], ids="-".join)
def test_margins_agree_with_simulation(mediators):
    """The marginal mean is that of independent draws of both mediators, each from its own margin."""
    chain, baselines = made_up_chain(mediators, "logit", draws=1, n=1, seed=9, interactions=True)
    problem = Problem(chain, baselines, every_path(2), (), (0.0, 1.5), (), {})
    found = _means(problem)[2][1, 0, 1][0]
    rng, size, base = np.random.default_rng(3), 200_000, baselines(0, 1)[:, 0, 0]

    def draw(k: int, eta: np.ndarray) -> np.ndarray:
        m = chain.mediators[k]
        if m.rule == "normal":
            return eta + m.sigma[0] * rng.standard_normal(size)
        if m.rule == "beta":
            mu = special.expit(eta)
            return m.origin + m.unit * rng.beta(mu * m.precision[0], (1 - mu) * m.precision[0])
        above = special.expit(eta[:, None] - m.cuts[0])
        return m.values[(rng.uniform(size=size)[:, None] < above).sum(axis=1)]

    first = draw(0, np.full(size, base[0]))
    other = draw(0, base[0] + chain.exposure[0, 0] * np.full(size, 1.5))
    second = draw(1, base[1] + chain.exposure[0, 1] * 1.5 + chain.slope(1, 0, 1.5)[0] * other)
    eta = base[2] + chain.exposure[0, 2] * 1.5 + chain.slope(2, 0, 1.5)[0] * first + chain.slope(2, 1, 1.5)[0] * second
    y = special.expit(eta[:, None] - chain.outcome.cuts[0]).sum(axis=1)
    assert abs(found - y.mean()) < 5 * y.std() / np.sqrt(size)


def test_one_mediator_with_interaction_is_vanderweeles_closed_form():
    """Log rate ratios of the pure direct and total indirect effect: VanderWeele (2015)."""
    rng = np.random.default_rng(1)
    theta1, theta2, theta3, beta0, beta1, sigma, u0, u1 = rng.normal(0, 0.4, 8)
    end = Outcome("exp", cuts=np.zeros((1, 1)), phi=np.ones(1), shift=np.zeros(1))
    slopes, cross = np.zeros((2, 1, 2, 1))
    slopes[0, 1, 0], cross[0, 1, 0] = theta2, theta3
    mediator = Mediator("normal", sigma=np.array([abs(sigma)]))
    chain = Chain((mediator,), end, np.array([[beta1, theta1]]), slopes, cross, {})
    base = np.array([beta0, 0.2])[:, None, None]
    worlds = np.array([(0, 0), (1, 0), (1, 1)], dtype=bool)
    logs = world_means(chain, lambda start, stop: base, worlds, (u0, u1), Rule()).values[:, 0]
    half = 0.5 * sigma**2 * theta3 * (2 * theta2 + theta3 * (u1 + u0))
    pnde = (theta1 + theta3 * (beta0 + beta1 * u0) + half) * (u1 - u0)
    np.testing.assert_allclose(logs[1] - logs[0], pnde, rtol=1e-10)
    places = {"chain": [0], "draw": [0]}
    problem = Problem(chain, lambda start, stop: base, every_path(1), (), (u0, u1), (), places)
    found = interventional_of(problem, ("m",))["difference"][0, 0]
    at = np.exp(logs)
    np.testing.assert_allclose(found, [at[1] - at[0], at[2] - at[1], at[2] - at[0]], rtol=1e-10)
    assert list(found["effect"].to_numpy()) == ["direct", "via m", "total"]
    np.testing.assert_allclose(logs[2] - logs[1], (theta2 + theta3 * u1) * beta1 * (u1 - u0), rtol=1e-10)


def test_without_curves_or_interactions_there_is_no_dependence():
    """With a linear outcome mediators act one by one: interaction and dependence are nothing."""
    problem = trap("identity")
    problem = replace(problem, chain=replace(problem.chain, interactions=np.zeros((1, 3, 2))))
    _, joint, marginal = _means(problem)
    np.testing.assert_allclose(joint[1, 1, 1], marginal[1, 1, 1], rtol=1e-12)
    np.testing.assert_allclose(
        marginal[1, 1, 1] - marginal[1, 1, 0] - marginal[1, 0, 1] + marginal[1, 0, 0], 0.0, atol=1e-12
    )
