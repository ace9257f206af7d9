"""Unmeasured confounders in the engine: the same density as the readable model's, seen from other coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytensor
import pytest
from family_chains import FULL, chain_model, parameters_of, simulated

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model.build import build_model
from bayes_sp.model.linear import mean_predictor, strength, strength_name
from bayes_sp.model.native import log_densities, log_density
from bayes_sp.model.posterior import log_posterior
from bayes_sp.model.program import compile_program
from bayes_sp.model.simulate import simulate_survey
from bayes_sp.model.unmeasured import unmeasured_draws
from bayes_sp.spec.parts import Unmeasured
from bayes_sp.spec.priors import Prior
from bayes_sp.survey.arrays import design_arrays

PLAIN = pytensor.compile.mode.Mode(linker="py", optimizer=None)  # no compilation
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


def confounded(model, unmeasured: dict):
    return replace(model, unmeasured=tuple(Unmeasured(name, tuple(s.items())) for name, s in unmeasured.items()))


def settled(model, design, at, z) -> tuple[dict[str, np.ndarray], float]:
    """Return each confounder at its standardised values, and log dU/dz, by the formula in `Confounder`'s words.

    With an error of measurement the response is the observed value; where it stands for a hidden one, nothing after
    it says anything.
    """
    values: dict[str, np.ndarray] = {}
    jacobian = 0.0
    for confounder in model.confounders:
        total, precision = np.zeros(design.n), np.ones(design.n)
        for j, equation in enumerate(model.equations):
            family, s = FAMILIES[equation.family], strength(confounder, equation.response, at)
            latent_parent = any(FAMILIES[e.family].latent for e in model.equations if e.response in equation.parents)
            if latent_parent or family.ordered or family.response in ("count", "binary"):
                continue
            y, (first, *_) = design.coded(j), (at[name] for name in family.parameters)
            scale = first[[e.response for e in model.equations if family.parameters[0] in FAMILIES[e.family].parameters]
                          .index(equation.response)]  # fmt: skip
            y, q = {
                "gamma": lambda y=y, scale=scale: (np.log(y), scale),
                "beta": lambda y=y, scale=scale: (np.log(y / (1 - y)), scale * y * (1 - y)),
                "lognormal": lambda y=y, scale=scale: (np.log(y), scale**-2),
                "latent_normal": lambda y=y, scale=scale, r=equation.response: (
                    y, 1 / (scale**2 + design.measurement_sd[r] ** 2)
                ),
            }.get(equation.family, lambda y=y, scale=scale: (y, scale**-2))()  # fmt: skip
            known = ~np.isnan(y) & ~np.isnan(mean_predictor(model, design, j, at, {}))
            residual = y - mean_predictor(model, design, j, at, values)
            total[known] += (s * q * residual)[known]
            precision[known] += np.broadcast_to(s**2 * q, y.shape)[known]
        values[confounder.name] = total / precision + z[confounder.name] / np.sqrt(precision)
        jacobian -= 0.5 * np.log(precision).sum()
    return values, jacobian


def natural_values(model, program, theta) -> dict[str, np.ndarray]:
    """Return parameters by name, with strengths under the names that `mean_predictor` asks for."""
    found = {name: values for name, (_, values) in program.parameters.variables(theta).items()}
    for confounder in model.confounders:
        for place, (response, _) in enumerate(confounder.estimated):
            found[strength_name(confounder.name, response)] = found[confounder.name][place]
    for equation in model.equations:
        if equation.varying:
            tau = found["tau"][[e.response for e in model.equations if e.varying].index(equation.response)]
            found[f"{equation.response}_varying"] = tau * found[f"{equation.response}|varying"]
    return found


def readable_density(model, design, program, theta, density, names) -> float:
    """Return the readable model's log-density at the engine's point, with the Jacobian between their coordinates."""
    at = natural_values(model, program, theta)
    u, jacobian = settled(model, design, at, {c.name: at[f"{c.name}|hidden"] for c in model.confounders})
    points: dict[str, np.ndarray] = {}
    for block in program.parameters.blocks:
        own = theta[block.start : block.start + block.size]
        if block.transform == "soft":
            natural = block.unit * np.logaddexp(0.0, own / block.unit)
            jacobian += float((-np.logaddexp(0.0, -own / block.unit) - np.log(natural)).sum())
            own = np.log(natural)
        points[block.variable] = np.concatenate([points.get(block.variable, np.empty(0)), own])
        points |= {f"{block.variable}[{label}]": own[k] for k, label in enumerate(block.labels) if k < len(own)}
    points |= {f"{name}|hidden": values for name, values in u.items()}
    return float(density(*(points[name] for name in names))) + jacobian


def assert_equal(model, design):
    """At random points the log-densities are equal, and the engine's gradient is that of its log-density."""
    posterior, plain = log_posterior(compile_program(model, design)), build_model(model, design)
    density = pytensor.function(plain.value_vars, plain.logp(), mode=PLAIN)
    names = [plain.values_to_rvs[value].name for value in plain.value_vars]
    rng = np.random.default_rng(3)
    for _ in range(2):
        theta = posterior.program.start + rng.normal(0.0, 0.2, posterior.size)
        value, gradient = log_density(posterior, theta)
        expected = readable_density(model, design, posterior.program, theta, density, names)
        np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-9)
    step = 1e-5 * np.eye(posterior.size)
    differences = (log_densities(posterior, theta + step, 1)[0] - log_densities(posterior, theta - step, 1)[0]) / 2e-5
    np.testing.assert_allclose(gradient, differences, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize(("families", "parts", "unmeasured"), MODELS.values(), ids=MODELS)
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


@pytest.mark.parametrize("unmeasured", [MODELS["two confounders"][2], {"U": {"m1": GAMMA, "m2": 0.3, "y": REAL}}])
def test_draws_are_of_the_confounder_itself(unmeasured):
    """Not of the standardised value in its place: by the formula, for every draw."""
    plain = chain_model(["normal", "normal", "negative_binomial"])
    model, design = confounded(plain, unmeasured), design_arrays(plain, simulated(plain)[0])
    program = compile_program(model, design)
    theta = program.start + np.random.default_rng(5).normal(0.0, 0.3, (2, 3, program.size))
    found = unmeasured_draws(program, theta)
    for chain, draw in np.ndindex(2, 3):
        at = natural_values(model, program, theta[chain, draw])
        expected, _ = settled(model, design, at, {name: at[f"{name}|hidden"] for name in unmeasured})
        for name in unmeasured:
            assert found[name].dims == ("chain", "draw", "patient")
            np.testing.assert_allclose(found[name][chain, draw], expected[name], rtol=1e-12)


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
