"""The bootstrap against a plain loop over the same resamples, its invariances, and its failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from drawn_counts import counts_of

from bayes_sp.design.design import Design
from bayes_sp.effects.formulas import ChainCoefficients
from bayes_sp.effects.shapley import log_link_effects
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.inference.bootstrap.bootstrap import BootstrapResult, bootstrap_effects
from bayes_sp.inference.bootstrap.boundary import BOUNDARY_WORDS, EMPTY_LEVEL, NO_OVERDISPERSION, SEPARATION
from bayes_sp.inference.bootstrap.percentile import percentile_interval
from bayes_sp.inference.likelihood.chain import Chain, chain_least_squares
from bayes_sp.inference.likelihood.least_squares import Moments

Maker = Callable[..., Design]


def resampled(design: Design, seed: int, replicates: int) -> list[Design]:
    """Return each resample as a design of its own rows, from the same stream as the bootstrap."""
    counts = counts_of(design.n, seed, replicates)
    chosen = [np.repeat(np.arange(design.n), row.astype(int)) for row in counts]
    return [replace(design, x=design.x[rows], y=design.y[rows], w=design.w[rows]) for rows in chosen]


def fitted_chain(design: Design) -> ChainCoefficients:
    """Return least-squares coefficients of a design's own rows."""
    names = (*design.covariate_terms, design.exposure, *design.responses)
    moments = Moments.from_records(names, np.column_stack([design.w, design.x, design.y]))
    return chain_least_squares(moments, Chain.from_design(design)).coefficients


def assert_same(one: BootstrapResult, two: BootstrapResult, rtol: float = 0.0) -> None:
    """Assert that two results are equal, bit by bit unless a tolerance is given."""
    for name in ("estimate", "values", "lower", "upper", "lower_mcse", "upper_mcse"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=rtol, atol=rtol, err_msg=name)
    for name in ("intercept", "exposure", "mediators", "covariates", "variance"):
        left, right = getattr(one.replicate_coefficients, name), getattr(two.replicate_coefficients, name)
        np.testing.assert_allclose(left, right, rtol=rtol, atol=rtol, err_msg=name)
    assert one.reasons == two.reasons


