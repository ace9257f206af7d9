r"""Several sets of records that stand for the same people: their draws together, and Rubin's rules for estimates.

With estimates :math:`Q_k` of K sets, their variances :math:`U_k`, U the mean of these and B the variance of the
:math:`Q_k`,

.. math:: T = U + (1 + 1/K) B, \qquad \lambda = (1 + 1/K) B / T, \qquad \nu = (K - 1) / \lambda^2,

lambda being the fraction of missing information, and the interval that of Student's t with nu degrees of freedom.

References
----------
Rubin (1987), Multiple Imputation for Nonresponse in Surveys, ch. 3. doi:10.1002/9780470316696
Zhou & Reiter (2010), The American Statistician 64(2), 159-163. doi:10.1198/tast.2010.09109
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import ndtri, stdtrit

from bayes_sp.arrays import Array
from bayes_sp.inference.estimates import Estimates
from bayes_sp.names import MEMBER

FEW = 20  # sets of records below which intervals of mixed draws are too short (Zhou & Reiter 2010)


@dataclass(frozen=True, eq=False)
class Rubin:
    """Estimates of several sets of records pooled by Rubin's rules, elementwise."""

    estimate: Array  # mean of the sets' estimates
    # within, between, total: the variances U, B and T.
    within: Array
    between: Array
    total: Array
    share: Array  # fraction of missing information; 0 where nothing varies
    sets: int

    @property
    def df(self) -> Array:
        """Degrees of freedom; infinite where sets agree."""
        with np.errstate(divide="ignore"):
            return (self.sets - 1) / self.share**2

    def interval(self, ci_prob: float) -> tuple[Array, Array]:
        """Return the limits of Student's t, or of the normal where sets agree."""
        finite = np.isfinite(self.df)
        upper = (1 + ci_prob) / 2
        quantile = np.where(finite, stdtrit(np.where(finite, self.df, 1.0), upper), ndtri(upper))
        half = quantile * np.sqrt(self.total)
        return self.estimate - half, self.estimate + half


def rubin(estimates: Array, variances: Array) -> Rubin:
    """Pool estimates and their variances, (set, ...)."""
    count = len(estimates)
    within, between = variances.mean(axis=0), estimates.var(axis=0, ddof=1)
    extra = (1.0 + 1.0 / count) * between
    total = within + extra
    share = np.divide(extra, total, out=np.zeros_like(total), where=total > 0.0)
    return Rubin(estimates.mean(axis=0), within, between, total, share, count)


def pooled_estimates(each: Sequence[Estimates]) -> Estimates:
    """Return maximum-likelihood estimates of several sets by Rubin's rules; those that every set has."""
    values = {}
    for key in each[0].values:
        pairs = [
            own.values[key]
            for own in each
            if key in own.values and len(own.values[key][0]) == len(each[0].values[key][0])
        ]
        if len(pairs) == len(each):
            found = rubin(np.stack([pair[0] for pair in pairs]), np.stack([pair[1] ** 2 for pair in pairs]))
            values[key] = (found.estimate, np.sqrt(found.total))
    notes = dict.fromkeys(note for own in each for note in own.notes)
    rules = f"maximum likelihood of {len(each)} sets of records, estimates and standard errors pooled by Rubin's rules"
    notes |= dict.fromkeys([rules] if values else [])
    return Estimates(values, min(own.patients for own in each), tuple(notes))


def joined(each: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return draws of several sets one after the other, each chain with the number of its set.

    Sets with more draws are thinned evenly to those of the set that has fewest. What has a dimension whose labels
    differ between sets, such as groups of patients that not all of them have, is left out.
    """
    chains = min(draws.sizes["chain"] for draws in each)
    length = min(draws.sizes["draw"] for draws in each)
    own = [dim for dim in each[0].dims if dim not in ("chain", "draw")]
    apart = [d for d in own if not all(d in e.dims and e[d].equals(each[0][d]) for e in each)]
    parts = []
    for draws in each:
        places = np.arange(length) * draws.sizes["draw"] // length
        kept = draws.drop_dims(apart).isel(chain=slice(chains), draw=places)
        parts.append(kept.assign_coords(chain=range(chains), draw=range(length)))
    together = xr.concat(
        parts, "chain", data_vars="minimal", coords="minimal", compat="override", join="override",
        combine_attrs="override",
    )  # fmt: skip
    number = np.repeat(np.arange(1, len(each) + 1), chains)
    return together.assign_coords({"chain": np.arange(together.sizes["chain"]), MEMBER: ("chain", number)})


def few_words(count: int) -> str:
    """Return what few sets of records do to intervals, in a sentence; '' from 20 on."""
    if count >= FEW:
        return ""
    inflated = math.sqrt((count + 1.0) / (count - 1.0))  # of (1 + 1/K) B over (1 - 1/K) B
    return (
        f"Intervals of draws mixed from {count} sets of records are too short (Zhou & Reiter 2010): the SD between "
        f"sets that they hold should be {100 * (inflated - 1):.0f} % larger; use {FEW} or more."
    )
