"""Percentile intervals of bootstrap replicates, with the Monte Carlo error of their limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def percentile_interval(values: Array, ci_prob: float) -> tuple[Array, Array, Array, Array]:
    """Percentile interval of replicates, and the Monte Carlo standard error of both limits.

    A limit is the order statistic at probability p (linear interpolation). The number of R replicates below a point
    with probability p is binomial, so the probability at which a limit sits is known to within sqrt(p (1 - p) / R);
    half the distance between the order statistics at p minus and plus that is the limit's standard error.

    Parameters
    ----------
    values
        Replicates, (R, ...).
    ci_prob
        Nominal probability.

    Returns
    -------
    lower, upper, lower_mcse, upper_mcse : Array
        (...) each, in the unit of the values.
    """
    tails = np.array([(1.0 - ci_prob) / 2.0, (1.0 + ci_prob) / 2.0])
    spread = np.sqrt(tails * (1.0 - tails) / len(values))
    probabilities = np.clip(np.concatenate([tails, tails - spread, tails + spread]), 0.0, 1.0)
    lower, upper, lower_0, upper_0, lower_1, upper_1 = np.quantile(values, probabilities, axis=0)
    return lower, upper, (lower_1 - lower_0) / 2.0, (upper_1 - upper_0) / 2.0
