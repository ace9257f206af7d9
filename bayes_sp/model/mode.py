"""The mode of a log-posterior and the curvature there: where chains start, and the scale they move on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.model.curvature import Curvature, curvature_at
from bayes_sp.model.native import log_density
from bayes_sp.model.posterior import LogPosterior
from bayes_sp.survey.design import Array

Ints = NDArray[np.int64]
MAX_STEPS = 60
DECREMENT = 1e-8


class NoModeError(Exception):
    """The log-posterior has no finite value at the start, or no maximum that a search finds."""


@dataclass(frozen=True, eq=False)
class Mode:
    """Mode and curvature of a log-posterior on unconstrained parameters.

    Attributes
    ----------
    theta
        The mode, (size,).
    scale
        Lower triangular factor L of the framed parameters' block of the inverse of the negative Hessian H, (F, F).
    spread
        Square roots of that inverse's diagonal for the other parameters, (size - F,).
    log_density
        At the mode.
    """

    theta: Array
    scale: Array
    spread: Array
    log_density: float


def find_mode(posterior: LogPosterior, *, cores: int = 1, strict: bool = True, held: Ints | None = None) -> Mode:
    """Find the mode by Newton's method, the Hessian from central differences of the exact gradient.

    Each step solves (H + lambda D) s = g, with D the diagonal of |H| and lambda raised until the density rises
    (Levenberg-Marquardt), until the Newton decrement g' H^-1 g falls below 1e-8.

    Parameters
    ----------
    posterior
        The log-posterior, in the frame theta = z.
    cores
        Threads that share the gradients of a Hessian; they change the time, never the mode.
    strict
        False to take the highest point found where the search does not converge, as at the kink of a Laplace
        prior: a sampler needs no more than a place to start and a scale.
    held
        Places of parameters that stay at 0: standardised hidden values, whose joint density with the others can have
        its mode far from where the posterior is, or none. At 0 each is where what is known puts it, and the density
        is that of the parameters with the hidden values integrated out, exactly or nearly so.

    Raises
    ------
    NoModeError
        If the density is not finite at the start, or (when strict) no maximum is found in 60 steps.
    """
    theta = posterior.program.start
    value, gradient = log_density(posterior, theta)
    if not np.isfinite(value):
        raise NoModeError("the log-density is not finite at the start")
    steps = np.full(posterior.size, 1e-5)
    framed = posterior.program.framed
    for _ in range(MAX_STEPS):
        hessian = curvature_at(posterior, theta, steps, cores, held)
        diagonal = np.maximum(np.abs(hessian.diagonal), 1e-12)
        steps = 1e-4 / np.sqrt(diagonal)  # a ten-thousandth of the parameter's own conditional SD
        decrement = hessian.decrement(gradient)
        if decrement is not None and decrement < DECREMENT:
            return _mode(theta, *hessian.inverse(framed), value)
        climbed = _climb(posterior, theta, value, gradient, hessian, diagonal)
        if climbed is None:
            break
        theta, value, gradient = climbed
    if strict:
        raise NoModeError(f"no maximum of the posterior density was found in {MAX_STEPS} Newton steps")
    return _mode(theta, *hessian.inverse_anyway(framed), value)


def _mode(theta: Array, covariance: Array, variances: Array, value: float) -> Mode:
    return Mode(theta, np.linalg.cholesky(covariance), np.sqrt(variances), value)


def _climb(
    posterior: LogPosterior, theta: Array, value: float, gradient: Array, hessian: Curvature, diagonal: Array
) -> tuple[Array, float, Array] | None:
    """Take the longest damped Newton step that raises the density; None where no step does."""
    damping = 0.0
    for _ in range(40):
        solve = hessian.solver(damping * diagonal)
        if solve is not None:
            step = solve(gradient)
            new, slope = log_density(posterior, theta + step)
            if np.isfinite(new) and new >= value - 1e-12 * abs(value) and np.isfinite(slope).all():
                return theta + step, new, slope
        damping = max(4.0 * damping, 1e-4)
    return None
