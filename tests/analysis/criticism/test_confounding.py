"""Predictions with an unmeasured confounder: integrals against closed forms and fine grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayes_sp.analysis.criticism.confounding import Belief
from bayes_sp.analysis.criticism.pit import loo_pit
from bayes_sp.analysis.criticism.predictors import predictors
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.design.build import design_arrays
from bayes_sp.design.elements import with_elements
from bayes_sp.design.evaluate import chain_auxiliary, mean_predictor, zero_predictor
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

STRENGTHS = {"m": 1.2, "k": 0.4, "y": -0.9}


def parameters_of(model, design, draws, seed=1) -> xr.Dataset:
    return draw_priors(replace(model, unmeasured=()), design, draws=draws, seed=seed)


def at_of(model, parameters) -> dict[str, np.ndarray]:
    return {name: values.to_numpy()[0, 0] for name, values in parameters.data_vars.items()}


@pytest.fixture
def normal(normal_chain):
    """Return a normal chain x -> m -> k -> y with a confounder of all three, its design and a few parameters."""
    model, survey = normal_chain
    model = replace(model, unmeasured=(Unmeasured("U", tuple(STRENGTHS.items())),))
    design = design_arrays(model, survey)
    return model, design, parameters_of(model, design, 3)


def conditionals(model, design, at) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return mean and SD of each response given the earlier ones, U integrated out: the multivariate normal's."""
    eta = np.stack([mean_predictor(model, design, j, at, {}) for j in range(3)], axis=1)
    s, sigma = np.array(list(STRENGTHS.values())), at["sigma"]
    covariance = np.diag(sigma**2) + np.outer(s, s)
    found = []
    for j in range(3):
        weights = np.linalg.solve(covariance[:j, :j], covariance[:j, j]) if j else np.zeros(0)
        mean = eta[:, j] + (design.y[:, :j] - eta[:, :j]) @ weights
        found.append((mean, np.full(design.n, np.sqrt(covariance[j, j] - covariance[:j, j] @ weights))))
    return found


def test_the_log_likelihood_of_a_normal_chain_is_the_multivariate_normals(normal):
    """Response by response, given the earlier ones; strengths near and far above the residual SDs."""
    model, design, parameters = normal
    found = log_likelihood(model, design, parameters)
    expected = conditionals(model, design, at_of(model, parameters))
    for j, response in enumerate(design.responses):
        density = stats.norm.logpdf(design.y[:, j], *expected[j])
        np.testing.assert_allclose(found[f"{response}_observed"][0, 0], density, rtol=1e-6, atol=1e-6)


@pytest.fixture(params=[("ordered_logit", "negative_binomial"), ("bernoulli_logit", "gamma")])
def other(request, make_tables, some_priors):
    """Return a chain of other families with a confounder, its design and a few parameters."""
    first, second = request.param
    tables, rng = make_tables(second), np.random.default_rng(3)
    tables["equation"][0]["family"] = first
    levels = {"ordered_logit": (1, 4), "bernoulli_logit": (0, 1)}[first]
    kind = {"kind": "integer", "min": 1, "max": 4} if first == "ordered_logit" else {"kind": "binary"}
    tables["variables"]["m"] = {"label": "Mediator", **kind}
    tables["priors"] |= {"cutpoint": some_priors["cutpoint"]} if first == "ordered_logit" else {}
    tables["priors"].pop("sigma", None)
    tables["unmeasured"] = {"U": {"m": 1.5, "y": 0.8}}
    model = load_model(tables, name="other")
    y = rng.negative_binomial(1, 0.3, 60) if second == "negative_binomial" else rng.gamma(2.0, 1.0, 60)
    m = rng.integers(levels[0], levels[1] + 1, 60)
    survey = Survey(pd.DataFrame({"x": rng.integers(-2, 3, 60), "m": m, "y": y}), "simulation", "made up")
    design = design_arrays(model, survey)
    return model, design, parameters_of(model, design, 3)


