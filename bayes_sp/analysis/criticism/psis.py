"""Pareto-smoothed importance sampling: the posterior without one patient, from draws of the posterior with all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.effects.summary import variance_factor
from bayes_sp.inference.smoothing import smoothed_log_weights

CONSTANT = 1e-12  # log ratios that differ by less are equal: the patient says nothing about the parameters


@dataclass(frozen=True, eq=False, repr=False)
class Weights:
    """Weights of the draws, one row for each patient left out."""

    log_weights: Array  # smoothed, and normalised so that each row adds up to 1, (n, S)
    pareto_k: Array  # shape of the tail of a patient's importance ratios, (n,); above 0.7 the weights are not reliable


def leave_one_out_weights(log_likelihood: Array, efficiency: float = 1.0) -> Weights:
    r"""Weigh draws theta_s by 1 / p(y_i | theta_s), smoothed: the posterior without patient i.

    ``log_likelihood`` is log p(y_i | theta_s), (n, S); ``efficiency`` the effective number of draws over their number.

    Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432. doi:10.1007/s11222-016-9696-4; Vehtari,
    Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling. JMLR 25(72).
    """
    n, count = log_likelihood.shape
    log_weights, pareto_k = np.full((n, count), -np.log(count)), np.full(n, -np.inf)
    for i in range(n):
        if np.ptp(log_likelihood[i]) > CONSTANT:
            log_weights[i], pareto_k[i] = smoothed_log_weights(-log_likelihood[i], efficiency)
    return Weights(log_weights, pareto_k)


def relative_efficiency(posterior: xr.Dataset) -> float:
    """Return the mean effective sample size of the parameters over the number of draws; 1 for a single chain."""
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    if chains == 1:
        return 1.0
    columns = [array.transpose("chain", "draw", ...).to_numpy() for array in posterior.data_vars.values()]
    values = np.concatenate([column.reshape(chains, draws, -1) for column in columns], axis=-1)
    variance = values.var(axis=(0, 1), ddof=1)
    varying = variance > 0
    error = convergence_measures(values[..., varying], variance_factor(posterior))[
        "mcse_mean"
    ]  # SD over root of the effective sample size
    return float(np.nanmean(variance[varying] / error**2)) / (chains * draws)


def weighted_quantile(values: Array, weights: Array, probabilities: Array) -> Array:
    """Return quantiles of weighted draws, interpolated between the middles of the draws' weights."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(probabilities, cumulative / weights.sum(), values[order])
