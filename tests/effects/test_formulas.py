"""Counterfactual means and products against simulation, against formulas written out, and against published numbers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from bayes_sp.effects.formulas import (
    ChainCoefficients,
    Path,
    enumerate_paths,
    path_products,
    predictor,
)
from bayes_sp.effects.patients import log_patient_mean
from bayes_sp.effects.shapley import log_link_effects

Array = NDArray[np.float64]

TWO: tuple[Path, ...] = ((), (0,), (1,), (0, 1))


def saturated(count: int) -> tuple[Path, ...]:
    """Return every path through `count` mediators."""
    return enumerate_paths([True] * (count + 1), np.tri(count + 1, count, -1, dtype=bool))


def random_chain(
    count: int, q: int = 2, lead: tuple[int, ...] = (), seed: int = 1, size: float = 0.4
) -> ChainCoefficients:
    """Return coefficients of a saturated chain, of moderate size."""
    rng = np.random.default_rng(seed)
    triangle = np.tri(count + 1, count, -1)
    return ChainCoefficients(
        intercept=rng.normal(0, size, (*lead, count + 1)),
        exposure=rng.normal(0, size, (*lead, count + 1)),
        mediators=rng.normal(0, size, (*lead, count + 1, count)) * triangle,
        covariates=rng.normal(0, size, (*lead, count + 1, q)),
        variance=rng.uniform(0.3, 0.9, (*lead, count)),
    )


def simulated_mean(
    c: ChainCoefficients, paths: tuple[Path, ...], u: Array, kappa: float, w: Array, draws: int, seed: int
) -> tuple[float, float]:
    """Simulate E Y by building every copy of every mediator in the tree of routes; return the mean and its error.

    A copy's error is sqrt(kappa) times one shared by all worlds plus sqrt(1 - kappa) times its own world's; the
    worlds of a mediator are told apart by the exposures that enter above the copy.
    """
    rng = np.random.default_rng(seed)
    count = c.variance.shape[-1]
    exposure_of = dict(zip(paths, u, strict=True))
    shared = [rng.standard_normal(draws) for _ in range(count)]
    own: list[dict[tuple[float, ...], Array]] = [{} for _ in range(count)]

    def inputs(k: int, route: Path) -> tuple[float, ...]:
        through = [(*prefix, *route) for prefix in saturated(k)]
        return tuple(exposure_of[path] for path in through if path in exposure_of)

    def copy(k: int, route: Path) -> Array:
        world = inputs(k, route)
        if world not in own[k]:
            own[k][world] = rng.standard_normal(draws)
        error = np.sqrt(kappa) * shared[k] + np.sqrt(1 - kappa) * own[k][world]
        value = c.intercept[k] + c.covariates[k] @ w + np.sqrt(c.variance[k]) * error
        value = value + c.exposure[k] * exposure_of.get(route, 0.0)
        for j in range(k):
            value = value + c.mediators[k, j] * copy(j, (j, *route))
        return np.asarray(value)

    direct = exposure_of.get((), 0.0)
    eta = c.intercept[count] + c.covariates[count] @ w + c.exposure[count] * direct
    for k in range(count):
        slope = c.mediators[count, k] + (0.0 if c.interactions is None else c.interactions[k] * direct)
        eta = eta + slope * copy(k, (k,))
    y = np.exp(eta)
    return float(y.mean()), float(y.std() / np.sqrt(draws))


def expected_mean(c: ChainCoefficients, paths: tuple[Path, ...], u: Array, kappa: float, w: Array) -> float:
    """Return the closed form for one patient."""
    parts = predictor(c, paths, u, kappa)
    return float(np.exp(parts.level + parts.slopes @ w))


def log_mean_shift(c, paths, switched, contrast, kappa=1.0):
    """Return log E Y where the paths in S see u1 and the others u0, less that where all see u0."""
    u0, u1 = contrast
    after = predictor(c, paths, np.where(switched, u1, u0), kappa)
    return after.level - predictor(c, paths, np.full(len(paths), float(u0))).level


def baseline_mean(c, w, u0, weights=None):
    """Return the standardised mean of the outcome when every path sees u0."""
    paths = saturated(c.mediator_count)
    parts = predictor(c, paths, np.full(len(paths), float(u0)))
    return np.exp(parts.level + log_patient_mean(parts.slopes, w, weights))


def test_paths_come_direct_first_then_by_length_then_by_mediator() -> None:
    """Two saturated mediators have four paths and three have eight, in the documented order."""
    assert saturated(2) == TWO
    assert saturated(3) == ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
    assert saturated(1) == ((), (0,))


def test_paths_with_a_missing_edge_do_not_exist() -> None:
    """Removing x -> y and m1 -> y leaves the path through m2 and the serial path."""
    assert enumerate_paths([True, True, False], [[False, False], [True, False], [False, True]]) == ((1,), (0, 1))
    assert enumerate_paths([False, False, False], np.tri(3, 2, -1, dtype=bool)) == ()


def test_products_of_two_mediators_are_the_published_ones() -> None:
    """The products are c, a1 b1, a2 b2 and a1 d b2, for every draw."""
    c = random_chain(2, lead=(5, 3))
    a1, a2, direct = np.moveaxis(c.exposure, -1, 0)
    d, b1, b2 = c.mediators[..., 1, 0], c.mediators[..., 2, 0], c.mediators[..., 2, 1]
    expected = np.stack([direct, a1 * b1, a2 * b2, a1 * d * b2], axis=-1)
    np.testing.assert_allclose(path_products(c, TWO), expected, rtol=1e-14)


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0])
def test_two_mediators_give_the_written_out_mean(kappa: float) -> None:
    """The general formula is, in all sixteen worlds, the one written out for two mediators."""
    c = random_chain(2, lead=(7,))
    w = np.array([0.3, -1.2])
    a1, a2, direct = np.moveaxis(c.exposure, -1, 0)
    i1, i2, i3 = np.moveaxis(c.intercept + c.covariates @ w, -1, 0)
    d, b1, b2 = c.mediators[..., 1, 0], c.mediators[..., 2, 0], c.mediators[..., 2, 1]
    v1, v2 = np.moveaxis(c.variance, -1, 0)
    for u in product([0.5, 2.0], repeat=4):
        u_d, u_1, u_2, u_3 = u
        same = 1.0 if u_1 == u_3 else kappa
        eta = i3 + direct * u_d + b1 * (i1 + a1 * u_1) + b2 * (i2 + a2 * u_2 + d * (i1 + a1 * u_3))
        eta = eta + 0.5 * ((b1**2 + b2**2 * d**2 + 2 * same * b1 * b2 * d) * v1 + b2**2 * v2)
        parts = predictor(c, TWO, np.array(u), kappa)
        np.testing.assert_allclose(parts.level + parts.slopes @ w, eta, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("world", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1), (1, 1, 0, 0), (0, 1, 1, 1)])
def test_two_mediators_agree_with_simulation(kappa: float, world: tuple[int, ...]) -> None:
    """The closed form is within four Monte Carlo errors of simulated cross-world outcomes."""
    c = random_chain(2, seed=3, size=0.7)
    w = np.array([0.4, -0.6])
    u = np.array(world, dtype=float)
    mean, error = simulated_mean(c, TWO, u, kappa, w, 400_000, seed=11)
    assert abs(expected_mean(c, TWO, u, kappa, w) - mean) < 5 * error


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("world", [(0, 1, 0, 0, 0, 0, 0, 0), (0, 1, 1, 0, 0, 1, 1, 0), (1, 0, 0, 1, 1, 1, 0, 0)])
def test_three_mediators_agree_with_a_simulated_tree_of_copies(kappa: float, world: tuple[int, ...]) -> None:
    """With three mediators, copies of copies included, the closed form is within four Monte Carlo errors."""
    c = random_chain(3, seed=8, size=0.6)
    w = np.array([0.4, -0.6])
    u = np.array(world, dtype=float)
    mean, error = simulated_mean(c, saturated(3), u, kappa, w, 400_000, seed=5)
    assert abs(expected_mean(c, saturated(3), u, kappa, w) - mean) < 5 * error


def test_interactions_agree_with_simulation() -> None:
    """With exposure-mediator interactions the outcome's slopes follow the exposure of the direct path."""
    plain = random_chain(2, seed=3, size=0.6)
    c = ChainCoefficients(
        plain.intercept, plain.exposure, plain.mediators, plain.covariates, plain.variance, np.array([0.3, -0.4])
    )
    w = np.array([0.4, -0.6])
    for world in [(1, 0, 0, 0), (1, 1, 0, 1), (0, 1, 1, 0)]:
        u = np.array(world, dtype=float)
        mean, error = simulated_mean(c, TWO, u, 0.5, w, 400_000, seed=2)
        assert abs(expected_mean(c, TWO, u, 0.5, w) - mean) < 5 * error


