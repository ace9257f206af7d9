"""Parameters by posterior variable, with the element of each response beside, and which priors they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import NUMBERED, RESIDUAL_CORRELATION, VARYING

SHARED = ("tau", RESIDUAL_CORRELATION)  # with an element for each equation that has one


def having(model: PathModel, name: str) -> list[str]:
    """Return the labels of a parameter such as ``sigma`` or ``tau``: responses in the order of the chain, or pairs."""
    if name == RESIDUAL_CORRELATION:
        return list(model.correlated_pairs)
    return [
        e.response
        for e in model.equations
        if name in FAMILIES[e.family].parameters or (name == "tau" and bool(e.varying))
    ]


def with_elements(model: PathModel, given: Mapping[str, Array]) -> dict[Any, Array]:
    """Return parameters by name, scalars in the order of the equations that have them, with each element beside."""
    found: dict[Any, Array] = dict(given)
    for name in {parameter for e in model.equations for parameter in (*FAMILIES[e.family].parameters, *SHARED)}:
        if name in given:
            found |= {(name, r): given[name][..., place] for place, r in enumerate(having(model, name))}
    for confounder in model.confounders:
        for place, (response, _) in enumerate(confounder.estimated):
            if confounder.name in given:
                found[confounder.name, response] = given[confounder.name][..., place]
    return found


def arrays_of(model: PathModel, design: Design, posterior: xr.Dataset) -> dict[Any, Array]:
    """Return a posterior's variables as arrays (chain, draw, ...), each in the model's own order, with elements."""
    ordered = posterior.transpose("chain", "draw", ...)
    found = {str(name): variable.to_numpy() for name, variable in ordered.data_vars.items()}
    for name in {p for e in model.equations for p in (*FAMILIES[e.family].parameters, *SHARED)} & found.keys():
        found[name] = ordered[name].sel({f"{name}_response": having(model, name)}).to_numpy()
    for confounder in model.confounders:
        if confounder.estimated:
            responses = [response for response, _ in confounder.estimated]
            found[confounder.name] = ordered[confounder.name].sel({f"{confounder.name}_term": responses}).to_numpy()
    for equation in model.equations:
        if equation.varying:
            labels = design.groups[equation.varying][1]
            draws = group_draws(ordered, equation.response, equation.varying, labels)
            found[f"{equation.response}{VARYING}"] = draws.to_numpy()
    return with_elements(model, found)


def group_draws(posterior: xr.Dataset, response: str, column: str, labels: Sequence[str]) -> xr.DataArray:
    """Return the intercepts of groups in a design's order; those of a saved run have numbers in place of names."""
    found = posterior[f"{response}{VARYING}"]
    if found[column].attrs.get(NUMBERED):
        return found.assign_coords({column: list(labels)})
    return found.sel({column: list(labels)})


def priors_of(model: PathModel, variable: str, names: Sequence[str]) -> list[Prior]:
    """Return the prior of each element of a posterior variable."""
    responses = {equation.response for equation in model.equations}
    if variable == RESIDUAL_CORRELATION:
        found = [model.prior(model.correlated[-1], variable) for _ in names]
    else:
        places = [(variable, name) if variable in responses else (name, variable) for name in names]
        found = [model.prior(*place) for place in places]
    missing = [name for name, prior in zip(names, found, strict=True) if prior is None]
    if missing:  # check_model reports this for specifications read from files
        raise ValueError(f'the specification "{model.name}" has no prior for {variable} of {", ".join(missing)}')
    return [prior for prior in found if prior is not None]
