r"""Are ranks uniform? Location, spread and shape of each quantity's ranks, and their limits.

Where posteriors are right, a truth from the prior has each rank among L posterior draws with the same probability
(Talts et al. 2018, arXiv:1804.06788), so that :math:`u = (rank + U) / (L + 1)`, with U uniform on (0, 1), is uniform
and :math:`z = \Phi^{-1}(u)` is standard normal, both exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from bayes_sp.arrays import Array

FALSE_ALARM = 0.05  # probability that anything is found where all posteriors are right, at most
STATISTICS = 3  # of each quantity: location, spread, deviation
COVERAGES = (0.5, 0.8, 0.95)


def spread_out(ranks: Array, draws: int, seed: int) -> Array:
    """Return u of ranks 0 to ``draws``, any shape."""
    return np.asarray((ranks + np.random.default_rng([seed, 3]).uniform(size=ranks.shape)) / (draws + 1))


def uniformity(names: Sequence[str], u: Array, *, false_alarm: float = FALSE_ALARM) -> pd.DataFrame:
    r"""Return the statistics of each quantity's ranks, and whether they stay within their limits.

    One row for each quantity. ``location`` is the mean of z, in posterior SDs: positive where draws lie below the
    truth. ``spread`` is :math:`\sqrt{\sum z^2 / N}`, how many times too narrow posteriors are (Cook, Gelman & Rubin
    2006, doi:10.1198/106186006X136976); above 1 they are too narrow. ``deviation`` is the largest distance of the ECDF
    of u from the diagonal (Kolmogorov). Each is followed by its limits. ``coverage_50``, ``coverage_80`` and
    ``coverage_95`` are shares of central intervals that hold the truth. ``calibrated`` says whether all three are
    within their limits.

    ``u`` are ranks between 0 and 1, (simulations, q). ``false_alarm`` is the probability of a quantity beyond a limit
    where all posteriors are right, at most: shared equally by all statistics of all quantities (Bonferroni).
    """
    count = len(u)
    tail = false_alarm / (STATISTICS * len(names)) / 2.0
    z = stats.norm.ppf(u)
    squares = (z**2).mean(axis=0)
    low, high = np.sqrt(stats.chi2.ppf([tail, 1.0 - tail], count) / count)
    table = pd.DataFrame({"quantity": list(names), "simulations": count})
    table["location"] = z.mean(axis=0)
    table["location_limit"] = -stats.norm.ppf(tail) / np.sqrt(count)
    table["spread"] = np.sqrt(squares)
    table["spread_lower"], table["spread_upper"] = low, high
    table["deviation"] = _deviation(u)
    table["deviation_limit"] = stats.kstwo.ppf(1.0 - 2.0 * tail, count)
    for share in COVERAGES:
        table[f"coverage_{100 * share:.0f}"] = (np.abs(u - 0.5) < share / 2.0).mean(axis=0)
    table["calibrated"] = (
        (table["location"].abs() <= table["location_limit"])
        & table["spread"].between(low, high)
        & (table["deviation"] <= table["deviation_limit"])
    )
    return table


def _deviation(u: Array) -> Array:
    """Return the largest distance of each column's ECDF from the diagonal, (q,)."""
    ordered, count = np.sort(u, axis=0), len(u)
    steps = np.arange(count + 1)[:, None] / count
    return np.asarray(np.maximum((steps[1:] - ordered).max(axis=0), (ordered - steps[:-1]).max(axis=0)))
