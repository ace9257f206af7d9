"""Integrals of a heavy-tailed response that is tightly tied to what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import logsumexp

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.inference.pointwise.alike import choose_rule
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.pointwise.panels import by_panels, panel_edges

WHY = {"why": "w"}


def log_integral(y: float, slope: float, sigma: float, nu: float) -> float:
    """Return log of the integral of t(y; nu, slope z, sigma) N(z; 0, 1) by a fine trapezoidal rule."""
    z = np.linspace(-14.0, 14.0, 280_001)
    return float(logsumexp(stats.t.logpdf(y, nu, slope * z, sigma) + stats.norm.logpdf(z)) + np.log(z[1] - z[0]))


@pytest.mark.parametrize("nu", [2.0, 5.0, 30.0])
@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.5])
def test_panels_have_the_integral_of_a_product_with_two_modes(sigma, nu):
    """Residuals from 0 to nine SDs of what is missing; Gauss-Hermite nodes are off by up to 30 nats here."""
    y = np.array([-6.0, -1.0, 0.0, 0.4, 2.2, 9.0])

    constant = stats.t.logpdf(0.0, nu, 0.0, sigma)

    def log_f(z):
        return constant - (nu + 1.0) / 2.0 * np.log1p(((y - z[0]) / sigma) ** 2 / nu)

    expected = [log_integral(value, 1.0, sigma, nu) for value in y]
    assert_allclose(by_panels(log_f, panel_edges(log_f, y.shape), 8), expected, atol=1e-8)
    rule = choose_rule(log_f, 1, y.shape)
    assert rule.error <= 1e-6
    assert_allclose(rule(log_f, 1, y.shape), expected, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.03, 0.2])
def test_a_missing_mediator_before_a_student_t_response(sigma):
    """The outcome's density with the mediator integrated out; its SD is a small part of the mediator's."""
    model = sp.load_model({
        "title": "t", "exposure": "x", "outcome": "y",
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "student_t"}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 0, "sigma": 5, **WHY},
            "slope": {"dist": "normal", "mu": 0, "sigma": 1, **WHY},
            "sigma": {"dist": "half_normal", "sigma": 3, **WHY},
            "nu": {"dist": "gamma", "alpha": 2, "beta": 0.1, **WHY},
        },
    })  # fmt: skip
    rng = np.random.default_rng(2)
    x = rng.normal(size=12)
    y = np.concatenate([rng.normal(size=8), [-5.0, -2.5, 4.0, 7.0]])
    m = np.where(np.arange(12) % 3, np.nan, 0.7 + 0.1 * np.arange(12))
    records = pd.DataFrame({"x": x, "m": m, "y": y})
    design = design_arrays(model, sp.Survey(records, "memory", "made up"))
    beta = {"m": [0.2, 0.5], "y": [-0.1, 0.3, 0.8]}
    posterior = xr.Dataset(
        {
            "m": (("chain", "draw", "m_term"), np.array(beta["m"])[None, None]),
            "y": (("chain", "draw", "y_term"), np.array(beta["y"])[None, None]),
            "sigma": (("chain", "draw", "sigma_response"), np.array([[[1.5, sigma]]])),
            "nu": (("chain", "draw", "nu_response"), np.array([[[4.0]]])),
        },
        coords={
            "chain": [0], "draw": [0], "m_term": ["intercept", "x"], "y_term": ["intercept", "x", "m"],
            "sigma_response": ["m", "y"], "nu_response": ["y"],
        },
    )  # fmt: skip
    found = log_likelihood(model, design, posterior)
    assert found.attrs["quadrature_error"] <= 1e-6
    for i in range(12):
        eta = 0.2 + 0.5 * x[i]
        if np.isnan(m[i]):
            rest = y[i] - (-0.1 + 0.3 * x[i] + 0.8 * eta)
            expected = log_integral(rest, 0.8 * 1.5, sigma, 4.0)
        else:
            expected = stats.t.logpdf(y[i], 4.0, -0.1 + 0.3 * x[i] + 0.8 * m[i], sigma)
        assert_allclose(found["y_observed"].to_numpy()[0, 0, i], expected, atol=1e-6)
