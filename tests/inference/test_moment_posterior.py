"""The posterior from moments is that of any records with these moments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import bayes_sp as sp
from bayes_sp.analysis.comparison.recovery import table2_moments
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.inference.likelihood.least_squares import least_squares
from bayes_sp.inference.moment_posterior import _log_density, _sums, moment_posterior
from bayes_sp.model.distributions import Prior
from bayes_sp.model.terms import predictors_of
from bayes_sp.names import TOTAL

SERIAL = "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"


@pytest.fixture(scope="module")
def model():
    return sp.load_model("process6")


@pytest.fixture(scope="module")
def twins(model):
    """Two sets of records with the same moments: a reconstruction, and normal numbers turned to have its moments."""
    first = sp.reconstruct(seed=1).records[list(model.columns)].to_numpy(dtype=float)
    noise = np.random.default_rng(8).standard_normal(first.shape)
    noise = np.linalg.qr(noise - noise.mean(axis=0))[0]
    centred = first - first.mean(axis=0)
    root = np.linalg.cholesky(centred.T @ centred)
    return first, first.mean(axis=0) + noise @ root.T


def test_two_sets_of_records_with_the_same_moments_have_the_same_posterior(model, twins):
    """Draw by draw, though no patient is alike."""
    assert np.abs(twins[0] - twins[1]).max() > 1
    first, second = (moment_posterior(model, sp.Moments.from_records(model.columns, x), draws=500) for x in twins)
    for name, draws in first.effects.items():
        np.testing.assert_allclose(draws, second.effects[name], rtol=1e-6, atol=1e-9)


def test_the_density_is_that_of_the_records(model, twins):
    """Log joint density of either set of records at any parameters, less that of the posterior, is one constant."""
    equation = model.equations[-1]
    terms = predictors_of(model, equation)[0].terms
    for records in twins:
        values = dict(zip(model.columns, records.T, strict=True))
        coded = [term.factors[0].coding.column(values[term.variables[0]]) for term in terms if term.factors]
        x = np.column_stack([np.ones(len(records)), *coded])  # the intercept is the first term
        y, rng, constants = values[equation.response], np.random.default_rng(2), []
        sums = _sums(equation, terms, sp.Moments.from_records(model.columns, records))
        mu, precision = np.zeros(len(terms)), np.full(len(terms), 1e-4)
        prior = model.prior(equation.response, "sigma")
        for _ in range(5):
            sigma, beta = rng.uniform(3, 9), 0.3 * rng.standard_normal(len(terms))
            joint = stats.norm.logpdf(y, x @ beta, sigma).sum() + stats.norm.logpdf(beta, 0, 100).sum()
            joint += stats.halfnorm.logpdf(sigma, scale=100)
            p = x.T @ x / sigma**2 + np.diag(precision)
            mean = np.linalg.solve(p, x.T @ y / sigma**2)
            given = stats.multivariate_normal.logpdf(beta, mean, np.linalg.inv(p))
            marginal = _log_density(np.log([sigma]), sums, mu, precision, prior, len(y))[0] - np.log(sigma)
            constants.append(joint - given - marginal)
        np.testing.assert_allclose(constants, constants[0], rtol=0, atol=1e-6)


def test_flat_priors_give_the_classical_posterior(model):
    """Coefficients flat, sigma ~ 1 / sigma by a wide inverse gamma: Student's t round least squares."""
    moments = table2_moments(sp.published())
    nearly_jeffreys = Prior("inverse_gamma", (("alpha", 1e-6), ("beta", 1e-6)), "flat in log sigma")
    flat = Prior("flat", (), "flat")
    priors = (("", "intercept", flat), ("", "slope", flat), ("", "sigma", nearly_jeffreys))
    found = moment_posterior(replace(model, priors=priors), moments, draws=6000)
    terms = list(model.terms(model.equations[0]))
    fit = least_squares(moments, "belonging_t1", [term for term in terms if term != "intercept"])
    place = fit.terms.index("group_change")
    draws = found.coefficients["belonging_t1"][:, terms.index("group_change")]
    scaled = (draws - fit.coefficients[place]) / fit.standard_errors[place]
    assert stats.kstest(scaled, stats.t(fit.df).cdf).pvalue > 1e-4
    chi = fit.df * fit.residual_sd**2 / found.sigma["belonging_t1"] ** 2
    assert stats.kstest(chi, stats.chi2(fit.df).cdf).pvalue > 1e-4


def test_the_published_serial_effect_comes_back_from_the_printed_table(model):
    """Published: -.04 [-.09, -.005] by the bootstrap of the records; from Table 2 alone nearly the same."""
    found = sp.Moments.from_study("kellezi2019", model).posterior(model, draws=8000)
    from_moments = moment_posterior(model, table2_moments(sp.published()), draws=8000)
    np.testing.assert_allclose(found.effects[SERIAL], from_moments.effects[SERIAL], rtol=1e-9)
    row = found.table().loc[SERIAL]
    assert row["mean"] == pytest.approx(-0.038, abs=0.0013)
    assert row["lower"] == pytest.approx(-0.092, abs=0.006)
    assert row["upper"] == pytest.approx(-0.0053, abs=0.002)
    np.testing.assert_allclose(sum(v for k, v in found.effects.items() if "->" in k), found.effects[TOTAL])
    assert {"intercept", "group_change", "sigma"} <= set(found.coefficient_table().loc["belonging_t1"].index)
    assert SERIAL in repr(found)


@pytest.mark.slow
def test_sampling_the_model_gives_the_same(model):
    """The engine's draws from records against exact draws from their moments, within Monte Carlo error."""
    survey = sp.reconstruct(seed=1)
    fit = sp.fit(model, survey, options=sp.SamplerOptions(draws=2000, cores=1))
    table = fit.effects().table()
    exact = moment_posterior(model, sp.Moments.from_records(model.columns, survey.records), draws=40_000).table()
    for path in (SERIAL, TOTAL):
        sampled = table[(table["path"] == path) & (table["scale"] == "coefficient")].iloc[0]
        own = exact.loc[path]
        assert abs(sampled["mean"] - own["mean"]) < 5 * own["sd"] / np.sqrt(sampled["ess_bulk"])
        assert abs(sampled["lower"] - own["lower"]) < 0.1 * own["sd"] + 15 * own["sd"] / np.sqrt(sampled["ess_bulk"])


def test_what_moments_cannot_give_is_refused(model):
    """Counts, levels, products; variables that are not there; numbers that contradict each other."""
    moments = table2_moments(sp.published())
    with pytest.raises(SpecificationError) as caught:
        moment_posterior("primary", moments)
    assert any("family must be normal, found negative_binomial" in problem for problem in caught.value.problems)
    few = sp.Moments(("a", "b"), [0, 0], [1, 1], [[1, 0.2], [0.2, 1]], n=50)
    with pytest.raises(SurveyError, match="the moments have no"):
        moment_posterior(model, few)
    with pytest.raises(SurveyError, match="no table holds all of"):
        moment_posterior(model, "roth1989")
    with pytest.raises(SurveyError, match="draws must be"):
        moment_posterior(model, moments, draws=0)
