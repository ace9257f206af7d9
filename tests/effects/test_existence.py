"""Which priors leave a mean without a value: the bound by hand, and where it comes from."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.integrate import quad

import bayes_sp as sp
from bayes_sp.analysis.criticism.means import Means, mean_cautions
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.existence import mean_bound, spread_cause, warn_of_means
from bayes_sp.errors import FitWarning
from bayes_sp.model.distributions import Prior
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

NORMAL = {"dist": "normal", "mu": 0, "sigma": 0.5, "why": "w"}
SPREAD = {"dist": "half_normal", "sigma": 2, "why": "w"}


def chain(family="negative_binomial", mediators=("m",), slope=None, **outcome):
    """Return x -> mediators -> y, with the outcome's slopes as given."""
    equations = [{"response": name, "family": "normal"} for name in mediators]
    equations.append({"response": "y", "family": family, **outcome})
    slope = slope or NORMAL
    extra = {"poisson": {}, "negative_binomial": {"phi": SPREAD}, "gamma": {"shape": SPREAD}, "lognormal": {}}
    tables = {
        "title": "t", "exposure": "x", "outcome": "y", "contrast": [0, 2], "equation": equations,
        "variables": {"y": {"kind": "count"}} if family in ("poisson", "negative_binomial") else {},
        "priors": {"intercept": NORMAL, "slope": NORMAL, "sigma": SPREAD, **extra.get(family, {})},
    }  # fmt: skip
    tables["priors"]["y"] = {"slope": slope}
    return load_model(tables, name="made_up")


