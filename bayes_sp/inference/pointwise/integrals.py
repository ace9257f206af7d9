r"""Integrals over what is not known of each patient: Gauss-Hermite quadrature where the integrand lies.

.. math:: E f(z), \quad z \sim N(0, I_d), \qquad z = \hat z + L x, \quad L L' = (-H)^{-1},

with the mode z of log f(z) - z'z/2 and its Hessian H there, for every draw and patient at once. Where log f is
quadratic, as for normal responses that are linear in what is missing, two nodes are exact; however tightly a response
is tied to a missing one, the nodes lie where the integrand does.

References
----------
Liu & Pierce (1994). A note on Gauss-Hermite quadrature. Biometrika 81, 624-629. doi:10.1093/biomet/81.3.624
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from bayes_sp.arrays import Array

type LogIntegrand = Callable[[Array], Array]
"""(d, ...) -> log f, (...)."""

STEP = 1e-4  # of finite differences; the curvature is at least of the order of 1
ITERATIONS, HALVINGS = 200, 12
NEAR = 1e-3  # of the integrand's own width: near enough to the mode, since nodes need not lie at it exactly
LEAST_PRECISION = 0.1  # where log f bends upwards, or a draw has run away
FEWEST, MOST, MOST_IN_ALL = 4, 128, 20_000  # nodes: in one dimension, and in all dimensions together
TOLERANCE, TO_SPARE = 1e-6, 1e-3


@dataclass(frozen=True, eq=False)
class Frame:
    """Where an integrand lies: its mode (d, ...), and its factor L, (..., d, d)."""

    mode: Array
    factor: Array

    def at(self, x: Array) -> Array:
        """Return z at standardised coordinates x (d,), (d, ...)."""
        return np.asarray(self.mode + np.moveaxis(self.factor @ x, -1, 0))


def find_frame(log_f: LogIntegrand, dims: int, shape: tuple[int, ...]) -> Frame:
    """Find the mode of log f(z) - z'z/2 from 0 by Newton steps, halved where they do not rise, and the factor there."""
    z = np.zeros((dims, *shape))
    value, gradient, precision = _derivatives(log_f, z)
    for _ in range(ITERATIONS):
        step = _newton(precision, gradient)
        if float(np.abs(step * np.sqrt(np.moveaxis(np.linalg.diagonal(precision), -1, 0))).max()) < NEAR:
            break
        share = np.ones(shape)
        for _ in range(HALVINGS):
            new = z + share * step
            found = _penalised(log_f, new)
            worse = ~(found >= value - 1e-9 * (1.0 + np.abs(value)))
            if not worse.any():
                break
            share = np.where(worse, share / 2.0, share)
        z = np.where(worse, z, new)
        value, gradient, precision = _derivatives(log_f, z)
    if dims == 1:
        return Frame(z, 1.0 / np.sqrt(precision))
    return Frame(z, np.linalg.inv(np.linalg.cholesky(precision)).swapaxes(-1, -2))


def expectation(log_f: LogIntegrand, frame: Frame, nodes: int) -> Array:
    """Return log E f(z) by ``nodes`` Gauss-Hermite nodes in each dimension, (...)."""
    dims = len(frame.mode)
    x, weight = np.polynomial.hermite_e.hermegauss(nodes)
    used = weight > 0.0  # far out the weights of many nodes are 0
    x, log_weight = x[used], np.log(weight[used] / weight.sum())
    total = np.asarray(-np.inf)
    for place in product(range(len(x)), repeat=dims):
        point = x[list(place)]
        term = _penalised(log_f, frame.at(point)) + (0.5 * point @ point + log_weight[list(place)].sum())
        total = np.logaddexp(total, term)
    determinant = np.log(np.abs(np.linalg.diagonal(frame.factor))).sum(axis=-1)
    return np.asarray(total + determinant)


