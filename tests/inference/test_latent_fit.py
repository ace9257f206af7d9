"""A mediator measured with error before a normal outcome: the closed form, in the time of a plain fit."""

from __future__ import annotations

import numpy as np
import pytest
from latent_calibration import model_of, simulated

from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.sample import sample_posterior


@pytest.mark.parametrize("reliability", [0.65, 0.8])
def test_slopes_are_those_corrected_for_attenuation(reliability):
    """(S - E)^-1 s with weak priors: medians within a third of a posterior SD, and short trajectories."""
    survey = simulated("normal", reliability, 5)
    posterior = sample_posterior(model_of("normal", reliability), survey, seed=1, options=SamplerOptions(cores=1))
    draws = posterior["posterior"]
    covariance = np.cov(survey.records[["x", "m", "y"]].to_numpy().T)
    inner = covariance[:2, :2] - np.diag([0.0, (1.0 - reliability) * covariance[1, 1]])
    expected = [covariance[0, 1] / covariance[0, 0], *np.linalg.solve(inner, covariance[:2, 2])]
    found = [draws["m"].sel(m_term="x"), draws["y"].sel(y_term="x"), draws["y"].sel(y_term="m")]
    for values, value in zip(found, expected, strict=True):
        assert abs(float(values.median()) - value) < float(values.std()) / 3.0
    assert diagnose(posterior, {"ab": (found[0] * found[2]).to_numpy()}).trustworthy
    assert float(np.mean(posterior["sample_stats"]["n_steps"])) < 16.0