def test_the_log_likelihood_of_other_families_is_an_integral(other):
    """Against a grid ten times as fine, of the product of the equations' densities."""
    model, design, parameters = other
    at = with_elements(model, at_of(model, parameters))
    u = np.linspace(-9.0, 9.0, 1001)
    total = np.zeros((len(u), design.n))
    expected, before = {}, np.zeros(design.n)
    for j, equation in enumerate(model.equations):
        family = FAMILIES[equation.family]
        zeta, aux = zero_predictor(model, design, j, at, {}), chain_auxiliary(model, design, j, at)
        eta = [mean_predictor(model, design, j, at, {"U": np.array(value)}) for value in u]
        total += np.stack([family.log_density(design.coded(j), e, zeta, aux) for e in eta])
        after = np.logaddexp.reduce(total + stats.norm.logpdf(u)[:, None] + np.log(u[1] - u[0]), axis=0)
        expected[equation.response], before = after - before, after
    found = log_likelihood(model, design, parameters)
    for response, density in expected.items():
        np.testing.assert_allclose(found[f"{response}_observed"][0, 0], density, rtol=1e-6, atol=1e-6)


def test_an_unknown_mediator_is_integrated_out_with_the_confounder(normal):
    """Where m is missing, k and y have the multivariate normal distribution that is left."""
    model, design, parameters = normal
    at, gone = at_of(model, parameters), [4, 9]
    y = design.y.copy()
    y[gone, 0] = np.nan
    found = log_likelihood(model, replace(design, y=y, missing={"m": np.isnan(y[:, 0])}), parameters)
    s, sigma = np.array(list(STRENGTHS.values())), at["sigma"]
    filled = design.y.copy()
    filled[gone, 0] = mean_predictor(model, design, 0, at, {})[gone]
    middle = replace(design, y=filled)
    slopes = [at[r][model.terms(e).index("m")] for r, e in zip("ky", model.equations[1:], strict=True)]
    eta = [mean_predictor(model, middle, j, at, {}) for j in (1, 2)]
    # Errors of k and y around their predictors at the mean of m and the observed k.
    for i in gone:
        load = np.array([[slopes[0] * s[0] + s[1], slopes[0] * sigma[0], sigma[1], 0.0],
                         [slopes[1] * s[0] + s[2], slopes[1] * sigma[0], 0.0, sigma[2]]])  # fmt: skip
        residual = np.array([design.y[i, 1] - eta[0][i], design.y[i, 2] - eta[1][i]])
        joint = stats.multivariate_normal.logpdf(residual, cov=load @ load.T)
        first = stats.norm.logpdf(residual[0], scale=np.sqrt((load[0] ** 2).sum()))
        place = int(np.flatnonzero(found["k_observed"][found["k_observed"].dims[-1]] == i)[0])
        assert float(found["k_observed"][0, 0, place]) == pytest.approx(first, abs=1e-6)
        assert float(found["y_observed"][0, 0, place]) == pytest.approx(joint - first, abs=1e-6)


@pytest.mark.slow
def test_replicates_have_the_distribution_of_a_response_given_the_earlier_ones(normal):
    """Mean and SD over many draws of one parameter are those of the multivariate normal, for every patient."""
    model, design, parameters = normal
    draws = 4000
    many = parameters.isel(draw=np.zeros(draws, dtype=int)).assign_coords(draw=np.arange(draws))
    rng = np.random.default_rng(3)
    expected = conditionals(model, design, at_of(model, parameters))
    for predictor, (mean, sd) in zip(predictors(model, design, many, rng), expected, strict=True):
        y = predictor.replicate(rng)
        np.testing.assert_allclose((y.mean(axis=0) - mean) / sd, 0.0, atol=4.5 / np.sqrt(draws))
        np.testing.assert_allclose(y.std(axis=0) / sd, 1.0, atol=4.5 / np.sqrt(2 * draws))


