"""Count mediators from specification to effects: rules with their place, records simulated and refitted, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from chains import made_up_chain
from scipy import stats

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.worlds import world_means
from bayes_sp.effects.paths import compute_effects
from bayes_sp.errors import FitError, SpecificationError, SurveyError
from bayes_sp.inference.bootstrap.general import general_chain
from bayes_sp.inference.likelihood.equations import as_draws
from bayes_sp.records.reading.everything import read_everything

PRIORS = {
    "intercept": {"dist": "normal", "mu": 1, "sigma": 1, "why": "a few"},
    "slope": {"dist": "normal", "mu": 0, "sigma": 0.5, "why": "moderate"},
    "sigma": {"dist": "half_normal", "sigma": 2, "why": "units"},
    "phi": {"dist": "lognormal", "mu": 0, "sigma": 1, "why": "overdispersed"},
}


def tables(family: str = "negative_binomial", **last: object) -> dict:
    """Return walks -> calls -> mood -> days off."""
    return {
        "title": "calls",
        "exposure": "walks",
        "outcome": "days_off",
        "variables": {"calls": {"center": 2, "kind": "count"}},
        "equation": [
            {"response": "calls", "family": family},
            {"response": "mood", "family": "normal", "log1p": ["calls"]},
            {"response": "days_off", "family": "negative_binomial", "log1p": ["calls"]} | last,
        ],
        "priors": PRIORS,
    }


@pytest.fixture(scope="module")
def records():
    """A survey drawn from known parameters, and those."""
    model = sp.load_model(tables())
    walks = np.random.default_rng(1).integers(0, 5, 500)
    start = read_everything(pd.DataFrame({"walks": walks, "calls": 1, "mood": 1.0, "days_off": 1}))
    truth = {
        "calls": np.array([0.6, 0.15]),
        "mood": np.array([3.0, 0.1, -0.5]),
        "days_off": np.array([0.9, 0.05, 0.5, -0.2]),
        "sigma": np.array([0.8]),
        "phi": np.array([1.5, 2.0]),
    }
    return simulate_survey(model, start, truth, n=20_000, seed=3), truth


def fitted(model, survey):
    design = design_arrays(model, survey)
    made = general_chain(model, design, pilot=0)
    everyone = np.ones((1, design.n))
    fits, _, _ = made._fitted(everyone)
    return design, as_draws(model, made.regressions, [fit.theta for fit in fits], everyone)


@pytest.mark.slow
def test_planted_coefficients_and_effects_are_found(records):
    """Maximum likelihood of many simulated patients comes back to the truth; effects are those of 10^6 outcomes."""
    survey, truth = records
    model = sp.load_model(tables())
    design, draws = fitted(model, survey)
    for name, known in truth.items():
        np.testing.assert_allclose(draws[name].to_numpy().ravel(), known, atol=0.1)
    table = compute_effects(model, design, draws).draws["alone"]
    total = table.sel(path="total", scale="difference").item()
    rng, size = np.random.default_rng(4), 10**6
    at = {name: draws[name].to_numpy().ravel() for name in truth}
    y = []
    for walks in (0.0, 1.0):
        mean = np.exp(at["calls"] @ [1.0, walks])
        calls = rng.poisson(mean * rng.gamma(at["phi"][0], 1.0 / at["phi"][0], size))
        seen = np.log1p(calls) - np.log1p(2.0)
        mood = at["mood"][0] + at["mood"][1] * walks + at["mood"][2] * seen + at["sigma"][0] * rng.standard_normal(size)
        b = at["days_off"]
        y.append(np.exp(b[0] + b[1] * walks + b[2] * seen + b[3] * mood))
    error = np.sqrt((y[0].var() + y[1].var()) / size)
    assert abs(total - (y[1].mean() - y[0].mean())) < 4.0 * error


def test_a_count_as_itself_under_a_log_link_is_refused_where_it_has_no_mean(records):
    """The share of draws is named, and log1p suggested."""
    survey, _ = records
    spec = tables(log1p=[])
    del spec["equation"][1]
    spec["equation"][1]["log1p"] = []
    spec["priors"] = {name: prior for name, prior in PRIORS.items() if name != "sigma"}
    model = sp.load_model(spec)
    design, draws = fitted(model, survey)
    both = draws.sel(draw=[0, 0]).assign_coords(draw=[0, 1])
    terms = both["days_off"].copy()
    terms[0, 0, 2], terms[0, 1, 2] = 2.0, 0.01
    with pytest.raises(FitError, match=r"in 50 % of the draws the mean outcome does not exist: calls .*log1p"):
        compute_effects(model, design, both.assign(days_off=terms))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"log1p": ["mood"]}, 'equation[3].log1p: "mood" is no count but of the family "normal"'),
        ({"log1p": ["walks"]}, 'equation[3].log1p: "walks" is the exposure'),
        ({"log1p": ["call"]}, 'equation[3].log1p: "call" is not a parent of days_off; did you mean "calls"?'),
    ],
)
def test_log1p_is_for_counts(change, problem):
    """Each mistake has its place."""
    with pytest.raises(SpecificationError) as caught:
        sp.load_model(tables(**change))
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_missing_counts_have_no_account(records):
    """One refusal names the column and what to do."""
    survey, _ = records
    frame = survey.records.astype(float)
    frame.loc[3, "calls"] = np.nan
    with pytest.raises(SurveyError, match=r'column "calls": 1 cells are missing.*missing = "complete"'):
        design_arrays(sp.load_model(tables()), read_everything(frame))


def test_a_skewed_count_is_drafted_as_one(records):
    """Before other responses it is negative binomial and enters as log(1 + count)."""
    survey, _ = records
    model = sp.draft(survey, exposure="walks", mediators=["calls"], outcome="days_off")
    assert [(e.family, e.log1p) for e in model.equations] == [
        ("negative_binomial", ()), ("negative_binomial", ("calls",))
    ]  # fmt: skip


def test_a_gaussian_copula_moves_between_the_same_ends():
    """Its ends are those of kappa; between them it lies between, and near the mixture of both."""
    chain, baselines = made_up_chain(("count", "normal"), "exp", draws=1, n=1, seed=3)
    base, u = baselines(0, 1)[:, 0, 0], (0.0, 1.5)
    worlds = np.array([[False, True, False, False]])  # m1 of u1 for the outcome, of u0 for m2
    found = [world_means(chain, baselines, worlds, u, Rule(kappa, 24)).plain[0, 0] for kappa in (0.0, 0.5, 1.0)]
    slopes, sigma, phi = chain.slopes[0], chain.mediators[1].sigma[0], chain.mediators[0].phi[0]
    count = np.arange(400)
    shares = [phi / (phi + np.exp(base[0] + chain.exposure[0, 0] * value)) for value in (u[1], u[0])]
    first, second = (stats.nbinom(phi, share).cdf(count) for share in shares)
    powers = [(1.0 + count) ** power for power in (slopes[2, 0], slopes[2, 1] * slopes[1, 0])]
    level = base[2] + slopes[2, 1] * base[1] + 0.5 * (slopes[2, 1] * sigma) ** 2
    ranks = (np.arange(4001) + 0.5) / 4001
    ends = stats.norm.ppf(second)
    copula = []
    for correlation in (0.0, 0.5, 1.0 - 1e-12):
        given = (ends - correlation * stats.norm.ppf(ranks)[:, None]) / np.sqrt(1.0 - correlation**2)
        rest = np.diff(stats.norm.cdf(given), axis=1, prepend=0.0) @ powers[1]
        copula.append(np.exp(level) * (powers[0][np.searchsorted(first, ranks)] * rest).mean())
    np.testing.assert_allclose([copula[0], copula[2]], [found[0], found[2]], rtol=1e-3)
    assert min(found) < copula[1] < max(found)
    assert abs(copula[1] - found[1]) < 0.1 * abs(found[2] - found[0])
