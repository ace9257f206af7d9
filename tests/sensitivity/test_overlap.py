"""Overlap and shrinkage against closed forms, an invariance, and what has no number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fast_and_slow import some_fast
from numpy.testing import assert_allclose
from scipy import stats

import bayes_sp as sp
from bayes_sp.model.distributions import Prior
from bayes_sp.model.reading.load import load_model
from bayes_sp.sensitivity.power.overlap import (
    marginal,
    marginal_cutpoint,
    marginal_share,
    overlap,
    posterior_density,
    prior_overlap,
)

FEW = sp.SamplerOptions(draws=100, tune=150, chains=2)


def normal(mu, sigma):
    return marginal(Prior("normal", (("mu", mu), ("sigma", sigma)), "test"))


def drawn(mu, sigma, draws=50_000, seed=1):
    return np.random.default_rng(seed).normal(mu, sigma, (4, draws))


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.0, 3.0])
def test_two_normals_of_one_width_overlap_by_the_closed_form(distance):
    """2 Phi(-|d| / 2) at a distance of d SDs, within 0.01."""
    found = overlap(drawn(distance, 1.0), normal(0.0, 1.0))
    assert_allclose(found, 2 * stats.norm.cdf(-distance / 2), atol=0.01)


@pytest.mark.parametrize("ratio", [0.02, 0.3, 0.8])
def test_a_narrow_normal_within_a_wide_one_overlaps_by_the_closed_form(ratio):
    """The densities cross at x^2 = 2 log(1 / r) / (1 / r^2 - 1), r the ratio of SDs."""
    cross = np.sqrt(2 * np.log(1 / ratio) / (1 / ratio**2 - 1))
    inside = 2 * stats.norm.cdf(cross) - 1
    expected = inside + 2 * stats.norm.cdf(-cross / ratio)
    assert_allclose(overlap(drawn(0.0, ratio), normal(0.0, 1.0)), expected, atol=0.01)


def test_overlap_is_the_same_in_every_monotone_coordinate():
    """A number and its exponential overlap with their priors alike, and as integration on the latter's scale says."""
    draws = drawn(0.4, 0.3, 5_000)
    lognormal = marginal(Prior("lognormal", (("mu", 0.0), ("sigma", 0.6)), "test"))
    found = overlap(np.exp(draws), lognormal)
    assert_allclose(found, overlap(draws, normal(0.0, 0.6)), rtol=1e-10)
    x = np.linspace(0.01, 12.0, 200_001)
    densities = [stats.lognorm(sd, scale=np.exp(mu)).pdf(x) for mu, sd in ((0.4, 0.3), (0.0, 0.6))]
    assert_allclose(found, np.trapezoid(np.minimum(*densities), x), atol=0.015)


def test_shares_and_cutpoints_overlap_with_themselves():
    """Draws from the prior itself: nearly 1, with 4,000 draws about 0.98."""
    rng = np.random.default_rng(2)
    share = rng.dirichlet([2.0] * 3, (4, 1000))[..., 1]
    cut = np.sort(rng.normal(0.0, 1.5, (4, 1000, 3)), axis=-1)[..., 2]
    dirichlet, prior = Prior("dirichlet", (("alpha", 2.0),), "test"), Prior("normal", (("mu", 0.0), ("sigma", 1.5)), "")
    for draws, one in ((share, marginal_share(dirichlet, 3)), (cut, marginal_cutpoint(prior, 3, 3))):
        assert 0.96 < overlap(draws, one) <= 1.0


def test_the_density_has_the_draws_moments():
    """It integrates to 1, and its mean and variance are the draws', not wider by the bandwidth."""
    draws = np.random.default_rng(3).gamma(4.0, 1.0, (4, 500))
    t, density = posterior_density(draws)
    mean = np.trapezoid(t * density, t)
    assert_allclose(np.trapezoid(density, t), 1.0, rtol=1e-5)
    assert_allclose(mean, draws.mean(), rtol=1e-4)
    assert_allclose(np.trapezoid((t - mean) ** 2 * density, t), draws.var(), rtol=1e-3)


