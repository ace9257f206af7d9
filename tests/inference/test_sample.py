"""Sampling: reproducible, recorded, and right."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace

import arviz as az
import numpy as np
import pymc as pm
import pytest
from family_chains import chain_model, simulated
from known_truth import TRUTH, as_posterior, without_scales
from numpy.testing import assert_allclose

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.effects.paths import compute_effects
from bayes_sp.errors import FitError, SurveyError
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.reference.build import build_model
from bayes_sp.inference.samplers.nuts import target_accept
from bayes_sp.model.distributions import Prior
from bayes_sp.model.reading.load import load_model


def _md5(fit: sp.Fit) -> str:
    posterior = fit.posterior["posterior"].to_dataset()
    return hashlib.md5(
        b"".join(posterior[name].to_numpy().tobytes() for name in sorted(map(str, posterior))), usedforsecurity=False
    ).hexdigest()


def test_draws_depend_on_the_seed_and_not_on_the_number_of_cores(study_survey):
    """The same seed gives the same draws on one core and on three, another seed others."""
    one, three, other = (
        _md5(sp.fit("primary", study_survey, seed=seed, options=sp.SamplerOptions(draws=100, tune=100, cores=cores)))
        for seed, cores in ((1, 1), (1, 3), (2, 3))
    )
    assert one == three
    assert one != other


@pytest.mark.fixed_seed
@pytest.mark.slow
def test_draws_do_not_depend_on_the_compile_cache(primary_fit, tmp_path):
    """Two new processes, the first with an empty compile cache, give the draws of this one, bit for bit."""
    code = (
        "import hashlib, bayes_sp as sp\n"
        "p = sp.fit('primary', sp.reconstruct(seed=1), seed=1).posterior['posterior'].to_dataset()\n"
        "print(hashlib.md5(b''.join(p[n].to_numpy().tobytes() for n in sorted(p))).hexdigest())"
    )
    environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    found = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert found == [_md5(primary_fit)] * 2


def test_the_tree_says_how_it_was_made(primary_fit, study_survey):
    """Seed, options, versions, digest, specification, origin and divergences are in the attributes."""
    attrs = primary_fit.posterior.attrs
    assert (attrs["seed"], attrs["draws"], attrs["tune"], attrs["chains"]) == (1, 1000, 300, 4)
    assert attrs["data_digest"] == study_survey.digest
    assert attrs["reconstructed_from_published_moments"] == 1
    assert "reconstructed from published moments" in attrs["data_source"]
    assert attrs["divergences"] == int(primary_fit.posterior["sample_stats"]["diverging"].sum())
    assert json.loads(attrs["versions"])["pymc"] == pm.__version__
    assert load_model(tomllib.loads(attrs["specification"]), name="primary") == primary_fit.model


def test_plain_arviz_takes_the_tree(primary_fit):
    """Summary, LOO, E-BFMI and R-hat of ArviZ work on the tree, with words for names."""
    tree = primary_fit.posterior
    summary = az.summary(tree)
    assert "belonging_t1[group_change]" in summary.index
    assert np.isfinite(az.loo(tree, var_name="loneliness_t1_observed").elpd)
    assert float(az.rhat(tree)["phi"].max()) < 1.01
    assert (az.bfmi(tree)["energy"] > 0.3).all()


def test_the_tree_survives_a_file(primary_fit, tmp_path):
    """A netCDF round trip keeps every draw and the attributes."""
    import xarray as xr

    primary_fit.posterior.to_netcdf(tmp_path / "p.nc", engine="h5netcdf")
    back = xr.load_datatree(tmp_path / "p.nc", engine="h5netcdf")
    assert back["posterior"].to_dataset().equals(primary_fit.posterior["posterior"].to_dataset())
    assert back.attrs["data_digest"] == primary_fit.posterior.attrs["data_digest"]


@pytest.mark.slow
def test_pointwise_log_likelihood_equals_pymcs(primary_fit, study_survey):
    """The NumPy log-likelihood equals the one PyMC computes from the plain model."""
    model = primary_fit.model
    few = primary_fit.posterior.copy()
    few = few.isel(draw=slice(0, 20))
    expected = few.copy(deep=True)
    del expected["log_likelihood"]
    with build_model(model, design_arrays(model, study_survey)):
        pm.stats.compute_log_likelihood(expected, progressbar=False)
    for name in expected["log_likelihood"].data_vars:
        assert_allclose(few["log_likelihood"][name].to_numpy(), expected["log_likelihood"][name].to_numpy(), atol=1e-10)


@pytest.mark.slow
def test_the_plain_model_sampled_by_pymc_gives_the_same_posterior(primary_fit, study_survey):
    """PyMC's own sampler on the plain model agrees with the engine within Monte Carlo error."""
    model = primary_fit.model
    with build_model(model, design_arrays(model, study_survey)):
        tree = pm.sample(1000, tune=500, chains=2, cores=1, random_seed=3, progressbar=False, quiet=True)
    for name, ours in primary_fit.posterior["posterior"].data_vars.items():
        theirs = tree["posterior"][name]
        error = np.hypot(az.mcse(ours.to_dataset(name="q"))["q"], az.mcse(theirs.to_dataset(name="q"))["q"])
        difference = ours.mean(("chain", "draw")).to_numpy() - theirs.mean(("chain", "draw")).to_numpy()
        assert (np.abs(difference) < 5 * error.to_numpy()).all()


