"""Fits to several sets of records that stand for the same people, and what is pooled of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.analysis.pooled import pool
from bayes_sp.effects.summary import convergence
from bayes_sp.errors import SurveyError
from bayes_sp.inference.estimates import maximum_likelihood
from bayes_sp.inference.pooling import few_words, rubin
from bayes_sp.names import ALONE, AVERAGE, DIFFERENCE
from bayes_sp.records.published.members import extremes, members

K = 4
OPTIONS = sp.SamplerOptions(draws=500, chains=2, cores=1)  # as of each of many sets
LONGER = replace(OPTIONS, draws=1000)  # of four sets R-hat of the pool is as uncertain as of two alone


@pytest.fixture(scope="module")
def normal():
    """Return the normal specification fitted to four sets of records with the same moments."""
    return sp.fit("process6", [member.records() for member in members(K)], seed=1, options=LONGER)


@pytest.fixture(scope="module")
def counts():
    """Return the count specification fitted to the ensemble that stands for the study's records, the same sets."""
    return sp.fit("primary", members=K, seed=1, options=OPTIONS)


def serial(table):
    """Return the row of the longest path, as a difference averaged over orders."""
    rows = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)]
    return rows[rows["path"].str.count("->") == 3].iloc[0]


@pytest.mark.slow
def test_moments_are_all_that_normal_likelihoods_see(normal, counts):
    """Members with the same moments agree but for rounding; a count likelihood sees the tails that they leave open."""
    shares = [serial(pooled.shares())["share"] for pooled in (normal, counts)]
    assert shares[0] < 0.01
    assert 10 * shares[0] < shares[1]


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
    np.testing.assert_allclose(table["r_hat"], np.sqrt(np.mean([t["r_hat"] ** 2 for t in own], axis=0)))
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
    assert few_words(K) in " ".join(repr(normal).split())
    with pytest.raises(SurveyError, match="2 sets of records or more"):
        sp.fit("process6", [normal.fits[0].survey])
    bad = normal.fits[0].survey.records.drop(columns="age")
    with pytest.raises(SurveyError, match="set of records 2"):
        sp.fit("process6", [normal.fits[0].survey, bad], options=OPTIONS)


def test_the_ensemble_says_what_it_is(counts):
    """Sets differ in seed and shape, the extreme ones stand beside them, and every result carries the mark."""
    assert counts.survey.mark == "178 records reconstructed from published moments (4 sets, seeds 1 to 4)"
    assert counts.survey.set_labels == tuple(str(member) for member in members(K))
    assert [label for label, _ in counts.survey.edges] == [str(member) for member in extremes()]
    assert counts.survey.digest != counts.fits[0].survey.digest
    table = counts.members()
    row = serial(counts.shares())
    edges = table[table["member"] == 0]
    own = edges[(edges["path"] == row["path"]) & (edges["scale"] == DIFFERENCE) & (edges["decomposition"] == AVERAGE)]
    assert (row["bounds_lowest"], row["bounds_highest"]) == (own["median"].min(), own["median"].max())
    assert set(table["member"]) == set(range(K + 1))
    assert counts.effects().mark == counts.compare(replicates=0).mark == counts.survey.mark


def test_coefficients_are_pooled(counts):
    """Posterior means are those of the mixture; maximum likelihood is pooled by Rubin's rules."""
    table = counts.coefficients().set_index(["equation", "term"])
    each = [maximum_likelihood(fit.model, fit.survey, fit._design).values for fit in counts.fits]
    pairs = [own["appointments_t1", "appointments_t1"] for own in each]
    place = list(counts.fits[0].posterior["posterior"]["appointments_t1_term"].to_numpy()).index("loneliness_t1")
    estimates, errors = (np.array([pair[i][place] for pair in pairs]) for i in (0, 1))
    total = (errors**2).mean() + (1 + 1 / K) * estimates.var(ddof=1)
    row = table.loc[("appointments_t1", "loneliness_t1")]
    np.testing.assert_allclose(row[["ml_estimate", "ml_se"]].astype(float), [estimates.mean(), total**0.5], rtol=1e-10)
    draws = [f.posterior["posterior"]["appointments_t1"].to_numpy()[..., place] for f in counts.fits]
    assert row["mean"] == pytest.approx(np.mean(draws))


