"""The bootstrap against a plain loop over the same resamples, its invariances, and its failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from bayes_sp.effects.formulas import ChainCoefficients
from bayes_sp.effects.shapley import log_link_effects
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.frequentist.bootstrap import BootstrapResult, bootstrap, percentile_interval
from bayes_sp.frequentist.chain import Chain, chain_least_squares
from bayes_sp.frequentist.negbin import NO_OVERDISPERSION, SINGULAR
from bayes_sp.frequentist.regression import Moments
from bayes_sp.frequentist.resample import resamples
from bayes_sp.survey.design import Design

Maker = Callable[..., Design]


def resampled(design: Design, seed: int, replicates: int) -> list[Design]:
    """Return each resample as a design of its own rows, from the same stream as the bootstrap."""
    counts = np.concatenate(list(resamples(design.n, seed, replicates, block=64, batch_bytes=2**20)))
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
    result = bootstrap(design, seed=4, replicates=60)
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
    result, fit = bootstrap(design, seed=1, replicates=20), fitted_chain(design)
    for name in ("intercept", "exposure", "mediators", "covariates", "variance"):
        np.testing.assert_allclose(getattr(result.coefficients, name), getattr(fit, name), rtol=1e-10, atol=1e-10)


def test_count_replicates_are_statsmodels_fits_of_the_same_rows(make_design: Maker) -> None:
    """On a few resamples, statsmodels' fits of the rows and the effects' formulas give the same replicates."""
    design = make_design(150, count=True)
    result = bootstrap(design, seed=9, replicates=12)
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
    results = [bootstrap(design, seed=3, replicates=500, batch_bytes=size) for size in (1, 15_000_000, 2**30)]
    for other in results[1:]:
        assert_same(results[0], other, rtol=1e-9)


@pytest.mark.parametrize("count", [False, True])
def test_the_seed_decides_everything(make_design: Maker, count: bool) -> None:
    """The same seed repeats every bit and another seed gives other replicates around the same estimate."""
    design = make_design(count=count)
    one, same, other = (bootstrap(design, seed=seed, replicates=50) for seed in (1, 1, 2))
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
    result = bootstrap(design, seed=1, replicates=40)
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
def test_resamples_without_a_category_are_counted(make_design: Maker, count: bool) -> None:
    """A category with two patients is missing from about e^-2 of the resamples: NaN, counted, with the reason."""
    design = make_design(count=count)
    design.w[:, -1] = 0.0
    design.w[:2, -1] = 1.0
    design.y[:2, -1] = 3.0
    result = bootstrap(design, seed=5, replicates=400)
    missing = np.array([not sample.w[:, -1].any() for sample in resampled(design, 5, 400)])
    np.testing.assert_array_equal(np.isnan(result.values).all(axis=(1, 2, 3)), missing)
    assert np.isfinite(result.values[~missing]).all()
    assert result.failed == missing.sum() > 30
    assert result.reasons == ((SINGULAR, result.failed),)
    assert np.isnan(result.replicate_coefficients.intercept[missing]).all()
    np.testing.assert_allclose(result.lower, np.quantile(result.values[~missing], 0.025, axis=0))


def test_resamples_without_overdispersion_are_counted(make_design: Maker) -> None:
    """Counts near the Poisson limit leave some resamples without a finite size; the rest make the interval."""
    design = make_design(150, count=True, seed=1)
    rng = np.random.default_rng(12)
    design.y[:, 2] = rng.negative_binomial(30, 30 / (30 + 3.0), 150)
    result = bootstrap(design, seed=2, replicates=200)
    assert 0 < result.failed < 200
    assert dict(result.reasons)[NO_OVERDISPERSION] == result.failed
    assert result.replicate_phi is not None
    assert np.isnan(result.replicate_phi).sum() == result.failed
    assert np.isfinite(result.lower).all()


def test_no_fit_to_all_patients_means_no_bootstrap(make_design: Maker) -> None:
    """Counts without overdispersion in the whole sample are refused with the reason."""
    design = make_design(count=True)
    design.y[:, 2] = np.random.default_rng(1).binomial(6, 0.5, design.n)
    with pytest.raises(SurveyError, match="y: no maximum-likelihood fit to all patients: no overdispersion"):
        bootstrap(design, seed=1, replicates=10)


def test_collinear_covariates_are_named_before_any_resample(make_design: Maker) -> None:
    """A covariate that repeats the exposure is refused by name."""
    design = make_design()
    design.w[:, 0] = 2 * design.x + 1
    with pytest.raises(SurveyError, match="regression of m1: 'w1' is a linear combination of 'x'"):
        bootstrap(design, seed=1, replicates=10)


def test_other_families_are_refused(make_design: Maker) -> None:
    """Families without a maximum-likelihood fit here are named with what can be used."""
    design = replace(make_design(), families=("ordered_logit", "normal", "poisson"))
    with pytest.raises(SpecificationError) as caught:
        bootstrap(design, seed=1, replicates=10)
    assert caught.value.problems == (
        "equation 'm1': family 'ordered_logit' of a mediator has no bootstrap; use 'normal'",
        "equation 'y': family 'poisson' of the outcome has no bootstrap; use 'normal' or 'negative_binomial'",
    )


def test_monte_carlo_error_is_the_spread_of_repeated_bootstraps(make_design: Maker) -> None:
    """The stated error of a limit is the spread of the limit over sixty seeds, within 5 errors of that spread."""
    design = make_design()
    results = [bootstrap(design, seed=seed, replicates=500) for seed in range(60)]
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
