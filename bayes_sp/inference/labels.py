"""Draws of unconstrained parameters -> a posterior with names, dims and coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.parameters import Parameters, is_posterior, posterior_dims, varying_name
from bayes_sp.model.path_model import PathModel


def label_draws(model: PathModel, parameters: Parameters, theta: Array) -> xr.Dataset:
    """Return draws of unconstrained parameters (chain, draw, P) with the posterior's names, dims and coordinates.

    Standardised intercepts of groups become deviations, tau z; standardised hidden values are left out.
    """
    found = parameters.variables(theta)
    dims = posterior_dims({name: labels for name, (labels, _) in found.items() if is_posterior(name)})
    coords: dict[str, Any] = {"chain": np.arange(theta.shape[0]), "draw": np.arange(theta.shape[1])}
    data: dict[str, Any] = {}
    for name, dim in dims.items():
        labels, values = found[name]
        coords[dim] = list(labels)
        data[name] = (("chain", "draw", dim), values)
    for equation in model.equations:
        if equation.varying:
            labels, z = found[varying_name(equation.response)]
            taus, tau = found["tau"]
            coords[equation.varying] = list(labels)
            deviations = tau[..., taus.index(equation.response), None] * z
            data[f"{equation.response}_varying"] = (("chain", "draw", equation.varying), deviations)
    return xr.Dataset(data, coords=coords)
