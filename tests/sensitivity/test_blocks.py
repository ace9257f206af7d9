"""The parts of the joint density are those that the engine adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_sp.design.build import design_arrays
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities
from bayes_sp.inference.labels import label_draws
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.powers import scaled_model
from bayes_sp.model.reading.load import load_model
from bayes_sp.sensitivity.power import blocks
from bayes_sp.sensitivity.power.blocks import block_log_density, prior_blocks, total_log_likelihood

SHIPPED = (
    "baseline_adjusted", "bounded", "hurdle", "interaction", "latent", "ordinal", "poisson", "primary", "process4",
    "process6", "reversed", "zinb",
)  # fmt: skip


def some_draws(model, survey, count=4):
    """Return unconstrained points, (count, P), with the program and the labelled draws."""
    program = compile_program(model, design_arrays(model, survey))
    theta = program.start + 0.1 * np.random.default_rng(2).standard_normal((count, program.size))
    return program, theta, label_draws(model, program.parameters, theta[None])


def with_groups(survey):
    """Return records with the column that one specification needs beside the others'."""
    groups = np.random.default_rng(1).integers(0, 5, len(survey))
    return replace(survey, records=survey.records.assign(groups_t0=groups))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_element_of_the_posterior_is_in_one_block(name, make_survey):
    """No parameter of a shipped specification is left out or scaled twice."""
    model, survey = load_model(name), with_groups(make_survey(50))
    _, _, draws = some_draws(model, survey)
    elements = [(v, label) for block in prior_blocks(model) for v, labels in block.elements for label in labels]
    dims = {str(v): array.dims[-1] for v, array in draws.data_vars.items()}
    expected = [(v, str(label)) for v, dim in dims.items() for label in draws[dim].to_numpy()]
    assert sorted(elements) == sorted(expected)


def test_blocks_are_the_specifications_entries():
    """Names are those of the specification, and an entry that no parameter has is no block."""
    model = load_model("primary")
    found = {block.name: block for block in prior_blocks(model)}
    assert set(found) == {
        "intercept", "slope", "group_change", "covariate", "sigma", "appointments_t1.intercept",
        "appointments_t1.slope", "appointments_t1.group_change", "appointments_t1.covariate",
        "appointments_t1.appointments_t0", "appointments_t1.phi",
    }  # fmt: skip
    assert found["slope"].elements == (("loneliness_t1", ("belonging_t1",)),)
    assert found["appointments_t1.slope"].elements == (
        ("appointments_t1", ("belonging_t1",)),
        ("appointments_t1", ("loneliness_t1",)),
    )
    assert found["sigma"].elements == (("sigma", ("belonging_t1",)), ("sigma", ("loneliness_t1",)))


def log_jacobian(program, theta):
    """Return the log Jacobian of the transforms to natural parameters, (s,)."""
    total = np.zeros(len(theta))
    for block in program.parameters.blocks:
        own = theta[:, block.start : block.start + block.size]
        if block.transform == "log":
            total += own.sum(axis=1)
        elif block.transform == "increasing":
            total += own[:, 1:].sum(axis=1)
        elif block.transform == "share":
            shares = program.parameters.naturals(theta)[:, block.natural : block.natural + len(block.labels)]
            total += np.log(shares).sum(axis=1) + np.log(len(block.labels))
    return total


@pytest.mark.parametrize("name", ["primary", "ordinal", "zinb", "bounded", "interaction"])
def test_the_blocks_add_up_to_the_engines_log_prior(name, make_survey):
    """Twice the log-density at half the likelihood less that at the whole is log-prior and Jacobian."""
    model, survey = load_model(name), make_survey(50)
    program, theta, draws = some_draws(model, survey)
    half, whole = (
        log_densities(log_posterior(compile_program(model, design_arrays(model, survey), power)), theta, 1)[0]
        for power in (0.5, 1.0)
    )
    total = sum(block_log_density(block, draws)[0] for block in prior_blocks(model))
    assert_allclose(total, 2 * half - whole - log_jacobian(program, theta), rtol=1e-8)


@pytest.mark.parametrize("name", ["primary", "ordinal", "zinb", "bounded", "interaction"])
def test_a_specification_with_a_power_of_a_prior_has_that_power_of_its_block(name, make_survey):
    """From point to point its log-density moves by (alpha - 1) times the block's beyond the model's own."""
    model, survey = load_model(name), make_survey(50)
    design = design_arrays(model, survey)
    _, theta, draws = some_draws(model, survey)

    def moves(one):
        values, _ = log_densities(log_posterior(compile_program(one, design)), theta, 1)
        return np.diff(values)

    blocks_ = prior_blocks(model)
    every = [(one.name, [one.entry], block_log_density(one, draws)[0]) for one in blocks_]
    every.append(("all", [one.entry for one in blocks_], sum(density for _, _, density in every)))
    for block, entries, density in every:
        for alpha in (0.5, 2.0):
            found = moves(scaled_model(model, entries, alpha)) - moves(model)
            assert_allclose(found, (alpha - 1) * np.diff(density), rtol=1e-7, atol=1e-9, err_msg=f"{block} {alpha}")


def test_the_log_likelihood_is_summed_from_the_posterior_or_computed_in_parts(monkeypatch, make_survey):
    """The same numbers from the group and, some draws at a time, without it."""
    model, survey = load_model("latent"), make_survey(30)
    design = design_arrays(model, survey)
    _, _, draws = some_draws(model, survey, 7)
    group = log_likelihood(model, design, draws)
    kept, note = total_log_likelihood(
        model, design, xr.DataTree.from_dict({"posterior": draws, "log_likelihood": group})
    )
    monkeypatch.setattr(blocks, "MOST_VALUES", 3 * design.y.size)
    computed, _ = total_log_likelihood(model, design, xr.DataTree.from_dict({"posterior": draws}))
    assert note == ""
    assert_allclose(computed, kept, rtol=1e-12)
    assert_allclose(kept[0], sum(array.to_numpy()[0].sum(axis=1) for array in group.values()), rtol=1e-12)


def test_what_the_likelihood_leaves_out_is_told(make_survey):
    """Responses whose predictors are missing are not in it; a missing outcome is not missing from it."""
    model, survey = load_model("primary"), make_survey(30)
    records = survey.records.astype({"age": float, "appointments_t1": float})
    records.loc[3, "age"] = np.nan
    records.loc[5, "appointments_t1"] = np.nan
    survey = replace(survey, records=records)
    _, _, draws = some_draws(model, survey)
    _, note = total_log_likelihood(model, design_arrays(model, survey), xr.DataTree.from_dict({"posterior": draws}))
    assert note == "the likelihood is without 3 of 89 responses, whose predictors are not known"
