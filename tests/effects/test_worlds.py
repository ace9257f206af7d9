"""Mean outcomes of chains of any families in any world, against simulation and the closed forms they collapse to."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import product
from pathlib import Path

import numba
import numpy as np
import pytest
from chains import made_up_chain, outcome_mean, simulated_world
from scipy import integrate, special, stats

from bayes_sp.effects import formulas
from bayes_sp.effects.chain import Chain, Linear
from bayes_sp.effects.means import kernels, kernels_blocks, kernels_levels, kernels_sums, points
from bayes_sp.effects.means.cells import distinct
from bayes_sp.effects.means.counts import count_grid, means_missing
from bayes_sp.effects.means.nodes import HERMITE, Rule, beta_nodes, cross_world_factor, normal_nodes
from bayes_sp.effects.means.normal import every_path
from bayes_sp.effects.means.worlds import needs_nodes, world_means

OUTCOMES = ("identity", "exp", "logit", "probit", "zero_inflated", "hurdle")
PAIRS = [("normal", "normal"), ("normal", "logit"), ("normal", "beta"), ("logit", "normal"), ("probit", "normal"),
         ("logit", "probit"), ("logit", "beta"), ("binary", "binary"), ("normal", "probit")]  # fmt: skip
COUNTS = [("count", "normal"), ("normal", "count"), ("count", "count"), ("probit", "count"), ("poisson", "logit"),
          ("count", "beta")]  # fmt: skip
# A third of all pairs of mediators with outcomes: each pair twice, each outcome three times.
SQUARE = [(pair, OUTCOMES[(k + 3 * half) % 6]) for k, pair in enumerate(PAIRS) for half in range(2)]
SQUARE += [*product(COUNTS, ("exp",)), (COUNTS[0], "logit"), (COUNTS[1], "hurdle"), (COUNTS[2], "zero_inflated"),
           (COUNTS[3], "probit"), (COUNTS[4], "hurdle"), (COUNTS[5], "logit"), (COUNTS[2], "identity")]  # fmt: skip
WORLDS = np.array([(1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 1, 1), (0, 0, 1, 0), (1, 1, 1, 1)], dtype=bool)
ALL = np.array(list(product([False, True], repeat=4)))
U = (0.0, 1.5)


def exposures(world: np.ndarray) -> tuple[float, ...]:
    return tuple(U[int(switched)] for switched in world)


def means(chain: Chain, baselines, kappa: float = 1.0, nodes: int = 24, worlds: np.ndarray = ALL, **how) -> np.ndarray:
    return world_means(chain, baselines, worlds, U, Rule(kappa, nodes, **how)).plain


@pytest.mark.parametrize(("mediators", "outcome"), SQUARE)
def test_two_mediators_agree_with_simulation(mediators, outcome):
    """Every pair of mediators with every outcome is within four Monte Carlo errors, at three kappas."""
    chain, baselines = made_up_chain(mediators, outcome, draws=2, seed=5, interactions=True, monotonic=True)
    for kappa in (0.0, 0.4, 1.0):
        found = means(chain, baselines, kappa, worlds=WORLDS)
        for v, world in enumerate(WORLDS):
            if kappa < 1.0 and v not in (1, 2):
                continue  # the same as for kappa = 1
            mean, error = simulated_world(chain, baselines, 1, exposures(world), kappa, 20_000, seed=100 + v)
            assert abs(found[v, 1] - mean) < 5 * error, (kappa, v)


@pytest.mark.parametrize("outcome", ["probit", "hurdle"])
@pytest.mark.parametrize("mediators", [PAIRS[0], PAIRS[2], PAIRS[3], ("logit", "logit")], ids="-".join)
def test_copies_drawn_apart_agree_with_simulation(mediators, outcome):
    """Where every route has a copy of its own, even worlds with one exposure have independent copies of m1."""
    chain, baselines = made_up_chain(mediators, outcome, draws=1, seed=8, interactions=True)
    found = means(chain, baselines, 0.0, worlds=WORLDS, apart=True)
    for v in (2, 4):
        mean, error = simulated_world(chain, baselines, 0, exposures(WORLDS[v]), 0.0, 20_000, seed=v, apart=True)
        assert abs(found[v, 0] - mean) < 5 * error


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("mediator", ["normal", "logit", "probit", "beta", "count", "poisson"])
def test_one_mediator_agrees_with_scipy(mediator, outcome):
    """With one mediator a mean is a sum or a one-dimensional integral, which SciPy does for one patient."""
    chain, baselines = made_up_chain((mediator,), outcome, draws=2, n=1, seed=3, interactions=True)
    found = means(chain, baselines, nodes=48, worlds=np.array([(0, 1), (1, 0)], dtype=bool))
    s, base, one = 1, baselines(1, 2)[:, 0, 0], chain.mediators[0]
    for v, (direct, through) in enumerate([(U[0], U[1]), (U[1], U[0])]):
        eta = base[0] + chain.exposure[s, 0] * through

        def given(m: float, direct: float = direct) -> float:
            predictors = [base[j] + chain.exposure[s, j] * direct + chain.slope(j, 0, direct)[s] * m
                          for j in range(1, 2 + chain.zero_part)]  # fmt: skip
            return float(outcome_mean(chain.outcome, s, *np.array(predictors)))

        if one.rule == "count":
            phi, mu, of_log = min(one.phi[s], 1e9), np.exp(eta), given
            law = stats.nbinom(phi, phi / (phi + mu)) if mediator == "count" else stats.poisson(mu)
            expected = sum(law.pmf(m) * of_log(np.log1p(m)) for m in range(500))
        elif mediator == "normal":
            law = stats.norm(eta, one.sigma[s])
            expected = integrate.quad(lambda m: law.pdf(m) * given(m), *law.interval(1 - 1e-14), epsabs=1e-12)[0]  # noqa: B023 - integrated before the loop goes on
        elif mediator == "beta":
            mu = special.expit(eta)
            law = stats.beta(mu * one.precision[s], (1 - mu) * one.precision[s])
            expected = integrate.quad(lambda p: law.pdf(p) * given(one.origin + one.unit * p), 0, 1, epsabs=1e-12)[0]  # noqa: B023 - integrated before the loop goes on
        else:
            cdf = special.expit if mediator == "logit" else special.ndtr
            above = np.concatenate([[1.0], cdf(eta - one.cuts[s]), [0.0]])
            expected = sum(p * given(m) for p, m in zip(-np.diff(above), one.values, strict=True))
        np.testing.assert_allclose(found[v, s], expected, rtol=1e-8)


@pytest.mark.parametrize("phi", [0.05, 1.0, 50.0])
def test_a_steep_hurdle_agrees_with_scipy(phi):
    """Draws of slopes from .2 to 6, side by side: the mean lies far out, where exp(slope x mediator) has carried it."""
    steep = np.array([0.2, 1.5, 3.0, 6.0])
    chain, baselines = made_up_chain(("normal",), "hurdle", draws=4, n=1, seed=3)
    slopes = chain.slopes.copy()
    slopes[:, 1, 0], slopes[:, 2, 0] = steep, -0.5 * steep
    mediators = (replace(chain.mediators[0], sigma=np.ones(4)),)
    chain = replace(chain, slopes=slopes, mediators=mediators, outcome=replace(chain.outcome, phi=np.full(4, phi)))
    found = means(chain, baselines, nodes=128, worlds=np.array([(0, 0), (0, 1)], dtype=bool))
    for s, (v, through) in product(range(4), enumerate(U)):
        base = baselines(s, s + 1)[:, 0, 0]
        m = base[0] + chain.exposure[s, 0] * through

        def part(error: float, s: int = s, m: float = m, base: np.ndarray = base) -> float:
            eta, zeta = base[1:] + slopes[s, 1:, 0] * (m + error)
            # far below 0 SciPy's probability of a 0 is 1, and every count above the hurdle is 1
            mean = outcome_mean(chain.outcome, s, eta, zeta) if eta > -15.0 else special.expit(-zeta)
            return float(stats.norm.pdf(error) * mean)

        expected = integrate.quad(part, -9, 9 + steep[s], points=[0, steep[s]], epsabs=0, epsrel=1e-10, limit=200)[0]
        np.testing.assert_allclose(found[v, s], expected, rtol=1e-6)


def count_chain(phi: float, slope: float, outcome: str, *, log1p: bool = False, draws: int = 2) -> tuple:
    """Return one count of mean exp(eta) with a slope in the outcome, and predictors of three patients."""
    rng = np.random.default_rng(4)
    chain, _ = made_up_chain(("count",), outcome, draws=draws)
    mediator = replace(chain.mediators[0], phi=np.full(draws, phi))
    slopes = np.zeros_like(chain.slopes)
    slopes[:, 1, 0] = slope
    logs = frozenset({(1, 0)}) if log1p else frozenset()
    base = rng.normal(0.5, 0.3, (2, draws, 3))
    return replace(chain, mediators=(mediator,), slopes=slopes, logs=logs), lambda start, stop: base[:, start:stop]


@pytest.mark.parametrize(("phi", "slope"), [(np.inf, 0.4), (np.inf, -1.0), (1.5, 0.15), (1e7, 0.3), (0.4, -0.5)])
def test_counts_have_their_closed_forms(phi, slope):
    """A count in a linear mean has its mean, in an exponential one its moment generating function, to 1e-10."""
    worlds = np.array([(0, 1), (1, 0)], dtype=bool)
    for outcome in ("identity", "exp"):
        chain, baselines = count_chain(phi, slope, outcome)
        found = means(chain, baselines, worlds=worlds)
        base = baselines(0, 2)
        for v, (direct, through) in enumerate([(U[0], U[1]), (U[1], U[0])]):
            mu = np.exp(base[0] + chain.exposure[:, :1] * through)
            eta = base[1] + chain.exposure[:, 1:] * direct
            if outcome == "identity":
                expected = (eta + slope * mu).mean(axis=1)
            else:
                lift = mu * np.expm1(slope)
                expected = np.exp(eta + (lift if np.isinf(phi) else -phi * np.log1p(-lift / phi))).mean(axis=1)
            np.testing.assert_allclose(found[v], expected, rtol=1e-10)


@pytest.mark.parametrize(("phi", "mean"), [(0.3, 4.0), (2.0, 7.0), (np.inf, 9.0)])
def test_large_counts_stand_in_blocks(phi, mean):
    """Sums over counts of some thousands, most of them in blocks, have the moments of the count."""
    grid = count_grid(np.array([phi]), np.array([mean]), np.array([2.0]), np.zeros(1))
    size, mu = min(phi, 1e12), np.exp(mean)
    level = mu if np.isinf(phi) else phi * np.log1p(mu / phi)
    unit = mean if np.isinf(phi) else mean - np.log(size + mu)
    p = np.exp(grid.logs[0] + unit * grid.values - level)
    second = mu + mu**2 * (1.0 if np.isinf(phi) else 1.0 + 1.0 / phi)
    np.testing.assert_allclose([p.sum(), p @ grid.values, p @ grid.values**2], [1.0, mu, second], rtol=1e-9)
    assert len(p) < 5000


@pytest.mark.fixed_seed  # some of the draws have one
def test_a_mean_that_does_not_exist_is_named():
    """Where (1 - p) e^b reaches 1 for some patient a draw has no mean; log(1 + count) always has one."""
    chain, baselines = count_chain(1.5, 0.5, "exp", draws=40)
    base = baselines(0, 40)
    worst = np.exp((base[0] + np.maximum(0.0, chain.exposure[:, :1] * U[1])).max(axis=1))
    expected = worst / (worst + 1.5) * np.exp(0.5) >= 1.0
    assert expected.any()
    assert not expected.all()
    np.testing.assert_array_equal(means_missing(chain, baselines, U), expected)
    assert not means_missing(replace(chain, logs=frozenset({(1, 0)})), baselines, U).any()
    assert not means_missing(replace(chain, slopes=-chain.slopes), baselines, U).any()


def test_normal_mediators_collapse_to_the_closed_form():
    """With normal mediators and a log link the general rule is the formula written out for two mediators, to 1e-10."""
    chain, baselines = made_up_chain(("normal", "normal"), "exp", draws=5, n=1)
    base = baselines(0, 5)[:, :, 0].T
    c = formulas.ChainCoefficients(
        base, chain.exposure, chain.slopes, np.zeros((5, 3, 0)), np.stack([m.sigma**2 for m in chain.mediators], -1),
        chain.interactions[:, 2] + 0.1,
    )  # fmt: skip
    chain = replace(chain, interactions=np.where([[[0, 0], [0, 0], [1, 1]]], chain.interactions + 0.1, 0.0))
    for kappa in (0.0, 0.5, 1.0):
        found = means(chain, baselines, kappa)
        for v, world in enumerate(ALL):
            expected = formulas.predictor(c, every_path(2), np.array(exposures(world)), kappa).level
            np.testing.assert_allclose(found[v], np.exp(expected), rtol=1e-10)


@pytest.mark.parametrize("kappa", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("mediators", [("normal", "normal"), ("logit", "normal"), ("normal", "logit")], ids="-".join)
def test_a_zero_part_that_never_is_leaves_the_count(mediators, kappa):
    """With zeta far below 0 the zero-inflated mean is that of the log link, by another route."""
    chain, baselines = made_up_chain(mediators, "zero_inflated", seed=4)
    none = replace(chain, slopes=chain.slopes * np.array([1, 1, 1, 0])[:, None], exposure=chain.exposure * [1, 1, 1, 0])
    plain = Chain(chain.mediators, replace(chain.outcome, rule="exp"), chain.exposure[:, :3], chain.slopes[:, :3],
                  chain.interactions[:, :3], {})  # fmt: skip
    low = lambda start, stop: np.concatenate([baselines(start, stop)[:3], np.full((1, stop - start, 4), -60.0)])  # noqa: E731 - short, and read beside what they are for
    count = lambda start, stop: baselines(start, stop)[:3]  # noqa: E731 - short, and read beside what they are for
    np.testing.assert_allclose(means(none, low, kappa), means(plain, count, kappa), rtol=1e-10)


@pytest.mark.parametrize("outcome", ["logit", "zero_inflated", "hurdle", "exp"])
def test_a_mediator_with_two_levels_is_a_binary_one(outcome):
    """An ordered mediator with two levels is a binary one whose intercept is minus the cutpoint."""
    chain, baselines = made_up_chain(("binary", "normal"), outcome, seed=6)
    cut = np.random.default_rng(1).normal(size=(chain.draws, 1))
    ordered = replace(chain, mediators=(replace(chain.mediators[0], cuts=cut), chain.mediators[1]))

    def moved(start: int, stop: int) -> np.ndarray:
        base = baselines(start, stop).copy()
        base[0] -= cut[start:stop]
        return base

    np.testing.assert_allclose(means(ordered, baselines, 0.3), means(chain, moved, 0.3), rtol=1e-12)


def test_the_mean_is_linear_in_kappa_for_levels_and_one_variable_where_exposures_agree():
    """The mixture of couplings: halfway in kappa is halfway in the mean; no kappa where u_1 = u_3."""
    chain, baselines = made_up_chain(("logit", "normal"), "logit", seed=2)
    low, half, high = (means(chain, baselines, kappa) for kappa in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, 0.5 * (low + high), rtol=1e-12)
    same = ALL[:, 1] == ALL[:, 3]
    np.testing.assert_allclose(low[same], high[same], rtol=1e-12)
    assert (np.abs(low[~same] - high[~same]) > 1e-6).all()


@pytest.mark.parametrize(("mediators", "outcome"), SQUARE)
def test_twice_the_nodes_change_nothing(mediators, outcome):
    """Quadrature has converged with 24 nodes; where none is said to be needed their number does not matter at all."""
    chain, baselines = made_up_chain(mediators, outcome, seed=7)
    for kappa in (0.5, 1.0):
        coarse, fine = means(chain, baselines, kappa, 24), means(chain, baselines, kappa, 48)
        rtol = 1e-8 if needs_nodes(chain) else 1e-15
        np.testing.assert_allclose(coarse, fine, rtol=rtol, atol=0)


@pytest.mark.parametrize("outcome", ["exp", "probit", "hurdle"])
@pytest.mark.parametrize("mediators", [*PAIRS, ("normal",), ("logit",), ("beta",), ("normal",) * 3], ids="-".join)
def test_whole_weights_are_repeated_patients(mediators, outcome):
    """A patient of weight k counts as k patients do, whatever the chain; the sum of the weights does not matter."""
    count = len(mediators)
    chain, baselines = made_up_chain(mediators, outcome, draws=3, n=5, seed=9, interactions=count < 3, monotonic=True)
    weights = np.array([2, 0, 1, 3, 1])
    repeated = lambda start, stop: np.repeat(baselines(start, stop), weights, axis=2)  # noqa: E731 - short, and read beside what they are for
    worlds = np.array([[0] * 2**count, [1] * 2**count, [0, 1] * 2 ** (count - 1)], dtype=bool)
    for kappa in (0.3, 1.0):
        rule = Rule(kappa, 10)
        expected = world_means(chain, repeated, worlds, U, rule).plain
        found = world_means(chain, baselines, worlds, U, rule, 0.7 * weights).plain
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        equal = world_means(chain, baselines, worlds, U, rule, np.ones(5)).plain
        np.testing.assert_allclose(equal, world_means(chain, baselines, worlds, U, rule).plain, rtol=1e-13)


@pytest.mark.skipif(bool(getattr(numba.config, "DISABLE_JIT", 0)), reason="nothing is compiled")
@pytest.mark.parametrize("mediators", [("normal", "normal"), ("logit", "normal"), ("normal", "logit")], ids="-".join)
def test_a_kernel_is_compiled_for_one_type_of_every_argument(mediators):
    """numba numbers the files of a function's types: two processes that compile at once would take the same number."""
    chain, baselines = made_up_chain(mediators, "logit", draws=3, n=5)
    world_means(chain, baselines, ALL, U, Rule())
    world_means(chain, baselines, ALL, U, Rule(0.3, 10), np.arange(5))
    for kernel in (kernels.normal_worlds, kernels.levels_then_normal, kernels_levels.before_levels):
        assert len(kernel.signatures) <= 1


