"""The mode of a log-posterior and the curvature there: where chains start, and the scale they move on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.inference.backends import log_density
from bayes_sp.inference.samplers.curvature import curvature_at
from bayes_sp.inference.samplers.hessians import Curvature
from bayes_sp.inference.samplers.target import LogPosterior
from bayes_sp.inference.samplers.units import search_units

Ints = NDArray[np.int64]
MAX_STEPS = 60
MAX_SHORTER = 6
NO_START = (
    "the log-density has no finite value at the start; columns that are far larger than others, or priors that are far "
    "from the records, can do this: look at the units of the columns"
)
DECREMENT = 1e-8


class NoModeError(Exception):
    """The log-posterior has no finite value at the start, or no maximum that a search finds."""


@dataclass(frozen=True, eq=False)
class Mode:
    """Mode and curvature of a log-posterior on unconstrained parameters."""

    theta: Array  # the mode, (size,)
    # Lower triangular factor L of the framed parameters' block of the inverse of the negative Hessian H, (F, F).
    scale: Array
    spread: Array  # square roots of that inverse's diagonal for the other parameters, (size - F,)
    log_density: float  # at the mode
    # Of standardised intercepts of groups, (size,), see `LogPosterior`; None without groups.
    shares: Array | None = None


def find_mode(posterior: LogPosterior, *, cores: int = 1, strict: bool = True, held: Ints | None = None) -> Mode:
    """Find the mode by Newton's method, the Hessian from central differences of the exact gradient.

    The search moves in units of the columns, see `search_units`. Each step solves (H + lambda D) s = g, with D the
    diagonal of |H| and lambda raised until the density rises (Levenberg-Marquardt), until the Newton decrement
    g' H^-1 g falls below 1e-8.

    Not ``strict``, the highest point found is taken where the search does not converge, as at the kink of a Laplace
    prior: a sampler needs no more than a place to start and a scale. Parameters in ``held`` stay where the search
    starts: SDs of groups, and standardised hidden values, whose joint density with the others can have its mode far
    from where the posterior is, or none. At 0 each hidden value is where what is known puts it, and the density is that
    of the parameters with the hidden values integrated out, exactly or nearly so.

    Raises NoModeError if the density is not finite at the start, or (when strict) no maximum is found in 60 steps.
    """
    program, framed = posterior.program, posterior.program.framed
    units = search_units(program)
    if not (np.isfinite(program.start).all() and np.isfinite(units).all()):
        raise NoModeError(NO_START)
    searched = posterior.moved(program.start, units)
    z, value, gradient = _start(searched)
    steps = np.full(searched.size, 1e-5)
    for _ in range(MAX_STEPS):
        hessian, steps = _curvature(searched, z, steps, cores, held)
        diagonal = np.maximum(np.abs(hessian.diagonal), 1e-12)
        decrement = hessian.decrement(gradient)
        if decrement is not None and decrement < DECREMENT:
            return _mode(searched, units, z, hessian.inverse(framed), value)
        climbed = _climb(searched, z, value, gradient, hessian, diagonal)
        if climbed is None:
            break
        z, value, gradient = _chords(searched, *climbed, hessian)
    if strict:
        raise NoModeError(f"no maximum of the posterior density was found in {MAX_STEPS} Newton steps")
    return _mode(searched, units, z, hessian.inverse_anyway(framed), value)


def _start(searched: LogPosterior) -> tuple[Array, float, Array]:
    """Return where the search begins, z = 0, with value and gradient."""
    z = np.zeros(searched.size)
    value, gradient = log_density(searched, z)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise NoModeError(NO_START)
    return z, value, gradient


def _curvature(
    searched: LogPosterior, z: Array, steps: Array, cores: int, held: Ints | None
) -> tuple[Curvature, Array]:
    """Return the Hessian, and steps of a ten-thousandth of each parameter's own conditional SD for the next one.

    Steps that are so long that the density has no finite value there are shortened first.
    """
    for _ in range(MAX_SHORTER):
        hessian = curvature_at(searched, z, steps, cores, held)
        if hessian.finite:
            return hessian, 1e-4 / np.sqrt(np.maximum(np.abs(hessian.diagonal), 1e-12))
        steps = steps / 100.0
    raise NoModeError("the log-density has no finite curvature; look at the units of the columns")


def curvature_near(posterior: LogPosterior, cores: int, held: Ints | None) -> Curvature:
    """Return the Hessian at z = 0, parameters that are ``held`` left out.

    Raises NoModeError where it is not finite.
    """
    z = np.zeros(posterior.size)
    _, steps = _curvature(posterior, z, np.full(posterior.size, 1e-5), cores, held)
    return _curvature(posterior, z, steps, cores, held)[0]


def _mode(searched: LogPosterior, units: Array, z: Array, inverse: tuple[Array, Array], value: float) -> Mode:
    """Return the mode on the scale of theta."""
    covariance, variances = inverse
    try:
        scale = units @ np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise NoModeError(
            "the curvature at the mode is not that of a maximum: columns, or what the priors say of them, are on "
            "scales too far from each other, or follow from each other; look at the units of the columns"
        ) from None
    return Mode(searched.theta(z), scale, np.sqrt(variances), value)


def _chords(
    searched: LogPosterior, z: Array, value: float, gradient: Array, hessian: Curvature
) -> tuple[Array, float, Array]:
    """Take further Newton steps with the same Hessian, as long as each makes the decrement a tenth or less.

    A step costs one gradient, where a Hessian takes many; the next Hessian says whether the mode is reached.
    """
    decrement = hessian.decrement(gradient)
    solve = hessian.solver()
    for _ in range(MAX_STEPS):
        if decrement is None or solve is None or decrement < DECREMENT:
            break
        step = solve(gradient)
        new, slope = log_density(searched, z + step)
        shrunk = hessian.decrement(slope) if np.isfinite(slope).all() else None
        if shrunk is None or shrunk > 0.1 * decrement or not new >= value - 1e-12 * abs(value):
            break
        z, value, gradient, decrement = z + step, new, slope, shrunk
    return z, value, gradient


def _climb(
    searched: LogPosterior, z: Array, value: float, gradient: Array, hessian: Curvature, diagonal: Array
) -> tuple[Array, float, Array] | None:
    """Take the longest damped Newton step that raises the density; None where no step does."""
    damping = 0.0
    for _ in range(40):
        solve = hessian.solver(damping * diagonal)
        if solve is not None:
            step = solve(gradient)
            new, slope = log_density(searched, z + step)
            if np.isfinite(new) and new >= value - 1e-12 * abs(value) and np.isfinite(slope).all():
                return z + step, new, slope
        damping = max(4.0 * damping, 1e-4)
    return None
