"""Draws -> numbers for a table: location, interval, and how well the chains determine them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.arrays import Array, sd_of
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.names import VARIANCE_FACTOR

CI_KIND = "eti"
CI_PROB = 0.95


def convergence(values: Array, factor: Array | None = None) -> pd.DataFrame:
    """Return rank-normalised split R-hat, bulk ESS, tail ESS and Monte Carlo standard errors of mean and median.

    Parameters
    ----------
    values
        Draws, (chain, draw, k).
    factor
        Of resampled draws, (chain, draw): see `convergence_measures`.

    Returns
    -------
    pandas.DataFrame
        Columns ``ess_bulk, ess_tail, r_hat, mcse_mean, mcse_median``, k rows; NaN in ``r_hat`` for a quantity that
        never varies.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221
    """
    return pd.DataFrame(convergence_measures(values, factor))


def variance_factor(draws: xr.Dataset | xr.DataArray) -> Array | None:
    """Return the variance factors that come with resampled draws, (chain, draw); None for chains."""
    if VARIANCE_FACTOR not in draws.coords:
        return None
    return np.asarray(draws[VARIANCE_FACTOR].transpose("chain", "draw"), dtype=float)


def summarise(values: Array, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Return mean, median, SD, equal-tailed interval and P(value < 0) of draws (chain, draw, k)."""
    tail = (1 - ci_prob) / 2
    median, lower, upper = np.quantile(values, [0.5, tail, 1 - tail], axis=(0, 1))
    return pd.DataFrame(
        {
            "mean": values.mean(axis=(0, 1)),
            "median": median,
            "sd": sd_of(values, axis=(0, 1), ddof=1),
            "lower": lower,
            "upper": upper,
            "ci_kind": CI_KIND,
            "ci_prob": ci_prob,
            "prob_negative": (values < 0).mean(axis=(0, 1)),
        }
    )
