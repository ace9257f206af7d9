"""Awkward data and priors: small scales, kinks, heavy tails, far contrasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.reading.load import load_model


def _tables(**changes):
    tables = {
        "title": "x to y through m",
        "exposure": "x",
        "outcome": "y",
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "negative_binomial"}],
        "priors": {
            "intercept": {"dist": "normal", "mu": 0, "sigma": 2, "why": "w"},
            "slope": {"dist": "normal", "mu": 0, "sigma": 1, "why": "w"},
            "sigma": {"dist": "half_normal", "sigma": 2, "why": "w"},
            "phi": {"dist": "lognormal", "mu": 0, "sigma": 1, "why": "w"},
        },
    }
    return {**tables, **changes}


def _survey(n=100, seed=0, counts=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    m = 0.5 * x + rng.normal(size=n)
    y = rng.negative_binomial(2, 2 / (2 + np.exp(0.5 + 0.3 * m))) if counts is None else counts(rng, n)
    return sp.Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "memory", "made-up records")


def test_a_bootstrap_at_the_boundary_stands_beside_the_posterior():
    """Underdispersed counts have their negative-binomial maximum at the Poisson fit, in nearly every resample."""
    fit = sp.fit(load_model(_tables()), _survey(counts=lambda rng, n: rng.binomial(4, 0.5, n)))
    comparison = fit.compare(replicates=50)
    assert comparison.missing == ()
    table = comparison.table.set_index(["likelihood", "inference"]).sort_index()
    assert (table.loc[("negative_binomial", "bootstrap"), "boundary"] > 45).all()
    assert np.isfinite(table[["lower", "upper"]].to_numpy(float)).all()
    assert len(set(table.index)) == 4


@pytest.mark.parametrize("b", [0.05, pytest.param(0.005, marks=pytest.mark.slow)])
def test_a_laplace_prior_that_shrinks_can_be_sampled(b):
    """The mode at the kink of a Laplace prior is no obstacle for the sampler."""
    tables = _tables()
    tables["priors"]["slope"] = {"dist": "laplace", "mu": 0, "b": b, "why": "w"}
    fit = sp.fit(load_model(tables), _survey())
    assert fit.diagnose().numbers["r_hat"] < 1.02


@pytest.mark.parametrize(("n", "df"), [(5, 1), (6, 2)])
def test_exact_draws_reach_into_heavy_tails(n, df):
    """With few degrees of freedom the flat-prior posterior is the wide Student t."""
    twin = twin_of(load_model(_tables()))
    twin = replace(twin, equations=twin.equations)
    design = design_arrays(twin, _survey(n, seed=3))
    x, y = np.column_stack([np.ones(n), design.x, design.y[:, 0]]), design.y[:, 1]
    beta, rss, *_ = np.linalg.lstsq(x, y)
    if df != n - 3 - 1:
        pytest.fail("the test's own degrees of freedom are wrong")
    sd = np.sqrt(rss[0] / df * np.diag(np.linalg.inv(x.T @ x)))
    draws = exact_posterior(twin, design, seed=1, draws=20000)["y"].to_numpy().reshape(-1, 3)
    found = np.quantile((draws[:, 1] - beta[1]) / sd[1], 0.975)
    assert_allclose(found, stats.t(df).ppf(0.975), rtol=0.08)


def test_exact_draws_where_the_prior_of_sigma_is_far_from_the_data():
    """A half-normal(1) prior on the SD of an outcome in thousands gives the posterior that a wide grid gives."""
    tables = _tables(equation=[{"response": "m", "family": "normal"}, {"response": "y", "family": "normal"}])
    tables["priors"]["intercept"] = tables["priors"]["slope"] = {"dist": "flat", "why": "w"}
    tables["priors"]["sigma"] = {"dist": "half_normal", "sigma": 1, "why": "w"}
    del tables["priors"]["phi"]
    survey = _survey(counts=lambda rng, n: rng.normal(0, 1e4, n))
    model = load_model(tables)
    design = design_arrays(model, survey)
    x, y = np.column_stack([np.ones(100), design.x, design.y[:, 0]]), design.y[:, 1]
    rss = np.linalg.lstsq(x, y)[1][0]
    grid = np.linspace(1, 5000, 200_001)
    log_weight = -97 * np.log(grid) - rss / (2 * grid**2) - grid**2 / 2
    weight = np.exp(log_weight - log_weight.max())
    found = exact_posterior(model, design, seed=1, draws=10000)["sigma"].sel(sigma_response="y")
    assert_allclose(float(found.mean()), (weight * grid).sum() / weight.sum(), rtol=1e-2)


def test_names_that_look_like_inputs_of_the_engine_work():
    """A mediator called sigma_half collides with nothing."""
    tables = _tables(equation=[{"response": "sigma_half", "family": "normal"}, _tables()["equation"][1]])
    survey = _survey()
    survey = replace(survey, records=survey.records.rename(columns={"m": "sigma_half"}))
    assert sp.fit(load_model(tables), survey, options=sp.SamplerOptions(draws=100)).effects().table().shape[0] > 0


def test_a_count_that_is_a_typing_mistake_is_refused():
    """A count above 100,000 is named by row instead of filling the memory."""
    records = _survey().records
    records.loc[7, "y"] = 10**12
    survey = replace(_survey(), records=records)
    with pytest.raises(sp.BayesSpError, match="row 8"):
        sp.fit(load_model(_tables()), survey)


def test_no_patient_is_in_a_repr():
    """The arrays of a design do not print themselves."""
    design = design_arrays(load_model(_tables()), _survey())
    assert "array" not in repr(design)
