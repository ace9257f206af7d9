r"""Negative-binomial and Poisson regression by maximum likelihood, for many weightings of the same patients at once.

Mean mu = exp(x . beta + offset), variance mu + mu**2 / phi. With weights w_i that count how often a resample holds
patient i, and N_k = sum_i w_i [y_i > k], the log-likelihood needs no gamma function beyond a constant:

.. math:: \ell = \sum_k N_k \log(1 + k / \phi)
                 + \sum_i w_i [y_i \eta_i - (y_i + \phi) \log(1 + \mu_i / \phi) - \log y_i!]

which also stays accurate as phi grows towards the Poisson limit. Newton's method on (beta, t = log phi), with the
exact second derivatives and step-halving; the last axis of small arrays and the first of large ones is replicates.
Where phi grows without bound the fit is the Poisson one; where coefficients do, Newton's step is the direction.

References
----------
Lawless (1987). Negative binomial and mixed Poisson regression. Canadian Journal of Statistics 15, 209-225.
doi:10.2307/3314912
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_sp.arrays import Array
from bayes_sp.inference.bootstrap.boundary import (
    ALL_OVERDISPERSION,
    EMPTY_LEVEL,
    NO_EVENTS,
    NO_OVERDISPERSION,
    SEPARATION,
    Bits,
)
from bayes_sp.inference.likelihood.count_steps import Step, Weighted, fixed_size, free_size, poisson_step, weighted
from bayes_sp.inference.likelihood.counts import CountData
from bayes_sp.inference.likelihood.newton import CONVERGED, DECREMENT, RUNNING, SINGULAR, Climbs, climb
from bayes_sp.inference.likelihood.normal_equations import Flags, independent, weighted_gram

# Sizes beyond are no longer told apart from a mass at zero by any survey, or from none (Poisson): with a size of 1e6
# times the mean the variance is 1 + 1e-6 times the Poisson one.
PHI_BOUNDS = (1e-6, 1e6)
# What is left of the events in groups whose rate goes to 0, and of such a rate, where the climb towards it ends: shares
# of all events and of the mean rate.
LEFT = 1e-8
# Of a standardised coefficient, below which a step is none towards infinity.
LEAST_MOVE = 1e-2
# A change of a linear predictor in one step, and a share of a direction, below which it is rounding.
STAYS = 1e-7

_SEPARATED, _POISSON, _LEAST_SIZE = "separated", "phi above", "phi below"  # where a climb ends elsewhere


@dataclass(frozen=True, eq=False)
class CountFits:
    """Maximum-likelihood fits, one for each weighting of the patients."""

    # Intercept and slopes, log rate per unit of the predictor, (R, p); NaN where there is no fit or, without events,
    # none of them is determined. Where ``direction`` is not 0, a point from which the likelihood rises along it.
    coefficients: Array
    # Along which coefficients go to infinity, scaled so that a unit takes a factor of e from the rates that go to 0,
    # (R, p); zeros where the maximum is finite.
    direction: Array
    phi: Array  # size: variance mu + mu**2 / phi, (R,); infinite for the Poisson fit, NaN where there is no fit
    log_likelihood: Array  # at the maximum or its limit, (R,); NaN where there is no fit
    kept: Flags  # which coefficients the patients of the resample determine, (R, p); the others are 0
    boundary: Bits  # bits of `boundary.BOUNDARY_WORDS`, (R,)
    iterations: NDArray[np.int64]  # Newton steps tried, (R,)
    reason: NDArray[np.object_]  # why there is no fit, '' where there is one, (R,)

    @property
    def converged(self) -> Flags:
        """Whether there is a fit, (R,)."""
        return np.asarray(self.reason == CONVERGED)


def fit_counts(
    data: CountData,
    weights: ArrayLike | None = None,
    start: CountFits | None = None,
    *,
    family: str = "negative_binomial",
) -> CountFits:
    """Maximum-likelihood negative-binomial or Poisson regressions, one for each row of weights.

    ``weights`` is how often each patient counts, (R, n). No failure raises and none is dropped: a boundary or a reason
    stands where there is no finite maximum.
    """
    w = np.ones((1, len(data.y))) if weights is None else np.asarray(weights, dtype=float)
    p = data.x.shape[1]
    gram = weighted_gram(data.cross, w)
    kept = independent(gram)
    active = weighted(data, w, None if kept.all() else kept)
    theta = np.tile(_start(data, start), (len(w), 1))
    theta[:, :p] *= kept.T
    boundary = np.where(kept.all(axis=0), 0, EMPTY_LEVEL)
    boundary[active.score_y[:, 0] == 0] |= NO_EVENTS
    if family == "poisson":
        theta[:, p] = np.inf
        climbs = _climb(data, active, theta, poisson_step)
    else:
        climbs = _climb(data, active, theta, free_size)
        for verdict, bit, log_phi, newton in (
            (_POISSON, NO_OVERDISPERSION, np.inf, poisson_step),
            (_LEAST_SIZE, ALL_OVERDISPERSION, np.log(PHI_BOUNDS[0]), fixed_size),
        ):
            there = climbs.verdict == verdict
            if there.any():
                boundary[there] |= bit
                begin = np.column_stack([climbs.theta[there, :p], np.full(there.sum(), log_phi)])
                climbs.put(np.flatnonzero(there), _climb(data, active.take(there), begin, newton))
    separated = climbs.verdict == _SEPARATED
    boundary[separated] |= SEPARATION
    climbs.verdict[separated] = CONVERGED
    return _in_units(data, w, climbs, separated, kept.T, boundary)


def _in_units(data: CountData, w: Array, climbs: Climbs, separated: Flags, kept: Flags, boundary: Bits) -> CountFits:
    """Fits with coefficients in the predictors' own units."""
    p = data.x.shape[1]
    step = np.where(separated[:, None], climbs.step[:, :p], 0.0)
    step[np.abs(step) < 10.0 * STAYS * np.abs(step).max(axis=1, keepdims=True)] = 0.0
    both = np.stack([climbs.theta[:, :p], step])
    slopes = both[..., 1:] / data.scale
    intercept = both[..., 0] - slopes @ data.centre
    coefficients, direction = np.concatenate([intercept[..., None], slopes], axis=-1)
    direction[np.abs(direction[:, 0]) < 10.0 * STAYS * np.abs(step).max(axis=1), 0] = 0.0  # what rounding leaves
    coefficients[(boundary & NO_EVENTS) > 0] = np.nan
    return CountFits(
        coefficients=coefficients,
        direction=direction,
        phi=np.where((boundary & NO_EVENTS) > 0, np.nan, np.exp(climbs.theta[:, p])),
        log_likelihood=climbs.value - w @ data.log_factorial,
        kept=kept,
        boundary=boundary,
        iterations=climbs.iterations,
        reason=climbs.verdict,
    )


