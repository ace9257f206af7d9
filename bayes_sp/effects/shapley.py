"""Effects of the paths of a chain: each path switched alone, and averaged over all orders of switching.

Switching the paths from u0 to u1 one at a time gives steps that add up to the total effect but depend on the order.
The mean of a path's step over all P! orders is its Shapley value in the game v(S) = E Y(S), the mean outcome when the
paths in S see u1 and the others u0 (or v(S) = log E Y(S) for rate ratios). Both are computed exactly.

References
----------
Shapley (1953). A value for n-person games. Contributions to the Theory of Games II, 307-317.
Owen (1972). Multilinear extensions of games. Management Science 18, 64-79. doi:10.1287/mnsc.18.5.64
Vansteelandt & Daniel (2017). Epidemiology 28, 258-265. doi:10.1097/EDE.0000000000000596
Daniel, De Stavola, Cousens & Vansteelandt (2015). Biometrics 71, 1-14. doi:10.1111/biom.12248
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.effects.formulas import ChainCoefficients, Path, path_products, predictor
from bayes_sp.effects.patients import log_patient_mean
from bayes_sp.model.checks.families import MOST_PATHS

# 2**8 worlds; three mediators have eight paths, four have sixteen and 65,536 worlds.
MAX_ENUMERATED_PATHS = MOST_PATHS


@dataclass(frozen=True, eq=False)
class PathEffects:
    """Effects on a count outcome; the last axis holds the P paths in order, then total_indirect, then total."""

    # E Y(S) / E Y(none) with only this path in S (total_indirect: every path but the direct one), (..., P + 2).
    rate_ratio_alone: Array
    # exp of the mean over all orders of the step in log E Y; the paths multiply to the total, (..., P + 2).
    rate_ratio_average: Array
    difference_alone: Array  # E Y(S) - E Y(none), in the outcome's unit, (..., P + 2)
    difference_average: Array  # mean over all orders of the step in E Y; the paths add up to the total, (..., P + 2)


def identity_link_effects(
    coefficients: ChainCoefficients, paths: Sequence[Path], contrast: tuple[float, float]
) -> Array:
    """Effects on an outcome with an identity link: (product of coefficients) x (u1 - u0).

    They do not depend on the order, on kappa or on the patients: alone = average = difference.

    Returns the paths, total_indirect and total in the outcome's unit, (..., P + 2), for the contrast (u0, u1).

    Raises ValueError if there are exposure-mediator interactions.
    """
    if coefficients.interactions is not None:
        raise ValueError("effects are products of coefficients only without exposure-mediator interactions")
    return with_totals(path_products(coefficients, paths) * (contrast[1] - contrast[0]), paths)


def log_link_effects(
    coefficients: ChainCoefficients,
    paths: Sequence[Path],
    contrast: tuple[float, float],
    w: Array,
    *,
    kappa: float = 1.0,
    weights: Array | None = None,
) -> PathEffects:
    """Effects on a count outcome with a log link, standardised over patients; dispersion does not enter a mean.

    Returns rate ratios and differences, (..., P + 2) each, for the contrast (u0, u1), patients' covariates (n, q) and
    weights (n,) or (..., n).

    Raises ValueError if there are more than `MAX_ENUMERATED_PATHS` paths and kappa is not 1 or there are interactions.
    """
    if kappa == 1.0 and coefficients.interactions is None:
        return _closed_form(coefficients, paths, contrast, w, weights)
    return _enumerated(coefficients, paths, contrast, w, kappa, weights)


def with_totals(values: Array, paths: Sequence[Path]) -> Array:
    """Append the sum over indirect paths and the sum over all paths to values that add up, (..., P) to (..., P + 2)."""
    indirect = values[..., [p for p, path in enumerate(paths) if path]].sum(axis=-1)
    return np.concatenate([values, indirect[..., None], values.sum(axis=-1)[..., None]], axis=-1)


def multilinear_shapley(baseline: Array, log_ratios: Array) -> Array:
    r"""Shapley values of the game v(S) = B prod_{p in S} r_p, from its multilinear extension.

    .. math:: \phi_p = B \int_0^1 (r_p - 1) \prod_{q \ne p} (1 - t + t r_q) \, dt

    The integrand is a polynomial of degree P - 1 in t, for which Gauss-Legendre with ceil(P / 2) nodes is exact.

    With log r_p (..., P), in the unit of B (...).
    """
    growth = np.expm1(log_ratios)
    nodes, node_weights = np.polynomial.legendre.leggauss(max(1, (log_ratios.shape[-1] + 1) // 2))
    total = np.zeros_like(growth)
    for t, weight in zip((nodes + 1.0) / 2.0, node_weights / 2.0, strict=True):
        factor = 1.0 + t * growth
        total += weight * growth * np.prod(factor, axis=-1, keepdims=True) / factor
    return np.asarray(baseline)[..., None] * total


def enumerated_shapley(values: Array) -> Array:
    r"""Shapley values of any game, from its value on every set.

    .. math:: \phi_p = \sum_{S \not\ni p} \frac{|S|! \, (P - |S| - 1)!}{P!} \, [v(S \cup p) - v(S)]

    ``values`` are v(S), (2**P, ...), in the order of `all_sets`; returns (..., P).
    """
    sets = all_sets(int(values.shape[0]).bit_length() - 1)
    players = sets.shape[1]
    size = sets.sum(axis=1)
    share = np.zeros((players, len(sets)))
    for p, s in product(range(players), range(len(sets))):
        before = size[s] - sets[s, p]
        share[p, s] = factorial(before) * factorial(players - before - 1) / factorial(players)
    signed = np.where(sets.T, share, -share)
    return np.moveaxis(np.tensordot(signed, values, axes=1), 0, -1)


def effects_of_sets(values: Array, paths: Sequence[Path], *, logarithmic: bool) -> PathEffects:
    """Effects from the mean outcomes of all 2**P worlds, in the order of `all_sets`.

    ``values`` are E Y(S), or log E Y(S) if `logarithmic`, (2**P, ...); returns (..., P + 2), where ratios are NaN for a
    mean that is not positive.
    """
    sets = all_sets(len(paths))
    indirect = np.array([bool(path) for path in paths], dtype=bool)
    alone = [*np.eye(len(paths), dtype=bool), indirect, np.ones(len(paths), dtype=bool)]
    places = [int(np.flatnonzero((sets == chosen).all(axis=1))[0]) for chosen in alone]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a wild prior draw may have no finite mean
        logs, means = (values, np.exp(values)) if logarithmic else (np.log(values), values)
        shift = np.moveaxis(logs[places] - logs[0], 0, -1)
        difference = (
            means[0][..., None] * np.expm1(shift) if logarithmic else np.moveaxis(means[places] - means[0], 0, -1)
        )
        return PathEffects(
            rate_ratio_alone=np.exp(shift),
            rate_ratio_average=np.exp(with_totals(enumerated_shapley(logs), paths)),
            difference_alone=difference,
            difference_average=_closed_total(with_totals(enumerated_shapley(means), paths), difference[..., -1]),
        )


def all_sets(players: int) -> NDArray[np.bool_]:
    """Membership of every set of players, (2**players, players), the empty set first and the full set last."""
    return np.array(list(product([False, True], repeat=players)), dtype=bool).reshape(2**players, players)


def _closed_form(
    coefficients: ChainCoefficients,
    paths: Sequence[Path],
    contrast: tuple[float, float],
    w: Array,
    weights: Array | None,
) -> PathEffects:
    """Effects at kappa = 1 without interactions, where E Y(S) = B prod_{p in S} r_p for each patient."""
    u0, u1 = contrast
    log_ratios = path_products(coefficients, paths) * (u1 - u0)
    start = predictor(coefficients, paths, np.full(len(paths), u0))
    with np.errstate(over="ignore", invalid="ignore"):  # a wild prior draw has an infinite mean, and says so
        baseline = np.exp(start.level + log_patient_mean(start.slopes, w, weights))
        logs = with_totals(log_ratios, paths)
        return PathEffects(
            rate_ratio_alone=np.exp(logs),
            rate_ratio_average=np.exp(logs),
            difference_alone=baseline[..., None] * np.expm1(logs),
            difference_average=_closed_total(
                with_totals(multilinear_shapley(baseline, log_ratios), paths), baseline * np.expm1(logs[..., -1])
            ),
        )


def _enumerated(
    coefficients: ChainCoefficients,
    paths: Sequence[Path],
    contrast: tuple[float, float],
    w: Array,
    kappa: float,
    weights: Array | None,
) -> PathEffects:
    """Effects from the means of all 2**P worlds, for any kappa and with interactions."""
    if len(paths) > MAX_ENUMERATED_PATHS:
        raise ValueError(
            f"{len(paths)} paths have 2**{len(paths)} worlds: kappa other than 1 and interactions are possible with "
            f"at most {MAX_ENUMERATED_PATHS} paths; remove edges or set kappa to 1"
        )
    worlds = np.where(all_sets(len(paths)), contrast[1], contrast[0])
    logs = _log_means(coefficients, paths, worlds, w, kappa, weights)
    return effects_of_sets(logs, paths, logarithmic=True)


def _closed_total(values: Array, total: Array) -> Array:
    """Put the total itself in place of the sum of the paths, which loses digits where huge paths cancel."""
    values[..., -1] = total
    return values


def _log_means(
    coefficients: ChainCoefficients,
    paths: Sequence[Path],
    worlds: Array,
    w: Array,
    kappa: float,
    weights: Array | None,
) -> Array:
    """Log standardised means of the worlds (worlds, P), with the patients' part computed once for each u_D it needs.

    The slopes of the covariates depend on a world only through the exposure of the direct path.
    """
    patients: dict[float, Array] = {}
    out = []
    for u in worlds:
        parts = predictor(coefficients, paths, u, kappa)
        u_direct = float(u[paths.index(())]) if coefficients.interactions is not None else 0.0
        if u_direct not in patients:
            patients[u_direct] = log_patient_mean(parts.slopes, w, weights)
        out.append(parts.level + patients[u_direct])
    return np.array(out)
