"""A number as a smooth function of two strengths, from its values at some of them, and where it first reaches 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import brentq

from bayes_sp.arrays import Array

STEPS = 200  # in the search for the first crossing
FIRST_WEIGHT = 0.25  # of the first strength beside the product, each over its range


def product_bias(first: float, second: float, variance: float) -> float:
    r"""Return how far a confounder moves the slope of a normal response j in the equation of a later one, k.

    With :math:`M = \eta_j + s_j U + e`, :math:`e \sim N(0, \sigma^2)`, and U ~ N(0, 1) independent of all that comes
    before M, :math:`E[U \mid M, \ldots] = (s_j / v)(M - \eta_j)` with :math:`v = s_j^2 + \sigma^2`. So leaving U out of
    :math:`\eta_k + b M + s_k U` gives M the slope

    .. math:: b + \frac{s_j s_k}{v},

    and every term of j's equation, with coefficient :math:`\beta`, the slope :math:`\gamma - (s_j s_k / v) \beta`.
    v is the residual variance of j in the model without U, which the records identify; so the bias is proportional to
    :math:`s_j s_k`. Exact for a linear response k, and for the log of a mean with a log link.

    VanderWeele (2010), Epidemiology 21, 540-551. doi:10.1097/EDE.0b013e3181df191c
    """
    return first * second / variance


@dataclass(frozen=True, eq=False)
class Surface:
    """One number as a function of two strengths, smooth between those at which it is known.

    What is interpolated is (value - plain) / (first * second), which is constant where the number is linear in the
    bias (`product_bias`), as a function of the product, on which it depends most, and of the first strength: by
    thin-plate splines, which need no complete grid and are exact at the points. Where a strength is 0 there is no
    confounding, and the number is the plain model's. Beyond the points the ratio is that of the nearest product and
    first strength among theirs.
    """

    # first, second, values: strengths, not 0, and the numbers there, (n,).
    first: Array
    second: Array
    values: Array
    plain: float  # the number without confounding

    @cached_property
    def _ratio(self) -> Callable[[Array], Array]:
        points = self._points(self.first, self.second)
        ratios = (self.values - self.plain) / (self.first * self.second)
        spread = np.linalg.matrix_rank(points - points.mean(axis=0)) == 2
        kernel, degree = ("thin_plate_spline", 1) if spread else ("linear", 0)
        return RBFInterpolator(points, ratios, kernel=kernel, degree=degree)

    def _points(self, first: Array, second: Array) -> Array:
        """Coordinates of the spline, (n, 2)."""
        products = self.first * self.second
        product = np.clip(first * second, products.min(), products.max()) / np.abs(products).max()
        strength = np.clip(first, self.first.min(), self.first.max()) / self.first.max()
        return np.column_stack([product, FIRST_WEIGHT * strength])

    def at(self, first: Array | float, second: Array | float) -> Array:
        """Return the number at strengths, elementwise."""
        s, t = (np.asarray(v, dtype=float) for v in np.broadcast_arrays(first, second))
        return self.plain + s * t * self._ratio(self._points(s.ravel(), t.ravel())).reshape(s.shape)


def first_crossing(margin: Callable[[Array], Array], most: float) -> float:
    """Return the least argument in (0, most] at which a continuous margin that is positive at 0 reaches 0; else NaN.

    0 where it is not positive at 0.
    """
    grid = np.linspace(0.0, most, STEPS + 1)
    values = margin(grid)
    below = np.flatnonzero(values <= 0.0)
    if not len(below):
        return float("nan")
    i = int(below[0])
    if i == 0:
        return 0.0
    return float(brentq(lambda x: float(margin(np.array([x]))[0]), grid[i - 1], grid[i]))
