"""The engine's functions as plain Python, without numba: the same numbers, so that machine code hides no fault."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.density import make_log_density
from bayes_sp.inference.engine.families import FAMILY_NUMBERS, densities_of
from bayes_sp.inference.engine.lower import Program, compile_program
from bayes_sp.inference.engine.native import log_densities
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.records.survey import Survey

NAMES = ("hurdle", "interaction", "latent", "ordinal")
SPREADS = (0.0, 0.3, 1.0)


def program(name: str) -> Program:
    """Return a shipped specification with missing cells of a mediator, which are hidden values."""
    model, records = load_model(name), reconstruct(1).records.astype(float)
    if name != "latent":
        records[model.mediators[0]] = records[model.mediators[0]].where(np.arange(len(records)) % 9 > 0)
    return compile_program(model, design_arrays(model, Survey(records, "memory", "made up")), 1.0)


def points(found: Program) -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.array([spread * rng.normal(size=found.size) for spread in SPREADS])


def plain() -> np.ndarray:
    """Return values and gradients of every point, one after the other."""
    density = make_log_density("plain", densities_of(tuple(FAMILY_NUMBERS)), hidden_values=True, correlated_errors=True)
    numbers = []
    for found in map(program, NAMES):
        for point in points(found):
            theta, gradient = np.zeros(found.ints[at.SIZE]), np.zeros(found.ints[at.SIZE])
            theta[: found.size] = point
            numbers += [density(theta, found.ints, found.floats, gradient), *gradient[: found.size]]
    return np.array(numbers)


@pytest.mark.slow
def test_machine_code_gives_what_plain_python_gives():
    """Hidden values, monotonic effects, cutpoints, a zero part: value and gradient at random points."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import test_engine_plain as t; t.write()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    expected = np.load(io.BytesIO(done.stdout))
    numbers = []
    for found in map(program, NAMES):
        for value, gradient in zip(*log_densities(log_posterior(found), points(found), 1), strict=True):
            numbers += [value, *gradient]
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(numbers, expected, rtol=1e-9, atol=1e-9)


def write() -> None:
    """Write what `plain` returns to standard output."""
    stream = io.BytesIO()
    np.save(stream, plain())
    sys.stdout.buffer.write(stream.getvalue())
