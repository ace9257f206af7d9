"""Effects of paths alone and averaged over orders: explicit orders, two exact routes, and the identity link."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from bayes_sp.effects.formulas import ChainCoefficients, Path, enumerate_paths, predictor
from bayes_sp.effects.patients import log_patient_mean
from bayes_sp.effects.shapley import (
    all_sets,
    effects_of_sets,
    enumerated_shapley,
    identity_link_effects,
    log_link_effects,
    multilinear_shapley,
)

Array = NDArray[np.float64]


def chain(
    count: int, lead: tuple[int, ...] = (), seed: int = 1, interactions: bool = False
) -> tuple[ChainCoefficients, tuple[Path, ...]]:
    """Return coefficients of a saturated chain with two covariates, and its paths."""
    rng = np.random.default_rng(seed)
    edges = np.tri(count + 1, count, -1, dtype=bool)
    coefficients = ChainCoefficients(
        intercept=rng.normal(0, 0.4, (*lead, count + 1)),
        exposure=rng.normal(0, 0.4, (*lead, count + 1)),
        mediators=rng.normal(0, 0.4, (*lead, count + 1, count)) * edges,
        covariates=rng.normal(0, 0.4, (*lead, count + 1, 2)),
        variance=rng.uniform(0.3, 0.9, (*lead, count)),
        interactions=rng.normal(0, 0.3, (*lead, count)) if interactions else None,
    )
    return coefficients, enumerate_paths([True] * (count + 1), edges)


W = np.random.default_rng(9).normal(size=(40, 2))


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("interactions", [False, True])
def test_average_is_the_mean_over_all_24_orders(kappa: float, interactions: bool) -> None:
    """Walking through every order of switching four paths gives the averaged steps, and the steps add up."""
    c, paths = chain(2, lead=(5,), interactions=interactions)
    u0, u1 = -0.5, 1.5

    def log_mean(u: Array) -> Array:
        parts = predictor(c, paths, u, kappa)
        return parts.level + log_patient_mean(parts.slopes, W)

    steps = np.zeros((2, 5, 4))
    for order in permutations(range(4)):
        u = np.full(4, u0)
        for path in order:
            before = log_mean(u)
            u[path] = u1
            steps[0, :, path] += (np.exp(log_mean(u)) - np.exp(before)) / 24
            steps[1, :, path] += (log_mean(u) - before) / 24
    effects = log_link_effects(c, paths, (u0, u1), W, kappa=kappa)
    np.testing.assert_allclose(effects.difference_average[:, :4], steps[0], atol=1e-12)
    np.testing.assert_allclose(np.log(effects.rate_ratio_average[:, :4]), steps[1], atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_averages_add_up_to_the_total(count: int) -> None:
    """Averaged differences add up, and averaged rate ratios multiply, to the total, for any number of mediators."""
    c, paths = chain(count, lead=(3, 2))
    effects = log_link_effects(c, paths, (0, 2), W)
    np.testing.assert_allclose(
        effects.difference_average[..., :-2].sum(-1), effects.difference_alone[..., -1], rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(
        effects.rate_ratio_average[..., :-2].prod(-1), effects.rate_ratio_alone[..., -1], rtol=1e-12
    )
    np.testing.assert_allclose(
        effects.difference_average[..., 1:-2].sum(-1), effects.difference_average[..., -2], atol=1e-12
    )


@pytest.mark.parametrize("players", [1, 3, 4, 8])
def test_the_multilinear_extension_and_enumeration_agree(players: int) -> None:
    """Gauss-Legendre integration and the sum over all sets give the same Shapley values."""
    rng = np.random.default_rng(players)
    log_ratios, baseline = rng.normal(0, 0.8, (6, players)), rng.uniform(1, 9, 6)
    values = baseline * np.exp(all_sets(players) @ log_ratios.T)
    np.testing.assert_allclose(
        multilinear_shapley(baseline, log_ratios), enumerated_shapley(values), rtol=1e-11, atol=1e-12
    )


def test_effects_of_means_are_steps_in_every_order() -> None:
    """Two paths, means and their logarithms: alone from nothing, over both orders; a mean of 0 has no ratio."""
    means = np.array([[2.0, 4.0, 0.0], [3.0, 5.0, 1.0], [5.0, 2.0, 2.0], [9.0, 8.0, 3.0]])  # none, second, first, both
    average = np.array(
        [(means[2] - means[0] + means[3] - means[1]) / 2, (means[1] - means[0] + means[3] - means[2]) / 2]
    )
    for logarithmic, values in ((False, means), (True, np.log(means[:, :2]))):
        found = effects_of_sets(values, ((), (0,)), logarithmic=logarithmic)
        n = values.shape[1]
        alone = np.array([means[2] - means[0], means[1] - means[0], means[1] - means[0], means[3] - means[0]])[:, :n]
        np.testing.assert_allclose(found.difference_alone, alone.T, rtol=1e-12)
        known = np.array([*average, average[1], means[3] - means[0]])[:, :n]
        np.testing.assert_allclose(found.difference_average, known.T, rtol=1e-12)
        ratio = means[[2, 1, 1, 3], :2] / means[0, :2]
        np.testing.assert_allclose(found.rate_ratio_alone[:2], ratio.T, rtol=1e-12)
        none, second, first, both = means[:, :2]
        steps = np.array([first * both / (none * second), second * both / (none * first)])
        np.testing.assert_allclose(found.rate_ratio_average[:2, :2], np.sqrt(steps).T, rtol=1e-12)
        assert not np.isfinite(found.rate_ratio_alone[2:]).any()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_enumeration_near_kappa_one_meets_the_closed_form(count: int) -> None:
    """The route over all worlds, at a kappa a hair below 1, gives what the closed form gives at 1."""
    c, paths = chain(count, lead=(4,))
    closed = log_link_effects(c, paths, (0, 1), W)
    worlds = log_link_effects(c, paths, (0, 1), W, kappa=1 - 1e-14)
    for name in ("rate_ratio_alone", "rate_ratio_average", "difference_alone", "difference_average"):
        np.testing.assert_allclose(getattr(worlds, name), getattr(closed, name), rtol=1e-11, atol=1e-12, err_msg=name)


def test_zero_interactions_change_nothing() -> None:
    """Interactions of zero go through all worlds and give the closed form."""
    c, paths = chain(2, lead=(4,))
    zero = ChainCoefficients(c.intercept, c.exposure, c.mediators, c.covariates, c.variance, np.zeros((4, 2)))
    closed, worlds = log_link_effects(c, paths, (0, 1), W), log_link_effects(zero, paths, (0, 1), W)
    np.testing.assert_allclose(worlds.difference_average, closed.difference_average, atol=1e-12)
    np.testing.assert_allclose(worlds.rate_ratio_alone, closed.rate_ratio_alone, rtol=1e-12)


@pytest.mark.fixed_seed  # coefficients may be so small that kappa moves little
def test_kappa_moves_the_split_and_never_the_total() -> None:
    """Effects of single paths differ between kappa 0 and 1; the total does not."""
    c, paths = chain(2)
    zero, one = (log_link_effects(c, paths, (0, 1), W, kappa=kappa) for kappa in (0.0, 1.0))
    np.testing.assert_allclose(zero.difference_average[-1], one.difference_average[-1], rtol=1e-12)
    np.testing.assert_allclose(zero.rate_ratio_alone[-1], one.rate_ratio_alone[-1], rtol=1e-12)
    assert abs(zero.difference_alone[1] - one.difference_alone[1]) > 1e-4


def test_a_path_alone_is_not_null_below_kappa_one() -> None:
    """Where a1 = 0 the path x -> m1 -> y alone has the factor exp((kappa - 1) b1 b2 d var1)."""
    c, paths = chain(2)
    c.exposure[0] = 0.0
    d, b1, b2 = c.mediators[1, 0], c.mediators[2, 0], c.mediators[2, 1]
    effects = log_link_effects(c, paths, (0, 1), W, kappa=0.25)
    np.testing.assert_allclose(effects.rate_ratio_alone[1], np.exp(-0.75 * b1 * b2 * d * c.variance[0]), rtol=1e-12)


def test_alone_switches_the_named_paths_and_nothing_else() -> None:
    """Rate ratios alone at kappa 1 are exp(product x contrast); total_indirect leaves out the direct path."""
    c, paths = chain(2)
    effects = log_link_effects(c, paths, (1, 3), W)
    a1, a2, direct = c.exposure
    d, b1, b2 = c.mediators[1, 0], c.mediators[2, 0], c.mediators[2, 1]
    logs = np.array([direct, a1 * b1, a2 * b2, a1 * d * b2])
    expected = np.exp(2 * np.array([*logs, logs[1:].sum(), logs.sum()]))
    np.testing.assert_allclose(effects.rate_ratio_alone, expected, rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_identity_link_gives_products(count: int) -> None:
    """Propagating two exposures through the linear equations gives the sum of products times the contrast."""
    c, paths = chain(count, lead=(6,))
    effects = identity_link_effects(c, paths, (0.5, 2.0))

    def outcome(x: float) -> Array:
        values: list[Array] = []
        for j in range(count + 1):
            terms = [c.mediators[:, j, k] * value for k, value in enumerate(values)]
            values.append(c.intercept[:, j] + c.exposure[:, j] * x + sum(terms))
        return values[-1]

    np.testing.assert_allclose(effects[:, -1], outcome(2.0) - outcome(0.5), atol=1e-10)
    np.testing.assert_allclose(effects[:, 0], 1.5 * c.exposure[:, -1], atol=1e-10)
    np.testing.assert_allclose(effects[:, :-2].sum(-1), effects[:, -1], atol=1e-10)


def test_removed_edges_leave_fewer_paths_with_the_same_numbers() -> None:
    """Listing only the paths that exist gives what zero coefficients give; without a direct path all is indirect."""
    c, every = chain(2, lead=(3,))
    c.exposure[..., 2] = 0.0
    c.mediators[..., 2, 0] = 0.0
    some = ((1,), (0, 1))
    for kappa in (1.0, 0.5):
        few, many = (log_link_effects(c, paths, (0, 1), W, kappa=kappa) for paths in (some, every))
        places = [every.index(path) for path in some]
        np.testing.assert_allclose(few.difference_average[..., :2], many.difference_average[..., places], atol=1e-12)
        np.testing.assert_allclose(few.difference_alone[..., 2], few.difference_alone[..., 3], rtol=1e-14)
        np.testing.assert_allclose(many.difference_average[..., -1], few.difference_average[..., -1], atol=1e-12)


@pytest.mark.parametrize("kappa", [1.0, 0.5])
def test_no_path_means_no_effect(kappa: float) -> None:
    """A chain that the exposure does not enter has totals of zero difference and a rate ratio of one."""
    c, _ = chain(2)
    c.exposure[:] = 0.0
    effects = log_link_effects(c, (), (0, 1), W, kappa=kappa)
    np.testing.assert_array_equal(effects.difference_average, [0.0, 0.0])
    np.testing.assert_array_equal(effects.rate_ratio_alone, [1.0, 1.0])


def test_too_many_paths_are_refused_where_worlds_must_be_enumerated() -> None:
    """Four saturated mediators have sixteen paths: possible at kappa 1 only."""
    c, paths = chain(4)
    assert log_link_effects(c, paths, (0, 1), W).difference_average.shape == (18,)
    with pytest.raises(ValueError, match="at most 8 paths; remove edges or set kappa to 1"):
        log_link_effects(c, paths, (0, 1), W, kappa=0.5)


def test_interactions_have_no_products() -> None:
    """Products of coefficients are refused as effects when an interaction is present."""
    c, paths = chain(1, interactions=True)
    with pytest.raises(ValueError, match="without exposure-mediator interactions"):
        identity_link_effects(c, paths, (0, 1))


def test_an_infinite_mean_is_infinite_and_raises_nothing() -> None:
    """A draw whose mean overflows gives infinite differences beside the other draws' finite ones."""
    c, paths = chain(1, lead=(2,))
    c.intercept[1, 1] = 1000.0
    effects = log_link_effects(c, paths, (0, 1), W)
    assert np.isfinite(effects.difference_alone[0]).all()
    assert np.isinf(effects.difference_alone[1]).all()
