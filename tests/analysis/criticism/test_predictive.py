"""Replicates have the distribution that the draws imply, and statistics find what a family gets wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_sp.analysis.criticism.predictive import predictive_checks
from bayes_sp.analysis.criticism.predictors import predictors
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.analysis.criticism.statistics import bins_of, exposure_levels, statistics_of
from bayes_sp.design.build import design_arrays
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Variable
from bayes_sp.names import CHECK_COLUMNS, FREQUENCY_COLUMNS


@pytest.fixture
def checked(small_model, small_design, make_posterior):
    posterior = make_posterior(small_model, small_design)["posterior"].to_dataset()
    return predictive_checks(small_model, small_design, posterior, seed=1), posterior


def of(checks, response, statistic, exposure="all"):
    return checks.table.query(f"response == {response!r} and statistic == {statistic!r} and exposure == {exposure!r}")


def test_replicated_zeros_are_those_of_the_negative_binomial(checked, small_model, small_design):
    """The mean over replicates of the number of zeros is the sum of P(0) = (phi / (phi + mu))^phi over patients."""
    checks, posterior = checked
    outcome = predictors(small_model, small_design, posterior, np.random.default_rng(0))[-1]
    phi = outcome.aux
    analytic = (phi / (phi + np.exp(outcome.eta))) ** phi
    replicated = checks.frequencies.query("response == 'visits' and bin == '0'")["replicated"].item()
    np.testing.assert_allclose(replicated, analytic.sum(axis=1).mean(), rtol=0.03)
    assert of(checks, "visits", "share of zeros")["replicated"].item() == pytest.approx(analytic.mean(), abs=0.03)


def test_the_replicated_mean_and_sd_of_a_normal_response_are_those_of_its_draws(checked, small_model, small_design):
    """The median over replicates of the mean is that of eta; the SD is sigma and the spread of eta together."""
    checks, posterior = checked
    mood = predictors(small_model, small_design, posterior, np.random.default_rng(0))[0]
    sd = np.sqrt(np.median(mood.aux[:, 0] ** 2 + mood.eta.var(axis=1, ddof=1)))
    assert of(checks, "mood", "mean")["replicated"].item() == pytest.approx(np.median(mood.eta.mean(axis=1)), abs=0.03)
    assert of(checks, "mood", "SD")["replicated"].item() == pytest.approx(sd, rel=0.03)


def test_the_share_at_or_above_is_where_the_observed_value_stands(checked):
    """It is 1 less the distribution function of the replicates, and absent where no record can differ."""
    checks, _ = checked
    row = of(checks, "mood", "mean").iloc[0]
    sd = (row["upper"] - row["lower"]) / 3.92
    assert row["share_at_or_above"] == pytest.approx(stats.norm(row["replicated"], sd).sf(row["observed"]), abs=0.05)
    assert of(checks, "mood", "share above 10")["share_at_or_above"].isna().all()
    assert tuple(checks.table.columns) == CHECK_COLUMNS
    assert tuple(checks.frequencies.columns) == FREQUENCY_COLUMNS


def test_too_many_zeros_are_found(small_model, make_user_survey, make_posterior):
    """Half of the visits set to 0: the negative binomial's replicates have fewer at this dispersion."""
    from dataclasses import replace

    survey = make_user_survey()
    visits = survey.records["visits"].where(np.arange(len(survey)) % 2 == 0, 0)
    design = design_arrays(
        small_model, replace(survey, records=survey.records.assign(visits=visits + 6 * (visits > 0)))
    )
    checks = predictive_checks(
        small_model, design, make_posterior(small_model, design)["posterior"].to_dataset(), seed=1
    )
    zeros = of(checks, "visits", "share of zeros").iloc[0]
    assert zeros["observed"] > zeros["upper"]
    assert zeros["share_at_or_above"] < 0.01
    assert "share of zeros" in set(checks.outside["statistic"])


