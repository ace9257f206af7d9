"""The plain PyMC model, sampled by `pm.sample`, says what the engine says."""

from __future__ import annotations

import numpy as np

import bayes_sp as sp


def test_the_plain_model_has_the_same_posterior(study_survey):
    """Means agree within 5 Monte Carlo errors for every effect, under the same names."""
    tables = {}
    for method in ("nuts", "pymc"):
        options = sp.SamplerOptions(draws=500, chains=2, tune=400, method=method)
        fit = sp.fit("process4", study_survey, seed=5, options=options)
        assert fit.diagnose().trustworthy
        assert fit.posterior.attrs["method"] == method
        tables[method] = fit.effects().table()
    nuts, plain = tables["nuts"], tables["pymc"]
    assert list(nuts["path"]) == list(plain["path"])
    error = np.hypot(nuts["mcse_mean"], plain["mcse_mean"])
    assert (abs(nuts["mean"] - plain["mean"]) < 5 * error).all()