def _climb(data: CountData, active: Weighted, theta: Array, newton_of: Step) -> Climbs:
    """Climb to the maximum from standardised starting values."""
    return climb(active, theta, partial(newton_of, data), partial(_verdicts, data))


def _start(data: CountData, start: CountFits | None) -> Array:
    """Standardised starting values (beta, log phi), (p + 1,)."""
    if start is not None and np.isfinite(start.coefficients[0]).all() and not start.direction.any():
        intercept, slopes = start.coefficients[0, 0], start.coefficients[0, 1:]
        log_phi = np.log(np.clip(start.phi[0], 1e-3, 1e3))  # from a boundary there is no way back
        return np.array([intercept + slopes @ data.centre, *(slopes * data.scale), log_phi])
    mean, variance = data.y.mean(), data.y.var()
    phi = np.clip(mean**2 / max(variance - mean, 1e-3 * mean), 0.1, 100.0)
    rate = np.log(mean / np.exp(data.offset).mean())
    return np.array([rate, *np.zeros(data.x.shape[1] - 1), np.log(phi)])


def _verdicts(data: CountData, active: Weighted, theta: Array, newton: Array, decrement: Array) -> NDArray[np.object_]:
    """Verdict on each replicate at its present values."""
    verdict = np.full(len(newton), RUNNING, dtype=object)
    verdict[decrement <= DECREMENT] = CONVERGED
    events = active.wy.sum(axis=1)
    mean = events / active.w.sum(axis=1)
    for r in np.flatnonzero((decrement <= LEFT * events) & (np.abs(newton[:, :-1]).max(axis=1) > LEAST_MOVE)):
        if _leaves(data, active.w[r], theta[r, :-1], newton[r, :-1], mean[r]):
            verdict[r] = _SEPARATED
    log_phi = theta[:, -1]
    verdict[np.isfinite(log_phi) & (log_phi > np.log(PHI_BOUNDS[1] * np.maximum(mean, 1.0)))] = _POISSON
    verdict[log_phi < np.log(PHI_BOUNDS[0])] = _LEAST_SIZE
    verdict[~np.isfinite(newton).all(axis=1)] = SINGULAR
    verdict[events == 0] = CONVERGED
    return verdict


def _leaves(data: CountData, w: Array, beta: Array, step: Array, mean: float) -> bool:
    """Whether Newton's step takes a factor of e from rates that are all but 0, and does not move any other rate.

    On the way to minus infinity the decrement shrinks with the rates, so that it does not tell this from a maximum.
    """
    x = data.x[w > 0]
    moved = np.abs(x @ step)
    rate = np.exp(x @ beta + data.offset[w > 0])
    gone = (moved > 0.5) & (rate <= 100.0 * LEFT * mean)
    return bool(gone.any() and (moved[~gone] <= STAYS).all())
