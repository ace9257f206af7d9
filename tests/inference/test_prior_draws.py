"""Draws from the priors are draws from the density that is fitted: NumPy's, PyMC's, the engine's with transforms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from family_chains import FULL, chain_model, simulated
from scipy import stats

import bayes_sp as sp
from bayes_sp.analysis.criticism.prior_draws import draw_priors
from bayes_sp.design.build import design_arrays
from bayes_sp.design.parameters import is_posterior
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities
from bayes_sp.inference.reference.build import build_model
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.families.registry import FAMILIES

CHAINS = {
    "every part, logit": (["ordered_logit", "normal", "hurdle_negative_binomial"], FULL),
    "every part, probit": (["ordered_probit", "beta", "zero_inflated_negative_binomial"], FULL),
    "positive": (["latent_normal", "gamma"], {}),
    "tails": (["student_t", "normal"], {}),
    "logarithms": (["bernoulli_logit", "lognormal"], {}),
    "ordered outcome": (["normal", "ordered_logit"], {}),
    "counts": (["normal", "negative_binomial"], {}),
    "Poisson counts": (["normal", "poisson"], {}),
}
DRAWS = 4000
PYTHON = {"mode": "FAST_COMPILE"}  # nothing is compiled


def test_every_family_is_drawn_from():
    """A family added later must stand here too."""
    assert {family for families, _ in CHAINS.values() for family in families} == set(FAMILIES)


def unconstrained(program, drawn, rng):
    """Return theta of draws of the natural parameters, (draws, P): each transform turned round."""
    theta = np.empty((drawn.sizes["draw"], program.size))
    for block in program.parameters.blocks:
        if not is_posterior(block.variable):
            values = rng.standard_normal((len(theta), block.size))
            response, _, kind = block.variable.partition("|")
            if kind == "varying":
                tau = drawn["tau"].sel(tau_response=response).to_numpy()[0, :, None]
                values = drawn[f"{response}_varying"].to_numpy()[0] / tau
        else:
            dim = drawn[block.variable].dims[-1]
            values = drawn[block.variable].sel({dim: list(block.labels)}).to_numpy()[0]
        if block.transform == "log":
            values = np.log(values)
        elif block.transform == "increasing":
            values = np.column_stack([values[:, 0], np.log(np.diff(values, axis=1))])
        elif block.transform == "share":
            values = (np.log(values) - np.log(values).mean(axis=1, keepdims=True))[:, :-1]
        theta[:, block.start : block.start + block.size] = values
    return theta


@pytest.mark.fixed_seed  # one of hundreds of means is of a product with heavy tails
@pytest.mark.parametrize(("families", "parts"), CHAINS.values(), ids=CHAINS)
def test_draws_from_the_priors_are_draws_from_the_engines_density(families, parts):
    """Stein's identities: with g the gradient of the log-density, E g = 0 and E theta_i g_k = -1 where i = k, else 0.

    The engine's likelihood has the power 1e-300, so that its density is the prior's, transforms and all.
    """
    model = chain_model(families, **parts)
    design = design_arrays(model, simulated(model)[0])
    posterior = log_posterior(compile_program(model, design, 1e-300))
    theta = unconstrained(posterior.program, draw_priors(model, design, draws=DRAWS, seed=5), np.random.default_rng(6))
    _, gradient = log_densities(posterior, theta, cores=1)
    assert np.isfinite(gradient).all()

    def away(values, expected):
        return np.abs(values.mean(axis=0) - expected) / (values.std(axis=0) / np.sqrt(DRAWS) + 1e-12)

    assert (away(gradient, 0.0) < 5.5).all()
    for i in range(posterior.program.framed):
        expected = -(np.arange(posterior.size) == i).astype(float)
        assert (away(theta[:, [i]] * gradient, expected) < 5.5).all()


def alike(a, b):
    """Two samples, by Kolmogorov and Smirnov; of each column where there are several."""
    for k in range(a.shape[1]):
        assert stats.ks_2samp(a[:, k], b[:, k], method="asymp").pvalue > 1e-6


@pytest.mark.parametrize(
    "name",
    [  # of the two with every part one is enough
        name if name == "positive" else pytest.param(name, marks=pytest.mark.slow)
        for name in CHAINS
        if name != "every part, logit"
    ],
)
def test_pymcs_draws_from_the_priors_are_ours(name):
    """Parameters, and each response's single answers and mean over patients.

    PyMC draws a count behind a hurdle by rejection and gives up where few pass it: its responses are left out.
    """
    families, parts = CHAINS[name]
    model = chain_model(families, **parts)
    survey, _ = simulated(model)
    design = design_arrays(model, survey)
    ours, built = sp.prior_predictive(model, survey, seed=2, draws=DRAWS), build_model(model, design)
    responses = [f"{r}_observed" for r, f in zip(design.responses, families, strict=True) if "hurdle" not in f]
    asked = [*ours["prior"].data_vars, *responses]
    theirs = pm.sample_prior_predictive(draws=2000, model=built, var_names=asked, random_seed=1, compile_kwargs=PYTHON)
    for variable, values in ours["prior"].data_vars.items():
        a, b = values.to_numpy()[0], theirs["prior"][variable].to_numpy()[0]
        alike(a, b)
        alike(np.diff(a, axis=1), np.diff(b, axis=1))
    for response in responses:
        a, b = (tree["prior_predictive"][response].to_numpy()[0] for tree in (ours, theirs))
        assert a.shape[1:] == b.shape[1:]
        alike(a[:, ::9].round(9), b[:, ::9].round(9))  # a beta next to 1 is 1 in one and not in the other
        alike(a.mean(axis=1, keepdims=True), b.mean(axis=1, keepdims=True))
        assert np.array_equal(ours["observed_data"][response], theirs["observed_data"][response])


def test_a_prior_without_a_scale_still_has_counts():
    """A mean of exp(1000) has no count that a computer holds; what is drawn is large, and never negative."""
    model = chain_model(["normal", "negative_binomial"])
    wide = replace(model, priors=tuple((r, n, wider(p) if n == "slope" else p) for r, n, p in model.priors))
    drawn = sp.prior_predictive(wide, simulated(model)[0], seed=1, draws=100)["prior_predictive"]["y_observed"]
    assert (drawn >= 0).all()
    assert (drawn > 1e12).any()


def wider(prior):
    return replace(prior, constants=tuple((key, 1e3 * value) for key, value in prior.constants))