@pytest.mark.parametrize("sigma", [0.1, 0.01, 1e-4])
def test_a_belief_far_narrower_than_its_grid_is_the_posterior(sigma):
    """After a response that the confounder all but determines, and another one: the conjugate mean and SD."""
    rng = np.random.default_rng(4)
    belief = Belief.before_any_response(rng, 20_000, 2)
    belief.learn(lambda u: stats.norm.logpdf(0.9, 0.8 * u, sigma))
    belief.learn(lambda u: stats.norm.logpdf(-0.2, -0.3 * u, 1.0))
    precision = 1 + (0.8 / sigma) ** 2 + 0.3**2
    expected = (0.8 * 0.9 / sigma**2 + 0.3 * 0.2) / precision
    draws = belief.draw(rng)
    assert draws.mean() == pytest.approx(expected, abs=4.5 / np.sqrt(40_000 * precision))
    assert draws.std() == pytest.approx(precision**-0.5, rel=4.5 / np.sqrt(80_000))
    assert stats.kstest(draws[:, 0], stats.norm(expected, precision**-0.5).cdf).pvalue > 1e-6


def test_before_any_response_the_confounder_is_standard_normal(normal):
    """Uninformed predictors are spread by the strengths alone, whatever the records are."""
    model, design, parameters = normal
    many = parameters.isel(draw=np.zeros(4000, dtype=int)).assign_coords(draw=np.arange(4000))
    found = predictors(model, design, many, np.random.default_rng(1), informed=False)
    for j, (predictor, s) in enumerate(zip(found, STRENGTHS.values(), strict=True)):
        eta = mean_predictor(model, design, j, at_of(model, parameters), {})
        np.testing.assert_allclose(predictor.eta.mean(axis=0), eta, atol=4.5 * abs(s) / np.sqrt(4000))
        np.testing.assert_allclose(predictor.eta.std(axis=0), abs(s), rtol=4.5 / np.sqrt(2 * 4000))
    together = np.corrcoef(found[0].eta[:, 0], found[2].eta[:, 0])[0, 1]
    assert together == pytest.approx(-1.0)  # one confounder behind both


def test_a_belief_is_the_posterior_of_a_normal_observation():
    """Draws after N(0.9 | 0.8 u, 0.5) have the conjugate mean and SD, also far out in the tail."""
    rng = np.random.default_rng(2)
    for y in (0.9, -3.5):
        belief = Belief.before_any_response(rng, 20_000, 2)
        belief.learn(lambda u, y=y: stats.norm.logpdf(y, 0.8 * u, 0.5))
        precision = 1 + (0.8 / 0.5) ** 2
        draws = belief.draw(rng)
        expected = 0.8 * y / 0.25 / precision
        assert draws.mean() == pytest.approx(expected, abs=4.5 / np.sqrt(40_000 * precision))
        assert draws.std() == pytest.approx(precision**-0.5, rel=4.5 / np.sqrt(80_000))
        assert stats.kstest(draws[:, 0], stats.norm(expected, precision**-0.5).cdf).pvalue > 1e-6


@pytest.mark.slow
def test_loo_pit_is_uniform_where_the_model_made_the_records(normal):
    """At the true parameters every response's value stays within the band; without the confounder y's does not."""
    model, design, parameters = normal
    at = {name: values.to_numpy()[0, 0] for name, values in parameters.data_vars.items()}
    at["sigma"] = np.array([0.5, 0.6, 0.4])
    frame = {design.exposure: design.x, **{c.name: 0.0 for c in model.covariates}}
    source = Survey(pd.DataFrame(frame), "simulation", "made up")
    survey = simulate_survey(model, source, at, n=600, seed=1)
    big = design_arrays(model, survey)
    many = parameters.isel(draw=np.zeros(600, dtype=int)).assign_coords(draw=np.arange(600))
    many["sigma"] = many["sigma"] * 0 + at["sigma"]
    flat = {r: np.zeros((1, 600, 600)) for r in big.responses}
    assert not any(loo_pit(model, big, many, flat, seed=1).leaves_band(0.99999).values())
    assert loo_pit(replace(model, unmeasured=()), big, many, flat, seed=1).leaves_band()["m"]
