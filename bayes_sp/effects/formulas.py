"""Products of coefficients and counterfactual means of a chain exposure -> mediators -> outcome.

Every function is the equation in its docstring, for one set of coefficients or for many at once: the leading
dimensions, written ``...``, are draws of a posterior or replicates of a bootstrap. Mediators are normal with an
identity link. K is the number of mediators, q of covariate columns, n of patients, P of paths.

A *path* is the tuple of the mediators it passes, so ``()`` is the direct path and ``(0, 1)`` is
x -> m1 -> m2 -> y. A *route* is the part of a path from a mediator to the outcome. In a counterfactual world whose
paths see different exposures the outcome sees one *copy* of a mediator along each route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array

Path = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ChainCoefficients:
    """Coefficients of the K + 1 equations of a chain: mediators in order, then the outcome; variables uncentred.

    Attributes
    ----------
    intercept
        Intercepts, (..., K + 1).
    exposure
        Exposure -> equation j, zero for a removed edge, (..., K + 1).
    mediators
        Mediator k -> equation j, zero for a removed edge and wherever k >= j, (..., K + 1, K).
    covariates
        Covariate column -> equation j, (..., K + 1, q).
    variance
        Residual variances of the mediators, in the mediators' squared units, (..., K).
    interactions
        Coefficients of exposure x mediator k in the outcome's equation, (..., K); None when there are none.
    """

    intercept: Array
    exposure: Array
    mediators: Array
    covariates: Array
    variance: Array
    interactions: Array | None = None

    @property
    def mediator_count(self) -> int:
        """Number of mediators, K."""
        return int(self.variance.shape[-1])


@dataclass(frozen=True, eq=False)
class Predictor:
    """Log mean of the outcome in one counterfactual world: ``level + slopes . w`` for a patient with covariates w."""

    level: Array  # everything but the covariates, with half the variance that the mediators' errors add, (...)
    slopes: Array  # composite coefficients of the covariates, (..., q)


def enumerate_paths(edges_exposure: Sequence[bool] | NDArray[np.bool_], edges_mediators: object) -> tuple[Path, ...]:
    """Every path from exposure to outcome whose edges all exist: direct first, then by length, then by mediator.

    For two mediators and every edge: ``((), (0,), (1,), (0, 1))``. ``edges_mediators[j, k]`` says whether mediator k is
    a parent of equation j.
    """
    from_exposure = np.asarray(edges_exposure, dtype=bool)
    from_mediator = np.asarray(edges_mediators, dtype=bool)
    outcome = len(from_exposure) - 1

    def exists(path: Path) -> bool:
        """Return whether every edge of a path is there."""
        nodes = (*path, outcome)
        return bool(from_exposure[nodes[0]]) and all(from_mediator[j, k] for k, j in pairwise(nodes))

    return tuple(path for path in _increasing_tuples(outcome) if exists(path))


def path_products(coefficients: ChainCoefficients, paths: Sequence[Path], u_direct: float = 0.0) -> Array:
    """Product of the coefficients along each path.

    For two mediators c, a1 b1, a2 b2 and a1 d b2: (..., P), in the outcome's unit (log mean under a log link) per
    unit of exposure. Interactions are taken at the exposure `u_direct`, as b_k + h_k u_direct.
    """
    a = coefficients.exposure
    out = np.empty((*a.shape[:-1], len(paths)))
    for p, path in enumerate(paths):
        out[..., p] = a[..., path[0]] * _route_weight(coefficients, path, u_direct) if path else a[..., -1]
    return out


def predictor(coefficients: ChainCoefficients, paths: Sequence[Path], u: Array, kappa: float = 1.0) -> Predictor:
    r"""Log mean of the outcome when path p sees the exposure u_p.

    With b_k := b_k + h_k u_D for the exposure u_D of the direct path, and B_k = b_k + sum_{j>k} d_jk B_j for all that
    mediator k does to the outcome,

    .. math:: \log E\,Y = i_Y + \sum_k B_k i_k + \sum_p \pi_p u_p + (g_Y + \sum_k B_k g_k) \cdot w + V(u) / 2

    with the products of `path_products` and the variance of `_variance`. For two mediators

    .. math:: V = (b_1^2 + b_2^2 d^2 + 2 \kappa b_1 b_2 d) \sigma_1^2 + b_2^2 \sigma_2^2,

    with kappa = 1 wherever x -> m1 -> y and x -> m1 -> m2 -> y see the same exposure.

    ``u`` is the exposure that each of the P paths sees; level (...) and slopes (..., q) are on the log scale.

    Raises ValueError if there are interactions and the direct path is not among the paths.

    Daniel, De Stavola, Cousens & Vansteelandt (2015). Biometrics 71, 1-14. doi:10.1111/biom.12248
    """
    u_direct = _direct_exposure(coefficients, paths, u)
    weight = _composite_weights(coefficients, u_direct)
    level = coefficients.intercept[..., -1] + (weight * coefficients.intercept[..., :-1]).sum(axis=-1)
    level = level + path_products(coefficients, paths, u_direct) @ np.asarray(u, dtype=float)
    g = coefficients.covariates
    slopes = g[..., -1, :] + (weight[..., None] * g[..., :-1, :]).sum(axis=-2)
    return Predictor(level + 0.5 * _variance(coefficients, paths, u, kappa), slopes)


def _increasing_tuples(count: int) -> list[Path]:
    """All increasing tuples of mediators, by length and then by mediator."""
    return [path for length in range(count + 1) for path in combinations(range(count), length)]


def _direct_exposure(coefficients: ChainCoefficients, paths: Sequence[Path], u: Array) -> float:
    """Exposure of the direct path, u_D; it matters only with interactions."""
    if () in paths:
        return float(u[paths.index(())])
    if coefficients.interactions is not None:
        raise ValueError("an exposure-mediator interaction is a direct effect: the direct path () must be among paths")
    return 0.0


def _outcome_slopes(coefficients: ChainCoefficients, u_direct: float) -> Array:
    """Coefficients of the mediators in the outcome's equation, b_k + h_k u_D, (..., K)."""
    b = coefficients.mediators[..., -1, :]
    return b if coefficients.interactions is None else b + coefficients.interactions * u_direct


