"""Margins of reconstructed records: whole numbers whose mean and SD round to the printed ones.

Everything here is in *steps* of the measure (loneliness in eighths of a point, all else in ones), so that sums of
squares and products are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.records.published.printed import Printed

Steps = NDArray[np.int64]

# Bounds are kept this much inside the rounding interval, so that floating point cannot put a value on its edge.
_EDGE = 1e-6


class UnreachableError(Exception):
    """A margin or arrangement that this draw could not complete; the caller draws again."""


@dataclass(frozen=True)
class Window:
    """The totals and sums of squares, in steps, that a printed mean and SD allow for ``n`` patients."""

    n: int
    # low, high: smallest and largest possible score, in steps.
    low: int
    high: int
    totals: tuple[int, ...]  # totals that round to the printed mean
    # sd_low, sd_high: interval of SDs (n - 1 in the denominator) that round to the printed one, in steps.
    sd_low: float
    sd_high: float

    @classmethod
    def printed(cls, n: int, mean: Printed, sd: Printed, low: int, high: int, step: float = 1.0) -> Window:
        """Window of a printed mean and SD; ``low`` and ``high`` in steps, ``step`` in the measure's unit."""
        first = math.ceil(n * (mean.lower + _EDGE) / step)
        last = math.floor(n * (mean.upper - _EDGE) / step)
        return cls(n, low, high, tuple(range(first, last + 1)), (sd.lower + _EDGE) / step, (sd.upper - _EDGE) / step)

    @property
    def lattice(self) -> Array:
        """Possible scores in steps, ascending."""
        return np.arange(self.low, self.high + 1, dtype=np.float64)

    @property
    def sd(self) -> float:
        """Middle of the SD's interval, in steps."""
        return 0.5 * (self.sd_low + self.sd_high)

    def squares(self, total: int) -> tuple[int, int]:
        """Smallest and largest sum of squares that a total allows: sum of x^2 = (n - 1) SD^2 + total^2 / n.

        A whole number and its square are both even or both odd, and so are a total and its sum of squares.
        """
        between = total * total / self.n
        low = math.ceil(between + (self.n - 1) * self.sd_low**2)
        high = math.floor(between + (self.n - 1) * self.sd_high**2)
        return low + (low - total) % 2, high - (high - total) % 2


def negative_binomial(counts: Array, mean: float, sd: float) -> Array:
    """Weights of a negative binomial with this mean and SD: variance = mean + mean^2 / size.

    Raises UnreachableError if the SD is not larger than a Poisson count's, where no size gives it.
    """
    if sd * sd <= mean:
        raise UnreachableError(f"a negative binomial of mean {mean:.3g} has an SD above {math.sqrt(mean):.3g}")
    size = mean * mean / (sd * sd - mean)
    # P(k) / P(k - 1) = (k - 1 + size) / k * mean / (mean + size)
    ratios = np.log((counts[1:] - 1.0 + size) / counts[1:] * mean / (mean + size))
    return np.exp(np.concatenate([[0.0], np.cumsum(ratios)]))


def beta(lattice: Array, mean: float, sd: float) -> Array:
    """Weights of a beta density on the lattice's range, each score standing for the cell of one step around it."""
    width = len(lattice)
    centre, spread = (mean - lattice[0] + 0.5) / width, sd / width
    total = centre * (1.0 - centre) / spread**2 - 1.0
    x = (lattice - lattice[0] + 0.5) / width
    weights: Array = x ** (centre * total - 1.0) * (1.0 - x) ** ((1.0 - centre) * total - 1.0)
    return weights


def normal(lattice: Array, mean: float, sd: float) -> Array:
    """Weights of a normal density."""
    return np.exp(-0.5 * ((lattice - mean) / sd) ** 2)


def tilt(lattice: Array, weights: Array, mean: float, sd: float) -> Array:
    """Probabilities nearest to ``weights`` that have exactly this mean and SD on a bounded lattice.

    p(x) proportional to weights(x) exp(a z + b z^2) with z = (x - mean) / sd and a, b such that E z = 0, E z^2 = 1:
    of all distributions with these moments the one with the least Kullback-Leibler divergence from the weights.

    Raises UnreachableError if Newton's method does not arrive, as when no distribution on the lattice has these
    moments.
    """
    z = (lattice - mean) / sd
    features = np.stack([z, z * z])
    log_weights = np.log(weights)
    tilts = np.zeros(2)
    for _ in range(100):
        exponent = log_weights + tilts @ features
        p = np.exp(exponent - exponent.max())
        p /= p.sum()
        moments = features @ p
        miss = np.array([0.0, 1.0]) - moments
        if np.abs(miss).max() < 1e-9:
            return p
        covariance = (features * p) @ features.T - np.outer(moments, moments)
        step = np.linalg.solve(covariance + 1e-12 * np.eye(2), miss)
        tilts = tilts + step * min(1.0, 0.5 / np.abs(step).max())  # short steps: far from the solution it overshoots
    raise UnreachableError(f"no distribution on {lattice[0]:g}..{lattice[-1]:g} with mean {mean:.4g}, SD {sd:.4g}")


def stratified(lattice: Array, p: Array, n: int, rng: np.random.Generator) -> Steps:
    """Draw ``n`` scores, one from each of ``n`` equally likely strata, ascending: near to the shape for every seed."""
    u = (np.arange(n) + rng.uniform(size=n)) / n
    cells = np.minimum(np.searchsorted(np.cumsum(p), u), len(lattice) - 1)
    return lattice[cells].astype(np.int64)


def repair(scores: Steps, window: Window, total: int, squares: tuple[int, int], rng: np.random.Generator) -> Steps:
    """Move scores by single steps until their total is exact and their sum of squares within ``squares``.

    A patient going up one step while another goes down one keeps the total and changes the sum of squares by
    2 (x_up - x_down) + 2; of 200 random pairs the one that comes nearest is moved, so the shape hardly changes.

    Raises UnreachableError if 500 moves do not suffice.
    """
    x = scores.copy()
    while (gap := total - int(x.sum())) != 0:
        one = 1 if gap > 0 else -1
        x[rng.choice(np.flatnonzero((x + one >= window.low) & (x + one <= window.high)))] += one
    for _ in range(500):
        now = int((x * x).sum())
        need = int(np.clip(now, *squares)) - now
        if need == 0:
            return x
        up, down = rng.integers(window.n, size=(2, 200))
        change = 2 * (x[up] - x[down]) + 2
        allowed = (up != down) & (x[up] < window.high) & (x[down] > window.low)
        miss = np.where(allowed, np.abs(need - change), np.iinfo(np.int64).max)
        best = int(np.argmin(miss))
        if miss[best] < abs(need):
            x[up[best]] += 1
            x[down[best]] -= 1
    raise UnreachableError(f"no sum of squares in {squares} for the total {total}")


def draw(
    window: Window, weights: Array, rng: np.random.Generator, *, total: int | None = None, squares: int | None = None
) -> Steps:
    """Draw a margin: the weights tilted to the printed moments, drawn in strata, then repaired to be exact.

    Returns scores in steps, (n,), in no meaningful order. ``weights`` is the shape on ``window.lattice``, not
    normalised; ``total`` and ``squares`` are by default any that the window allows.
    """
    chosen = int(rng.choice(window.totals)) if total is None else total
    limits = window.squares(chosen) if squares is None else (squares, squares)
    sd = window.sd if squares is None else math.sqrt((squares - chosen * chosen / window.n) / (window.n - 1))
    p = tilt(window.lattice, weights, chosen / window.n, sd)
    return repair(stratified(window.lattice, p, window.n, rng), window, chosen, limits, rng)
