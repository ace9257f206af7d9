"""Draws from the priors have the priors' distributions, agree with PyMC's, and improper priors are refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy_priors import NAMES, PRIORS

from bayes_sp.analysis.criticism.prior_check import MEAN, far_mean
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.analysis.criticism.prior_predictive import prior_predictive
from bayes_sp.design.build import design_arrays
from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import DISTRIBUTIONS
from bayes_sp.model.reading.load import load_model


@pytest.mark.parametrize(("prior", "reference"), PRIORS, ids=NAMES)
def test_samplers_draw_from_the_distribution_of_their_name(prior, reference):
    """The largest distance to SciPy's distribution function is that of a sample of 20,000."""
    drawn = prior.distribution.draw(np.random.default_rng(3), 20_000, *prior.numbers)
    assert stats.kstest(drawn, reference.cdf).statistic < 2.6 / np.sqrt(20_000)


def test_half_student_draws_are_the_sizes_of_student_draws():
    """SciPy has no half-Student t: |t| has twice the density of t."""
    drawn = DISTRIBUTIONS["half_student_t"].draw(np.random.default_rng(3), 20_000, 4.0, 2.0)
    result = stats.kstest(drawn, lambda x: 2 * stats.t(4.0, 0.0, 2.0).cdf(x) - 1)
    assert result.statistic < 2.6 / np.sqrt(20_000)


def test_every_improper_prior_is_named(small_tables, small_design):
    """Nothing can be drawn from a flat prior; the message says which equation and term have one."""
    small_tables["priors"]["slope"] = {"dist": "flat", "why": "reference"}
    small_tables["priors"]["sigma"] = {"dist": "half_flat", "why": "reference"}
    with pytest.raises(SpecificationError) as refused:
        draw_priors(load_model(small_tables, name="small"), small_design, draws=10, seed=1)
    assert any("Flat() of walks in the equation of mood is improper" in text for text in refused.value.problems)
    assert any("HalfFlat() of sigma in the equation of mood" in text for text in refused.value.problems)


def test_cutpoints_increase_and_have_the_priors_density_where_they_do(make_family):
    """The middle of three cutpoints is the median of three draws from their prior."""
    model, survey = make_family("ordered_logit")
    cuts = draw_priors(model, design_arrays(model, survey), draws=20_000, seed=2)["y_cutpoint"].to_numpy()[0]
    assert np.all(np.diff(cuts, axis=1) > 0)
    share = stats.norm(0.0, 1.5).cdf(cuts[:, 1])
    assert stats.kstest(share, stats.beta(2, 2).cdf).statistic < 2.6 / np.sqrt(20_000)


def test_prior_prediction_agrees_with_pymc(small_model, make_user_survey):
    """Quantiles of the mean over patients, and the share of zeros, within Monte Carlo error of PyMC's own draws."""
    survey = make_user_survey()
    ours = prior_predictive(small_model, survey, seed=1, draws=4000).check()
    theirs = prior_predictive(small_model, survey, seed=1, draws=4000)
    y = theirs["prior_predictive"]["visits_observed"].to_numpy()[0]
    mood = theirs["prior_predictive"]["mood_observed"].to_numpy()[0].mean(axis=1)
    for probability in (0.1, 0.5, 0.9):
        a, b = np.quantile(ours.means["mood"], probability), np.quantile(mood, probability)
        assert abs(a - b) < 6 * mood.std() / np.sqrt(4000) / np.sqrt(probability * (1 - probability))
    zeros = ours.table.query("response == 'visits' and quantity == 'share of 0'")["median"].item()
    assert abs(zeros - np.median((y == 0).mean(axis=1))) < 0.03


def test_a_mean_beyond_the_scale_has_its_normal_probability(small_tables, make_user_survey):
    """With slopes at 0 the mean of mood is its intercept: P(N(2, 2) < 0) and P(N(2, 2) > 10)."""
    small_tables["priors"]["slope"] = {"dist": "normal", "mu": 0.0, "sigma": 1e-9, "why": "none"}
    found = (
        prior_predictive(load_model(small_tables, name="small"), make_user_survey(), seed=4, draws=20_000).check().table
    )
    own = found[found["response"] == "mood"].set_index("quantity")["probability"]
    np.testing.assert_allclose(own[f"{MEAN} below 0"], stats.norm(2, 2).cdf(0), atol=0.01)
    np.testing.assert_allclose(own[f"{MEAN} above 10"], stats.norm(2, 2).sf(10), atol=1e-3)


def test_the_threshold_of_counts_is_ten_times_what_was_observed_or_what_the_user_says(small_model, make_user_survey):
    """4.48 visits give 50; a threshold of one's own stands in the statement."""
    assert far_mean(np.array([4.48])) == 50
    assert far_mean(np.array([0.31])) == pytest.approx(4)
    found = prior_predictive(small_model, make_user_survey()).check(thresholds={"visits": 7.0}).table
    assert f"{MEAN} above 7" in set(found["quantity"])


def test_every_family_has_statements(family_model, family_records):
    """Intervals of mean and single response for each; shares of answers for ordered ones; finite numbers."""
    found = prior_predictive(family_model, family_records, draws=200).check()
    own = found.table[found.table["response"] == "y"]
    assert own[["lower", "median", "upper", "probability"]].notna().any(axis=1).all()
    if family_model.coding("y").levels:
        shares = own[own["quantity"].str.startswith("share of")]
        assert len(shares) == family_model.coding("y").levels
        assert 0 <= own["probability"].iloc[-1] <= 1


def test_the_same_seed_gives_the_same_statements(small_model, make_user_survey):
    """Another seed gives others."""
    survey = make_user_survey()
    first, again, other = (
        prior_predictive(small_model, survey, seed=seed, draws=100).check().table for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)
