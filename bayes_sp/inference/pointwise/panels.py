r"""Integrals over one unknown number by panels, where Gauss-Hermite nodes about one mode do not do.

.. math:: E f(z) = \int f(z)\, \phi(z)\, dz, \quad z \sim N(0, 1)

f is a response's density, which has one peak, at p. Where its tails are heavy and its width w is small, as those of a
Student t response that is tightly tied to what is missing, the product has a second mode about 0, at a scale of its
own. Gauss-Legendre nodes stand in panels whose edges lie about p at distances that grow geometrically from w, and about
0 a unit apart.

References
----------
Davis & Rabinowitz (1984). Methods of Numerical Integration, 2nd ed., section 2.4 (compound rules).
doi:10.1016/C2013-0-10566-1
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.pointwise.integrals import LogIntegrand

END = 12.0  # a standard normal number lies beyond it with probability 4e-33
GRID = 49
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
SECTIONS = 40
EDGES = 9  # on each side of the peak
STEP, NARROWEST, WIDEST = 1e-4, 1e-4, 1.0
FEWEST, MOST = 8, 32  # nodes of a panel
TOLERANCE = 1e-9


def panel_edges(log_f: LogIntegrand, shape: tuple[int, ...]) -> Array:
    """Return the edges of the panels, in order, (edges, ...)."""
    peak = _peak(log_f, shape)
    up, middle, down = (log_f((peak + move)[None]) for move in (STEP, 0.0, -STEP))
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.nan_to_num(STEP / np.sqrt(2.0 * middle - up - down), nan=WIDEST, posinf=WIDEST)
    width = np.clip(width, NARROWEST, WIDEST)
    away = width * (2.0 * END / width) ** (np.arange(EDGES).reshape(-1, *(1,) * len(shape)) / (EDGES - 1))
    units = np.arange(-END, END + 1.0).reshape(-1, *(1,) * len(shape)) + np.zeros(shape)
    edges = np.concatenate([peak - away, peak[None], peak + away, units])
    return np.sort(np.clip(edges, -END, END), axis=0)


def by_panels(log_f: LogIntegrand, edges: Array, nodes: int) -> Array:
    """Return log E f(z) by ``nodes`` Gauss-Legendre nodes in each panel, (...)."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    total = np.full(edges.shape[1:], -np.inf)
    for low, high in pairwise(edges):
        half = (high - low) / 2.0
        with np.errstate(divide="ignore"):  # edges that coincide
            log_half = np.log(half)
        for at, log_weight in zip(x, np.log(weight), strict=True):
            z = low + half * (1.0 + at)
            total = np.logaddexp(total, log_f(z[None]) - 0.5 * z**2 + log_half + log_weight)
    return np.asarray(total - 0.5 * np.log(2.0 * np.pi))


def enough_in_panels(log_f: LogIntegrand, edges: Array) -> tuple[int, float]:
    """Return nodes of a panel whose doubling changes no log E f by more than 1e-9, and the largest change."""
    nodes, before = FEWEST, by_panels(log_f, edges, FEWEST)
    while True:
        after = by_panels(log_f, edges, 2 * nodes)
        change = float(np.nanmax(np.abs(after - before), initial=0.0))
        if change <= TOLERANCE or 2 * nodes > MOST:
            return nodes, change
        nodes, before = 2 * nodes, after


def _peak(log_f: LogIntegrand, shape: tuple[int, ...]) -> Array:
    """Return where f is highest between -12 and 12, by golden sections about the best point of a grid, (...)."""
    grid = np.linspace(-END, END, GRID)
    best, place = np.full(shape, -np.inf), np.zeros(shape)
    for z in grid:
        found = log_f(np.full((1, *shape), z))
        place = np.where(found > best, z, place)
        best = np.fmax(best, found)
    step = grid[1] - grid[0]
    low, high = np.maximum(place - step, -END), np.minimum(place + step, END)
    for _ in range(SECTIONS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        falls = log_f(left[None]) > log_f(right[None])
        low, high = np.where(falls, low, left), np.where(falls, right, high)
    return np.asarray((low + high) / 2.0)
