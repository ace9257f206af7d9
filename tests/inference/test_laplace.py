"""The Laplace approximation with importance resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_truth import TRUTH, without_scales
from scipy import stats

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.errors import FitError
from bayes_sp.inference import sample
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import engine_for
from bayes_sp.inference.samplers import laplace
from bayes_sp.inference.samplers.laplace import (
    _propose,
    laplace_draws,
    least_effective,
    variance_factors,
)
from bayes_sp.inference.samplers.mode import find_mode
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.inference.smoothing import smoothed_log_weights
from bayes_sp.names import VARIANCE_FACTOR

LAPLACE = sp.SamplerOptions(method="laplace", draws=4000)


def _largest_difference(first: sp.Fit, second: sp.Fit) -> float:
    """Largest difference of posterior means in posterior SDs, over all parameters."""
    one, two = (fit.posterior["posterior"].to_dataset() for fit in (first, second))
    dims = ("chain", "draw")
    return max(float((abs(one[v].mean(dims) - two[v].mean(dims)) / one[v].std(dims)).max()) for v in one.data_vars)


@pytest.mark.slow
def test_it_agrees_with_nuts_on_the_study(primary_fit, study_survey):
    """At 178 patients posterior means are within 0.05 posterior SDs of NUTS (and its Monte Carlo error)."""
    long = sp.fit("primary", study_survey, seed=2, options=sp.SamplerOptions(draws=4000))
    laplace = sp.fit("primary", study_survey, seed=2, options=replace(LAPLACE, draws=40000))
    assert None not in laplace.posterior.attrs.values()  # a file takes no such attribute
    assert laplace.posterior.attrs["pareto_k"] < 0.7
    assert _largest_difference(long, laplace) < 0.05


@pytest.mark.slow
def test_it_agrees_with_nuts_at_two_thousand_patients(study_survey):
    """At 2000 simulated patients posterior means are within 0.05 posterior SDs of NUTS."""
    model = without_scales(sp.load_model("primary"))
    survey = simulate_survey(model, study_survey, TRUTH, n=2000, seed=3)
    nuts = sp.fit(model, survey, seed=1, options=sp.SamplerOptions(draws=2500))
    assert _largest_difference(nuts, sp.fit(model, survey, seed=1, options=replace(LAPLACE, draws=20000))) < 0.05


def test_the_verdict_speaks_of_pareto_k(study_survey):
    """A Laplace fit has Pareto k and importance ESS in place of divergences and E-BFMI."""
    fit = sp.fit("primary", study_survey, options=LAPLACE)
    verdict = fit.diagnose()
    assert verdict.trustworthy, verdict.reasons
    assert {"pareto_k", "importance_ess"} <= set(verdict.numbers)
    assert "Pareto k" in str(verdict)
    assert fit.posterior["posterior"].sizes["chain"] * fit.posterior["posterior"].sizes["draw"] == 4000


def test_draws_do_not_depend_on_the_number_of_cores(study_survey):
    """The same seed gives the same draws on one thread and on three."""
    one, three = (sp.fit("primary", study_survey, options=replace(LAPLACE, draws=1000, cores=c)) for c in (1, 3))
    assert one.posterior["posterior"].to_dataset().identical(three.posterior["posterior"].to_dataset())


def test_a_poor_approximation_is_refused(study_survey, monkeypatch):
    """With a Pareto k above the limit there is no result, and the message says what to do."""
    monkeypatch.setattr(sample, "PARETO_K_LIMIT", -2.0)
    with pytest.raises(FitError, match=r"Pareto k .* use --method nuts"):
        sp.fit("primary", study_survey, options=replace(LAPLACE, draws=1000))


@pytest.mark.parametrize("tailed", [3, 1])
def test_proposals_have_the_density_that_weights_divide_by(tailed):
    """Weighing the proposals to a normal gives back its mean and variance within 5 standard errors."""
    points, log_q = _propose(np.random.default_rng(1), 100_000, 3, tailed)
    log_weight, pareto_k = smoothed_log_weights(-0.5 * (points**2).sum(axis=1) - log_q)
    weight = np.exp(log_weight)
    assert pareto_k < 0.3
    error = 5 * np.sqrt((weight**2).sum())
    np.testing.assert_allclose(weight @ points, 0.0, atol=error)
    np.testing.assert_allclose(weight @ points**2, 1.0, atol=1.5 * error)


@pytest.mark.slow
def test_monte_carlo_errors_are_those_over_seeds(study_survey, monkeypatch):
    """The SD of means and medians over 24 seeds is the reported error; draws taken as independent have too small a one.

    With as few proposals as half as many effective ones take, where the two errors are furthest apart. A ratio's own
    error is 0.15, that of the root mean square of 25 well below 0.1; the limits are 0.2 away.
    """
    monkeypatch.setattr(laplace, "least_effective", lambda *_: np.inf)
    model = sp.load_model("primary")
    posterior = log_posterior(compile_program(model, design_arrays(model, study_survey)))
    engine_for(posterior)
    mode = find_mode(posterior, cores=1, strict=True)
    posterior = posterior.moved(mode.theta, mode.scale, mode.spread)
    means, medians, errors, naive = [], [], [], []
    for seed in range(24):
        found = laplace_draws(posterior, draws=800, seed=seed)
        values = np.concatenate([found.z[:, :20], np.exp(found.z[:, :5])], axis=1).reshape(4, 200, -1)
        measures = convergence_measures(values, found.factor.reshape(4, 200))
        means.append(values.mean(axis=(0, 1)))
        medians.append(np.median(values, axis=(0, 1)))
        errors.append((measures["mcse_mean"], measures["mcse_median"]))
        naive.append(convergence_measures(values)["mcse_mean"])
    error_mean, error_median = np.square(errors).mean(axis=0)
    spread = np.var(means, axis=0, ddof=1)
    assert 0.8 < np.sqrt((spread / error_mean).mean()) < 1.25
    assert 0.8 < np.sqrt((np.var(medians, axis=0, ddof=1) / error_median).mean()) < 1.25
    assert np.sqrt((spread / np.square(naive).mean(axis=0)).mean()) > 1.25


def test_the_variance_factor_is_that_of_rounding_at_random():
    """The mean of a resample, over many of the same weighted points, varies as the second part of v says."""
    rng = np.random.default_rng(5)
    weight = rng.exponential(size=400) ** 2
    weight /= weight.sum()
    x, draws = rng.standard_normal(400), 300
    means, factors = [], []
    for _ in range(2000):
        order = rng.permutation(400)
        ladder = (rng.random() + np.arange(draws)) / draws
        chosen = order[np.minimum(np.searchsorted(np.cumsum(weight[order]), ladder), 399)]
        means.append(x[chosen].mean())
        expected = draws * weight[chosen]
        factors.append(((variance_factors(expected) - expected) @ (x[chosen] - weight @ x) ** 2) / draws**2)
    assert np.var(means) == pytest.approx(np.mean(factors), rel=0.25)


def test_the_least_effective_parameter_is_found():
    """Equal weights make as many draws as there are; a tail of few heavy draws is worth what its resamples vary by."""
    rng = np.random.default_rng(6)
    even = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)  # no seed makes one draw outweigh the others
    points = np.stack([rng.permutation(even) for _ in range(3)], axis=1)
    assert least_effective(points, np.full(4000, 1 / 4000), 4000) == pytest.approx(4000, rel=1e-6)
    weight = np.exp(1.5 * points[:, 1])
    weight /= weight.sum()
    draws, high = 800, np.zeros(4000)
    ascending = np.argsort(points[:, 1])
    high[ascending[np.cumsum(weight[ascending]) > 0.95]] = 1.0
    share, shares = weight @ high, []
    for _ in range(1500):
        fresh = rng.exponential(size=4000) * weight  # the weights of another set of proposals, to the first order
        fresh /= fresh.sum()
        order = rng.permutation(4000)
        ladder = (rng.random() + np.arange(draws)) / draws
        shares.append(high[order[np.minimum(np.searchsorted(np.cumsum(fresh[order]), ladder), 3999)]].mean())
    expected = share * (1.0 - share) / least_effective(points, weight, draws)
    assert np.var(shares) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_usual_draws_of_a_small_survey_are_enough(study_survey, seed):
    """With the draws that the command takes by itself, 178 patients and skewed residual SDs pass every check."""
    verdict = sp.fit("primary", study_survey, seed=seed, options=sp.SamplerOptions(method="laplace")).diagnose()
    assert verdict.trustworthy, verdict.reasons


def test_equal_weights_leave_independent_draws():
    """Where each proposal is expected once, or less, a draw counts as an independent one."""
    np.testing.assert_allclose(variance_factors(np.array([1.0, 0.3, 0.99, 2.5])), [1.0, 1.0, 1.0, 2.6])


def test_effects_and_verdict_use_the_weights(study_survey):
    """Fewer effective draws than draws, in the tables of effects and of parameters; saved draws keep their factors."""
    fit = sp.fit("primary", study_survey, options=replace(LAPLACE, draws=2000))
    factor = fit.posterior["posterior"][VARIANCE_FACTOR]
    assert factor.dims == ("chain", "draw")
    for table in (fit.effects().table(), fit.diagnose().table):
        assert (table["ess_bulk"] < 2000).all()
        assert table["ess_bulk"].mean() < 1900
        assert (table["mcse_median"] > 0).all()
    own = fit.effects()
    draws = own.draws["average"].sel(path="total", scale="difference").to_numpy()
    row = own.table()[lambda table: (table["path"] == "total") & (table["scale"] == "difference")].iloc[0]
    expected = np.sqrt((factor.to_numpy() * (draws - draws.mean()) ** 2).sum()) / 2000
    assert row["mcse_mean"] == pytest.approx(expected, rel=1e-3)


def test_an_unknown_method_is_refused():
    """Only the two methods exist."""
    with pytest.raises(ValueError, match="method"):
        sp.SamplerOptions(method="vi")


def test_patients_beyond_the_parameters_are_counted_by_equation(small_tables, make_user_survey):
    """Coefficients, residual SD or phi, against the responses that are known; the least of them is kept."""
    survey = make_user_survey(30)
    records = survey.records.astype(float)
    records.loc[:4, "visits"] = np.nan
    model = sp.load_model(small_tables, name="small")
    found = sp.fit(model, replace(survey, records=records), options=replace(LAPLACE, draws=1000)).posterior
    parameters = found["posterior"]["visits"].sizes["visits_term"] + 1  # phi
    assert (found.attrs["least_known"], found.attrs["beyond"]) == ("visits", 25 - parameters)