def test_few_effective_draws_have_a_wider_bandwidth():
    """The same 2,000 values are smoothed more where a chain repeats each one 20 times than where they are mixed."""
    rng = np.random.default_rng(4)
    sticky = np.repeat(rng.standard_normal((2, 50)), 20, axis=1)
    mixed = rng.permutation(sticky.ravel()).reshape(sticky.shape)
    rough = []
    for t, density in map(posterior_density, (sticky, mixed)):
        bent = np.gradient(np.gradient(density, t), t)
        rough.append(np.trapezoid(bent**2, t))
    assert rough[0] < 0.5 * rough[1]


@pytest.fixture(scope="module")
def primary():
    fit = sp.fit("primary", sp.reconstruct(seed=1), seed=1, options=sp.SamplerOptions(draws=400))
    return fit, prior_overlap(fit)


def test_every_parameter_has_a_row(primary):
    """In the posterior's order, with its prior, and what the records are."""
    fit, table = primary
    posterior = fit.posterior["posterior"].to_dataset()
    assert len(table) == sum(array.sizes[array.dims[-1]] for array in posterior.data_vars.values())
    row = table[(table["variable"] == "appointments_t1") & (table["element"] == "loneliness_t1")].iloc[0]
    assert row["prior"] == "Normal(mu=0, sigma=0.3)"
    assert not table["reason"].any()
    assert table["overlap"].between(0.0, 1.0).all()
    assert table.attrs["data_source"] == fit.survey.mark


def test_shrinkage_and_shift_are_their_formulas(primary):
    """From mean and SD of draws and prior."""
    fit, table = primary
    draws = fit.posterior["posterior"]["appointments_t1"].sel(appointments_t1_term="loneliness_t1").to_numpy()
    row = table[(table["variable"] == "appointments_t1") & (table["element"] == "loneliness_t1")].iloc[0]
    assert_allclose(row["shrinkage"], 1 - draws.var(ddof=1) / 0.3**2)
    assert_allclose(row["shift"], draws.mean() / 0.3)
    assert_allclose(row[["mean", "sd"]].to_numpy(dtype=float), [draws.mean(), draws.std(ddof=1)])


def test_what_has_no_number_has_a_reason(make_survey):
    """Improper priors, priors without a variance, and intercepts of groups."""
    model, survey = load_model("primary"), make_survey(80)
    extra = (
        ("loneliness_t1", "age", Prior("flat", (), "flat")),
        ("belonging_t1", "sigma", Prior("half_flat", (), "flat")),
        ("appointments_t1", "age", Prior("student_t", (("nu", 1.0), ("mu", 0.0), ("sigma", 0.3)), "a Cauchy")),
        ("", "tau", Prior("half_normal", (("sigma", 0.5),), "groups differ little")),
    )
    equations = (*model.equations[:2], replace(model.equations[2], varying="clinic"))
    model = replace(model, equations=equations, priors=(*model.priors, *extra))
    clinics = np.random.default_rng(1).integers(1, 5, len(survey))
    survey = replace(survey, records=survey.records.assign(clinic=pd.Series(clinics).astype(str)))
    table = prior_overlap(sp.fit(model, survey, seed=1, options=FEW)).set_index(["variable", "element"])
    for place in (("loneliness_t1", "age"), ("sigma", "belonging_t1")):
        assert table.loc[place, "reason"] == "the prior is improper"
        assert table.loc[place, ["prior_mean", "prior_sd", "shrinkage", "overlap", "shift"]].isna().all()
        assert table.loc[place, ["mean", "sd"]].notna().all()
    cauchy = table.loc["appointments_t1", "age"]
    assert cauchy["reason"] == "the prior has no finite variance"
    assert 0.0 < cauchy["overlap"] < 1.0
    assert np.isnan(cauchy["shrinkage"])
    groups = table.loc["appointments_t1_varying", ""]
    assert groups["reason"] == "the specification states no prior of it by itself"
    assert table.loc["tau", "appointments_t1"]["overlap"] > 0.3


@pytest.mark.parametrize("name", some_fast(["ordinal", "zinb", "bounded", "latent"], ["bounded"]))
def test_every_kind_of_parameter_has_an_overlap(name, make_survey):
    """Cutpoints, shares, zero parts, precisions."""
    table = prior_overlap(sp.fit(name, make_survey(80), seed=1, options=FEW))
    assert table["overlap"].between(0.0, 1.0).all()
    assert table[["shrinkage", "shift"]].notna().all(axis=None)
    assert not table["reason"].any()
