"""Draws of unmeasured confounders, which effects are averaged over as they are over covariates."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.inference.pointwise.forward import standardised_values
from bayes_sp.inference.samplers.target import Program

BATCH = 2_000_000  # numbers in one temporary, draws x rows


def unmeasured_draws(program: Program, theta: Array) -> xr.Dataset:
    """Return draws of every unmeasured confounder of each patient.

    ``theta`` are draws of its unconstrained parameters, (chain, draw, P), with those that are integrated out; variables
    are named as the confounders, dims (chain, draw, patient), in SDs.
    """
    chains, draws = theta.shape[:2]
    flat = theta.reshape(chains * draws, -1)
    patients, first = np.unique(program.rows.patient, return_index=True)  # rows of one patient share their value
    found = {c.name: np.empty((len(flat), len(patients))) for c in program.confounders}
    size = max(1, BATCH // program.rows.count)
    for start in range(0, len(flat), size):
        part = slice(start, start + size)
        values, _ = standardised_values(program, program.parameters.naturals(flat[part]))
        for name, own in found.items():
            own[part] = values[name][:, first]
    coords = {"chain": np.arange(chains), "draw": np.arange(draws), "patient": patients}
    dims = ("chain", "draw", "patient")
    return xr.Dataset({n: (dims, values.reshape(chains, draws, -1)) for n, values in found.items()}, coords=coords)
