"""The mode of a posterior and the curvature there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import bayes_sp as sp
from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_density
from bayes_sp.inference.samplers.mode import NoModeError, find_mode
from bayes_sp.inference.samplers.target import log_posterior


def _posterior(name, survey):
    model = sp.load_model(name)
    design = design_arrays(model, survey)
    return model, design, log_posterior(compile_program(model, design))


@pytest.mark.parametrize("name", ["primary", "process6"])
def test_the_gradient_vanishes_at_the_mode(name, study_survey):
    """The Newton decrement at the mode is below 1e-8 and no nearby point is higher."""
    *_, posterior = _posterior(name, study_survey)
    mode = find_mode(posterior)
    value, gradient = log_density(posterior, mode.theta)
    assert np.linalg.norm(mode.scale.T @ gradient) < 1e-3
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert log_density(posterior, mode.theta + 0.05 * mode.scale @ rng.normal(size=posterior.size))[0] < value


def test_flat_priors_give_the_least_squares_estimates_and_their_covariance(study_survey):
    """With nearly flat priors the mode is least squares and the curvature its covariance with sigma at the mode."""
    model, design, posterior = _posterior("process6", study_survey)
    mode = find_mode(posterior)
    variables = {name: values for name, (_, values) in posterior.program.parameters.variables(mode.theta).items()}
    covariance = mode.scale @ mode.scale.T
    for j, equation in enumerate(model.equations):
        fit = sm.OLS(design.y[:, j], equation_matrix(model, design, j)).fit()
        assert_allclose(variables[equation.response], fit.params, rtol=1e-3, atol=1e-4)
        size = len(fit.params)
        start = posterior.program.parameters.place(equation.response)
        block = covariance[start : start + size, start : start + size]
        assert_allclose(block, fit.cov_params() * variables["sigma"][j] ** 2 / fit.scale, rtol=2e-3, atol=1e-6)


def test_a_posterior_without_a_finite_start_is_reported(study_survey):
    """A log-density that is not finite at the start raises instead of looping."""
    *_, posterior = _posterior("primary", study_survey)
    program = replace(posterior.program, start=np.full(posterior.size, np.nan))
    broken = replace(posterior, program=program)
    with pytest.raises(NoModeError, match="no finite value"):
        find_mode(broken)
