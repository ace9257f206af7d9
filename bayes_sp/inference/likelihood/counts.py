"""A count response made ready: checked, its predictors standardised, with what every weighting of patients shares."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_sp.arrays import Array, sd_of
from bayes_sp.errors import SurveyError
from bayes_sp.inference.likelihood.normal_equations import CrossProducts, cross_products

TABLE = 256  # steps of a count that are summed one by one


@dataclass(frozen=True, eq=False)
class CountData:
    """A count response and its predictors, standardised, with what every weighting of the patients shares."""

    y: Array  # counts, (n,)
    cross: CrossProducts  # intercept and standardised predictors, (n, p), and their products
    # centre, scale: of the predictors, in their units, (p - 1,).
    centre: Array
    scale: Array
    # order, above: patients sorted by count, (n,), and the first place in that order with a count above k, (K,), for k
    # below the largest count, and below `TABLE`.
    order: NDArray[np.intp]
    above: NDArray[np.intp]
    beyond: NDArray[np.intp]  # patients with a count above K: what their counts have more is summed in closed form
    log_factorial: Array  # log y!, (n,)
    offset: Array  # what the log mean has beside coefficients, log(window / reference), (n,)

    @property
    def x(self) -> Array:
        """Intercept and standardised predictors, (n, p)."""
        return self.cross.z


def prepare_counts(
    y: ArrayLike, predictors: ArrayLike, name: str = "outcome", offset: ArrayLike | None = None
) -> CountData:
    """Check a count response, standardise its predictors and compute what all weightings share.

    Predictors, (n, p - 1), come without an intercept, in their own units; ``offset`` is the logarithm of each patient's
    window in units of the reference.

    Raises SurveyError if the response is not a count or is always zero, or a predictor is constant.
    """
    counts, raw = np.asarray(y, dtype=float), np.asarray(predictors, dtype=float)
    whole = np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))
    if not whole.all():
        found = counts[~whole][0]
        raise SurveyError(name, [f"a count must be a whole number of 0 or more, found {found:g}; check the column"])
    if not counts.any():
        raise SurveyError(name, ["every patient has a count of 0: there is nothing to model"])
    centre, scale = raw.mean(axis=0), sd_of(raw)
    if (np.ptp(raw, axis=0) == 0).any():
        raise SurveyError(name, ["a predictor has the same value for every patient; remove it"])
    x = np.column_stack([np.ones(len(counts)), (raw - centre) / scale])
    order = np.argsort(counts, kind="stable")
    above = np.searchsorted(counts[order], np.arange(min(int(counts.max()), TABLE)), side="right")
    beyond = np.flatnonzero(counts > len(above))
    factorials = np.array([lgamma(count + 1.0) for count in counts])
    window = np.zeros(len(counts)) if offset is None else np.asarray(offset, dtype=float)
    return CountData(counts, cross_products(x), centre, scale, order, above, beyond, factorials, window)