def normal_expectation(log_f: LogIntegrand, dims: int, shape: tuple[int, ...]) -> Array:
    r"""Return log E f(z), (...), in closed form where log f is quadratic.

    With P the negative Hessian of h(z) = log f(z) - z'z/2, which differences between whole units of z give without
    an error, and its mode :math:`\hat z = P^{-1} \nabla h(0)`, it is :math:`h(\hat z) - \log|P| / 2`.
    """
    unit = np.eye(dims).reshape((dims, dims, *(1,) * len(shape)))
    value = log_f(np.zeros((dims, *shape)))
    up, down = ([log_f(sign * unit[i] + np.zeros((dims, *shape))) for i in range(dims)] for sign in (1.0, -1.0))
    root: list[list[Array]] = [[1.0 + 2.0 * value - up[i] - down[i]] for i in range(dims)]
    root = [[np.zeros(shape)] * i + row for i, row in enumerate(root)]
    for i, j in combinations(range(dims), 2):
        root[j][i] = up[i] + up[j] - value - log_f(unit[i] + unit[j] + np.zeros((dims, *shape)))
    mode = [(up[i] - down[i]) / 2.0 for i in range(dims)]
    for i in range(dims):  # P = L L', in place; z = L'^-1 L^-1 gradient
        for j in range(i + 1):
            for k in range(j):
                root[i][j] = root[i][j] - root[i][k] * root[j][k]
            root[i][j] = np.sqrt(root[i][i]) if i == j else root[i][j] / root[j][j]
        for j in range(i):
            mode[i] = mode[i] - root[i][j] * mode[j]
        mode[i] = mode[i] / root[i][i]
    for i in reversed(range(dims)):
        for j in range(i + 1, dims):
            mode[i] = mode[i] - root[j][i] * mode[j]
        mode[i] = mode[i] / root[i][i]
    return np.asarray(_penalised(log_f, np.stack(mode)) - sum(np.log(root[i][i]) for i in range(dims)))


def enough_nodes(log_f: LogIntegrand, frame: Frame) -> tuple[int, float]:
    """Return nodes whose doubling changes no log E f by more than 1e-6, and the largest change that it made.

    They are doubled once more unless that change is a thousandth of it. At most 128 in a dimension and 20,000 in all;
    where they are not enough the change is what it is.
    """
    dims, nodes = len(frame.mode), FEWEST
    before = expectation(log_f, frame, nodes)
    while True:
        after = expectation(log_f, frame, 2 * nodes)
        change = float(np.nanmax(np.abs(after - before), initial=0.0))
        if change <= TO_SPARE * TOLERANCE:
            return nodes, change
        nodes *= 2
        if change <= TOLERANCE or 2 * nodes > MOST or (2 * nodes) ** dims > MOST_IN_ALL:
            return nodes, change
        before = after


def _newton(precision: Array, gradient: Array) -> Array:
    """Return the Newton step, (d, ...)."""
    if len(gradient) == 1:
        return gradient / precision[None, ..., 0, 0]
    return np.moveaxis(np.linalg.solve(precision, np.moveaxis(gradient, 0, -1)[..., None])[..., 0], -1, 0)


def _penalised(log_f: LogIntegrand, z: Array) -> Array:
    return np.asarray(log_f(z) - 0.5 * (z**2).sum(axis=0))


def _derivatives(log_f: LogIntegrand, z: Array) -> tuple[Array, Array, Array]:
    """Return log f(z) - z'z/2, its gradient (d, ...) and its negative Hessian (..., d, d), made positive definite."""
    dims, value = len(z), log_f(z)
    unit = STEP * np.eye(dims).reshape((dims, dims, *(1,) * (z.ndim - 1)))
    up, down = (np.stack([log_f(z + sign * unit[i]) for i in range(dims)]) for sign in (1.0, -1.0))
    gradient = (up - down) / (2.0 * STEP) - z
    hessian = np.zeros((*z.shape[1:], dims, dims))
    for i in range(dims):
        hessian[..., i, i] = (up[i] - 2.0 * value + down[i]) / STEP**2
    for i, j in combinations(range(dims), 2):
        both = log_f(z + unit[i] + unit[j]) + log_f(z - unit[i] - unit[j])
        each = up[i] + down[i] + up[j] + down[j]
        hessian[..., i, j] = hessian[..., j, i] = (both + 2.0 * value - each) / (2.0 * STEP**2)
    precision = np.eye(dims) - np.nan_to_num(hessian)
    if dims == 1:
        precision = np.maximum(precision, LEAST_PRECISION)
    else:
        roots, vectors = np.linalg.eigh(precision)
        precision = (vectors * np.maximum(roots, LEAST_PRECISION)[..., None, :]) @ vectors.swapaxes(-1, -2)
    return value - 0.5 * (z**2).sum(axis=0), np.nan_to_num(gradient), precision
