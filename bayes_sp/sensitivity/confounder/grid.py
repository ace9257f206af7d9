"""A pair's grid of strengths: its cells, what they say as an array, as a table, and as a smooth function between."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr
from scipy.interpolate import RBFInterpolator
from scipy.optimize import brentq

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.arrays import Array
from bayes_sp.effects.summary import CI_KIND
from bayes_sp.names import ALONE, CONFOUNDING_COLUMNS
from bayes_sp.sensitivity.confounder.pairs import Pair, with_confounder
from bayes_sp.sensitivity.target import Estimate, Target, estimate_in

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


type Place = tuple[Pair, float, float]

NUMBERS = ("mean", "median", "lower", "upper", "prob_negative")


@dataclass(frozen=True)
class Grid:
    """Strengths at which a pair of responses is confounded."""

    pair: Pair  # the earlier and the later response
    # first, second: strengths above 0; the second is tried with both signs. The sign of U itself is free, so that one
    # sign of the first is enough.
    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def most(self) -> tuple[float, float]:
        """The greatest strength of each response."""
        return max(self.first), max(self.second)

    @property
    def axes(self) -> tuple[list[float], list[float]]:
        """Strengths of both responses with 0, ascending, and both signs of the second."""
        first, second = sorted({0.0, *self.first}), sorted({0.0, *self.second})
        return first, [*(-s for s in reversed(second) if s), *second]

    def places(self) -> Iterator[Place]:
        """Yield every place at which there is confounding: neither strength is 0."""
        for s, t in product(*self.axes):
            if s and t:
                yield self.pair, s, t


def cell_at(plain: Cell, place: Place) -> Cell:
    """Return the cell with a confounder of this strength."""
    (first, second), s, t = place
    name = f"confounder of {first} ({s:.3g}) and {second} ({t:.3g})"
    return replace(plain, name=name, model=with_confounder(plain.model, {first: s, second: t}))


def array_of(grid: Grid, plain: Answer, outcomes: Mapping[Place, Outcome]) -> xr.Dataset:
    """Return a pair's answers as an array.

    Dims: the two responses, with their strengths as coordinates, then ``path`` and ``scale``. Variables ``mean``,
    ``median``, ``lower``, ``upper``, ``prob_negative`` (averaged over orders of switching where there are several),
    and by strength alone ``trustworthy`` and ``fitted`` (False where a strength is 0: no confounding, the plain model
    stands for it). NaN where a cell has no answer, or a family no such scale.
    """
    first, second = grid.pair
    paths, scales = (list(dict.fromkeys(plain.table[name])) for name in ("path", "scale"))
    axes = grid.axes
    shape = (len(axes[0]), len(axes[1]))
    numbers = {name: np.full((*shape, len(paths), len(scales)), np.nan) for name in NUMBERS}
    trustworthy, fitted = np.zeros((2, *shape), dtype=bool)
    for (a, s), (b, t) in product(enumerate(axes[0]), enumerate(axes[1])):
        fitted[a, b] = bool(s and t)
        outcome = outcomes[grid.pair, s, t] if fitted[a, b] else plain
        if not isinstance(outcome, Answer):
            continue
        trustworthy[a, b] = outcome.trustworthy
        rows = outcome.table[outcome.table["decomposition"] != ALONE]
        at = a, b, [paths.index(path) for path in rows["path"]], [scales.index(scale) for scale in rows["scale"]]
        for name, values in numbers.items():
            values[at] = rows[name]
    dims = (first, second, "path", "scale")
    data = {name: (dims, values) for name, values in numbers.items()}
    flags = {"trustworthy": (dims[:2], trustworthy), "fitted": (dims[:2], fitted)}
    return xr.Dataset(data | flags, coords={first: axes[0], second: axes[1], "path": paths, "scale": scales})


def table_of(surfaces: Mapping[Pair, xr.Dataset], outcomes: Mapping[Place, Outcome], ci_prob: float) -> pd.DataFrame:
    """Return every pair's answers as one long table, with the reason where there is none or it is doubtful."""
    rows = []
    for (first, second), found in surfaces.items():
        dims = (first, second, "path", "scale")
        values = np.stack([found[name].transpose(*dims).to_numpy() for name in NUMBERS], axis=-1)
        trustworthy, fitted = (found[name].transpose(*dims[:2]).to_numpy() for name in ("trustworthy", "fitted"))
        labels = list(product(found["path"].to_numpy(), found["scale"].to_numpy()))
        for (a, s), (b, t) in product(enumerate(found[first].to_numpy()), enumerate(found[second].to_numpy())):
            outcome = outcomes.get(((first, second), s, t))
            reason = outcome.reason if isinstance(outcome, Failure) else "; ".join(outcome.reasons) if outcome else ""
            flags = (bool(trustworthy[a, b]), bool(fitted[a, b]), reason)
            for (path, scale), own in zip(labels, values[a, b].reshape(-1, len(NUMBERS)).tolist(), strict=True):
                *numbers, negative = own
                rows.append((first, second, s, t, path, scale, *numbers, CI_KIND, ci_prob, negative, *flags))
    return pd.DataFrame(rows, columns=list(CONFOUNDING_COLUMNS))


def margin_of(estimate: Estimate, target: Target, side: int) -> tuple[float, float]:
    """Return how far the interval's nearer limit lies beyond no effect on one side, and its Monte Carlo standard error.

    Negative where the interval includes no effect. Ratios by their logarithms.
    """
    limit, error = (estimate.upper, estimate.mcse_upper) if side < 0 else (estimate.lower, estimate.mcse_lower)
    if target.null == 1.0:
        return side * math.log(limit), error / limit
    return side * limit, error


def margins(
    grid: Grid, plain: Estimate, outcomes: Mapping[Place, Outcome], target: Target, side: int
) -> Surface | None:
    """Return the margin of a target as a smooth function of both strengths; None where no cell has an answer."""
    known = [
        (place[1], place[2], margin_of(estimate, target, side)[0])
        for place in grid.places()
        if (estimate := estimate_in(outcomes[place], target)) is not None
    ]
    if not known:
        return None
    first, second, values = np.array(known).T
    return Surface(first, second, values, margin_of(plain, target, side)[0])
