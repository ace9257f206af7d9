"""Power-scaling weights against closed forms, numerical integrals and ArviZ."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from arviz_stats import psense
from numpy.testing import assert_allclose
from scipy import stats

from bayes_sp.sensitivity.power.weights import (
    equal_weights,
    power_weights,
    sensitivity,
    tail_sizes,
    weighted_summary,
)

PRIOR, DATA = (0.0, 0.6), (1.1, 0.4)  # mean and SD of a normal prior and of a normal likelihood
GRADIENT = (0.99, 1.01)


def conjugate(prior_power=1.0, data_power=1.0):
    """Return mean and SD of the posterior of a normal prior and a normal likelihood, each to a power."""
    precisions = prior_power / PRIOR[1] ** 2, data_power / DATA[1] ** 2
    precision = sum(precisions)
    return (precisions[0] * PRIOR[0] + precisions[1] * DATA[0]) / precision, precision**-0.5


def drawn(chains=4, draws=20_000, seed=1, *, even=False):
    """Return independent draws of that posterior, or even ones, and log-densities of prior and likelihood at them."""
    rng, number = np.random.default_rng(seed), chains * draws
    x = rng.normal(*conjugate(), (chains, draws))
    if even:
        x = stats.norm(*conjugate()).ppf((rng.permutation(number) + 0.5) / number).reshape(chains, draws)
    return x, stats.norm(*PRIOR).logpdf(x), stats.norm(*DATA).logpdf(x)


@pytest.mark.parametrize("alpha", [0.5, 0.8, 2.0])
@pytest.mark.parametrize("which", ["prior", "likelihood"])
def test_a_weighted_posterior_is_the_conjugate_one(which, alpha):
    """Shift of the mean, ratio of SDs and both limits, in closed form, within 5 %; Pareto k is low."""
    x, prior, likelihood = drawn(even=True)
    weights = power_weights(prior if which == "prior" else likelihood, alpha)
    mean, sd = conjugate(alpha, 1.0) if which == "prior" else conjugate(1.0, alpha)
    assert weights.reliable
    assert_allclose(weights.weights.sum(), 1.0)
    found = weighted_summary(x[..., None], weights, 0.95, tail_sizes(x[..., None]))
    assert_allclose(found.mean[0] - x.mean(), mean - conjugate()[0], rtol=0.05)  # of the same draws
    weighted_sd = np.sqrt((weights.weights * (x - found.mean[0]) ** 2).sum())
    assert_allclose(weighted_sd / conjugate()[1], sd / conjugate()[1], rtol=0.02)
    limits = stats.norm(mean, sd).ppf([0.025, 0.975])
    assert_allclose([found.lower[0], found.upper[0]], limits, atol=0.1 * sd)


def divergence(one, other, low, high):
    """Return the normalised cumulative Jensen-Shannon distance of two normal distributions on a range, by trapezoids.

    Two parts, each of which is a divergence, add up; their linear terms cancel.
    """
    x = np.linspace(low, high, 200_001)
    p, q = stats.norm(*one).cdf(x), stats.norm(*other).cdf(x)
    m = (p + q) / 2
    terms = p * np.log2(p / m) + q * np.log2(q / m)
    return np.sqrt(np.trapezoid(terms, x) / np.trapezoid(p + q, x))


@pytest.mark.parametrize("which", ["prior", "likelihood"])
def test_the_diagnostic_is_that_of_normal_distribution_functions(which):
    """The gradient in log2 of the power, by numerical integration over the range of the draws, within 5 %."""
    x, prior, likelihood = drawn()
    log_p = prior if which == "prior" else likelihood
    found = sensitivity(x[..., None], *(power_weights(log_p, alpha) for alpha in GRADIENT), GRADIENT)
    expected = 0.0
    for alpha in GRADIENT:
        scaled = conjugate(alpha, 1.0) if which == "prior" else conjugate(1.0, alpha)
        mirrored = [(-mean, sd) for mean, sd in (conjugate(), scaled)]
        both = divergence(conjugate(), scaled, x.min(), x.max()), divergence(*mirrored, -x.max(), -x.min())
        expected += max(both) / abs(np.log2(alpha)) / 2
    assert_allclose(found[0], expected, rtol=0.05)


def test_the_diagnostic_is_arvizs():
    """`psense` on the same draws and log-densities gives the same numbers, for several quantities."""
    x, prior, likelihood = drawn(draws=700, seed=4)
    values = np.stack([x, np.exp(x), x**2], axis=-1)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"q": (("chain", "draw", "which"), values)}),
            "log_prior": xr.Dataset({"q": (("chain", "draw"), prior)}),
            "log_likelihood": xr.Dataset(
                {"y": (("chain", "draw", "n"), np.stack([0.3 * likelihood, 0.7 * likelihood], -1))}
            ),
        }
    )
    for group, log_p in (("prior", prior), ("likelihood", likelihood)):
        expected = psense(tree, group=group)["q"].to_numpy()
        found = sensitivity(values, *(power_weights(log_p, alpha) for alpha in GRADIENT), GRADIENT)
        assert_allclose(found, expected, rtol=1e-10)


def test_a_constant_density_has_no_power():
    """Of an improper flat prior every power is the same: equal weights, no sensitivity, the fit's own quantiles."""
    x, *_ = drawn(draws=500)
    weights = [power_weights(np.zeros(x.shape), alpha) for alpha in GRADIENT]
    assert all(one.reliable and one.equal for one in weights)
    assert not sensitivity(x[..., None], *weights, GRADIENT).any()
    found = weighted_summary(x[..., None], weights[0], 0.9, tail_sizes(x[..., None]))
    assert_allclose(found.mean, x.mean())
    assert_allclose([found.lower[0], found.upper[0]], np.quantile(x, [0.05, 0.95]))