def test_the_verdict_of_the_primary_fit_is_good(primary_fit):
    """The shipped primary model fits the reconstruction with every diagnostic passed."""
    verdict = primary_fit.diagnose()
    assert verdict.trustworthy, verdict.reasons
    assert verdict.numbers["ess_bulk"] >= 3000


@pytest.mark.parametrize(("seed", "method"), [(11, "laplace"), pytest.param(12, "nuts", marks=pytest.mark.slow)])
def test_known_effects_are_recovered(seed, method, study_survey):
    """From 1000 patients simulated from the primary model every effect lies within 4.5 posterior SDs of the truth."""
    model = without_scales(sp.load_model("primary"))
    survey = simulate_survey(model, study_survey, TRUTH, n=1000, seed=seed)
    fit = sp.fit(model, survey, seed=seed, options=sp.SamplerOptions(method=method))
    assert fit.diagnose().trustworthy
    truth = as_posterior(model, TRUTH)
    known = compute_effects(model, design_arrays(model, survey), truth).draws
    mean, sd = fit.effects().draws.mean(("chain", "draw")), fit.effects().draws.std(("chain", "draw"))
    for name in ("alone", "average"):
        assert (abs(mean[name] - known[name].isel(chain=0, draw=0)) < 4.5 * sd[name]).all()


def test_prior_predictive_gives_responses_for_every_patient(study_survey):
    """Prior draws of appointments are counts, and few have a mean above 50."""
    tree = sp.prior_predictive(sp.load_model("primary"), study_survey, seed=4, draws=1000)
    drawn = tree["prior_predictive"]["appointments_t1_observed"].to_numpy()[0]
    assert drawn.shape == (1000, 178)
    assert (drawn >= 0).all()
    assert (drawn.mean(axis=1) > 50).mean() < 0.03


def test_improper_priors_have_no_prior_predictive(study_survey):
    """A flat prior is named instead of drawn from."""
    model = sp.load_model("process6")
    flat = replace(model, priors=(*model.priors, ("", "age", Prior("flat", (), "flat"))))
    with pytest.raises(FitError, match="improper"):
        sp.prior_predictive(flat, study_survey, seed=1)


def test_records_that_do_not_fit_are_refused_before_compiling(study_survey):
    """A missing column is reported by name."""
    survey = replace(study_survey, records=study_survey.records.drop(columns="age"))
    with pytest.raises(SurveyError, match='"age" is missing'):
        sp.fit("primary", survey)


@pytest.mark.parametrize(("name", "value"), [("draws", 0), ("chains", 1.5), ("cores", True), ("target_accept", 1.0)])
def test_impossible_sampler_options_are_refused(name, value):
    """Options that cannot be sampled with raise at once."""
    with pytest.raises(ValueError, match=name):
        sp.SamplerOptions(**{name: value})


@pytest.mark.parametrize("seed", [-1, 1.5, True, 2**63])
def test_a_seed_that_no_generator_takes_is_refused(seed, study_survey):
    """The message says what a seed is."""
    with pytest.raises(ValueError, match="seed must be a whole number"):
        sp.fit("process4", study_survey, seed=seed)


@pytest.mark.parametrize(
    ("asked", "first", "last", "used"),
    [
        (None, "latent_normal", "poisson", 0.65),
        (None, "latent_normal", "normal", 0.95),
        (0.8, "latent_normal", "poisson", 0.8),
        (None, "normal", "poisson", 0.8),
    ],
)
def test_hidden_values_have_an_acceptance_of_their_own(asked, first, last, used):
    """Where true values are sampled, or integrated out, unless another one is asked for."""
    model = chain_model([first, last])
    program = compile_program(model, design_arrays(model, simulated(model)[0]))
    assert target_accept(model, program, sp.SamplerOptions(target_accept=asked)) == used
