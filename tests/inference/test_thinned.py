"""Weights of a large survey from some of its rows, and work in threads that an interrupt stops."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from family_chains import chain_model, simulated

from bayes_sp.design.build import design_arrays
from bayes_sp.inference.engine.lower import compile_program
from bayes_sp.inference.engine.native import log_densities
from bayes_sp.inference.pointwise import thinned
from bayes_sp.inference.pointwise.thinned import weigher
from bayes_sp.inference.samplers import curvature
from bayes_sp.inference.samplers.curvature import curvature_at
from bayes_sp.inference.samplers.mode import find_mode
from bayes_sp.inference.samplers.target import log_posterior
from bayes_sp.records.survey import Survey
from bayes_sp.threads import in_threads


@pytest.fixture(scope="module")
def large():
    """Return a posterior of 40,000 patients at its mode, and the posterior of some of them."""
    model = chain_model(["normal", "negative_binomial"])
    design = design_arrays(model, simulated(model, n=40_000)[0])
    posterior = log_posterior(compile_program(model, design))
    mode = find_mode(posterior, cores=2)

    def thin(rows: int):
        chosen = np.sort(np.random.default_rng(3).choice(design.n, rows, replace=False))
        return log_posterior(compile_program(model, design.taken(chosen), design.n / rows))

    return posterior.moved(mode.theta, mode.scale, mode.spread), thin, design.n


def test_log_densities_of_some_rows_are_those_of_all(large, monkeypatch):
    """On draws that the error was not measured on, differences of log-densities agree within a few such errors."""
    posterior, thin, n = large
    monkeypatch.setattr(thinned, "LEAST", 1000)
    monkeypatch.setattr(thinned, "FIRST", 5000)
    found = weigher(posterior, n, thin, seed=1, cores=2)
    assert 5000 <= found.rows < n
    points = np.random.default_rng(9).standard_normal((40, posterior.size))
    exact = log_densities(posterior, points, 1, gradient=False)[0]
    away = found.densities(points) - exact
    assert 0.0 < found.error <= thinned.MOST_ERROR
    assert np.std(away) < 3 * thinned.MOST_ERROR
    normal = np.std(exact + 0.5 * (points**2).sum(axis=1))
    assert np.std(away) < 0.5 * normal  # it knows more than the normal approximation


def test_a_dispersion_at_the_edge_is_tabulated_from_all_rows(monkeypatch):
    """Counts without overdispersion: some rows do not know how far the size goes, and all of them say it on a line."""
    monkeypatch.setattr(thinned, "LEAST", 1000)
    rng = np.random.default_rng(8)
    x = rng.normal(size=30_000)
    model = chain_model(["normal", "negative_binomial"])
    records = simulated(model, n=len(x))[0].records.assign(y=rng.poisson(np.exp(0.5 + 0.1 * x)))
    design = design_arrays(model, Survey(records, "memory", "made up"))
    posterior = log_posterior(compile_program(model, design))
    mode = find_mode(posterior, cores=2)
    posterior = posterior.moved(mode.theta, mode.scale, mode.spread)

    def thin(seed: int):
        chosen = np.sort(np.random.default_rng(seed).choice(design.n, 5000, replace=False))
        return log_posterior(compile_program(model, design.taken(chosen), design.n / 5000))

    def exact(points):
        return log_densities(posterior, points, 1, gradient=False)[0]

    lines, alone, both = {}, [], []
    for seed in range(3, 7):  # some rows may be near all of them by chance
        few = thinned._thinned(posterior, thin(seed), 1)
        along = thinned._along_lines(few, exact, posterior.scale, lines)
        ((place, table),) = lines.items()
        direction = posterior.scale[place] / np.linalg.norm(posterior.scale[place])
        on_line = np.linspace(-2.0, 2.0, 9)[:, None] * direction
        alone.append(np.std(few(on_line) - exact(on_line)))
        both.append(np.std(along(on_line) - exact(on_line)))
    assert posterior.program.parameters.blocks[-1].variable == "phi"
    assert (place, len(table)) == (posterior.size - 1, len(thinned.TABLE))
    assert np.max(both) < 1e-3
    assert np.mean(alone) > 3 * np.mean(both)


def test_a_line_without_a_finite_density_is_left_to_the_rows():
    """Seven SDs along a parameter may overflow; the density of some rows stands as it is."""

    def few(points):
        return -0.5 * (points**2).sum(axis=1) + 0.1 * points[:, 1] ** 3

    def whole(points):
        return np.where(np.abs(points[:, 1]) > 6.0, -np.inf, few(points) + 0.02 * points[:, 1] ** 3)

    points = np.random.default_rng(1).standard_normal((20, 2))
    along = thinned._along_lines(few, whole, np.eye(2), lines := {})
    assert list(lines) == [1]
    np.testing.assert_array_equal(along(points), few(points))
    finite = thinned._along_lines(few, lambda z: few(z) + 0.02 * z[:, 1] ** 3, np.eye(2), {})
    np.testing.assert_allclose(finite(points), whole(points), atol=1e-12)


def test_small_surveys_are_weighed_with_all_rows(large):
    """Nothing is left out below 100,000 patients."""
    posterior, thin, n = large
    found = weigher(posterior, n, thin, seed=1, cores=1)
    assert (found.rows, found.error) == (n, 0.0)


def test_moving_equations_together_gives_the_same_hessian(large, monkeypatch):
    """One parameter of each equation at once, or each by itself; the latter where equations do know of each other."""
    posterior, _, _ = large
    steps = np.full(posterior.size, 1e-4)
    together = curvature_at(posterior, np.zeros(posterior.size), steps, 2).matrix
    with monkeypatch.context() as patched:
        patched.setattr(curvature, "_equations", lambda p: np.zeros(p.size, dtype=np.int64))
        alone = curvature_at(posterior, np.zeros(posterior.size), steps, 2).matrix
    np.testing.assert_allclose(together, alone, atol=1e-5)
    with monkeypatch.context() as patched:
        patched.setattr(curvature, "_equations", lambda p: np.arange(p.size))  # wrong: one equation each
        np.testing.assert_allclose(
            curvature_at(posterior, np.full(posterior.size, 20.0), steps, 2).matrix,
            alone_at(posterior, 20.0, steps, patched), rtol=1e-3, atol=1e-3,
        )  # fmt: skip


def alone_at(posterior, place, steps, patched):
    """Return the Hessian by moving every parameter by itself."""
    patched.setattr(curvature, "_equations", lambda p: np.zeros(p.size, dtype=np.int64))
    return curvature_at(posterior, np.full(posterior.size, place), steps, 2).matrix


def test_an_interrupt_stops_threads_at_the_next_piece():
    """Of 10,000 pieces of a hundredth of a second most are never begun; what a thread raises is raised."""
    done = []

    def work(_, stop):
        while len(done) < 10_000 and not stop.is_set():
            time.sleep(0.01)
            done.append(1)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(work, range(50), 2)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert len(done) < 5_000

    def broken(task, _):
        raise ValueError(task)

    with pytest.raises(ValueError, match="7"):
        in_threads(broken, [7], 2)