def _composite_weights(coefficients: ChainCoefficients, u_direct: float) -> Array:
    """All that mediator k does to the outcome, B_k = b_k + sum_{j>k} d_jk B_j, (..., K)."""
    total = _outcome_slopes(coefficients, u_direct).copy()
    d = coefficients.mediators
    for k in reversed(range(coefficients.mediator_count)):
        for j in range(k + 1, coefficients.mediator_count):
            total[..., k] += d[..., j, k] * total[..., j]
    return total


def _route_weight(coefficients: ChainCoefficients, route: Path, u_direct: float) -> Array:
    """Product of the coefficients along a route from its first mediator to the outcome, (...)."""
    weight = _outcome_slopes(coefficients, u_direct)[..., route[-1]]
    for k, j in pairwise(route):
        weight = weight * coefficients.mediators[..., j, k]
    return weight


def _variance(coefficients: ChainCoefficients, paths: Sequence[Path], u: Array, kappa: float) -> Array:
    r"""Variance that the mediators' errors give the linear predictor, (...).

    Copies of mediator k are one variable if all paths through them see the same exposures, so they fall into worlds;
    errors of different worlds correlate by kappa. With W the sum of the weights of a world's copies,

    .. math:: V = \sum_k \sigma_k^2 [\kappa (\sum W)^2 + (1 - \kappa) \sum W^2].
    """
    u_direct = _direct_exposure(coefficients, paths, u)
    worlds: dict[int, dict[object, Array]] = {k: {} for k in range(coefficients.mediator_count)}
    for route in _increasing_tuples(coefficients.mediator_count)[1:]:
        seen = frozenset(
            (path[: -len(route)], float(u[p])) for p, path in enumerate(paths) if path[-len(route) :] == route
        )
        world = worlds[route[0]]
        weight = _route_weight(coefficients, route, u_direct)
        world[seen] = world[seen] + weight if seen in world else weight
    total = np.zeros(coefficients.variance.shape[:-1])
    for k, world in worlds.items():
        together, apart = sum(world.values()) ** 2, sum(weight**2 for weight in world.values())
        total = total + coefficients.variance[..., k] * (kappa * together + (1.0 - kappa) * apart)
    return total
