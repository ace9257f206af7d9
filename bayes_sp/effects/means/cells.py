r"""Means over very many patients: from cells of patients who nearly agree, corrected by the means over all.

Where a mean outcome takes quadrature, all draws x all of very many patients take long. Patients are put into cells by
their linear predictors at the median draw (and their moderators), 1,024 or 4,096, and each cell is one patient with the
mean covariates of its own. For a draw s

.. math:: E_s = \frac1n \sum_i f_s(w_i) = \sum_c \frac{n_c}{n} f_s(\bar w_c) + D_s ,

where D_s is of second order in the spread inside a cell, and moves from draw to draw as little as the parameters do
with so many patients. D is computed from all patients for four draws; their mean is added to every draw, and their
range says what error remains. Where that is above a hundredth of a posterior SD, all patients are taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Codes
from bayes_sp.effects.chain import Chain, Linear

MANY = 2**15  # patients: the means of fewer are taken over all of them
CELLS, MODERATED = 2**10, 2**12  # about so many
CENTRES = 4  # draws whose means over all patients correct the others
TOLERANCE = 0.01  # posterior SDs of a mean, and of its difference from the first, that the error may have
_SAMPLE = 2**12  # patients among whom those with the same covariates are looked for

type Mean = Callable[[Chain, Linear, Array | None], Array]
"""``(chain, baselines, counts) -> (W, S)``: means of worlds over patients, each of whom stands for so many."""


def distinct(baselines: Linear, counts: Array | None) -> tuple[Linear, Array | None]:
    """Return each different row of covariates once, with how many patients it stands for in relation to the mean.

    ``counts`` says that of the patients themselves; None for one each.
    """
    w = baselines.w
    if w.shape[1] == 0:
        return _merged(baselines, np.zeros(len(w), dtype=np.intp), counts)
    if len(w) > MANY:
        some = w[:: len(w) // _SAMPLE]
        if len(pd.DataFrame(some).drop_duplicates()) > len(some) // 2:
            return baselines, counts
    which = pd.DataFrame(w).groupby(list(range(w.shape[1])), dropna=False).ngroup().to_numpy()
    if which.max() + 1 == len(w):
        return baselines, counts
    return _merged(baselines, which, counts)


def cells_of(chain: Chain, baselines: Linear, counts: Array | None) -> tuple[Linear, Array | None]:
    """Return one patient for each cell, with how many it stands for in relation to the mean."""
    columns = [baselines.w @ np.median(slopes, axis=0) for slopes in baselines.slopes]
    most = CELLS if chain.moderation is None else MODERATED
    if chain.moderation is not None:
        columns += [baselines.w[:, column] for column in chain.moderation.columns]
    columns = [column for column in columns if np.ptp(column) > 0.0]
    if not columns:
        return _merged(baselines, np.zeros(len(baselines.w), dtype=np.intp), counts)
    return _merged(baselines, _cells(columns, most), counts)


def over_patients(chain: Chain, baselines: Linear, counts: Array | None, mean: Mean) -> Array:
    """Return the means of worlds over patients, (W, S), of very many from cells, of fewer from all."""
    if len(baselines.w) <= MANY or chain.draws <= CENTRES:
        return mean(chain, baselines, counts)
    found = mean(chain, *cells_of(chain, baselines, counts))
    chosen = np.linspace(0, chain.draws - 1, CENTRES).astype(int)
    away = mean(chain.taken(chosen), baselines.taken(chosen), counts) - found[:, chosen]
    if _close(away, found) and _close(away - away[0], found - found[0]):
        return found + away.mean(axis=1)[:, None]
    return mean(chain, baselines, counts)


def _close(away: Array, found: Array) -> bool:
    """Return whether what is not corrected moves little in every world against the draws' SD."""
    rounding = 1e-12 * np.abs(found).max(axis=1)
    return bool((np.ptp(away, axis=1) <= TOLERANCE * found.std(axis=1) + rounding).all())


def _cells(columns: list[Array], most: int) -> Codes:
    """Return the cell of each patient: slabs along the first column, each cut into slabs along the next.

    Slabs are even in the mean of a patient's rank and place between the ends: tails, few patients far apart, matter
    most where means are exponential.
    """
    slabs = round(most ** (1.0 / len(columns)))
    cell = np.zeros(len(columns[0]), dtype=np.intp)
    for column in columns:
        order = np.lexsort((column, cell))
        own, values = cell[order], column[order]
        first, after = (np.searchsorted(own, own, side=side) for side in ("left", "right"))
        rank = (np.arange(len(own)) - first) / (after - first)
        reach = np.maximum(values[after - 1] - values[first], 1e-300)
        place = (values - values[first]) / reach
        cell[order] = own * slabs + np.minimum((rank + place) * (0.5 * slabs), slabs - 1).astype(np.intp)
    return np.unique(cell, return_inverse=True)[1]


def _merged(baselines: Linear, which: Codes, counts: Array | None) -> tuple[Linear, Array]:
    """Return one patient with the mean covariates of each group of patients, and how many each stands for."""
    number = int(which.max()) + 1
    patients = np.bincount(which, minlength=number)
    own = np.bincount(which, weights=counts, minlength=number) if counts is not None else patients.astype(float)
    weights, total = (counts, own) if counts is not None and own.min() > 0.0 else (None, patients)
    rows = np.empty((number, baselines.w.shape[1]))
    for k, column in enumerate(baselines.w.T):
        rows[:, k] = np.bincount(which, weights=column if weights is None else weights * column) / total
    return Linear(baselines.intercept, baselines.slopes, rows), own * (number / own.sum())