def test_every_question_is_asked_of_each_set(counts):
    """Effects at levels, along a moderator, their signs and those of other kinds are of the pooled draws."""
    levels = {"loneliness_t0": [1.5, 3.0]}
    found = counts.conditional_effects(levels)
    for k, level in enumerate(levels["loneliness_t0"]):
        own = [fit.conditional_effects({"loneliness_t0": [level]}).each[0].average_draws() for fit in counts.fits]
        np.testing.assert_array_equal(found.each[k].average_draws(), np.concatenate(own))
    curve = counts.effect_curve("age", points=3).table
    middle = curve[(curve["value"] == sorted(set(curve["value"]))[1]) & (curve["scale"] == DIFFERENCE)]
    at_middle = counts.conditional_effects({"age": [float(middle["value"].iloc[0])]}).each[0].intervals()
    same = at_middle[(at_middle["scale"] == DIFFERENCE) & (at_middle["decomposition"] != ALONE)]
    np.testing.assert_allclose(middle["median"], same["median"])
    table = counts.effects().intervals()
    table = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)].set_index("path")
    for path, sign in counts.signs().items():
        assert sign.average[-1] == int(table.loc[path, "lower"] > 0) - int(table.loc[path, "upper"] < 0)
    total = counts.interventional_table().set_index("effect").loc["total", "median"]
    assert total == pytest.approx(table.loc["total", "median"])
    direct = counts.controlled_direct_effect({"belonging_t1": 3.0, "loneliness_t1": 2.0})
    assert direct.sizes["chain"] == 2 * K


def test_sensitivity_and_criticism_look_at_the_first_set(counts):
    """Their marks are those of the first set, and they say the same as if it alone were asked."""
    first = counts.first
    assert first.survey.mark == counts.fits[0].survey.mark
    assert (first.options.draws, first.options.chains) == (1000, 4)  # as many draws as a fit alone
    checks = counts.predictive_checks(replicates=50)
    assert checks.mark == first.survey.mark
    pd.testing.assert_frame_equal(checks.table, first.predictive_checks(replicates=50).table)
    pd.testing.assert_frame_equal(sp.sensitivity.benchmarks(counts), sp.sensitivity.benchmarks(first))


def test_a_set_that_fails_is_named(normal):
    """The pool cannot be used where chains of one set disagree; the verdict says which one and how many."""
    assert normal.diagnose().numbers["failed"] == 0
    bad = normal.fits[2].posterior.copy(deep=True)
    bad["posterior"]["loneliness_t1"].to_numpy()[0] += 3.0
    fits = [*normal.fits[:2], replace(normal.fits[2], posterior=bad), normal.fits[3]]
    verdict = pool(normal.survey, fits).diagnose()
    assert not verdict.trustworthy
    assert verdict.numbers["failed"] == 1
    assert verdict.numbers["worst"] == 3
    assert "1 of 4 sets of records do not pass their checks, the worst of them set 3" in str(verdict)


def test_rubins_rules():
    """By hand, and the interval of many sets holds the truth as often as it says."""
    found = rubin(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]))
    total = 0.2 + 4 / 3
    assert (found.estimate, found.total) == (pytest.approx(2.0), pytest.approx(total))
    assert found.share == pytest.approx(4 / 3 / total)
    assert found.df == pytest.approx(2 * (total / (4 / 3)) ** 2)
    alike = rubin(np.ones((3, 1)), np.full((3, 1), 4.0))
    np.testing.assert_allclose(alike.interval(0.95), [[1 - 1.959964 * 2], [1 + 1.959964 * 2]], rtol=1e-6)
    rng = np.random.default_rng(3)
    centre = np.sqrt(1.0 + 0.64) * rng.standard_normal(4000)  # what the observed cells say, and imputations of the rest
    sets = centre + 0.8 * rng.standard_normal((5, 4000))
    lower, upper = rubin(sets, np.ones_like(sets)).interval(0.9)
    assert 0.88 < np.mean((lower < 0) & (upper > 0)) < 0.93


def test_members_are_asked_for_in_numbers():
    """A count that is none, and members beside a survey of one's own, are mistakes."""
    for count in (0, -1, 2.5, True):
        with pytest.raises(SurveyError, match="whole number of at least 1"):
            sp.fit("process6", members=count)
    with pytest.raises(SurveyError, match="goes without a survey"):
        sp.fit("process6", sp.reconstruct(seed=1), members=3)
    alone = sp.fit("process6", members=1, options=sp.SamplerOptions(draws=300, chains=2, cores=1))
    assert type(alone) is sp.Fit
    assert alone.survey.mark == sp.reconstruct(seed=1).mark


def test_r_hat_of_a_pool_averages_chance_and_keeps_what_disagrees():
    """Twenty short sets whose chains agree have an R-hat near 1; one set of ten whose chains disagree raises it."""
    rng = np.random.default_rng(8)
    values = rng.normal(size=(40, 200, 3))
    values[::2, :, 1] += 0.5  # in every set the second quantity's chains disagree
    values[:4:2, :, 2] += 4.0  # in two of the twenty sets those of the third, by far
    found = convergence(values, member=np.repeat(np.arange(20), 2))
    single = [convergence(values[2 * k : 2 * k + 2])["r_hat"].to_numpy() for k in range(20)]
    assert found["r_hat"].to_numpy() == pytest.approx(np.sqrt(np.mean(np.square(single), axis=0)))
    assert found["r_hat"][0] < 1.01 < found["r_hat"][1]
    assert found["r_hat"][2] > 1.01
    assert np.max(single, axis=0)[0] > found["r_hat"][0]
