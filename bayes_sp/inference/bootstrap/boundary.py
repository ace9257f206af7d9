"""Where a maximum of the likelihood lies when it lies at infinity, and what it is in the limit.

A resample can have its maximum on a boundary: a size of the negative binomial without bound (the Poisson fit), a group
of patients without any event (a rate of 0, a coefficient at minus infinity), a level of a covariate that it does not
hold. Its effects then have limits, most of them finite in the outcome's unit. They are taken along the direction in
which the likelihood keeps rising.

References
----------
Albert & Anderson (1984). Biometrika 71, 1-10. doi:10.1093/biomet/71.1.1
Geyer (2009). Electronic Journal of Statistics 3, 259-289. doi:10.1214/08-EJS349
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array

Bits = NDArray[np.int64]
Flags = NDArray[np.bool_]

NO_OVERDISPERSION, ALL_OVERDISPERSION, SEPARATION, NO_EVENTS, EMPTY_LEVEL = (1 << bit for bit in range(5))
EMPTY_ANSWER, NORMAL_TAILS, NO_ERROR, NO_STEP, ONE_ANSWER = (1 << bit for bit in range(5, 10))
BOUNDARY_WORDS = {
    NO_OVERDISPERSION: "no overdispersion, so the Poisson fit",
    ALL_OVERDISPERSION: "a size below 1e-6, taken at 1e-6",
    SEPARATION: "a group of patients without any event, or with nothing else, so a rate or probability of 0 or 1",
    NO_EVENTS: "no events at all",
    EMPTY_LEVEL: "no patient in a level of a covariate, whose other coefficients stand",
    EMPTY_ANSWER: "no patient with one of the ordered answers, so a probability of 0",
    NORMAL_TAILS: "no heavier tails than normal ones",
    NO_ERROR: "no residual spread",
    NO_STEP: "a step of 0 in a monotonic effect",
    ONE_ANSWER: "the same outcome in all patients",
}

# How far along the direction limits are read; a unit of it takes a factor of e from the rates that go to 0.
REACH = 15.0
# A relative change over that distance below which a value has its limit: where directions are known to 1e-7, where they
# are known to 1e-5, and for integrals by quadrature, which has an error where what it integrates becomes a step.
STILL, STILL_ROUGHLY, STILL_INTEGRATED = 1e-5, 2e-2, 1e3
# A ratio or difference below which it is one of rates that go to 0.
GONE = 1e-12
SMALL = 1e-4
# How far a free direction is followed, in units of a predictor, and the relative change that tells of it.
FAR, CHANGED = 10.0, 1e-2


def counted(bits: Bits) -> tuple[tuple[str, int], ...]:
    """Return how many replicates lie on each boundary, in words, most frequent first."""
    found = [(words, int(((bits & bit) > 0).sum())) for bit, words in BOUNDARY_WORDS.items()]
    return tuple(sorted((pair for pair in found if pair[1]), key=lambda pair: -pair[1]))


def limits(values_at: Callable[[float], Array], *, still: Array | float = STILL) -> Array:
    """Return the limits of values along a direction: finite ones, minus or plus infinity, or NaN for none.

    ``values_at(t)`` gives values at t times the direction from where the climb ended. Below a relative change of
    ``still``, from `REACH` to twice as far, a value has its limit.
    """
    near, far = values_at(REACH), values_at(2.0 * REACH)
    with np.errstate(invalid="ignore", over="ignore"):
        change = far - near
        moving = np.abs(change) > still * (1.0 + np.minimum(np.abs(near), np.abs(far)))
        limit = np.where(moving, np.copysign(np.inf, change), np.where(np.abs(near) < GONE, 0.0, near))
    gone = ~moving & (np.abs(near) < SMALL) & (np.abs(far) < SMALL * np.abs(near))  # falls as rates do
    limit = np.where(gone, 0.0, limit)
    return np.where(np.isinf(far), far, np.where(np.isnan(change), np.nan, limit))


def free_directions(
    columns: Sequence[Array], places: Sequence[slice], counts: Array, directions: Array, kept: Flags
) -> Array:
    r"""Return a direction of each resample in which its likelihood is flat in the limit, (R, P); zeros for none.

    Of a predictor that moves, what stays finite is the rows with :math:`x_i'd = 0`. Coefficients that these rows do not
    determine, d itself aside, have no value in the limit, and effects that depend on them have none either: such as the
    slope of a mediator in an arm without events, where that slope is the arm's own.

    ``counts`` says how often each patient counts, (R, n); the rest is as in `Regression` and `Fits`.
    """
    free = np.zeros(directions.shape)
    rng = np.random.default_rng(1)  # any combination serves
    for r in np.flatnonzero((directions != 0).any(axis=1)):
        for x, place in zip(columns, places, strict=True):
            own, there = directions[r, place], kept[r, place]
            if not own.any():
                continue
            here, rows = x[:, there], counts[r] > 0
            moved = np.abs(here @ own[there])
            stays = here[rows & (moved < SMALL * moved[rows].max())]
            triangle = np.linalg.qr(stays, mode="r") if len(stays) else np.zeros((1, here.shape[1]))
            _, sizes, basis = np.linalg.svd(np.vstack([triangle, own[there] / np.linalg.norm(own)]))
            null = basis[int((sizes > SMALL * max(sizes.max(), 1.0)).sum()) :]
            if len(null):
                found = rng.standard_normal(len(null)) @ null
                part = np.zeros(len(own))
                part[there] = found * (FAR / np.abs(here[rows] @ found).max())
                free[r, place] = part
    return free


def turns(columns: Sequence[Array], places: Sequence[slice], counts: Array, directions: Array, free: Array) -> Array:
    """Return what turns each direction towards its free one and away from it, (2, R, P); the sum serves as well as it.

    Every rate that the direction takes to 0 still falls, at least as fast. It is turned nine tenths of the way to where
    one would stand still, or by twice its own length where none does.
    """
    found = np.zeros((2, *directions.shape))
    for r in np.flatnonzero((free != 0).any(axis=1)):
        for x, place in zip(columns, places, strict=True):
            own, beside = directions[r, place], free[r, place]
            if not beside.any():
                continue
            here = x[counts[r] > 0]
            falls, along = np.abs(here @ own), np.sign(here @ own) * (here @ beside)
            moves = falls >= SMALL * falls.max()
            for side, sign in enumerate((-1.0, 1.0)):
                bound = moves & (sign * along < -SMALL * falls)
                reach = 0.9 * (falls[bound] / np.abs(along[bound])).min() if bound.any() else 2.0 * falls.max() / FAR
                turned = own + sign * reach * beside
                slowest = (np.abs(here[moves] @ turned) / falls[moves]).min()
                found[side, r, place] = turned / min(slowest, 1.0) - own
    return found


def without_contested(limit: Array, turned: Sequence[Array]) -> Array:
    """Return limits, NaN for infinite ones that are others along a direction that serves as well."""
    for other in turned:
        limit = np.where(np.isinf(limit) & (other != limit), np.nan, limit)
    return limit


def without_undetermined(limit: Array, values_at: Callable[[float, float], Array]) -> Array:
    """Return limits, NaN for those that change along a free direction, of which ``values_at(t, s)`` takes s times.

    To both sides: what a rate that goes to 0 takes away is small, and what one that grows adds is not.
    """
    far = values_at(2.0 * REACH, 0.0)
    apart = np.zeros(limit.shape, dtype=bool)
    for side in (-1.0, 1.0):
        moved = values_at(2.0 * REACH, side)
        with np.errstate(invalid="ignore"):
            apart |= np.abs(moved - far) > CHANGED * (1.0 + np.minimum(np.abs(moved), np.abs(far)))
    return np.where(apart & np.isfinite(limit) & (limit != 0.0), np.nan, limit)


def moves_of(columns: Sequence[Array], places: Sequence[slice], counts: Array, directions: Array, kept: Flags) -> Array:
    """Return each resample's direction, its free one, and the two turns of it, (4, R, P); as `free_directions`."""
    free = free_directions(columns, places, counts, directions, kept)
    return np.stack([directions, free, *turns(columns, places, counts, directions, free)])


def moved(theta: Array, moves: Array, t: float, s: float = 0.0, side: int | None = None) -> Array:
    """Return parameters t times along their direction, turned to a side if one is given, and s along the free one."""
    along = moves[0] if side is None else moves[0] + moves[2 + side]
    found: Array = theta + t * along + s * moves[1]
    return found


def limits_of(values_at: Callable[..., Array], free: bool, *, still: Array | float = STILL) -> Array:
    """Return the limits of ``values_at(t, s, side)`` as `moved` has these, NaN for what no likelihood determines."""
    limit = limits(values_at, still=still)
    if free:
        limit = without_undetermined(limit, values_at)
        turned = [limits(partial(values_at, s=0.0, side=side), still=still) for side in (0, 1)]
        limit = without_contested(limit, turned)
    return limit
