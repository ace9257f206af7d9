r"""Weights that give the patients at hand the published moments of others: entropy balancing.

Of all weights that match the moments, those nearest to equal ones in Kullback-Leibler divergence,

.. math:: \min_w \sum_i w_i \log(n w_i) \quad \text{with} \quad \sum_i w_i = 1,\; \sum_i w_i c_i = 0,

where :math:`c_i` holds :math:`x_i - m` for a mean m and :math:`(x_i - m)^2 - s^2 (n_0 - 1) / n_0` for the SD s of
:math:`n_0` patients. They are :math:`w_i \propto \exp(\lambda^\top c_i)`, with lambda from the convex dual
:math:`\min_\lambda \log \sum_i \exp(\lambda^\top c_i)`, whose gradient is the weighted mean of c and whose Hessian is
its weighted covariance: the method-of-moments weights of a matching-adjusted comparison are the same ones.

References
----------
Hainmueller (2012). Political Analysis 20, 25-46. doi:10.1093/pan/mpr025
Signorovitch et al. (2010). PharmacoEconomics 28, 935-945. doi:10.2165/11538370-000000000-00000
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError
from bayes_sp.records.nonresponders import Moment

_MATCHED = 1e-10  # of a column's SD: how near the weighted moments must come
_STEPS = 200
_SLACK = 1e-7  # of a column's SD: a linear programme's answer below this is none


@dataclass(frozen=True, eq=False)
class Balance:
    """Weights and how they came out."""

    weights: Array  # of the patients at hand, (n,), adding up to 1
    gaps: tuple[str, ...] = ()  # columns that were matched among the patients whose value is known, because not all are

    @property
    def ess(self) -> float:
        """Kish's effective sample size, 1 / sum w^2: how many equally weighted patients they are worth."""
        return float(1.0 / np.square(self.weights).sum())


def balance(columns: Mapping[str, Array], moments: Sequence[Moment], n: int, source: str) -> Balance:
    """Weight the patients at hand to the moments of n others.

    A moment is matched among the patients whose value is known (not NaN); SDs have n - 1 in the denominator.

    Raises SurveyError for a column that is not there, holds no number, or moments that no weights reach, each with the
    nearest that they do.
    """
    problems = []
    for moment in moments:
        if moment.column not in columns:
            known = ", ".join(columns)
            problems.append(
                f"moments.{moment.column}: the records of those who came back have no such column of numbers "
                f"(they have {known}); leave the moment out"
            )
        elif np.isnan(columns[moment.column]).all():
            problems.append(f"moments.{moment.column}: no patient who came back has a value; leave the moment out")
    if problems:
        raise SurveyError(source, problems)
    constraints = [_constraints(columns[moment.column], moment, n) for moment in moments]
    size = len(next(iter(columns.values()))) if columns else 0
    weights = entropy_weights(np.column_stack(constraints) if constraints else np.zeros((size, 0)))
    if weights is None:
        raise SurveyError(source, _unreachable(columns, moments, constraints))
    return Balance(weights, tuple(m.column for m in moments if np.isnan(columns[m.column]).any()))


def entropy_weights(constraints: Array) -> Array | None:
    """Return the weights nearest to equal ones under which every column of ``constraints`` (n, k) has mean 0.

    By Newton's method on the dual, with halved steps. Where 0 is on the edge of the convex hull of the rows, weights
    of some rows tend to 0; None where it is outside.
    """
    scaled = _scaled(constraints)
    at = np.zeros(scaled.shape[1])
    weights, value = _tilted(scaled, at)
    for _ in range(_STEPS):
        gradient = weights @ scaled
        if np.abs(gradient).max(initial=0.0) < _MATCHED:
            return weights
        centred = scaled - gradient
        step = -np.linalg.lstsq(centred.T @ (weights[:, None] * centred), gradient, rcond=1e-12)[0]
        slope, size = float(gradient @ step), 1.0
        while size > 1e-10:
            trial, lower = _tilted(scaled, at + size * step)
            if lower <= value + 1e-4 * size * slope or np.abs(trial @ scaled).max() < _MATCHED:
                break
            size /= 2.0
        at, weights, value = at + size * step, trial, lower
    return None


def _scaled(constraints: Array) -> Array:
    """Columns in units of their SDs; a column that never varies in units of its size."""
    size = np.abs(constraints).max(axis=0)
    spread = constraints.std(axis=0)
    unit = np.where(spread > 1e-12 * size, spread, size)
    return constraints / np.where(unit > 0.0, unit, 1.0)


def _tilted(scaled: Array, at: Array) -> tuple[Array, float]:
    """Weights proportional to exp(scaled @ at), and the logarithm of the sum of the exponentials."""
    eta = scaled @ at
    top = eta.max()
    raised = np.exp(eta - top)
    return raised / raised.sum(), float(top + np.log(raised.sum()))


def _constraints(values: Array, moment: Moment, n: int) -> Array:
    """Columns whose weighted means are 0 where the moment is matched, (patients, 1 or 2); 0 for a missing value."""
    distance = values - moment.mean
    found = [distance]
    if moment.sd is not None:
        found.append(distance**2 - moment.sd**2 * (n - 1) / n)
    return np.nan_to_num(np.column_stack(found), nan=0.0)


def _unreachable(columns: Mapping[str, Array], moments: Sequence[Moment], constraints: Sequence[Array]) -> list[str]:
    """Return one sentence for each moment that no weights reach, by itself or together with the others."""
    count = len(constraints[0])
    problems = []
    for moment, own in zip(moments, constraints, strict=True):
        values = columns[moment.column]
        low, high = np.nanmin(values), np.nanmax(values)
        if not low <= moment.mean <= high:
            problems.append(
                f"moments.{moment.column}.mean: no weights of the {count} patients who came back give a mean of "
                f"{moment.mean:g}, because their values run from {low:g} to {high:g}; check it, or leave it out"
            )
        elif moment.sd is not None and _misses(own).any():
            problems.append(
                f"moments.{moment.column}.sd: no weights of the {count} patients who came back give a mean of "
                f"{moment.mean:g} and an SD of {moment.sd:g} together; check both, or leave the SD out"
            )
    if problems:
        return problems
    misses = _misses(np.column_stack(constraints))
    owners = [moment.column for moment, own in zip(moments, constraints, strict=True) for _ in range(own.shape[1])]
    far = [owner for owner, miss in zip(owners, misses, strict=True) if miss]
    return [
        f"moments.{name}: no weights of the {count} patients who came back reach it together with the other moments; "
        f"check it, or leave it out"
        for name in dict.fromkeys(far or owners)
    ]


def _misses(constraints: Array) -> NDArray[np.bool_]:
    """Return which columns' weighted means cannot be brought to 0 together, by the least sum of distances."""
    from scipy.optimize import linprog  # 0.2 s that only moments out of reach cost

    scaled = _scaled(constraints)
    n, k = scaled.shape
    cost = np.concatenate([np.zeros(n), np.ones(2 * k)])
    equal = np.vstack(
        [np.hstack([scaled.T, np.eye(k), -np.eye(k)]), np.concatenate([np.ones(n), np.zeros(2 * k)])[None]]
    )
    found = linprog(cost, A_eq=equal, b_eq=np.concatenate([np.zeros(k), [1.0]]), bounds=(0, None), method="highs")
    slack: Array = found.x[n : n + k] + found.x[n + k :]
    return slack > _SLACK
