"""The plain PyMC model, sampled by `pm.sample`, says what the engine says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from family_chains import chain_model, simulated

import bayes_sp as sp
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.names import AVERAGE


@pytest.mark.slow
def test_the_plain_model_has_the_same_posterior(study_survey):
    """Means agree within 5 Monte Carlo errors for every effect, under the same names."""
    tables = {}
    for method in ("nuts", "pymc"):
        options = sp.SamplerOptions(draws=1000, tune=400, method=method)
        fit = sp.fit("process4", study_survey, seed=5, options=options)
        assert fit.diagnose().trustworthy
        assert fit.posterior.attrs["method"] == method
        assert None not in fit.posterior.attrs.values()
        tables[method] = fit.effects().table()
    nuts, plain = tables["nuts"], tables["pymc"]
    assert list(nuts["path"]) == list(plain["path"])
    error = np.hypot(nuts["mcse_mean"], plain["mcse_mean"])
    assert (abs(nuts["mean"] - plain["mean"]) < 5 * error).all()


@pytest.mark.slow
def test_the_plain_model_has_the_engines_confounder():
    """Means of strengths, coefficients and every patient's U agree within 5 Monte Carlo errors of both."""
    plain = chain_model(["normal", "poisson"])
    prior = Prior("half_normal", (("sigma", 0.4),), "x")
    model = replace(plain, unmeasured=(Unmeasured("U", (("m1", prior), ("y", 0.8))),))
    survey = simulated(plain)[0]
    by_engine = sp.fit(model, survey, seed=1)
    by_pymc = sp.fit(model, survey, seed=1, options=sp.SamplerOptions(method="pymc", draws=500, tune=500, chains=2))
    for group, name in (("posterior", "U"), ("posterior", "y"), ("unmeasured", "U")):
        one, other = by_engine.posterior[group][name], by_pymc.posterior[group][name]
        assert one.dims == other.dims
        errors = [convergence_measures(draws.to_numpy())["mcse_mean"] for draws in (one, other)]
        apart = one.mean(("chain", "draw")) - other.mean(("chain", "draw"))
        assert (abs(apart) < 5 * np.hypot(*errors)).all()
    assert np.isfinite(by_pymc.effects().draws[AVERAGE]).all()


def test_an_unbounded_density_is_refused_by_name():
    """With true values as parameters a normal outcome's residual SD goes to 0; with a count nothing does."""
    model = chain_model(["latent_normal", "normal"])
    with pytest.raises(SpecificationError, match='equation "y": m1 is measured with error') as found:
        sp.fit(model, simulated(model)[0], options=sp.SamplerOptions(method="pymc"))
    assert "no bound" in str(found.value)
