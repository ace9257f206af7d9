"""Draws -> numbers for a table: location, interval, and how well the chains determine them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.arrays import Array, sd_of
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.names import MEMBER, VARIANCE_FACTOR
from bayes_sp.threads import mapped

CI_KIND = "eti"
MEASURES = ("ess_bulk", "ess_tail", "r_hat", "mcse_mean")
type Flags = NDArray[np.bool_]
CI_PROB = 0.95
_NEAR = 0.05  # probability to either side of the median within which the density is taken as even


def convergence(values: Array, factor: Array | None = None, member: Array | None = None) -> pd.DataFrame:
    """Return rank-normalised split R-hat, bulk ESS, tail ESS and Monte Carlo standard errors of mean and median.

    Columns ``ess_bulk, ess_tail, r_hat, mcse_mean, mcse_median``, k rows; NaN in ``r_hat`` for a quantity that never
    varies.

    Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221

    ``factor`` is that of resampled draws: see `convergence_measures`. ``member`` says which of several sets of records
    each chain is about: then R-hat is the root mean square over sets, ESS are sums over sets, and the Monte Carlo error
    of a mean is that of the mean of the sets' means; that of the median is taken alike, with each set's share of draws
    below the pooled median.
    """
    if member is None:
        return pd.DataFrame(convergence_measures(values, factor))
    parts = [member == number for number in np.unique(member)]
    own = mapped(lambda part: convergence_measures(values[part], None if factor is None else factor[part]), parts)
    return pooled_convergence([pd.DataFrame(found) for found in own], values, parts)


def pooled_convergence(each: Sequence[pd.DataFrame], values: Array, parts: Sequence[Flags]) -> pd.DataFrame:
    """Return the measures of `convergence` for several sets of records.

    ``each`` are the measures within each set, k rows; ``parts`` says which chains belong to each set, (chain,).

    R-hat of the pool is the root of the mean of the sets' squares. R-hat^2 is (n - 1)/n + B/(n W), with the variances
    B between and W within chains; draws are rank-normalised within their set, so that W is the same for all, and the
    mean of the squares is that of the sets' mean B. Chance, which makes the largest of many short fits' R-hat large,
    averages out; sets whose chains disagree do not.
    """
    found = {name: np.stack([own[name].to_numpy() for own in each]) for name in MEASURES}
    near = np.quantile(values, [0.5 - _NEAR, 0.5, 0.5 + _NEAR], axis=(0, 1))
    below = np.stack([(values[part] <= near[1]).mean(axis=(0, 1)) for part in parts])
    share_error = np.sqrt((below * (1.0 - below) / found["ess_bulk"]).sum(axis=0)) / len(parts)
    return pd.DataFrame(
        {
            "ess_bulk": found["ess_bulk"].sum(axis=0),
            "ess_tail": found["ess_tail"].sum(axis=0),
            "r_hat": np.sqrt((found["r_hat"] ** 2).mean(axis=0)),
            "mcse_mean": np.sqrt((found["mcse_mean"] ** 2).sum(axis=0)) / len(parts),
            "mcse_median": share_error * (near[2] - near[0]) / (2.0 * _NEAR),
        }
    )


def converged(values: Array, draws: xr.Dataset | xr.DataArray) -> pd.DataFrame:
    """Return `convergence` of values made of these draws, which say whether they were resampled, and from which set."""
    return convergence(values, variance_factor(draws), member_of(draws))


def variance_factor(draws: xr.Dataset | xr.DataArray) -> Array | None:
    """Return the variance factors that come with resampled draws, (chain, draw); None for chains."""
    if VARIANCE_FACTOR not in draws.coords:
        return None
    return np.asarray(draws[VARIANCE_FACTOR].transpose("chain", "draw"), dtype=float)


def member_of(draws: xr.Dataset | xr.DataArray) -> Array | None:
    """Return which set of records each chain is about, (chain,); None for draws of one set."""
    return np.asarray(draws[MEMBER]) if MEMBER in draws.coords else None


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