@pytest.mark.parametrize("weights", [[1.0, 1.0], [0.0] * 4, [1.0, -1.0, 1.0, 1.0], [1.0, np.nan, 1.0, 1.0]])
def test_weights_that_are_none_are_refused(weights):
    """Too few, all zero, negative or not a number."""
    chain, baselines = made_up_chain(("normal", "normal"), "exp")
    with pytest.raises(ValueError, match="weights must be 4 numbers"):
        world_means(chain, baselines, ALL, U, Rule(), np.array(weights))


def test_chains_without_a_rule_are_refused():
    """Three mediators of which one has levels, a beta before another mediator, heavy tails inside a curve."""
    for mediators, outcome, text in [
        (("normal", "normal", "logit"), "exp", "all of them normal"),
        (("beta", "normal"), "exp", "only be the last one"),
    ]:
        chain, baselines = made_up_chain(mediators, outcome)
        with pytest.raises(ValueError, match=text):
            means(chain, baselines, worlds=np.zeros((1, 2 ** len(mediators)), dtype=bool))
    chain, baselines = made_up_chain(("normal", "normal"), "logit")
    heavy = replace(chain, mediators=(replace(chain.mediators[0], mean_only=True), chain.mediators[1]))
    with pytest.raises(ValueError, match="Student t"):
        means(heavy, baselines)


