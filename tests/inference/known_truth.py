"""Known parameters of the primary model, to simulate from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_sp.design.design import Array
from bayes_sp.model.path_model import PathModel, Variable


def without_scales(model: PathModel) -> PathModel:
    """A model whose normal responses may leave their scales, for simulated records."""
    free = tuple(Variable(v.name, v.label, v.unit, center=v.center) for v in model.variables if v.kind != "count")
    return replace(model, variables=free, twin="")


TRUTH: dict[str, Array] = {
    "belonging_t1": np.array([2.7, 0.1, 0.45, -0.1, 0.0, 0.05, -0.1, 0.25, 0.1, 0.0]),
    "loneliness_t1": np.array([2.4, 0.02, -0.3, -0.05, 0.3, 0.1, -0.1, -0.1, -0.15, 0.05, 0.1]),
    "appointments_t1": np.array([1.1, -0.03, -0.08, 0.3, 0.02, -0.05, 0.7, 0.02, 0.0, 0.05, 0.1, -0.1]),
    "sigma": np.array([0.9, 0.85]),
    "phi": np.array([0.9]),
}


def as_posterior(model: PathModel, parameters: dict[str, Array]) -> xr.Dataset:
    """Known parameters as a posterior of one draw."""
    found = {}
    for equation in model.equations:
        term = f"{equation.response}_term"
        values = parameters[equation.response][None, None]
        found[equation.response] = xr.DataArray(
            values, dims=("chain", "draw", term), coords={term: list(model.terms(equation))}
        )
    having = {"sigma": [e.response for e in model.equations if e.family == "normal"], "phi": [model.outcome]}
    for name, responses in having.items():
        dim = f"{name}_response"
        found[name] = xr.DataArray(parameters[name][None, None], dims=("chain", "draw", dim), coords={dim: responses})
    return xr.Dataset(found).assign_coords(chain=[0], draw=[0])


def with_gaps(survey, **rows: range):
    """A survey without these rows of these columns."""
    records = survey.records.astype(float)
    for column, places in rows.items():
        records.loc[list(places), column] = np.nan
    return replace(survey, records=records)
