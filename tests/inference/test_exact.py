"""Exact posterior draws of normal chains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayes_sp as sp
from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.inference.samplers.exact import exact_posterior, has_exact_posterior
from bayes_sp.model.distributions import Prior
from bayes_sp.model.normal_twin import twin_of


def test_flat_priors_give_students_t(study_survey):
    """With flat priors each coefficient is Student t with n - p - 1 degrees of freedom about least squares.

    p(sigma) constant instead of 1/sigma takes one degree of freedom off the classical n - p.
    """
    twin = twin_of(replace(sp.load_model("primary"), twin=""))
    design = design_arrays(twin, study_survey)
    draws = exact_posterior(twin, design, seed=5, chains=4, draws=5000)
    for j, response in enumerate(design.responses):
        x, y = equation_matrix(twin, design, j), design.y[:, j]
        beta, rss, *_ = np.linalg.lstsq(x, y)
        df = len(y) - x.shape[1] - 1
        sd = np.sqrt(rss[0] / df * np.diag(np.linalg.inv(x.T @ x)))
        found = draws[response].to_numpy().reshape(-1, len(beta))
        for k in range(len(beta)):
            assert stats.kstest((found[:, k] - beta[k]) / sd[k], stats.t(df).cdf).pvalue > 1e-6


@pytest.mark.slow
def test_the_sampler_agrees_within_monte_carlo_error(process6_fit, study_survey):
    """NUTS on process6 and the closed form agree in means (4 standard errors) and SDs (5 %) of every parameter."""
    model = process6_fit.model
    exact = exact_posterior(model, design_arrays(model, study_survey), seed=11, draws=10000)
    sampled = process6_fit.posterior["posterior"].to_dataset()
    table = process6_fit.diagnose().table.set_index("name")
    for name in exact.data_vars:
        (dim,) = [d for d in exact[name].dims if d not in ("chain", "draw")]
        for label in exact[name][dim].to_numpy():
            truth, found = exact[name].sel({dim: label}), sampled[name].sel({dim: label})
            error = np.hypot(table.loc[f"{name}[{label}]", "mcse_mean"], float(truth.std()) / np.sqrt(40000))
            assert abs(float(found.mean() - truth.mean())) < 5 * error
            assert_allclose(float(found.std()), float(truth.std()), rtol=0.05)


def test_informative_priors_against_brute_force(study_survey):
    """With a sharp prior that disagrees with the data, moments equal a grid over sigma with Gaussian algebra."""
    model = sp.load_model("process6")
    sharp = Prior("normal", (("mu", 0.5), ("sigma", 0.02)), "sharp")
    model = replace(model, priors=(*model.priors, ("belonging_t1", "group_change", sharp)))
    design = design_arrays(model, study_survey)
    draws = exact_posterior(model, design, seed=2, draws=10000)
    x, y = equation_matrix(model, design, 0), design.y[:, 0]
    mu = np.array([0.0, 0.5, *[0.0] * (x.shape[1] - 2)])
    sd = np.array([100.0, 0.02, *[100.0] * (x.shape[1] - 2)])
    sigmas = np.exp(np.linspace(np.log(0.4), np.log(4), 4000))
    # integrate beta out: y ~ N(X mu, sigma^2 I + X diag(sd^2) X')
    values, vectors = np.linalg.eigh((x * sd**2) @ x.T)
    rotated = vectors.T @ (y - x @ mu)
    total = np.maximum(values, 0)[None, :] + sigmas[:, None] ** 2
    log_weight = -0.5 * (np.log(total) + rotated**2 / total).sum(axis=1) + stats.halfnorm(scale=100).logpdf(sigmas)
    weight = np.exp(log_weight - log_weight.max()) * sigmas
    mean = float((weight * sigmas).sum() / weight.sum())
    found = draws["sigma"].sel(sigma_response="belonging_t1")
    assert_allclose(float(found.mean()), mean, rtol=2e-3)
    slope = draws["belonging_t1"].sel(belonging_t1_term="group_change")
    assert 0.3 < float(slope.mean()) < 0.5


def test_only_normal_chains_with_normal_or_flat_coefficients_have_one():
    """A count outcome, or a prior of another family on a coefficient, has no closed form."""
    model = sp.load_model("process6")
    heavy = Prior("student_t", (("nu", 3.0), ("mu", 0.0), ("sigma", 1.0)), "heavy")
    assert has_exact_posterior(model)
    assert not has_exact_posterior(sp.load_model("primary"))
    assert not has_exact_posterior(replace(model, priors=(*model.priors, ("", "age", heavy))))


@pytest.mark.parametrize("seed", [1, 2])
def test_same_seed_same_draws(seed, study_survey):
    """Exact draws depend on the seed alone."""
    model = sp.load_model("process6")
    design = design_arrays(model, study_survey)
    first, second = (exact_posterior(model, design, seed=seed) for _ in range(2))
    assert first.identical(second)
