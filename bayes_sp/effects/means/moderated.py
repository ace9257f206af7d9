r"""Patients whose slopes differ: strata of patients with one chain each, or every patient and draw by itself.

With a covariate v in a product the coefficients of patient i are b + b_v v_i, and the mean outcome of a world is

.. math:: \frac1n \sum_i E[Y(\text{world}) \mid w_i, b + b_v v_i] = \sum_v \frac{n_v}{n}\, E[Y(\text{world}) \mid v],

the mean over the values v that occur, each over its n_v patients with a chain of their own. Where a moderator has many
values, or other ones in every draw because cells of it are missing, a patient in a draw is treated as a draw that has
one patient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Baselines, Batched, Chain, Linear, covariates_of, number_of_patients
from bayes_sp.effects.means.cells import MANY

MOST_STRATA = 64
_FLAT = 2**18  # draws x patients at a time


@dataclass(frozen=True, eq=False)
class Stratum:
    """Patients with the same slopes."""

    share: float  # of all patients, by their weights
    # chain, baselines: of these patients.
    chain: Chain
    baselines: Baselines
    weights: Array | None  # theirs, (n_v,); None counts each once


def of_one_value(chain: Chain, baselines: Baselines) -> Chain:
    """Return a chain with the same slopes for everyone where all patients have one value of each moderator."""
    found = _values(chain, baselines)
    return chain.at(found[0]) if found is not None and (found == found[0]).all() else chain


def strata(chain: Chain, baselines: Baselines, weights: Array | None) -> list[Stratum] | None:
    """Return the strata of a chain whose patients' slopes differ; None where there are too many, or no fixed ones."""
    values = _values(chain, baselines)
    if values is None or not isinstance(baselines, Linear):
        return None
    known, place = np.unique(values, axis=0, return_inverse=True)
    if len(known) > max(MOST_STRATA, min(len(values), MANY) // 5):  # each costs as much as some patients by themselves
        return None
    found = []
    for v, value in enumerate(known):
        own = np.flatnonzero(place.ravel() == v)
        theirs = None if weights is None else weights[own]
        share = len(own) / len(values) if weights is None or theirs is None else theirs.sum() / weights.sum()
        if share > 0.0:
            some = Linear(baselines.intercept, baselines.slopes, baselines.w[own])
            found.append(Stratum(float(share), chain.at(value), some, theirs))
    return found


def single_patients(chain: Chain, baselines: Baselines) -> Iterator[tuple[int, int, Chain, Baselines]]:
    """Yield (start, stop) of some draws, and them as a chain of (stop - start) * n draws with one patient each."""
    if chain.moderation is None:
        raise ValueError("the slopes of these patients do not differ")
    columns = list(chain.moderation.columns)
    batch = max(1, _FLAT // number_of_patients(baselines))
    for start in range(0, chain.draws, batch):
        stop = min(start + batch, chain.draws)
        baseline = baselines(start, stop)
        n = baseline.shape[-1]
        values = covariates_of(baselines, start, stop)[..., columns]
        values = np.broadcast_to(values, (stop - start, n, len(columns))).reshape(-1, len(columns))
        each = chain.taken(np.repeat(np.arange(start, stop), n)).at(values)
        flat = baseline.reshape(len(baseline), -1, 1)
        yield start, stop, each, _cut(flat)


def _cut(flat: Array) -> Baselines:
    return Batched(lambda start, stop: flat[:, start:stop], lambda start, stop: np.empty((1, 1, 0)))


def _values(chain: Chain, baselines: Baselines) -> Array | None:
    """Return the moderators' columns, (n, c); None without moderation, or where they differ between draws."""
    if chain.moderation is None:
        return None
    if isinstance(baselines, Batched) and set(chain.moderation.columns) <= baselines.held.keys():
        return np.array([[baselines.held[column] for column in chain.moderation.columns]])
    found = covariates_of(baselines, 0, 1)
    fixed = len(covariates_of(baselines, 0, min(2, chain.draws))) == 1
    return found[0][:, list(chain.moderation.columns)] if fixed else None
