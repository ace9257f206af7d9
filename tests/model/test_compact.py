"""The compact form of the joint model is the plain PyMC model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayes_sp as sp
from bayes_sp.model.build import build_model
from bayes_sp.model.compiled import compile_model
from bayes_sp.spec.priors import Prior
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import design_arrays


def _mixed() -> PathModel:
    """The primary model with priors of several families and an edge removed."""
    model = sp.load_model("primary")
    first, second, third = model.equations
    extra = (
        ("belonging_t1", "group_change", Prior("student_t", (("nu", 3.0), ("mu", 0.1), ("sigma", 0.4)), "heavy tails")),
        ("appointments_t1", "age", Prior("laplace", (("mu", 0.0), ("b", 0.3)), "sparse")),
        ("loneliness_t1", "age", Prior("flat", (), "flat")),
        ("belonging_t1", "sigma", Prior("exponential", (("scale", 2.0),), "positive")),
        ("loneliness_t1", "sigma", Prior("inverse_gamma", (("alpha", 3.0), ("beta", 2.0)), "positive")),
        ("appointments_t1", "phi", Prior("gamma", (("alpha", 2.0), ("beta", 1.5)), "positive")),
    )
    kept = tuple(p for p in model.priors if p[:2] != ("appointments_t1", "phi"))
    second = replace(second, parents=("belonging_t1",))
    return replace(model, name="mixed", equations=(first, second, third), priors=kept + extra)


MODELS = {
    "primary": sp.load_model("primary"),
    "process6": sp.load_model("process6"),
    "process4": sp.load_model("process4"),
    "mixed": _mixed(),
}


def _plain_point(plain, posterior, theta):
    """The same point for the plain model: each free variable's unconstrained value by name."""
    labels = dict(posterior.compiled.structure.labels)
    vectors, start = {name: np.empty(len(names)) for name, names in labels.items()}, 0
    for block in posterior.compiled.structure.blocks:
        vectors[block.variable][list(block.places)] = theta[start : start + len(block.places)]
        start += len(block.places)
    by_name = dict(vectors)
    by_name |= {f"{name}[{label}]": vectors[name][i] for name, names in labels.items() for i, label in enumerate(names)}
    return {value.name: np.asarray(by_name[value.name.replace("_log__", "")]) for value in plain.value_vars}


@pytest.mark.parametrize("name", MODELS)
def test_log_density_equals_the_plain_models(name, study_survey):
    """At random points the compact log-density equals that of the plain PyMC distributions, constants included."""
    model = MODELS[name]
    design = design_arrays(model, study_survey)
    plain, posterior = build_model(model, design), compile_model(model).posterior(model, design)
    log_density = plain.compile_logp()
    rng = np.random.default_rng(3)
    for _ in range(3):
        theta = posterior.start + rng.normal(0, 0.2, posterior.size)
        assert_allclose(posterior(theta)[0], log_density(_plain_point(plain, posterior, theta)), rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("name", ["primary", "process6"])
def test_gradient_equals_the_plain_models(name, study_survey):
    """The compact gradient equals PyMC's gradient of the plain model, parameter by parameter."""
    model = MODELS[name]
    design = design_arrays(model, study_survey)
    plain, posterior = build_model(model, design), compile_model(model).posterior(model, design)
    gradient = plain.compile_dlogp()
    theta = posterior.start + np.random.default_rng(4).normal(0, 0.2, posterior.size)
    flat = gradient(_plain_point(plain, posterior, theta))
    pieces, start = {}, 0
    for value in plain.value_vars:
        size = len(dict(posterior.compiled.structure.labels)[value.name.replace("_log__", "")])
        pieces[value.name.replace("_log__", "")] = flat[start : start + size]
        start += size
    expected = np.concatenate([pieces[block.variable] for block in posterior.compiled.structure.blocks])
    assert_allclose(posterior(theta)[1], expected, rtol=1e-10, atol=1e-8)


def test_gradient_of_mixed_priors_equals_finite_differences(study_survey):
    """With several prior families and a removed edge the gradient is that of the log-density."""
    model = MODELS["mixed"]
    posterior = compile_model(model).posterior(model, design_arrays(model, study_survey))
    theta = posterior.start + np.random.default_rng(5).normal(0, 0.1, posterior.size)
    step = 1e-5 * np.eye(posterior.size)
    differences = [(posterior(theta + s)[0] - posterior(theta - s)[0]) / 2e-5 for s in step]
    assert_allclose(posterior(theta)[1], differences, rtol=1e-5, atol=1e-4)


def test_moving_the_origin_and_scale_is_a_change_of_variables(study_survey):
    """theta = origin + L z gives the density at theta and the gradient L' g."""
    model = MODELS["primary"]
    posterior = compile_model(model).posterior(model, design_arrays(model, study_survey))
    rng = np.random.default_rng(6)
    scale = np.tril(rng.normal(0, 0.05, (posterior.size, posterior.size))) + 0.1 * np.eye(posterior.size)
    z = rng.normal(size=posterior.size)
    moved = posterior.moved(posterior.start, scale)
    value, gradient = posterior(posterior.start + scale @ z)
    assert_allclose(moved(z)[0], value, rtol=1e-12)
    assert_allclose(moved(z)[1], scale.T @ gradient, rtol=1e-9, atol=1e-9)


def test_other_records_and_other_priors_need_no_compiling(study_survey):
    """One compiled structure serves other data and other constants, and equals what a new one would say."""
    model = MODELS["primary"]
    compiled = compile_model(model)
    wide = tuple(
        (w, n, replace(p, constants=(("mu", 0.0), ("sigma", 3.0))) if p.dist == "normal" else p)
        for w, n, p in model.priors
    )
    other = replace(model, priors=wide)
    assert compile_model(other) is compiled
    survey = sp.reconstruct(seed=7)
    design = design_arrays(other, survey)
    plain, posterior = build_model(other, design), compiled.posterior(other, design)
    expected = plain.compile_logp()(_plain_point(plain, posterior, posterior.start))
    assert_allclose(posterior(posterior.start)[0], expected, rtol=1e-12)


def test_another_structure_is_refused(study_survey):
    """A compiled structure does not take a specification with other equations."""
    model = MODELS["process4"]
    with pytest.raises(ValueError, match="another structure"):
        compile_model(MODELS["primary"]).posterior(model, design_arrays(model, study_survey))
