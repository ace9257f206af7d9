"""Every family says the same through a predictor as by itself; hidden parents are drawn from their own equation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayes_sp.analysis.criticism.predictors import predictors, thinned
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.design.build import design_arrays
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey


def at_prior(model, survey, draws=400, seed=1):
    """Return the predictors of every equation at draws from the priors, with the draws."""
    design = design_arrays(model, survey)
    parameters = draw_priors(model, design, draws=draws, seed=seed)
    return predictors(model, design, parameters, np.random.default_rng(seed)), parameters, design


def test_every_family_replicates_what_its_mean_says(family, family_model, family_records):
    """The average of replicates of one patient over the draws is the average of its expected values."""
    outcome = at_prior(family_model, family_records, draws=4000)[0][-1]
    assert outcome.family is FAMILIES[family]
    y, mean = outcome.replicate(np.random.default_rng(0)), outcome.mean()
    assert y.shape == mean.shape == (4000, 60)
    step = 0.125 if family == "beta" else 0.0
    spread = y.std(axis=0) / np.sqrt(len(y))
    assert np.all(abs(y.mean(axis=0) - mean.mean(axis=0)) < 6 * spread + 0.05 * step + 1e-9)


def test_every_family_replicates_values_that_a_record_could_have(family, family_model, family_records):
    """Levels, counts, positive values and steps of a bounded scale."""
    y = at_prior(family_model, family_records)[0][-1].replicate(np.random.default_rng(0))
    variable = family_model.variable("y")
    if variable.kind in ("integer", "count", "binary"):
        np.testing.assert_array_equal(y, np.round(y))
    if family == "beta":
        np.testing.assert_allclose((y - 1) / 0.125, np.round((y - 1) / 0.125))
    if variable.kind == "positive":
        assert y.min() > 0
    if variable.kind == "binary":
        assert set(np.unique(y)) <= {0.0, 1.0}
    if variable.minimum is not None:
        assert y.min() >= variable.minimum
        assert y.max() <= variable.maximum


@pytest.fixture
def rich(make_tables, make_records, some_priors):
    """Return a specification with groups, a window, an interaction and monotonic steps, and records for it."""
    tables = make_tables("negative_binomial")
    tables["variables"]["m"] = {"label": "Mediator", "kind": "integer", "min": 1, "max": 4}
    tables["equation"] = [
        {"response": "m", "family": "ordered_logit"},
        {"response": "k", "family": "normal"},
        {"response": "y", "family": "negative_binomial", "monotonic": ["m"], "interactions": ["k"],
         "varying": "clinic", "offset": "weeks", "offset_reference": 13.0},
    ]  # fmt: skip
    tables["priors"] |= {"cutpoint": some_priors["cutpoint"], "tau": some_priors["sigma"]}
    tables["priors"]["simplex"] = {"dist": "dirichlet", "alpha": 1.0, "why": "test"}
    survey = make_records("negative_binomial")
    rng = np.random.default_rng(2)
    n = len(survey)
    added = {"k": rng.normal(0, 1, n), "clinic": rng.integers(1, 4, n), "weeks": rng.integers(8, 20, n)}
    records = survey.records.assign(m=rng.integers(1, 5, n), **added)
    return load_model(tables, name="rich"), Survey(records, "simulation", "rich records")


def test_groups_windows_interactions_and_monotonic_steps_enter_the_predictor(rich):
    """The linear predictor of one patient, written out by hand."""
    model, survey = rich
    found, parameters, design = at_prior(model, survey, draws=5)
    outcome, draw = found[-1], parameters.isel(chain=0)
    records = survey.records
    for i in (0, 17, 59):
        row = records.iloc[i]
        beta = {str(t): draw["y"].sel(y_term=t).to_numpy() for t in draw["y_term"].to_numpy()}
        shares = draw["y_m_simplex"].to_numpy()
        steps = 3 * shares[:, : int(row["m"]) - 1].sum(axis=1)
        group = draw["y_varying"].sel(clinic=str(int(row["clinic"]))).to_numpy()
        expected = (
            beta["intercept"] + beta["x"] * row["x"] + beta["m"] * steps + beta["k"] * row["k"]
            + beta["x:k"] * row["x"] * row["k"] + group + np.log(row["weeks"] / 13.0)
        )  # fmt: skip
        np.testing.assert_allclose(outcome.eta[:, i], expected, rtol=1e-10)
    assert design.n == 60


def test_a_missing_parent_is_drawn_from_its_own_equation(make_family):
    """Each draw has its own value, with the mean and spread that the parent's equation gives; the row stays known."""
    model, survey = make_family("poisson")
    records = survey.records.astype({"m": float})
    records.loc[3, "m"] = np.nan
    found, parameters, _ = at_prior(model, replace(survey, records=records), draws=20_000)
    mediator, outcome = found
    assert not mediator.known[3]
    assert outcome.known.all()
    slope = parameters["y"].sel(y_term="m").to_numpy()[0]
    x, beta = records.loc[3, "x"], parameters["y"].to_numpy()[0]
    value = (outcome.eta[:, 3] - beta[:, 0] - beta[:, 1] * x) / slope
    z = (value - mediator.eta[:, 3]) / mediator.aux[:, 0]
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05


@pytest.mark.fixed_seed  # with other records the reliability is impossible
def test_a_parent_measured_with_error_is_drawn_between_its_value_and_its_prediction(make_tables, make_records):
    """Mean and variance of the latent value given the measured one, as for two normal measurements."""
    tables = make_tables("normal")
    tables["equation"][0] |= {"family": "latent_normal", "reliability": 0.75, "observed_sd": 2.0}
    tables["priors"]["sigma"] = {"dist": "gamma", "alpha": 1e6, "beta": 1e6, "why": "nearly 1"}
    survey = make_records("normal")
    (mediator, outcome), parameters, _ = at_prior(load_model(tables, name="latent"), survey, draws=20_000)
    beta = parameters["y"].to_numpy()[0]
    latent = (outcome.eta[:, 0] - beta[:, 0] - beta[:, 1] * survey.records["x"][0]) / beta[:, 2]
    share = 0.5  # sigma = 1, error SD = 2 sqrt(0.25) = 1
    residual = latent - (1 - share) * mediator.eta[:, 0] - share * survey.records["m"][0]
    assert abs(residual.mean()) < 0.03
    np.testing.assert_allclose(residual.std(), np.sqrt(0.5), rtol=0.02)


def test_thinning_keeps_whole_draws_evenly_spaced(small_model, small_design, make_posterior):
    """Draws of a chain stay together, and no more are kept than asked for."""
    posterior = make_posterior(small_model, small_design)["posterior"].to_dataset()
    few = thinned(posterior, 100)
    assert (few.sizes["chain"], few.sizes["draw"]) == (1, 100)
    beside = (("chain", "draw"), np.ones((posterior.sizes["chain"], posterior.sizes["draw"])))
    assert thinned(posterior.assign_coords(variance_factor=beside), 100).equals(few)  # as with resampled draws
    every = posterior["mood"].to_numpy().reshape(1000, -1)
    places = [int(np.flatnonzero((every == row).all(axis=1))[0]) for row in few["mood"].to_numpy()[0]]
    assert places == sorted(places)
    np.testing.assert_array_equal(few["sigma"].to_numpy()[0, :, 0], posterior["sigma"].to_numpy().reshape(-1)[places])