def test_a_quantity_that_never_varies_is_not_sensitive():
    """Its distribution stays where it is."""
    x, prior, _ = drawn(draws=500)
    weights = [power_weights(prior, alpha) for alpha in GRADIENT]
    assert sensitivity(np.ones((*x.shape, 1)), *weights, GRADIENT) == [0.0]


def test_weights_in_conflict_are_told():
    """A prior eight SDs away to the power 6 asks for a posterior that no draw is near: Pareto k is high."""
    x = np.random.default_rng(2).standard_normal((4, 500))
    weights = power_weights(stats.norm(8.0, 1.0).logpdf(x), 6.0)
    assert weights.pareto_k > 0.7
    assert not weights.reliable


@pytest.mark.parametrize(("draws", "limit"), [(50, 1 - 1 / np.log10(200)), (1000, 0.7)])
def test_few_draws_need_a_lower_pareto_k(draws, limit):
    """The limit is min(0.7, 1 - 1 / log10 S)."""
    weights = equal_weights(np.zeros((4, draws)))
    for k, reliable in ((limit - 1e-6, True), (limit + 1e-6, False), (np.nan, False)):
        assert type(weights)(weights.weights, k).reliable is reliable


@pytest.mark.fixed_seed  # 250 repetitions know a spread to 5 %, and the errors' own mean is of heavy tails
def test_the_errors_of_the_limits_are_their_spread_over_repetitions():
    """Of 250 sets of 1,000 draws with weights, within 15 %."""
    limits, errors = [], []
    for seed in range(250):
        x, prior, _ = drawn(draws=250, seed=seed)
        found = weighted_summary(x[..., None], power_weights(prior, 0.5), 0.9, np.array([1000.0]))
        limits.append((found.lower[0], found.upper[0]))
        errors.append((found.mcse_lower[0], found.mcse_upper[0]))
    assert_allclose(np.mean(errors, axis=0), np.std(limits, axis=0), rtol=0.15)