def posterior_of(model, sigma, draws=50, **slopes):
    """Return draws with residual SDs as given, (mediator: value or draws), and all coefficients 0.1 but ``slopes``."""
    rng = np.random.default_rng(1)
    data, coords = {}, {"chain": [0, 1], "draw": np.arange(draws // 2)}
    for equation in model.equations:
        terms = model.terms(equation)
        values = 0.1 + 1e-9 * rng.standard_normal((2, draws // 2, len(terms)))
        for i, term in enumerate(terms):
            values[..., i] = slopes.get(f"{equation.response}_{term.replace(':', '_')}", values[..., i])
        data[equation.response] = (("chain", "draw", f"{equation.response}_term"), values)
        coords[f"{equation.response}_term"] = list(terms)
    sds = [np.broadcast_to(value, (draws,)).reshape(2, -1) for value in sigma.values()]
    data["sigma"] = (("chain", "draw", "sigma_response"), np.stack(sds, axis=-1))
    coords["sigma_response"] = list(sigma)
    return xr.Dataset(data, coords=coords)


def test_the_bound_is_where_the_prior_expectation_ends():
    """E exp(b^2 s^2 / 2) over b ~ N(0, t^2) is (1 - s^2 t^2)^(-1/2) up to s t = 1, by quadrature."""
    for reach in (0.5, 0.9):
        value, _ = quad(lambda z, r=reach: np.exp(0.5 * (r * z) ** 2 - 0.5 * z**2) / np.sqrt(2 * np.pi), -40, 40)
        assert value == pytest.approx((1 - reach**2) ** -0.5, rel=1e-6)
    model = chain()
    found = mean_bound(model, posterior_of(model, {"m": 1.5}))
    assert found.reach == pytest.approx(0.75)
    assert (found.share, found.mediator, found.place, found.prior_sd) == (0.0, "m", "y.slope", 0.5)
    assert found.safe_sd * found.residual_sd == pytest.approx(0.9)


def test_the_share_counts_draws():
    """A tenth of the draws has a residual SD beyond 0.9 / 0.5."""
    model = chain()
    sigma = np.where(np.arange(50) < 5, 1.9, 1.0)
    found = mean_bound(model, posterior_of(model, {"m": sigma}))
    assert found.share == pytest.approx(0.1)
    assert "0.9 or more in 10 % of the draws" in str(found)
    assert "need not exist" in str(found)  # half a residual SD on average, far below the bound
    assert found.safe_sd == pytest.approx(0.9 / 1.9)  # with which that is seen in 5 % of the draws
    assert "0.9 or more in 99.8 % of the draws" in str(replace(found, share=0.998))


def test_two_mediators_reach_it_together():
    """Largest eigenvalue of T Sigma T, with what the first mediator passes on to the second."""
    model = chain(mediators=("m", "k"))
    found = mean_bound(model, posterior_of(model, {"m": 1.2, "k": 1.0}, k_m=0.8))
    covariance = np.array([[1.44, 0.8 * 1.44], [0.8 * 1.44, 0.64 * 1.44 + 1.0]])
    assert found.reach == pytest.approx(np.sqrt(np.linalg.eigvalsh(0.25 * covariance)[-1]))
    assert found.mediator == "k"
    assert f"for all mediators together {found.reach:.2g}" in str(found)
    scaled = np.sqrt(np.linalg.eigvalsh(found.safe_sd**2 * covariance)[-1])
    assert scaled == pytest.approx(0.9)


def test_an_interaction_widens_the_slope_at_the_contrast():
    """At x = 2 the slope is b + 2 h: prior SD sqrt(0.5^2 + 4 * 0.5^2)."""
    model = chain(interactions=["m"])
    found = mean_bound(model, posterior_of(model, {"m": 0.5}))
    assert found.prior_sd == pytest.approx(np.sqrt(0.25 + 4 * 0.25))
    assert found.reach == pytest.approx(0.5 * found.prior_sd)


@pytest.mark.parametrize(
    "prior",
    [
        {"dist": "student_t", "nu": 4, "mu": 0, "sigma": 0.1, "why": "w"},
        {"dist": "laplace", "mu": 0, "b": 0.1, "why": "w"},
        {"dist": "flat", "why": "w"},
    ],
)
def test_heavier_priors_have_no_safe_scale(prior):
    """Whatever their scale; a normal prior that would be safe is named."""
    model = chain(slope=prior)
    found = mean_bound(model, posterior_of(model, {"m": 0.5}))
    assert (found.share, found.reach) == (1.0, np.inf)
    assert found.safe_sd == pytest.approx(1.8)
    assert f"priors.y.slope: {Prior(prior['dist'], model.prior('y', 'm').constants, '')}" in str(found)


def test_where_nothing_is_exponential_there_is_no_bound():
    """A normal outcome, and an edge that was removed; Poisson and gamma say that the mean need not exist."""
    model = chain("normal")
    assert mean_bound(model, posterior_of(model, {"m": 5.0, "y": 1.0})) is None
    model = chain(parents=["x"])
    assert mean_bound(model, posterior_of(model, {"m": 5.0})) is None
    for family, words in (("poisson", "need not exist"), ("gamma", "need not exist"), ("lognormal", "does not exist")):
        model = chain(family)
        sigma = {"m": 5.0, "y": 1.0} if family == "lognormal" else {"m": 5.0}
        assert words in str(mean_bound(model, posterior_of(model, sigma)))


def eight_records(folder):
    """Eight records, in a file."""
    rng = np.random.default_rng(24)
    rows = zip([0, 1] * 4, rng.standard_normal(8), [1, 0, 2, 4, 1, 3, 2, 5], strict=True)
    text = "".join(f"{x},{m:.3f},{y}\n" for x, m, y in rows)
    (folder / "eight.csv").write_text(f"x,m,y\n{text}", encoding="utf-8")
    return folder / "eight.csv"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_mean_without_a_value_does_not_pass_in_silence(seed, tmp_path):
    """A slope with a prior SD of 5 against a residual SD near 1: every seed names the prior, and medians stand."""
    model = chain(slope={**NORMAL, "sigma": 5})
    survey = sp.read_survey(eight_records(tmp_path), model)
    verdict = sp.fit(model, survey, seed=seed, options=sp.SamplerOptions(draws=500, tune=500)).diagnose()
    assert not verdict.clean
    assert any("priors.y.slope: Normal(mu=0, sigma=5)" in caution for caution in verdict.cautions)
    assert "the posterior mean of the difference does not exist with these priors" in str(verdict)
    assert verdict.numbers["share_near_bound"] > 0.9


def records_of(residual_sd: float, n: int = 40) -> pd.DataFrame:
    """Return records in which a regression of m on x leaves exactly this residual SD, on n - 2 degrees of freedom."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=n)
    columns = np.column_stack([np.ones(n), x])
    error = rng.normal(size=n)
    error -= columns @ np.linalg.lstsq(columns, error, rcond=None)[0]
    error *= residual_sd * np.sqrt((n - 2) / (error @ error))
    return pd.DataFrame({"x": x, "m": 1 + 2 * x + error, "y": rng.poisson(2, n)})


@pytest.mark.parametrize(("residual_sd", "warned"), [(1.75, False), (1.88, True), (50.0, True)])
def test_a_prior_too_wide_for_the_records_is_named_before_sampling(residual_sd, warned):
    """With a prior SD of .5 the limit of .9 lies at a residual SD of 1.8, whatever the spread of the mediator."""
    model = chain()
    design = design_arrays(model, Survey(records_of(residual_sd), "memory", "made up"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FitWarning)
        warn_of_means(model, design)
    assert len(caught) == warned
    if warned:
        words = str(caught[0].message)
        assert f"for m it is {residual_sd:.2g} x 0.5 (priors.y.slope: Normal(mu=0, sigma=0.5)" in words
        assert "of the draws" not in words


@pytest.mark.parametrize("outcome", [{"family": "normal"}, {"family": "poisson", "parents": ["x"]}])
def test_no_warning_where_no_mean_is_exponential_in_the_mediator(outcome):
    """A normal outcome, and a mediator that the outcome does not depend on."""
    model = chain(**outcome)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_means(model, design_arrays(model, Survey(records_of(50.0), "memory", "made up")))


def test_heavy_tailed_prior_has_no_safe_residual_sd():
    """A Student t prior is named at any residual SD."""
    model = chain(slope={"dist": "student_t", "nu": 4, "mu": 0, "sigma": 0.1, "why": "w"})
    design = design_arrays(model, Survey(records_of(0.1), "memory", "made up"))
    with pytest.warns(FitWarning, match="not bounded"):
        warn_of_means(model, design)


def lognormal_records(n: int) -> Survey:
    """Return records of a positive outcome whose logarithm has a residual SD near 1."""
    rng = np.random.default_rng(5)
    x, m = rng.normal(size=n), 0.3 * rng.normal(size=n)
    return Survey(pd.DataFrame({"x": x, "m": m, "y": np.exp(0.3 * x + rng.normal(size=n))}), "memory", "made up")


def with_spread(**prior):
    """Return x -> m -> y, y lognormal, its sigma with a prior of its own."""
    model = chain("lognormal")
    own = Prior(prior["dist"], tuple((k, v) for k, v in prior.items() if k != "dist"), "w")
    return replace(model, priors=(*model.priors, ("y", "sigma", own)))


@pytest.mark.parametrize(
    ("prior", "n", "warned"),
    [
        ({"dist": "half_normal", "sigma": 2.0}, 8, True),
        ({"dist": "half_student_t", "nu": 4.0, "sigma": 1.0}, 8, True),
        ({"dist": "exponential", "scale": 1.0}, 10, True),
        ({"dist": "half_normal", "sigma": 1.0}, 8, False),
        ({"dist": "half_normal", "sigma": 2.0}, 200, False),  # no draw comes near to where the density rises again
    ],
)
def test_the_prior_of_a_lognormal_outcomes_sigma_is_named(prior, n, warned):
    """E exp(sigma^2 / 2) over sigma's posterior is finite only where its prior falls as fast as that rises."""
    model = with_spread(**prior)
    design = design_arrays(model, lognormal_records(n))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FitWarning)
        warn_of_means(model, design)
    assert len(caught) == warned
    if warned:
        assert f"(priors.y.sigma: {model.prior('y', 'sigma')})" in str(caught[0].message)
        assert "a half-normal prior with an SD of at most 1 is safe" in str(caught[0].message)
    assert (spread_cause(model) is None) == (prior == {"dist": "half_normal", "sigma": 1.0})


@pytest.mark.parametrize(("tau", "finite"), [(0.9, True), (1.0, True), (1.2, False)])
def test_the_bound_of_sigmas_prior_is_1(tau, finite):
    """The integral over sigma below S of density times mean stops growing with S, or never does."""

    def log_integrand(sigma):
        return -6 * np.log(sigma) - 3.0 / sigma**2 + 0.5 * sigma**2 * (1.0 - tau**-2)

    parts = [quad(lambda s: np.exp(log_integrand(s)), low, high)[0] for low, high in ((0.01, 20.0), (20.0, 40.0))]
    assert (parts[1] < 1e-3 * parts[0]) == finite


def test_draws_with_heavy_tails_are_laid_to_sigmas_prior():
    """Where draws have met it, and not otherwise; beside the prior of a slope where both are too wide."""
    model = with_spread(dist="half_normal", sigma=5.0)
    bound = mean_bound(model, posterior_of(model, {"m": 5.0, "y": 1.0}))
    heavy, light = Means(1.1, 0.3, ("total",), "total: mean 9"), Means(0.2, 0.0, (), "")
    (alone,) = mean_cautions(heavy, None, spread_cause(model))
    assert "priors.y.sigma: " in alone
    assert "total: mean 9" in alone
    (both,) = mean_cautions(heavy, bound, spread_cause(model))
    assert both.startswith(str(bound))
    assert "priors.y.sigma: " in both
    assert list(mean_cautions(light, None, spread_cause(model))) == []
