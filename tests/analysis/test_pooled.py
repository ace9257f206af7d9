"""Fits to several sets of records that stand for the same people, and what is pooled of them."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_sp as sp
from bayes_sp.effects.summary import convergence
from bayes_sp.errors import SurveyError
from bayes_sp.inference.pooling import few_words
from bayes_sp.names import ALONE, AVERAGE, DIFFERENCE
from bayes_sp.records.published.members import members

K = 4
OPTIONS = sp.SamplerOptions(draws=500, chains=2, cores=1)


@pytest.fixture(scope="module")
def normal():
    """Return the normal specification fitted to four sets of records with the same moments."""
    return sp.fit("process6", [member.records() for member in members(K)], seed=1, options=OPTIONS)


@pytest.fixture(scope="module")
def counts():
    """Return the count specification fitted to the same records."""
    return sp.fit("primary", [member.records() for member in members(K)], seed=1, options=OPTIONS)


def serial(table):
    """Return the row of the longest path, as a difference averaged over orders."""
    rows = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)]
    return rows[rows["path"].str.count("->") == 3].iloc[0]


def test_moments_are_all_that_normal_likelihoods_see(normal, counts):
    """Members with the same moments agree but for rounding; a count likelihood sees the tails that they leave open."""
    assert serial(normal.shares())["share"] < 0.05 < serial(counts.shares())["share"]


def test_the_pool_is_the_mixture_of_its_members(counts):
    """Its mean is that of the members' means; its variance is Rubin's, less the term for few members."""
    each = np.stack([fit.effects().columns().reshape(-1, len(counts.shares())) for fit in counts.fits])
    draws = counts.effects().columns().reshape(each.shape[0] * each.shape[1], -1)
    np.testing.assert_allclose(draws.mean(axis=0), each.mean(axis=(0, 1)), rtol=1e-9, atol=1e-12)
    table = counts.shares()
    size = each.shape[1]
    mixture = table["within_sd"] ** 2 * (size - 1) / size + table["between_sd"] ** 2 * (K - 1) / K
    np.testing.assert_allclose(draws.var(axis=0), mixture, rtol=1e-9, atol=1e-15)
    extra = (1 + 1 / K) * table["between_sd"] ** 2
    np.testing.assert_allclose(table["share"], extra / (extra + table["within_sd"] ** 2), rtol=1e-9)
    medians = np.median(each, axis=1)
    np.testing.assert_allclose(table["highest"], medians.max(axis=0))


def test_members_are_diagnosed_on_their_own(counts):
    """R-hat compares chains about the same records only; effective draws add up."""
    table = counts.effects().table()
    own = [fit.effects().table() for fit in counts.fits]
    np.testing.assert_allclose(table["r_hat"], np.max([t["r_hat"] for t in own], axis=0))
    np.testing.assert_allclose(table["ess_bulk"], np.sum([t["ess_bulk"] for t in own], axis=0))
    assert len(counts.verdicts()) == K


def test_monte_carlo_errors_of_a_pool():
    """Over many pools of independent draws the SD of mean and median is what is reported."""
    rng = np.random.default_rng(5)
    centres = np.array([-1.0, 0.0, 0.5, 2.0])
    member = np.repeat(np.arange(4), 2)
    values = centres[member][:, None, None] + rng.standard_normal((8, 250, 400))
    found = convergence(values, member=member)
    for name, statistic in (("mcse_mean", np.mean), ("mcse_median", np.median)):
        spread = statistic(values, axis=(0, 1)).std()
        assert found[name].mean() == pytest.approx(spread, rel=0.2)  # the SD of 400 has an error of 3.5 %


def test_the_bootstrap_is_pooled_alike(normal):
    """Estimates are averaged and replicates mixed; posterior and bootstrap of normal equations agree."""
    comparison = normal.compare(replicates=400)
    own = [sp.bootstrap("process6", fit.survey, seed=fit.seed, replicates=100) for fit in normal.fits]
    name = " -> ".join(normal.model.chain)
    row = comparison.bootstrap.query("path == @name and scale == @DIFFERENCE and decomposition == @AVERAGE").iloc[0]
    place = own[0].names.index(name), own[0].scales.index(DIFFERENCE), own[0].decompositions.index(AVERAGE)
    assert row["estimate"] == pytest.approx(np.mean([result.estimate[place] for result in own]))
    values = np.concatenate([result.values[(slice(None), *place)] for result in own])
    assert row["replicates"] == len(values) == 400
    assert np.quantile(values, 0.01) < row["lower"] < np.quantile(values, 0.05)


def test_few_sets_are_said_and_one_is_none(normal):
    """Intervals of few mixed sets are too short; a list of one is a mistake, and a wrong set is named."""
    held, due = (1 - 1 / 5), (1 + 1 / 5)  # of the variance between sets: by mixed draws, and by Rubin
    assert f"should be {100 * ((due / held) ** 0.5 - 1):.0f} % larger" in few_words(5)
    assert few_words(20) == ""
    assert few_words(K) in repr(normal)
    with pytest.raises(SurveyError, match="2 sets of records or more"):
        sp.fit("process6", [normal.fits[0].survey])
    bad = normal.fits[0].survey.records.drop(columns="age")
    with pytest.raises(SurveyError, match="set of records 2"):
        sp.fit("process6", [normal.fits[0].survey, bad], options=OPTIONS)
