"""Missing cells: the engine integrates over them exactly, and fits with them find what complete records would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from known_truth import TRUTH, as_posterior, without_scales
from numpy.testing import assert_allclose
from scipy.special import logsumexp

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.paths import compute_effects
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.families import PRIOR_NUMBERS
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_density
from bayes_sp.inference.pointwise.forward import forward
from bayes_sp.inference.pointwise.imputed import filled_columns
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.names import AVERAGE, DIFFERENCE


def program_of(model, survey):
    return compile_program(model, design_arrays(model, survey))


def with_cells(survey, **cells):
    """The survey with other values (NaN for missing) in single cells, column=(row, value)."""
    records = survey.records.astype(float)
    for column, (row, value) in cells.items():
        records.loc[row, column] = value
    return replace(survey, records=records, origin="file")


def test_a_missing_ordered_mediator_is_the_sum_over_its_levels(study_survey):
    """log p(observed) = log sum over levels of p(observed, level), at any parameters."""
    model = sp.load_model("ordinal")
    missing = program_of(model, with_cells(study_survey, belonging_t1=(7, np.nan)))
    theta = missing.start + np.random.default_rng(1).normal(0, 0.2, missing.size)
    levels = [
        log_density(log_posterior(program_of(model, with_cells(study_survey, belonging_t1=(7, level)))), theta)[0]
        for level in (1.0, 2.0, 3.0, 4.0)
    ]
    assert_allclose(log_density(log_posterior(missing), theta)[0], logsumexp(levels), rtol=1e-12)


def test_a_missing_continuous_mediator_is_the_integral_over_its_values(study_survey):
    """The integral over the standardised value is that over the mediator's own values."""
    model = sp.load_model("primary")
    missing = program_of(model, with_cells(study_survey, loneliness_t1=(3, np.nan)))
    theta = missing.start + np.random.default_rng(2).normal(0, 0.1, missing.size)
    z = np.linspace(-9, 9, 61)
    posterior, values = log_posterior(missing), []
    for value in z:
        theta[-1] = value
        values.append(log_density(posterior, theta)[0])
    free = replace(model, variables=tuple(replace(v, minimum=None, maximum=None) for v in model.variables))
    wide = np.linspace(-8, 12, 68)
    complete = [
        log_density(log_posterior(program_of(free, with_cells(study_survey, loneliness_t1=(3, value)))), theta[:-1])[0]
        for value in wide
    ]
    by_z, by_value = (logsumexp(v) + np.log(g[1] - g[0]) for v, g in ((values, z), (complete, wide)))
    assert_allclose(by_z, by_value, rtol=1e-10)


@pytest.mark.slow
def test_a_missing_outcome_leaves_its_own_likelihood_alone(study_survey):
    """Without the outcome of a patient the density is that of all patients less the patient's own term."""
    model = sp.load_model("primary")
    missing = program_of(model, with_cells(study_survey, appointments_t1=(5, np.nan)))
    theta = missing.start
    sums = [
        log_density(log_posterior(program_of(model, with_cells(study_survey, appointments_t1=(5, y)))), theta)[0]
        for y in range(120)
    ]
    assert_allclose(logsumexp(sums), log_density(log_posterior(missing), theta)[0], rtol=1e-9)


@pytest.fixture(scope="module")
def incomplete(study_survey):
    """The study's records without a tenth of the cells in seven columns."""
    rng, records = np.random.default_rng(0), study_survey.records.astype(float)
    columns = ("belonging_t1", "loneliness_t1", "appointments_t1", "age", "relationship", "education", "group_change")
    for column in columns:
        records.loc[rng.random(len(records)) < 0.1, column] = np.nan
    return replace(study_survey, records=records, origin="file")


@pytest.mark.parametrize("name", ["primary", "ordinal", "latent"])
def test_imputation_sees_the_densities_that_the_engine_sees(name, incomplete):
    """Of two parameter vectors, NumPy's and the engine's log-likelihoods differ by the same amount."""
    check_densities(sp.load_model(name), incomplete)


@pytest.mark.parametrize("what", ["exposures", "covariates"])
def test_imputation_of_a_category_that_depends_on_nothing(what):
    """A missing level of the exposure, or of the only covariate: its equation has cutpoints and no slope."""
    rng, n = np.random.default_rng(3), 160  # ten of each level at least
    table = pd.DataFrame({"x": rng.integers(1, 5, n), "site": rng.integers(1, 4, n), "m": rng.normal(size=n)})
    table = table.assign(y=rng.poisson(np.exp(0.3 * table["m"]))).astype(float)
    table.loc[:5, "x" if what == "exposures" else "site"] = np.nan
    tables = {"exposures": {"x": {"levels": [1, 2, 3, 4]}}, "covariates": {"site": {"levels": [1, 2, 3]}}}
    wide = {"dist": "normal", "mu": 0, "sigma": 2, "why": "w"}
    model = sp.load_model({
        "title": "t", "exposure": "x", "outcome": "y", what: tables[what],
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "poisson"}],
        "priors": {"intercept": wide, "slope": wide, "sigma": {"dist": "half_normal", "sigma": 2, "why": "w"}},
    })  # fmt: skip
    check_densities(model, sp.read_survey(table, model))