def test_nodes_integrate_what_they_should():
    """Moments of a normal variable, of a pair correlated by kappa, and of a beta variable."""
    for count in (6, 24, 40):
        x, w = normal_nodes(count)
        np.testing.assert_allclose([w @ x**2, w @ x**4, w @ np.exp(0.7 * x)], [1, 3, np.exp(0.245)], rtol=1e-5)
    x, w = normal_nodes(20)
    factor = cross_world_factor(0.6, x, w)
    joint = factor.T @ factor
    np.testing.assert_allclose([joint.sum(), x @ joint @ x, x**2 @ joint @ x**2], [1, 0.6, 1 + 2 * 0.36], rtol=1e-8)
    assert len(cross_world_factor(1.0, x, w)) == 0
    positions, table = beta_nodes(10)
    for p, mu in ((0.3, 0.02), (2.0, 0.6), (400.0, 0.9)):
        weights = np.empty(14)
        points.probabilities(points.BETA, (1 - mu) / mu, np.empty(0), p, table, weights)
        for k in (0, 1, 2, 5, 13):
            moment = np.prod((mu * p + np.arange(k)) / (p + np.arange(k)))  # of a beta variable, E v^k
            np.testing.assert_allclose(weights @ positions**k, moment, rtol=1e-9)


def test_compiled_kernels_know_the_parts_that_they_are_made_of():
    """Numba's disk cache sees one file: a change in the shared parts must change the files of the kernels too."""
    digest = hashlib.sha256(Path(points.__file__).read_bytes()).hexdigest()[:16]
    for module in (kernels, kernels_blocks, kernels_levels, kernels_sums):
        assert digest == module.POINTS, f"write it to {module.__name__}"


