"""Percentile intervals of bootstrap replicates, with the Monte Carlo error of their limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array


def percentile_interval(values: Array, ci_prob: float) -> tuple[Array, Array, Array, Array]:
    """Percentile interval of replicates, and the Monte Carlo standard error of both limits.

    A limit is the order statistic at probability p (linear interpolation), where replicates at minus or plus infinity
    have their place in the order. The number of R replicates below a point with probability p is binomial, so the
    probability at which a limit sits is known to within sqrt(p (1 - p) / R); half the distance between the order
    statistics at p minus and plus that is the limit's standard error.

    A replicate without a value (NaN) could lie anywhere. A limit is withheld (NaN) where such replicates are as many as
    the interval leaves out on one side, so that the limit itself could be one of them, and where it falls between minus
    and plus infinity.

    Of replicates (R, ...) returns lower, upper, lower_mcse and upper_mcse, (...) each, NaN where withheld.
    """
    tails = np.array([(1.0 - ci_prob) / 2.0, (1.0 + ci_prob) / 2.0])
    known = np.asarray(np.isfinite(values) | np.isinf(values)).sum(axis=0)
    spread = np.sqrt(tails * (1.0 - tails) / np.maximum(known, 1)[..., None])
    probabilities = np.moveaxis(np.clip(np.concatenate(
        [np.broadcast_to(tails, spread.shape), tails - spread, tails + spread], axis=-1
    ), 0.0, 1.0), -1, 0)  # fmt: skip
    found = _order_statistics(np.sort(values, axis=0), known, probabilities)
    found[:, len(values) - known >= tails[0] * len(values)] = np.nan
    lower, upper, lower_0, upper_0, lower_1, upper_1 = found
    return lower, upper, _half(lower_0, lower_1), _half(upper_0, upper_1)


def _order_statistics(ascending: Array, known: NDArray[np.int64], probabilities: Array) -> Array:
    """Order statistics at each probability, (m, ...), of values in ascending order, (R, ...), the last ones NaN."""
    places = probabilities * np.maximum(known - 1, 0)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    low, high = np.take_along_axis(ascending, below, axis=0), np.take_along_axis(ascending, above, axis=0)
    share = places - below
    with np.errstate(invalid="ignore"):  # between minus and plus infinity there is no value
        between = low + share * (high - low)
    between = np.where(np.isneginf(low) & np.isfinite(high), low, between)
    return np.where((share == 0.0) | (low == high), low, between)


def _half(low: Array, high: Array) -> Array:
    """Half of a distance; none between a limit at infinity and itself."""
    with np.errstate(invalid="ignore"):
        return np.where(low == high, 0.0, (high - low) / 2.0)
