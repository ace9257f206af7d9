"""The readable PyMC model's log-density at the engine's points."""

from __future__ import annotations

import numpy as np
import pytensor

from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities, log_density
from bayes_sp.inference.pointwise.forward import standardised_values
from bayes_sp.inference.reference.build import build_model
from bayes_sp.inference.samplers.target import log_posterior

PLAIN = pytensor.compile.mode.Mode(linker="py", optimizer=None)  # no compilation


def standardised(program, theta) -> tuple[dict[str, np.ndarray], float]:
    """Return each variable's standardised hidden values w and log |dw / dz|, which is linear: by differences.

    Patients are a row each, and no patient's w knows of another's z.
    """
    links = [link for link in program.links if link.hidden is not None]
    starts = {
        b.variable.partition("|")[0]: b.start for b in program.parameters.blocks if b.variable.endswith("|hidden")
    }

    def values(theta):
        return standardised_values(program, program.parameters.naturals(theta[None]))[0]

    before, patients = values(theta), program.rows.count
    slopes = np.zeros((patients, len(links), len(links)))
    for k, link in enumerate(links):
        moved, own = theta.copy(), link.hidden[link.hidden >= 0]
        moved[starts[link.name] + own] += 1.0
        for i, other in enumerate(links):
            slopes[:, i, k] = values(moved)[other.name][0] - before[other.name][0]
    for k, link in enumerate(links):
        slopes[link.hidden < 0, k, :] = np.eye(len(links))[k]
    found = {f"{link.name}|hidden": before[link.name][0][link.hidden >= 0] for link in links}
    return found, float(np.linalg.slogdet(slopes)[1].sum())


def readable_density(program, theta, density, names) -> float:
    """Return the readable model's log-density at the engine's point, with the Jacobian between their coordinates.

    What the engine integrates out is drawn: given everything it is N(0, 1), which is taken off again.
    """
    hidden, jacobian = standardised(program, theta)
    points: dict[str, np.ndarray] = {}
    for block in program.parameters.blocks:
        own = theta[block.start : block.start + block.size]
        if block.transform == "soft":
            natural = block.unit * np.logaddexp(0.0, own / block.unit)
            jacobian += float((-np.logaddexp(0.0, -own / block.unit) - np.log(natural)).sum())
            own = np.log(natural)
        points[block.variable] = np.concatenate([points.get(block.variable, np.empty(0)), own])
        points |= {f"{block.variable}[{label}]": own[k] for k, label in enumerate(block.labels) if k < len(own)}
        points[f"{block.variable}|partial"] = own  # of correlations
    assert {name for name in names if "|hidden" in name} == hidden.keys()
    z = theta[program.size :]
    value = float(density(*((points | hidden)[name] for name in names)))
    return value + jacobian + 0.5 * float(z @ z) + 0.5 * len(z) * np.log(2 * np.pi)


def assert_equal(model, design):
    """At random points the log-densities are equal, and the engine's gradient is that of its log-density."""
    posterior, plain = log_posterior(compile_program(model, design)), build_model(model, design)
    density = pytensor.function(plain.value_vars, plain.logp(), mode=PLAIN)
    names = [plain.values_to_rvs[value].name for value in plain.value_vars]
    rng = np.random.default_rng(3)
    for seed in range(2):
        theta = posterior.program.start + rng.normal(0.0, 0.2, posterior.size)
        value, gradient = log_density(posterior, theta)
        expected = readable_density(posterior.program, posterior.program.completed(theta, seed), density, names)
        np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-9)
    step = 1e-5 * np.eye(posterior.size)
    differences = (log_densities(posterior, theta + step, 1)[0] - log_densities(posterior, theta - step, 1)[0]) / 2e-5
    np.testing.assert_allclose(gradient, differences, rtol=2e-5, atol=2e-4)
    return posterior.program
