r"""Chains of normal mediators in any world: linear predictors are normal, with a mean and a covariance in closed form.

A *path* is the tuple of the mediators it passes, () the direct one. In a world path p sees the exposure u_p. What
enters linear predictor t (the outcome's, or its zero part's) along the route r = (k, ..., l) is

.. math:: W_{t,r} = (b_{tl} + h_{tl} u_{()}) \prod_{k \to j} (d_{jk} + h_{jk} u_{(j, \dots)}),

where the copy of mediator j on the route sees the exposure of the path that starts at it. Then

.. math:: \eta_t = \beta_t + c_t u_{()} + \sum_r W_{t,r} (\beta_k + a_k u_r + \epsilon_{k, r})

with the baselines beta of `Baselines`. Copies whose paths all see the same exposures share one error; errors of
different copies correlate by kappa, or not at all where copies are drawn apart. Errors of mediators without any arrow
between them may correlate, in every world alike.

References
----------
Daniel, De Stavola, Cousens & Vansteelandt (2015). Biometrics 71, 1-14. doi:10.1111/biom.12248
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain

Path = tuple[int, ...]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NormalWorld:
    """Linear predictors of the outcome (t = 0) and its zero part (t = 1, where there is one) in one world."""

    shift: Array  # what the exposures add, (T, S)
    weights: Array  # what the baseline of mediator k adds, (T, S, K)
    cov: Array  # Var(eta), Cov(eta, zeta), Var(zeta): (S, 3); zeros where there is no zero part


def every_path(count: int) -> tuple[Path, ...]:
    """Every path through `count` mediators: direct first, then by length, then by mediator."""
    return tuple(path for length in range(count + 1) for path in combinations(range(count), length))


def normal_worlds(
    chain: Chain, exposures: Sequence[Sequence[float]] | Array, kappa: float, apart: bool = False
) -> list[NormalWorld]:
    """Return the linear predictors of several worlds.

    ``exposures`` has for each world that of each path of `every_path`, (2**K,). ``apart`` gives every route a copy of
    its own with independent errors, as interventional effects ask.
    """
    alike = not chain.interactions.any()  # then what a mediator does depends on no exposure
    along: Along = []
    cov, weights = np.empty(0), np.empty(0)
    found: list[NormalWorld] = []
    for u in exposures:
        exposure_of = dict(zip(every_path(len(chain.mediators)), u, strict=True))
        if not found or not alike:
            along = [
                {route: _along(chain, j, route, exposure_of) for route in every_path(len(chain.mediators))[1:]}
                for j in _targets(chain)
            ]
            weights = _weights(chain, along)
        if not found or not alike or kappa != 1.0 or apart:
            cov = _covariance(chain, along, exposure_of, kappa, apart=apart)
        found.append(NormalWorld(_shift(chain, along, exposure_of), weights, cov))
    return found


type Along = list[dict[Path, Array]]


def _targets(chain: Chain) -> range:
    count = len(chain.mediators)
    return range(count, count + 1 + chain.zero_part)


def _weights(chain: Chain, along: Along) -> Array:
    weights = np.zeros((len(along), chain.draws, len(chain.mediators)))
    for t, routes in enumerate(along):
        for route, weight in routes.items():
            weights[t, :, route[0]] += weight
    return weights


def _shift(chain: Chain, along: Along, exposure_of: dict[Path, float]) -> Array:
    shift = np.empty((len(along), chain.draws))
    for t, j in enumerate(_targets(chain)):
        shift[t] = chain.exposure[:, j] * exposure_of[()]
        for route, weight in along[t].items():
            shift[t] += weight * chain.exposure[:, route[0]] * exposure_of[route]
    return shift


def _covariance(chain: Chain, along: Along, exposure_of: dict[Path, float], kappa: float, *, apart: bool) -> Array:
    cov = np.zeros((chain.draws, 3))
    for place, (t, other) in enumerate([(0, 0), (0, 1), (1, 1)][: 1 if len(along) == 1 else 3]):
        for k, mediator in enumerate(chain.mediators):
            mine = [route for route in along[t] if route[0] == k]
            worlds = [_world(route, exposure_of, apart) for route in mine]
            cov[:, place] += mediator.sigma**2 * _products(
                [along[t][route] for route in mine],
                [along[other][route] for route in mine],
                worlds,
                0.0 if apart else kappa,
            )
        if chain.rho is not None and not apart:  # one copy of each, of one patient: the same in every world
            for k, m in combinations(range(len(chain.mediators)), 2):
                both = along[t][(k,)] * along[other][(m,)] + along[t][(m,)] * along[other][(k,)]
                cov[:, place] += chain.rho[:, k, m] * chain.mediators[k].sigma * chain.mediators[m].sigma * both
    return cov


def slope_classes(worlds: Sequence[NormalWorld]) -> tuple[NDArray[np.int64], list[Array]]:
    """Return the class of each world by its weights, (W,), and the weights of each class, (T, S, K)."""
    found: list[Array] = []
    classes = np.zeros(len(worlds), dtype=np.int64)
    for place, world in enumerate(worlds):
        same = [c for c, known in enumerate(found) if known is world.weights or np.array_equal(known, world.weights)]
        classes[place] = same[0] if same else len(found)
        if not same:
            found.append(world.weights)
    return classes, found


def combine(baseline: Array, target: int, weights: Array) -> Array:
    """Baseline of one linear predictor with those of the mediators, (B, n), from (J, B, n) and weights (B, K)."""
    out = baseline[target].copy()
    for k in range(weights.shape[-1]):
        out += weights[:, k, None] * baseline[k]
    return out


def in_two_worlds(worlds: Flags, paths: Sequence[Path], full: Sequence[Path]) -> Flags:
    """Return in which worlds a mediator stands in two worlds at once, so that kappa matters, (W,).

    Copies of mediator k on routes that begin there are one where the paths that lead through k see the same exposures.

    ``worlds`` says whether each path of ``full``, those of a saturated chain, is switched, (W, 2**K); ``paths`` are
    those that exist.
    """
    place, found = {path: i for i, path in enumerate(full)}, np.zeros(len(worlds), dtype=bool)
    for k in {mediator for path in paths for mediator in path}:
        copies: dict[Path, list[int]] = {}
        for path in paths:
            if k in path:
                copies.setdefault(path[path.index(k) :], []).append(place[path])
        seen = [worlds[:, columns] for columns in copies.values()]
        found |= np.any([(seen[0] != other).any(axis=1) for other in seen[1:]], axis=0) if len(seen) > 1 else False
    return found


def _along(chain: Chain, target: int, route: Path, exposure_of: dict[Path, float]) -> Array:
    """Return what a route's first mediator adds to a linear predictor per unit, (S,)."""
    weight = chain.slope(target, route[-1], exposure_of[()])
    for place, (k, j) in enumerate(pairwise(route)):
        weight = weight * chain.slope(j, k, exposure_of[route[place + 1 :]])
    return weight


def _world(route: Path, exposure_of: dict[Path, float], apart: bool) -> object:
    """Return what tells a copy's world from another's: all the exposures above it."""
    if apart:
        return route
    above = every_path(route[0])
    return tuple(exposure_of[(*prefix, *route)] for prefix in above)


def _products(first: list[Array], second: list[Array], worlds: list[object], kappa: float) -> Array:
    """Return kappa (sum W)(sum W') + (1 - kappa) sum over worlds of W W', with W the sum of a world's copies."""
    one: dict[object, Array] = {}
    two: dict[object, Array] = {}
    for a, b, world in zip(first, second, worlds, strict=True):
        one[world] = one[world] + a if world in one else a
        two[world] = two[world] + b if world in two else b
    together = np.sum(list(one.values()), axis=0) * np.sum(list(two.values()), axis=0)
    apart = np.sum([one[world] * two[world] for world in one], axis=0)
    return np.asarray(kappa * together + (1.0 - kappa) * apart)