def check_densities(model, incomplete):
    program = program_of(model, incomplete)
    flat = program.ints.copy()
    flat[flat[at.DIST] : flat[at.DIST] + program.size] = PRIOR_NUMBERS["flat"]  # leaves likelihood and Jacobian
    bare = log_posterior(replace(program, ints=flat))
    rng = np.random.default_rng(5)
    theta = program.completed(program.start + rng.normal(0, 0.1, (2, program.size)), 1)
    _, ell = forward(program, program.parameters.naturals(theta))
    rows = program.rows
    own = ell[:, : rows.single].sum(axis=1)
    own += sum(logsumexp(ell[:, first : first + count], axis=1) for first, count in rows.split)
    jacobian = np.zeros(2)
    for block in program.parameters.blocks:
        values = theta[:, block.start : block.start + block.size]
        if block.transform in ("log", "increasing"):
            jacobian += values[:, (block.transform == "increasing") :].sum(axis=1)
        elif block.transform == "soft":
            jacobian -= np.logaddexp(0.0, -values / block.unit).sum(axis=1)
        elif block.transform == "share":
            shares = program.parameters.naturals(theta)[:, block.natural : block.natural + len(block.labels)]
            (alpha,) = block.priors[0].values.values()
            jacobian += alpha * np.log(shares).sum(axis=1)
    engine = np.array([log_density(bare, point[: program.size])[0] for point in theta])
    assert_allclose(np.diff(engine), np.diff(own + jacobian), rtol=1e-9)


def test_imputed_cells_fill_the_covariates_and_no_others(incomplete):
    """Draws stand in missing cells, levels among the coded ones, observed cells as they are."""
    model = sp.load_model("primary")
    fit = sp.fit(model, incomplete, seed=2, options=sp.SamplerOptions(draws=50, chains=2))
    design = design_arrays(model, incomplete)
    columns = filled_columns(design, fit.posterior["imputed"].to_dataset(), 10, 40)
    known = ~np.isnan(design.w)
    assert columns.shape == (30, *design.w.shape)
    assert np.isfinite(columns).all()
    assert (columns[:, known] == design.w[known]).all()
    relationship = columns[:, :, design.covariate_terms.index("relationship")]
    assert set(np.unique(relationship)) == {-0.5, 0.5}


@pytest.mark.slow
def test_one_missing_cell_of_the_exposure_moves_nothing(study_survey):
    """With an incomplete confounder, its tie to the exposure holds whether or not the exposure has a missing cell."""
    model = without_scales(sp.load_model("primary"))
    truth = {name: values.copy() for name, values in TRUTH.items()}
    complete = simulate_survey(model, study_survey, truth, n=400, seed=3)
    records = complete.records.astype(float)
    rng = np.random.default_rng(3)
    records["age"] = 55.75 + 13.8 * (0.6 * records["group_change"] + rng.normal(0, 0.5, len(records)))
    records.loc[rng.random(len(records)) < 0.4, "age"] = np.nan
    one = records.copy()
    one.loc[int(records["age"].notna().idxmax()), "group_change"] = np.nan
    options = sp.SamplerOptions(draws=500, chains=2)
    fits = [sp.fit(model, replace(complete, records=r), seed=1, options=options) for r in (records, one)]
    draws = [fit.posterior["posterior"]["belonging_t1"].sel(belonging_t1_term="group_change") for fit in fits]
    assert abs(draws[0].mean() - draws[1].mean()) < 0.3 * draws[0].std()
    tie = fits[1].posterior["posterior"]["group_change"].sel(group_change_term="age")
    assert tie.mean() > 5 * tie.std()


@pytest.mark.slow
def test_effects_are_found_with_a_fifth_of_the_cells_missing_at_random(study_survey):
    """20 % missing depending on a covariate: errors in posterior SDs stay those of complete records."""
    model = without_scales(sp.load_model("primary"))
    known = as_posterior(model, TRUTH)
    options = sp.SamplerOptions(draws=250, chains=2)
    scores = {"complete": [], "missing": []}
    for seed in range(8):
        complete = simulate_survey(model, study_survey, TRUTH, n=400, seed=seed)
        truth = compute_effects(model, design_arrays(model, complete), known).draws[AVERAGE].sel(scale=DIFFERENCE)
        rng, records = np.random.default_rng(seed), complete.records.astype(float)
        chance = 0.2 * 2 / (1 + np.exp(-2 * (records["loneliness_t0"] - 2.42)))  # 0.2 on average
        for column in ("belonging_t1", "loneliness_t1", "appointments_t1"):
            records.loc[rng.random(len(records)) < chance, column] = np.nan
        for name, survey in (("complete", complete), ("missing", replace(complete, records=records))):
            draws = sp.fit(model, survey, seed=seed, options=options).effects().draws[AVERAGE].sel(scale=DIFFERENCE)
            error = (draws.mean(("chain", "draw")) - truth.isel(chain=0, draw=0)) / draws.std(("chain", "draw"))
            scores[name].append(error.to_numpy())
    complete, missing = (np.array(scores[name]) for name in ("complete", "missing"))
    assert abs(missing.mean(axis=0)).max() < 4 / np.sqrt(len(missing))  # no bias beyond 4 standard errors
    assert (abs(missing) < 1.96).mean() > (abs(complete) < 1.96).mean() - 0.15
    assert (abs(missing) < 3.5).all()
