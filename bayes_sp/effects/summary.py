"""Draws -> numbers for a table: location, interval, and how well the chains determine them."""

from __future__ import annotations

import warnings

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]

CI_KIND = "eti"
CI_PROB = 0.95


def convergence(values: Array) -> pd.DataFrame:
    """Return rank-normalised split R-hat, bulk ESS, tail ESS and the Monte Carlo standard error of the mean.

    Parameters
    ----------
    values
        Draws, (chain, draw, k).

    Returns
    -------
    pandas.DataFrame
        Columns ``ess_bulk, ess_tail, r_hat, mcse_mean``, k rows; NaN in ``r_hat`` for a quantity that never varies.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221
    """
    draws = xr.Dataset({"q": (("chain", "draw", "k"), values)})
    with warnings.catch_warnings():  # 0/0 for a quantity that never varies: the NaN is reported by the verdict
        warnings.filterwarnings("ignore", message="invalid value encountered", category=RuntimeWarning)
        found = {
            "ess_bulk": az.ess(draws, method="bulk"),
            "ess_tail": az.ess(draws, method="tail"),
            "r_hat": az.rhat(draws),
            "mcse_mean": az.mcse(draws, method="mean"),
        }
    return pd.DataFrame({name: result["q"].to_numpy() for name, result in found.items()})


def summarise(values: Array, ci_prob: float = CI_PROB) -> pd.DataFrame:
    """Return mean, median, SD, equal-tailed interval and P(value < 0) of draws (chain, draw, k)."""
    tail = (1 - ci_prob) / 2
    median, lower, upper = np.quantile(values, [0.5, tail, 1 - tail], axis=(0, 1))
    return pd.DataFrame(
        {
            "mean": values.mean(axis=(0, 1)),
            "median": median,
            "sd": values.std(axis=(0, 1), ddof=1),
            "lower": lower,
            "upper": upper,
            "ci_kind": CI_KIND,
            "ci_prob": ci_prob,
            "prob_negative": (values < 0).mean(axis=(0, 1)),
        }
    )