def test_kernels_and_nodes_change_rules_at_the_same_number_of_nodes():
    """Each has the number written out: nodes need no compiler, and a kernel's cache sees its own file alone."""
    assert kernels.HERMITE == HERMITE


def test_patients_alike_are_computed_once():
    """Each different row of covariates once, as often as it stands, gives the mean over all; so do given weights."""
    rng = np.random.default_rng(3)
    w = rng.integers(0, 2, (60, 2)).astype(float)
    baselines = Linear(rng.standard_normal((3, 5)), rng.standard_normal((3, 5, 2)), w)
    for counts in (None, rng.random(60)):
        merged, repeats = distinct(baselines, counts)
        assert len(merged.w) == 4
        assert repeats.sum() == pytest.approx(4)
        own = np.ones(60) if counts is None else counts
        expected = np.exp(baselines(0, 5)) @ own / own.sum()
        np.testing.assert_allclose(np.exp(merged(0, 5)) @ repeats / 4, expected, rtol=1e-12)
    different = Linear(baselines.intercept, baselines.slopes, rng.standard_normal((60, 2)))
    assert distinct(different, None) == (different, None)


@pytest.mark.parametrize("outcome", ["logit", "probit", "zero_inflated", "hurdle"])
@pytest.mark.parametrize("mediators", [("logit", "logit"), ("probit", "beta"), ("logit", "probit"), ("probit",)])
def test_blocks_of_patients_give_the_same_as_one_after_the_other(monkeypatch, mediators, outcome):
    """More patients than a block holds, each counted differently, in every world and however worlds go together."""
    chain, baselines = made_up_chain(mediators, outcome, draws=3, n=kernels_blocks.BLOCK + 5)
    weights, empty, blocks = np.linspace(0.0, 2.0, kernels_blocks.BLOCK + 5), np.empty(0), kernels_blocks.both_levels
    curves = (np.empty((3, 2, 0)), np.empty((3, 2)))

    def one_by_one(kind, links, *rest):
        kernels_levels.before_levels(kind, links, *rest[:5], empty, np.empty((0, 0)), *rest[5:8], *curves, *rest[8:])

    worlds = ALL if len(mediators) == 2 else np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool)
    for rule in (Rule(), Rule(0.4), Rule(0.0), Rule(0.0, apart=True)):
        monkeypatch.setattr(kernels_blocks, "both_levels", blocks)
        found = world_means(chain, baselines, worlds, U, rule, weights).plain
        monkeypatch.setattr(kernels_blocks, "both_levels", one_by_one)
        np.testing.assert_allclose(found, world_means(chain, baselines, worlds, U, rule, weights).plain, rtol=1e-12)
