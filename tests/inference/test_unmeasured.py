"""Unmeasured confounders in the engine: the same density as the readable model's, seen from other coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from family_chains import FULL, chain_model, parameters_of, simulated
from readable import assert_equal

from bayes_sp.design.build import design_arrays
from bayes_sp.design.evaluate import mean_predictor
from bayes_sp.design.simulate import simulate_survey
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities, log_density
from bayes_sp.inference.pointwise.forward import unmeasured_draws
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured

HALF, GAMMA = Prior("half_normal", (("sigma", 0.4),), "x"), Prior("gamma", (("alpha", 2.0), ("beta", 5.0)), "x")
REAL = Prior("normal", (("mu", 0.1), ("sigma", 0.4)), "x")
MODELS = {
    "known strengths": (["normal", "normal", "negative_binomial"], {}, {"U": {"m2": 0.5, "y": -0.4}}),
    "strengths with priors": (["normal", "poisson"], {}, {"U": {"m1": HALF, "y": HALF}}),
    "priors of several kinds": (["normal", "normal", "poisson"], {}, {"U": {"m1": GAMMA, "m2": 0.3, "y": REAL}}),
    "two confounders": (
        ["normal", "normal", "negative_binomial"], {}, {"U": {"m1": 0.4, "m2": -0.5}, "V": {"m2": HALF, "y": 0.6}},
    ),
    "measurement error": (
        ["latent_normal", "normal", "poisson"], {"y": {"interactions": ["m1"]}}, {"U": {"m1": 0.6, "m2": 0.3}},
    ),
    "heavy tails": (["student_t", "student_t"], {}, {"U": {"m1": 0.6, "y": HALF}}),
    "logarithms": (["normal", "lognormal"], {}, {"U": {"m1": 0.6, "y": HALF}}),
    "precisions": (["beta", "gamma"], {}, {"U": {"m1": 0.5, "y": 0.4}}),
    "levels": (["ordered_logit", "bernoulli_logit", "ordered_probit"], {}, {"U": {"m1": 0.5, "m2": REAL, "y": 0.4}}),
    "every part": (
        ["ordered_logit", "normal", "hurdle_negative_binomial"], FULL, {"U": {"m1": 0.5, "m2": HALF, "y": 0.4}},
    ),
    "a zero among them": (["normal", "normal", "poisson"], {}, {"U": {"m1": 0.0, "m2": 0.5, "y": 0.4}}),
}  # fmt: skip

FAST = ("strengths with priors", "two confounders", "measurement error", "precisions", "levels")


def confounded(model, unmeasured: dict):
    return replace(model, unmeasured=tuple(Unmeasured(name, tuple(s.items())) for name, s in unmeasured.items()))


@pytest.mark.parametrize(
    ("families", "parts", "unmeasured"),
    [pytest.param(*model, id=name, marks=[] if name in FAST else pytest.mark.slow) for name, model in MODELS.items()],
)
def test_the_engine_is_the_readable_model(families, parts, unmeasured):
    """For known and unknown strengths, one confounder or two, and families that say much or nothing of it."""
    model = chain_model(families, **parts)
    design = design_arrays(model, simulated(model)[0])
    assert_equal(confounded(model, unmeasured), design)


def test_the_engine_is_the_readable_model_with_missing_values():
    """A patient's missing mediator says nothing of the confounder, nor does what depends on it."""
    model = chain_model(["normal", "normal", "negative_binomial"], y={"interactions": ["m1"]})
    design = design_arrays(model, simulated(model)[0])
    y = design.y.copy()
    y[[3, 17, 40], 0] = y[[17, 18], 1] = y[[17, 50], 2] = np.nan
    design = replace(design, y=y, missing={r: np.isnan(y[:, j]) for j, r in enumerate(design.responses)})
    assert_equal(confounded(model, {"U": {"m1": 0.4, "m2": -0.5, "y": 0.6}}), design)


def test_without_strength_the_density_is_that_of_the_model_and_of_standard_normals():
    """As strengths go to 0, the confounder leaves the equations: the gradient too."""
    model = chain_model(["normal", "normal", "negative_binomial"])
    design = design_arrays(model, simulated(model)[0])
    plain = log_posterior(compile_program(model, design))
    theta = plain.program.start + np.random.default_rng(1).normal(0.0, 0.1, plain.size)
    z = np.random.default_rng(2).normal(size=design.n)
    tiny = log_posterior(compile_program(confounded(model, {"U": {"m2": 1e-200, "y": 1e-200}}), design))
    soft = next(block for block in tiny.program.parameters.blocks if block.transform == "soft")
    shifted, log_sigma = (
        theta.copy(),
        theta[soft.start],
    )  # the same residual SD on the scale that goes with a confounder
    shifted[soft.start] = soft.unit * np.log(np.expm1(np.exp(log_sigma) / soft.unit))
    jacobian = -np.logaddexp(0.0, -shifted[soft.start] / soft.unit) - log_sigma
    value, slope = log_density(plain, theta)
    with_z, gradient = log_density(tiny, np.concatenate([shifted, z]))
    assert with_z == pytest.approx(value + jacobian - 0.5 * z @ z - 0.5 * len(z) * np.log(2 * np.pi), rel=1e-13)
    np.testing.assert_allclose(gradient[plain.size :], -z, rtol=1e-12)
    others = np.arange(plain.size) != soft.start
    np.testing.assert_allclose(gradient[: plain.size][others], slope[others], rtol=1e-10, atol=1e-10)


