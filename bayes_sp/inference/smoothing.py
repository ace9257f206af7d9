"""Pareto-smoothed importance sampling: draws of one distribution weighed as draws of another."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import logsumexp

from bayes_sp.arrays import Array


def smoothed_log_weights(log_ratios: Array, efficiency: float = 1.0) -> tuple[Array, float]:
    """Return the logarithms of smoothed weights that add up to 1, (S,), and the shape Pareto k of the ratios' tail.

    ``log_ratios`` are log densities of the target less those of the draws, up to a constant, (S,); ``efficiency`` is
    the effective number of draws over their number. Where the ratios lie so far apart that no tail can be fitted, k is
    infinite and the weights are the ratios themselves.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling. JMLR 25(72).
    """
    from arviz_stats.base import array_stats  # slow to import, and a plain fit does not need it

    shifted = log_ratios - log_ratios.max()
    with warnings.catch_warnings():  # too few draws in a tail: k is infinite then, and is reported
        warnings.simplefilter("ignore")
        log_weights, pareto_k = array_stats.psislw(-shifted, r_eff=efficiency)
    if np.isnan(pareto_k) or np.isnan(log_weights).any():
        return shifted - logsumexp(shifted), np.inf
    return log_weights - logsumexp(log_weights), float(pareto_k)