@pytest.mark.parametrize("mediators", [1, 2, 3])
def test_least_squares_replicates_are_a_plain_loop(make_design: Maker, mediators: int) -> None:
    """Refitting each resample's rows one at a time gives the same products, differences and percentiles."""
    design = replace(make_design(mediators=mediators), contrast=(1.0, 3.0))
    result = bootstrap_effects(design, seed=4, replicates=60)
    names = (*design.covariate_terms, design.exposure, *design.responses)
    loop = []
    for sample in resampled(design, 4, 60):
        moments = Moments.from_records(names, np.column_stack([sample.w, sample.x, sample.y]))
        fit = chain_least_squares(moments, Chain.from_design(design))
        loop.append([*fit.products, fit.total_indirect, fit.total])
    expected = np.array(loop)
    assert result.scales == ("coefficient", "difference")
    assert result.values.shape == (60, 2**mediators + 2, 2, 2)
    for decomposition in range(2):
        np.testing.assert_allclose(result.values[:, :, 0, decomposition], expected, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(result.values[:, :, 1, decomposition], 2 * expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.lower[:, 0, 0], np.percentile(expected, 2.5, axis=0), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.upper[:, 0, 0], np.percentile(expected, 97.5, axis=0), rtol=1e-10, atol=1e-10)
    assert (result.failed, result.phi, result.replicate_phi) == (0, None, None)


def test_estimates_are_the_fit_to_all_patients(make_design: Maker) -> None:
    """Point estimates are those of least squares from moments, not a mean of replicates."""
    design = make_design()
    result, fit = bootstrap_effects(design, seed=1, replicates=20), fitted_chain(design)
    for name in ("intercept", "exposure", "mediators", "covariates", "variance"):
        np.testing.assert_allclose(getattr(result.coefficients, name), getattr(fit, name), rtol=1e-10, atol=1e-10)


def test_count_replicates_are_statsmodels_fits_of_the_same_rows(make_design: Maker) -> None:
    """On a few resamples, statsmodels' fits of the rows and the effects' formulas give the same replicates."""
    design = make_design(150, count=True)
    result = bootstrap_effects(design, seed=9, replicates=12)
    assert result.scales == ("coefficient", "rate_ratio", "difference")
    assert result.replicate_phi is not None
    for r, sample in enumerate(resampled(design, 9, 12)[:4]):
        x = np.column_stack([np.ones(sample.n), sample.w, sample.x, sample.y[:, :2]])
        model = sm.NegativeBinomial(sample.y[:, 2], x, loglike_method="nb2")
        rough = model.fit(method="bfgs", maxiter=500, gtol=1e-4, disp=0)
        fit = model.fit(start_params=rough.params, method="newton", tol=1e-12, disp=0)
        linear = fitted_chain(sample)
        c = ChainCoefficients(
            intercept=np.array([*linear.intercept[:2], fit.params[0]]),
            exposure=np.array([*linear.exposure[:2], fit.params[4]]),
            mediators=np.array([*linear.mediators[:2], fit.params[5:7]]),
            covariates=np.array([*linear.covariates[:2], fit.params[1:4]]),
            variance=linear.variance,
        )
        effects = log_link_effects(c, result.paths, (0.0, 1.0), sample.w)
        np.testing.assert_allclose(result.replicate_phi[r], 1 / fit.params[-1], rtol=1e-6)
        np.testing.assert_allclose(result.replicate_coefficients.mediators[r], c.mediators, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(result.values[r, :, 1, 0], effects.rate_ratio_alone, rtol=1e-6)
        np.testing.assert_allclose(result.values[r, :, 2, 0], effects.difference_alone, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(result.values[r, :, 2, 1], effects.difference_average, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("count", [False, True])
def test_batches_change_nothing(make_design: Maker, count: bool) -> None:
    """Whatever is drawn at a time, results are equal up to rounding, in the last short block too."""
    design = make_design(1500, count=count)  # blocks of 174 resamples
    results = [bootstrap_effects(design, seed=3, replicates=500, batch_bytes=size) for size in (1, 15_000_000, 2**30)]
    for other in results[1:]:
        assert_same(results[0], other, rtol=1e-9)


@pytest.mark.parametrize("count", [False, True])
def test_the_seed_decides_everything(make_design: Maker, count: bool) -> None:
    """The same seed repeats every bit and another seed gives other replicates around the same estimate."""
    design = make_design(count=count)
    one, same, other = (bootstrap_effects(design, seed=seed, replicates=50) for seed in (1, 1, 2))
    assert_same(one, same)
    np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-12)
    assert not np.array_equal(one.values, other.values)


def test_removed_edges_stay_zero_in_every_replicate(make_design: Maker) -> None:
    """Without x -> m2 and m1 -> y the replicates have two paths and zeros in those places."""
    design = make_design(
        count=True,
        edges_exposure=np.array([True, False, True]),
        edges_mediators=np.array([[False, False], [True, False], [False, True]]),
    )
    result = bootstrap_effects(design, seed=1, replicates=40)
    assert result.paths == ((), (0, 1))
    assert result.values.shape == (40, 4, 3, 2)
    assert np.isfinite(result.values).all()
    np.testing.assert_array_equal(result.replicate_coefficients.exposure[:, 1], 0.0)
    np.testing.assert_array_equal(result.replicate_coefficients.mediators[:, 2, 0], 0.0)
    np.testing.assert_allclose(
        result.values[:, 1, 0, 0],
        result.replicate_coefficients.exposure[:, 0]
        * result.replicate_coefficients.mediators[:, 1, 0]
        * result.replicate_coefficients.mediators[:, 2, 1],
        rtol=1e-12,
    )


@pytest.mark.parametrize("count", [False, True])
def test_resamples_without_a_category_keep_their_effects(make_design: Maker, count: bool) -> None:
    """A category with two patients is missing from e^-2 of the resamples: effects are those without its column."""
    design = make_design(count=count)
    design.w[:, -1] = 0.0
    design.w[:2, -1] = 1.0
    design.y[:2, -1] = 3.0
    result = bootstrap_effects(design, seed=5, replicates=400)
    samples = resampled(design, 5, 400)
    missing = np.array([not sample.w[:, -1].any() for sample in samples])
    assert missing.sum() > 30
    assert dict(result.boundaries)[BOUNDARY_WORDS[EMPTY_LEVEL]] == missing.sum()
    assert (result.failed, result.undefined.sum()) == (0, 0)
    for r in np.flatnonzero(missing)[:3]:
        sample = replace(samples[r], w=samples[r].w[:, :-1], covariate_terms=design.covariate_terms[:-1])
        alone = bootstrap_effects(sample, seed=1, replicates=1)
        np.testing.assert_allclose(result.values[r], alone.estimate, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(result.lower, np.quantile(result.values, 0.025, axis=0))


def poisson_effects(sample: Design) -> tuple[np.ndarray, bool]:
    """Return differences by statsmodels' Poisson fit of a sample's rows, and whether that is the NB's maximum too.

    The NB likelihood falls from the Poisson limit where sum (y - mu)^2 <= sum y, its score in 1/phi being negative.
    """
    x = np.column_stack([np.ones(sample.n), sample.w, sample.x, sample.y[:, :2]])
    fit = sm.GLM(sample.y[:, 2], x, family=sm.families.Poisson()).fit(tol=1e-13, maxiter=100)
    linear = fitted_chain(sample)
    c = ChainCoefficients(
        intercept=np.array([*linear.intercept[:2], fit.params[0]]),
        exposure=np.array([*linear.exposure[:2], fit.params[4]]),
        mediators=np.array([*linear.mediators[:2], fit.params[5:7]]),
        covariates=np.array([*linear.covariates[:2], fit.params[1:4]]),
        variance=linear.variance,
    )
    effects = log_link_effects(c, ((), (0,), (1,), (0, 1)), (0.0, 1.0), sample.w)
    return effects.difference_average, bool(((sample.y[:, 2] - fit.mu) ** 2 - sample.y[:, 2]).sum() <= 0)


def near_poisson(make_design: Maker) -> Design:
    """Return a design whose counts are near the Poisson limit."""
    design = make_design(150, count=True, seed=1)
    design.y[:, 2] = np.random.default_rng(12).negative_binomial(30, 30 / (30 + 3.0), 150)
    return design


@pytest.mark.fixed_seed  # some resamples, not all, must be without overdispersion
def test_resamples_without_overdispersion_are_poisson_fits(make_design: Maker) -> None:
    """Resamples whose size has no bound are those that statsmodels' Poisson fit says, and have its effects."""
    design = near_poisson(make_design)
    result = bootstrap_effects(design, seed=2, replicates=200)
    samples = resampled(design, 2, 200)
    found = [poisson_effects(sample) for sample in samples[:40]]
    assert result.replicate_phi is not None
    bound = np.isposinf(result.replicate_phi)
    assert 0 < bound.sum() < 200
    assert bound[:40].tolist() == [limit for _, limit in found]
    assert result.boundaries == ((BOUNDARY_WORDS[NO_OVERDISPERSION], bound.sum()),)
    assert (result.failed, result.undefined.sum()) == (0, 0)
    for r in np.flatnonzero(bound[:40])[:5]:
        np.testing.assert_allclose(result.values[r, :, 2, 1], found[r][0], rtol=1e-6, atol=1e-9)


def test_poisson_replicates_are_statsmodels_fits_of_the_same_rows(make_design: Maker) -> None:
    """A Poisson outcome's replicates are the effects of statsmodels' fits, and its size is not spoken of."""
    design = replace(near_poisson(make_design), families=("normal", "normal", "poisson"))
    result = bootstrap_effects(design, seed=2, replicates=5)
    for r, sample in enumerate(resampled(design, 2, 5)):
        np.testing.assert_allclose(result.values[r, :, 2, 1], poisson_effects(sample)[0], rtol=1e-6, atol=1e-9)
    assert (result.phi, result.at_boundary) == (None, 0)


def test_counts_without_overdispersion_have_the_poisson_estimate(make_design: Maker) -> None:
    """Where all patients have no overdispersion the estimate is the Poisson fit's."""
    design = make_design(count=True)
    design.y[:, 2] = np.random.default_rng(1).binomial(6, 0.5, design.n)
    result = bootstrap_effects(design, seed=1, replicates=10)
    np.testing.assert_allclose(result.estimate[:, 2, 1], poisson_effects(design)[0], rtol=1e-6, atol=1e-9)
    assert result.phi == np.inf


@pytest.mark.parametrize("empty", [0.0, 1.0])
def test_an_arm_without_events_has_a_rate_of_0(make_design: Maker, empty: float) -> None:
    """The total is minus or plus the other arm's mean, from statsmodels' fit of that arm; ratio 0 or infinite."""
    design = make_design(200, count=True, mediators=1, q=1, seed=3)
    design = replace(design, x=(np.arange(200) % 2).astype(float))
    design.y[:, 0] += 0.5 * design.x
    design.y[design.x == empty, 1] = 0.0
    result = bootstrap_effects(design, seed=2, replicates=30)
    assert result.boundaries == ((BOUNDARY_WORDS[SEPARATION], 30),)
    assert (result.failed, result.undefined.sum()) == (0, 0)
    sign = 1.0 if empty == 0.0 else -1.0
    assert (result.values[:, -1, 0, 0] == sign * np.inf).all()
    assert (result.values[:, -1, 1, 0] == (np.inf if empty == 0.0 else 0.0)).all()
    for r, sample in enumerate(resampled(design, 2, 2)):
        linear = fitted_chain(sample)
        arm = sample.x != empty
        x = np.column_stack([np.ones(arm.sum()), sample.w[arm, 0], sample.y[arm, 0]])
        model = sm.NegativeBinomial(sample.y[arm, 1], x, loglike_method="nb2")
        rough = model.fit(method="bfgs", maxiter=500, gtol=1e-4, disp=0)
        i, g, b, _ = model.fit(start_params=rough.params, method="newton", tol=1e-12, disp=0).params
        m = linear.intercept[0] + linear.covariates[0, 0] * sample.w[:, 0] + linear.exposure[0] * (1.0 - empty)
        mean = np.exp(i + g * sample.w[:, 0] + b * m + 0.5 * b**2 * linear.variance[0]).mean()
        np.testing.assert_allclose(result.values[r, -1, 2, :], sign * mean, rtol=1e-5)
        np.testing.assert_allclose(result.values[r, 1, 0, 0], b * linear.exposure[0], rtol=1e-5)
        np.testing.assert_array_equal(result.replicate_coefficients.exposure[r, 1], sign * np.inf)


def test_a_level_that_only_an_arm_without_events_has_leaves_no_difference(make_design: Maker) -> None:
    """The level's rate in the other arm is known to nobody; ratios, and a product of slopes, do not need it."""
    design = make_design(200, count=True, mediators=1, q=2, seed=3)
    design = replace(design, x=(np.arange(200) % 2).astype(float))
    design.w[:, 1] = (np.arange(200) % 6 == 1).astype(float)
    design.y[design.x == 1.0, 1] = 0.0
    result = bootstrap_effects(design, seed=2, replicates=20)
    assert np.isnan(result.values[:, :, 2]).all()
    assert np.isnan(result.lower[:, 2]).all()
    assert (result.undefined[:, 2] == 20).all()
    assert (result.values[:, -1, 1] == 0.0).all()
    arm = design.x == 0.0
    x = np.column_stack([np.ones(arm.sum()), design.w[arm, 0], design.y[arm, 0]])
    model = sm.NegativeBinomial(design.y[arm, 1], x, loglike_method="nb2")
    rough = model.fit(method="bfgs", maxiter=500, gtol=1e-4, disp=0)
    intercept, _, slope, _ = model.fit(start_params=rough.params, method="newton", tol=1e-12, disp=0).params
    np.testing.assert_allclose(result.coefficients.mediators[1, 0], slope, rtol=1e-5)
    np.testing.assert_allclose(result.coefficients.intercept[1], intercept, rtol=1e-5)
    np.testing.assert_allclose(result.estimate[1, 0], slope * fitted_chain(design).exposure[0], rtol=1e-5)
    elsewhere = replace(design, w=design.w.copy())
    elsewhere.w[0, 1] = 1.0  # one patient of the level in the arm with events
    assert np.isfinite(bootstrap_effects(elsewhere, seed=2, replicates=1).estimate[:, 2]).all()


def test_a_resample_without_events_has_differences_of_0(make_design: Maker) -> None:
    """One event among 60 patients is missing from e^-1 of the resamples: difference 0, no ratio; limits withheld."""
    design = make_design(60, count=True, mediators=1, q=1, seed=3)
    design.y[:, 1] = 0.0
    design.y[5, 1] = 2.0
    result = bootstrap_effects(design, seed=1, replicates=200)
    without = np.array([not sample.y[:, 1].any() for sample in resampled(design, 1, 200)])
    assert without.sum() > 40
    np.testing.assert_array_equal(result.values[without, :, 2], 0.0)
    assert np.isnan(result.values[without, :, :2]).all()
    assert np.isnan(result.lower[:, :2]).all()


def test_collinear_covariates_are_named_before_any_resample(make_design: Maker) -> None:
    """A covariate that repeats the exposure is refused by name."""
    design = make_design()
    design.w[:, 0] = 2 * design.x + 1
    with pytest.raises(SurveyError, match="regression of m1: 'w1' is a linear combination of 'x'"):
        bootstrap_effects(design, seed=1, replicates=10)


def test_other_families_are_refused(make_design: Maker) -> None:
    """Families without a maximum-likelihood fit here are named with what can be used."""
    design = replace(make_design(), families=("ordered_logit", "normal", "gamma"))
    with pytest.raises(SpecificationError) as caught:
        bootstrap_effects(design, seed=1, replicates=10)
    assert caught.value.problems == (
        "equation 'm1': family 'ordered_logit' of a mediator has no bootstrap; use 'normal'",
        "equation 'y': family 'gamma' of the outcome has no bootstrap; use 'normal', 'negative_binomial' or 'poisson'",
    )


def test_monte_carlo_error_is_the_spread_of_repeated_bootstraps(make_design: Maker) -> None:
    """The stated error of a limit is the spread of the limit over sixty seeds, within 5 errors of that spread."""
    design = make_design()
    results = [bootstrap_effects(design, seed=seed, replicates=500) for seed in range(60)]
    for name in ("lower", "upper"):
        limits = np.array([getattr(result, name)[:, 0, 0] for result in results])
        stated = np.array([getattr(result, f"{name}_mcse")[:, 0, 0] for result in results]).mean(axis=0)
        ratio = stated / limits.std(axis=0, ddof=1)
        assert (ratio > 0.67).all()
        assert (ratio < 1.85).all()


def test_percentile_interval_of_known_values() -> None:
    """For 0, 1, ..., 10,000 the limits are the percentiles and their errors sqrt(p (1 - p) / R) of the range."""
    values = np.random.default_rng(0).permutation(np.arange(10_001.0))[:, None]
    lower, upper, lower_mcse, upper_mcse = percentile_interval(values, 0.9)
    np.testing.assert_allclose([lower[0], upper[0]], [500.0, 9500.0])
    np.testing.assert_allclose([lower_mcse[0], upper_mcse[0]], 10_000 * np.sqrt(0.05 * 0.95 / 10_001), rtol=1e-9)
    ten = percentile_interval(np.arange(1.0, 11.0)[:, None], 0.95)  # errors reach the ends of so few
    half = (9.0 * (0.025 + np.sqrt(0.025 * 0.975 / 10.0))) / 2.0
    np.testing.assert_allclose(np.ravel(ten), [1.225, 9.775, half, half])


def test_percentiles_order_infinities_and_withhold_what_has_no_value() -> None:
    """Infinite replicates have their place in the order; too many without a value withhold the limit."""
    values = np.tile(np.arange(1001.0)[:, None], 5)
    values[:60, 0] = -np.inf  # beyond the lower limit
    values[:10, 1] = -np.inf  # within what the interval leaves out
    values[-30:, 2] = np.inf
    values[:20, 3] = np.nan  # 2 %, less than the 2.5 % left out on a side
    values[:26, 4] = np.nan
    lower, upper, lower_mcse, upper_mcse = percentile_interval(np.random.default_rng(1).permutation(values), 0.95)
    np.testing.assert_allclose(lower[:4], [-np.inf, 25.0, 25.0, 44.5])
    np.testing.assert_allclose(upper[:4], [975.0, 975.0, np.inf, 975.5])
    assert np.isnan([lower[4], upper[4], lower_mcse[4], upper_mcse[4]]).all()
    assert lower_mcse[0] == 0.0
    half = np.array([-np.inf, np.inf])[:, None]
    assert np.isnan(percentile_interval(half, 0.95)[0]).all()