def test_kappa_matters_only_where_the_copies_see_different_exposures() -> None:
    """Switching x -> m1 -> y alone adds (kappa - 1) b1 b2 d var1 to the log mean; switching all paths adds nothing."""
    c = random_chain(2, lead=(6,))
    d, b1, b2 = c.mediators[..., 1, 0], c.mediators[..., 2, 0], c.mediators[..., 2, 1]
    split = [False, True, False, False]
    gap = log_mean_shift(c, TWO, split, (0, 1), kappa=0.3) - log_mean_shift(c, TWO, split, (0, 1))
    np.testing.assert_allclose(gap, (0.3 - 1) * b1 * b2 * d * c.variance[..., 0], atol=1e-14)
    for whole in ([True] * 4, [True, False, True, False]):
        np.testing.assert_allclose(
            log_mean_shift(c, TWO, whole, (0, 1), 0.3), log_mean_shift(c, TWO, whole, (0, 1)), atol=1e-14
        )


def test_copies_of_a_mediator_without_the_exposure_above_it_are_one_variable() -> None:
    """If x does not reach m1, no world tells its copies apart and kappa never matters."""
    c = random_chain(2)
    c.exposure[0] = 0.0
    paths = enumerate_paths([False, True, True], np.tri(3, 2, -1, dtype=bool))
    for world in product([False, True], repeat=2):
        np.testing.assert_allclose(
            log_mean_shift(c, paths, world, (0, 1), 0.0), log_mean_shift(c, paths, world, (0, 1)), atol=1e-15
        )