def test_every_family_is_checked_and_frequencies_add_up_to_the_patients(family_model, family_records):
    """Each bin's counts, observed and replicated, add up to n."""
    design = design_arrays(family_model, family_records)
    parameters = draw_priors(family_model, design, draws=60, seed=1)
    checks = predictive_checks(family_model, design, parameters, seed=1, replicates=60)
    sums = checks.frequencies.groupby("response")[["observed", "replicated"]].sum()
    np.testing.assert_allclose(sums, 60.0)
    assert np.isfinite(checks.table[["observed", "lower", "upper"]].to_numpy()).all()
    if family_model.coding("y").levels:
        own = checks.table.query("response == 'y' and exposure == 'all'")
        np.testing.assert_allclose(own["observed"].sum(), 1.0)


def test_batches_do_not_change_what_is_compared(small_model, small_design, make_posterior, monkeypatch):
    """Replicates made in parts have the same distribution."""
    posterior = make_posterior(small_model, small_design)["posterior"].to_dataset()
    whole = predictive_checks(small_model, small_design, posterior, seed=1)
    monkeypatch.setattr("bayes_sp.analysis.criticism.predictive.BATCH", 1200)
    parts = predictive_checks(small_model, small_design, posterior, seed=1)
    np.testing.assert_allclose(whole.table["observed"], parts.table["observed"], rtol=1e-12)
    steady = whole.table["statistic"].isin(["mean", "SD", "share of zeros"])
    np.testing.assert_allclose(whole.table["lower"][steady], parts.table["lower"][steady], rtol=0.15, atol=0.03)
    assert parts.replicates == 1000


@pytest.mark.parametrize(
    ("x", "names"),
    [
        (np.repeat([-2.0, 0.0, 3.0], 6), ["below 0", "0", "above 0"]),
        (np.concatenate([np.repeat([-2.0, 3.0], 6), [0.0]]), ["below 0", "above 0"]),
        (np.repeat([0.0, 1.0], 6), ["0", "1"]),
        (np.arange(30.0), ["up to 9.67", "between", "above 19.3"]),
    ],
)
def test_levels_of_the_exposure(x, names):
    """A change by its sign, few values by value, anything else by thirds; groups of fewer than five are left out."""
    found = exposure_levels(x)
    assert list(found) == names
    assert all(mask.sum() >= 5 for mask in found.values())


def test_counts_have_a_bin_of_their_own_for_zero():
    """Small counts: one value a bin. Large ones: several, but 0 stands alone, and the last bin is open."""
    family, variable = FAMILIES["poisson"], Variable("y", "y", kind="count")
    small = bins_of(family, variable, np.array([0.0, 1, 2, 5]))
    assert small.labels == ("0", "1", "2", "3", "4", "5+")
    np.testing.assert_array_equal(small.count(np.array([[0.0, 0, 5, 80]])), [[2, 0, 0, 0, 0, 2]])
    large = bins_of(family, variable, np.arange(0.0, 500))
    assert large.labels[0] == "0"
    assert large.count(np.arange(0.0, 500)).sum() == 500


def test_statistics_belong_to_the_family():
    """Counts: zeros, mean, variance, maximum. Ordered: each answer. Continuous: mean, SD, ends, off the scale."""
    y = np.array([0.0, 0, 3, 9])
    count = statistics_of(FAMILIES["negative_binomial"], Variable("y", "y", kind="count"), y)
    assert {name: float(f(y)) for name, f in count.items()} == {
        "share of zeros": 0.5, "mean": 3.0, "variance": 18.0, "maximum": 9.0,
    }  # fmt: skip
    answers = statistics_of(FAMILIES["ordered_logit"], Variable("y", "y", minimum=1, maximum=3), np.array([1.0, 2]))
    assert list(answers) == ["share of 1", "share of 2", "share of 3"]
    real = statistics_of(FAMILIES["normal"], Variable("y", "y", minimum=1, maximum=5), y)
    assert (float(real["share below 1"](y)), float(real["share above 5"](y))) == (0.5, 0.25)
