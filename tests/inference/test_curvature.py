"""The arrow-shaped Hessian of a model with patients' own parameters is the full one, by fewer gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from family_chains import chain_model, simulated

from bayes_sp.design.build import design_arrays
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities, log_density
from bayes_sp.inference.samplers.curvature import curvature_at
from bayes_sp.inference.samplers.hessians import Arrow, Full
from bayes_sp.inference.samplers.mode import find_mode
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.parts import Unmeasured

TWO = (Unmeasured("U", (("m1", 0.4), ("y", 0.6))), Unmeasured("V", (("m1", -0.3), ("y", 0.5))))


@pytest.fixture(scope="module", params=["one", "two", "missing mediators and groups"])
def posterior(request):
    """One own parameter of each patient, two, or three of some; intercepts of groups are shared."""
    few = request.param == "one"
    parts = {"y": {"varying": "clinic"}} if request.param.startswith("missing") else {}
    model = chain_model(["normal", "negative_binomial"], **parts)
    design = design_arrays(model, simulated(model)[0])
    if parts:
        y = design.y.copy()
        y[[3, 17, 40], 0] = np.nan
        design = replace(design, y=y, missing={"m1": np.isnan(y[:, 0])})
    return log_posterior(compile_program(replace(model, unmeasured=TWO[: 1 if few else 2]), design))


def full_hessian(posterior, theta, step=1e-4) -> np.ndarray:
    moves = step * np.eye(posterior.size)
    _, slopes = log_densities(posterior, np.concatenate([theta - moves, theta + moves]), 1)
    rows = (slopes[: posterior.size] - slopes[posterior.size :]) / (2 * step)
    return (rows + rows.T) / 2


def test_the_arrow_is_the_full_hessian(posterior):
    """Diagonal, solutions, decrement and inverse, at the start made positive definite."""
    theta = posterior.program.start
    arrow = curvature_at(posterior, theta, np.full(posterior.size, 1e-4), 1)
    assert isinstance(arrow, Arrow)
    matrix = full_hessian(posterior, theta) + 30 * np.eye(posterior.size)
    arrow.top += 30 * np.eye(len(arrow.top))
    arrow.blocks += 30 * np.where(arrow.slots >= 0, 1.0, 0.0)[:, :, None] * np.eye(arrow.slots.shape[1])
    full, arrow = Full(matrix), replace(arrow)
    g, framed = np.random.default_rng(1).normal(size=posterior.size), posterior.program.framed
    np.testing.assert_allclose(arrow.diagonal, full.diagonal, rtol=1e-6)
    np.testing.assert_allclose(
        arrow.solver(0.1)(g), np.linalg.solve(matrix + 0.1 * np.eye(len(g)), g), rtol=1e-5, atol=1e-8
    )
    assert arrow.decrement(g) == pytest.approx(full.decrement(g), rel=1e-6)
    for one, other in zip(arrow.inverse(framed), full.inverse(framed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-9)


def test_the_mode_is_found_with_its_spread(posterior):
    """The gradient vanishes there, and scale and spread are those of the inverse of the full Hessian."""
    mode = find_mode(posterior)
    framed = posterior.program.framed
    assert abs(log_density(posterior, mode.theta)[1]).max() < 1e-2
    covariance = np.linalg.inv(full_hessian(posterior, mode.theta))
    np.testing.assert_allclose(mode.scale @ mode.scale.T, covariance[:framed, :framed], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(mode.spread**2, np.diag(covariance)[framed:], rtol=1e-4)


def test_an_arrow_that_is_not_positive_definite_is_made_so(posterior):
    """Solutions are refused, and a place to start is found all the same."""
    arrow = curvature_at(posterior, posterior.program.start, np.full(posterior.size, 1e-4), 1)
    arrow.blocks[0, 0, 0] = -5.0
    arrow = replace(arrow)
    assert arrow.solver() is None
    assert arrow.decrement(np.ones(posterior.size)) is None
    scale, variances = arrow.inverse_anyway(posterior.program.framed)
    assert np.linalg.eigvalsh(scale).min() > 0
    assert variances.min() > 0