def test_an_empty_contrast_changes_nothing_for_any_kappa() -> None:
    """If both exposures are the same there is one world and the shift is zero."""
    c = random_chain(2)
    assert log_mean_shift(c, TWO, [False, True, False, False], (1.0, 1.0), 0.0) == pytest.approx(0.0, abs=1e-15)


def test_baseline_mean_averages_the_patients_own_means() -> None:
    """The standardised mean is the plain average over patients, draw by draw, across batches."""
    rng = np.random.default_rng(4)
    c, w = random_chain(2, lead=(3, 50)), rng.normal(size=(4001, 2))
    every = predictor(c, TWO, np.full(4, 0.7))
    expected = np.exp(every.level[..., None] + every.slopes @ w.T).mean(axis=-1)
    np.testing.assert_allclose(baseline_mean(c, w, 0.7), expected, rtol=1e-12)


def test_weights_count_patients_as_often_as_repeating_them() -> None:
    """Weights, shared or one set for each draw, give what repeated rows give."""
    rng = np.random.default_rng(5)
    c, w = random_chain(2, lead=(4,)), rng.normal(size=(30, 2))
    counts = rng.integers(0, 4, size=(4, 30))
    each = baseline_mean(c, w, 0.0, counts.astype(float))
    shared = baseline_mean(c, w, 0.0, counts[0].astype(float))
    for draw in range(4):
        rows = np.repeat(w, counts[draw], axis=0)
        np.testing.assert_allclose(each[draw], baseline_mean(c, rows, 0.0)[draw], rtol=1e-12)
    np.testing.assert_allclose(shared, baseline_mean(c, np.repeat(w, counts[0], axis=0), 0.0), rtol=1e-12)