def test_a_confounder_of_strength_zero_changes_no_number_of_the_program():
    """What acts on nothing is left out, so that draws are those without it, bit by bit."""
    model = chain_model(["normal", "poisson"])
    design = design_arrays(model, simulated(model)[0])
    one = compile_program(model, design)
    other = compile_program(confounded(model, {"U": {"m1": 0.0, "y": 0.0}}), design)
    np.testing.assert_array_equal(one.ints, other.ints)
    np.testing.assert_array_equal(one.floats, other.floats)


def test_the_rows_of_a_patient_share_one_confounder():
    """With a missing level the density is the sum over the levels at one value of U."""
    model = confounded(chain_model(["ordered_logit", "poisson"]), {"U": {"m1": 0.8, "y": 0.7}})
    design = design_arrays(model, simulated(model)[0])
    y = design.y.copy()
    levels = []
    for level in model.levels("m1"):
        y[7, 0] = level
        levels.append(log_posterior(compile_program(model, replace(design, y=y.copy()))))
    y[7, 0] = np.nan
    split = log_posterior(compile_program(model, replace(design, y=y, missing={"m1": np.isnan(y[:, 0])})))
    assert split.size == levels[0].size
    theta = split.program.start + np.random.default_rng(1).normal(0.0, 0.3, split.size)
    expected = np.logaddexp.reduce([log_density(one, theta)[0] for one in levels])
    value, gradient = log_density(split, theta)
    assert value == pytest.approx(expected, rel=1e-12)
    step = 1e-5 * np.eye(split.size)
    differences = (log_densities(split, theta + step, 1)[0] - log_densities(split, theta - step, 1)[0]) / 2e-5
    np.testing.assert_allclose(gradient, differences, rtol=2e-5, atol=2e-4)


def test_draws_are_of_the_confounder_given_the_responses():
    """E(U | r) = s' S^-1 r and Var(U | r) = 1 - s' S^-1 s, S = diag(sigma^2) + s s' the covariance of residuals."""
    model = confounded(chain_model(["normal", "normal"]), {"U": {"m1": 0.6, "y": -0.8}})
    design = design_arrays(model, simulated(model)[0])
    program = compile_program(model, design)
    theta = program.completed(program.start + np.random.default_rng(5).normal(0.0, 0.3, (2, 3, program.size)), 1)
    found = unmeasured_draws(program, theta)["U"]
    assert found.dims == ("chain", "draw", "patient")
    s = np.array([0.6, -0.8])
    for chain, draw in np.ndindex(2, 3):
        at = {name: values for name, (_, values) in program.parameters.variables(theta[chain, draw]).items()}
        residuals = np.array([design.y[:, j] - mean_predictor(model, design, j, at, {}) for j in range(2)])
        weight = np.linalg.solve(np.diag(at["sigma"] ** 2) + np.outer(s, s), s)
        expected = weight @ residuals + np.sqrt(1.0 - weight @ s) * theta[chain, draw, program.size :]
        np.testing.assert_allclose(found[chain, draw], expected, rtol=1e-9)


def test_simulated_records_have_the_confounder_behind_them():
    """Residuals of two responses are correlated as s1 s2 / (SD1 SD2) says, and no column holds U."""
    model = confounded(chain_model(["normal", "normal", "normal"]), {"U": {"m1": 0.8, "y": HALF}})
    parameters = {**parameters_of(model), "sigma": np.array([0.6, 1.0, 1.2]), "U": np.array([0.5])}
    survey, plain = (simulated_records(m, parameters) for m in (model, replace(model, unmeasured=())))
    assert list(survey.records) == list(plain.records)
    design = design_arrays(model, survey)
    residuals = [design.y[:, j] - mean_predictor(model, design, j, parameters, {}) for j in (0, 2)]
    expected = 0.8 * 0.5 / np.sqrt((0.36 + 0.64) * (1.44 + 0.25))
    assert np.corrcoef(residuals)[0, 1] == pytest.approx(expected, abs=4.5 / np.sqrt(20_000))
    assert np.std(residuals[0]) == pytest.approx(1.0, abs=0.03)


def simulated_records(model, parameters):
    survey, _ = simulated(chain_model(["normal", "normal", "normal"]))
    return simulate_survey(model, survey, parameters, n=20_000, seed=4)
