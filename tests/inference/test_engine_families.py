"""The engine's log-posterior is that of the readable model for every family and every part of an equation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from family_chains import CHAINS, PAIRS, chain_model, simulated
from readable import assert_equal

from bayes_sp.design.build import design_arrays
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_density
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.reference.build import build_model
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.families.registry import FAMILIES

MODELS = {
    **CHAINS,
    "measurement error": (["latent_normal", "normal", "poisson"], {"y": {"interactions": ["m1"]}}),
    "measurement errors": (["latent_normal", "latent_normal", "hurdle_negative_binomial"], {}),
    "integrated": (["latent_normal", "normal"], {"y": {"interactions": ["m1"]}}),
    "integrated chains": (["latent_normal", "latent_normal", "normal"], {"y": {"interactions": ["m1"]}}),
    "integrated on a logarithm": (["latent_normal", "lognormal"], {}),
    "integrated beside others": (["ordered_logit", "latent_normal", "normal"], {"y": {"varying": "clinic"}}),
}


def holes(design, columns: dict[int, list[int]]):
    """Return the design with missing responses."""
    y = design.y.copy()
    for column, rows in columns.items():
        y[rows, column] = np.nan
    missing = {name: np.isnan(y[:, j]) for j, name in enumerate(design.responses) if np.isnan(y[:, j]).any()}
    return replace(design, y=y, missing=missing)


def test_every_family_is_compared():
    """A family added later must stand among the chains too, as outcome and as mediator."""
    families = {name: family for name, family in FAMILIES.items() if not family.latent}
    place = "PAIRS of tests/inference/family_chains.py"
    assert set(PAIRS) == {name for name, family in families.items() if family.outcome}, f"{place}: outcomes"
    assert set(PAIRS.values()) == {name for name, family in families.items() if family.mediator}, f"{place}: mediators"


@pytest.mark.parametrize(("families", "parts"), MODELS.values(), ids=MODELS)
def test_the_engine_is_the_readable_model(families, parts):
    """Coefficients, zero parts, cutpoints, shares of monotonic effects, groups, windows, hidden values."""
    model = chain_model(families, **parts)
    assert_equal(model, design_arrays(model, simulated(model)[0]))


@pytest.mark.parametrize("family", ["normal", "latent_normal"])
def test_the_engine_is_the_readable_model_with_missing_values(family):
    """Of a mediator, as unknowns; of the outcome, as nothing."""
    model = chain_model([family, "normal", "negative_binomial"], y={"interactions": ["m1"]})
    design = design_arrays(model, simulated(model)[0])
    assert_equal(model, holes(design, {0: [3, 17, 40], 1: [17, 18], 2: [17, 50]}))


def log_densities_of(model, design, complete, theta) -> tuple[float, float]:
    """Return the engine's log-density, and the log-likelihood of all that was measured at the same parameters."""
    posterior, built = log_posterior(compile_program(model, design)), build_model(model, complete)
    found, coords = {}, {"chain": [0], "draw": [0]}
    for name, (labels, values) in posterior.program.parameters.variables(theta).items():
        dim = built.named_vars_to_dims[name][0]
        found[name], coords[dim] = (("chain", "draw", dim), values[None, None]), list(labels)
    likelihood = log_likelihood(model, design, xr.Dataset(found, coords=coords))
    return log_density(posterior, theta)[0], float(sum(values.sum() for values in likelihood.data_vars.values()))


@pytest.mark.parametrize("first", ["ordered_logit", "ordered_probit", "bernoulli_logit"])
def test_missing_levels_are_summed_over_by_the_engine_too(first):
    """With two incomplete mediators: log-posterior less log-likelihood is the prior, whatever is missing."""
    model = chain_model([first, "ordered_logit", "negative_binomial"])
    complete = design_arrays(model, simulated(model)[0])
    theta = log_posterior(compile_program(model, complete)).program.start + 0.1
    whole, likelihood = log_densities_of(model, complete, complete, theta)
    some, less = log_densities_of(model, holes(complete, {0: [3, 17], 1: [17, 18], 2: [18]}), complete, theta)
    assert whole - likelihood == pytest.approx(some - less, rel=1e-11)