def test_patient_mean_does_not_overflow() -> None:
    """A linear predictor of 800 has a finite log mean although exp(800) is infinite."""
    np.testing.assert_allclose(log_patient_mean(np.array([800.0]), np.array([[1.0], [1.0]])), 800.0)


def test_no_covariates_leave_the_mean_of_one_patient() -> None:
    """With q = 0 the standardised mean is exp(level)."""
    c = random_chain(1, q=0)
    expected = np.exp(predictor(c, saturated(1), np.zeros(2)).level)
    np.testing.assert_allclose(baseline_mean(c, np.empty((12, 0)), 0.0), expected)


def test_mediators_drawn_jointly_with_an_interaction() -> None:
    """Known totals with an x-m2 interaction; drawing m2 independently of m1 would give 1.516 and 0.787 instead."""
    c = ChainCoefficients(
        intercept=np.array([0.0, 0.0, 0.3]),
        exposure=np.array([0.4, 0.25, 0.1]),
        mediators=np.array([[0.0, 0.0], [0.5, 0.0], [-0.3, 0.45]]),
        covariates=np.zeros((3, 0)),
        variance=np.array([0.9**2, 0.8**2]),
        interactions=np.array([0.0, 0.25]),
    )
    for kappa in (0.0, 1.0):
        effects = log_link_effects(c, TWO, (0.0, 1.0), np.empty((1, 0)), kappa=kappa)
        assert effects.rate_ratio_alone[-1] == pytest.approx(1.471, abs=5e-4)
        assert effects.difference_average[-1] == pytest.approx(0.679, abs=5e-4)


def test_one_mediator_is_vanderweeles_closed_form() -> None:
    """Pure direct and total indirect log rate ratios with an interaction are the published single-mediator ones."""
    b0, b1, b2, t0, t1, t2, t3, t4, s2 = 0.2, 0.5, 0.3, -0.1, 0.4, 0.35, 0.25, 0.15, 0.64
    c = ChainCoefficients(
        intercept=np.array([b0, t0]),
        exposure=np.array([b1, t1]),
        mediators=np.array([[0.0], [t2]]),
        covariates=np.array([[b2], [t4]]),
        variance=np.array([s2]),
        interactions=np.array([t3]),
    )
    u0, u1, w = 0.5, 2.0, np.array([1.3])
    paths = saturated(1)

    def log_mean(u_direct: float, u_indirect: float) -> float:
        return float(np.log(expected_mean(c, paths, np.array([u_direct, u_indirect]), 1.0, w)))

    pnde = (t1 + t3 * (b0 + b1 * u0 + b2 * w[0]) + 0.5 * s2 * t3 * (2 * t2 + t3 * (u1 + u0))) * (u1 - u0)
    tnie = (t2 + t3 * u1) * b1 * (u1 - u0)
    assert log_mean(u1, u0) - log_mean(u0, u0) == pytest.approx(pnde, abs=1e-12)
    assert log_mean(u1, u1) - log_mean(u1, u0) == pytest.approx(tnie, abs=1e-12)


def test_interactions_need_the_direct_path() -> None:
    """Paths without the direct one say nothing of the exposure that an interaction sees."""
    c = random_chain(1)
    c = ChainCoefficients(c.intercept, c.exposure, c.mediators, c.covariates, c.variance, np.array([0.2]))
    with pytest.raises(ValueError, match=r"direct path \(\) must be among paths"):
        predictor(c, ((0,),), np.array([1.0]))
