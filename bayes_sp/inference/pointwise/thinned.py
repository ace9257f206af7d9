r"""The log-density of a large survey near its mode, from some of its rows and the exact curvature of all.

In the frame of the mode log p(z) = log p(0) - z'z / 2 + R(z), and with n patients the remainder R is of order
P^(3/2) / sqrt(n). It is a sum over patients, each of order (z' z / n)^(3/2): that of m patients, times n / m, is wrong
by n / sqrt(m) times the SD of one, 1e-4 to 1e-3 for m = 5,000 of a million, where a density itself takes all n rows.
The error is measured on draws at which the density of all rows is computed too.

Along the line of one parameter R can be far larger, whatever n: that of a dispersion on the edge of what the records
know. There some rows do not speak for all. R of all rows is tabulated along such lines, and some rows give the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.backends import log_densities, log_density
from bayes_sp.inference.samplers.curvature import curvature_at
from bayes_sp.inference.samplers.hessians import Full
from bayes_sp.inference.samplers.target import LogPosterior

LEAST = 100_000  # patients: fewer are weighed with all of their rows
FIRST = 5_000  # rows to begin with
MOST_ERROR = 0.005  # of log weights: no posterior mean moves by more than this many posterior SDs
TRIED = 12
BENT = 0.05  # |R| of some rows, 2 SDs along a parameter's line, above which that of all is tabulated
TABLE = np.linspace(-7.0, 7.0, 29)

Remainder = Callable[[Array], Array]
Thin = Callable[[int], LogPosterior]
"""``rows -> the posterior of so many patients, their likelihood to the power n / rows``, in any frame."""


@dataclass(frozen=True, eq=False)
class Weigher:
    """Log-densities of points, (s, size) -> (s,), up to a constant."""

    densities: Callable[[Array], Array]
    rows: int  # patients whose rows it reads
    error: float  # RMS difference of log-densities from those of all rows, less its mean; 0 where all are read


def weigher(posterior: LogPosterior, n: int, thin: Thin | None, *, seed: int, cores: int) -> Weigher:
    """Return log-densities in the frame of the mode: of all rows, or of as few as are exact to 0.005.

    ``posterior`` is moved to its mode and curvature; ``thin`` gives that of fewer patients, None to read all ``n``.
    """

    def whole(points: Array) -> Array:
        return log_densities(posterior, points, cores, gradient=False)[0]

    if thin is None or n < LEAST:
        return Weigher(whole, n, 0.0)
    tried = np.random.default_rng([seed, 1]).standard_normal((TRIED, posterior.size))
    exact = whole(tried)
    lines: dict[int, Array] = {}
    rows = FIRST
    while rows <= n // 4:
        few = _along_lines(_thinned(posterior, thin(rows), cores), whole, posterior.scale, lines)
        away = few(tried) - exact
        error = float(np.std(away))
        if error <= MOST_ERROR:
            return Weigher(few, rows, error)
        rows *= 4
    return Weigher(whole, n, 0.0)


def _thinned(posterior: LogPosterior, few: LogPosterior, cores: int) -> Remainder:
    """Return -z'z / 2 + R(z), R that of a posterior of fewer patients, in the frame of the whole one."""
    size = posterior.size
    moved = few.moved(posterior.theta(np.zeros(size)), posterior.scale)
    zero = np.zeros(size)
    value, gradient = log_density(moved, zero)
    curvature = curvature_at(moved, zero, np.full(size, 1e-3), cores)
    assert isinstance(curvature, Full)  # noqa: S101 - no patient has a parameter
    bent = curvature.matrix - np.eye(size)

    def densities(points: Array) -> Array:
        found = log_densities(moved, points, cores, gradient=False)[0] - value - points @ gradient
        return found + 0.5 * np.einsum("si,ij,sj->s", points, bent, points)

    return densities


def _along_lines(few: Remainder, whole: Remainder, scale: Array, lines: dict[int, Array]) -> Remainder:
    """Return the density of some rows, replaced by that of all along the lines of parameters where it is not normal.

    A parameter's line is t L_j / |L_j|, where the others have their means given its value; ``lines`` holds the
    densities of all rows along those that were tabulated before.
    """
    directions = scale / np.linalg.norm(scale, axis=1)[:, None]
    bends = np.abs(np.stack([few(t * directions) - few(0.0 * directions) + 0.5 * t**2 for t in (-2.0, 2.0)]))
    bent = [int(j) for j in np.flatnonzero(~(bends.max(axis=0) < BENT))]
    for j in bent:
        if j not in lines:
            lines[j] = whole(TABLE[:, None] * directions[j])
    away = {j: lines[j] - few(TABLE[:, None] * directions[j]) for j in bent}
    from scipy.interpolate import CubicSpline  # 0.2 s that only a bent line costs

    splines = {j: CubicSpline(TABLE, own) for j, own in away.items() if np.isfinite(own).all()}

    def densities(points: Array) -> Array:
        found = few(points)
        for j, spline in splines.items():
            found = found + spline(np.clip(points @ directions[j], TABLE[0], TABLE[-1]))
        return found

    return densities
