"""Linear predictors and parameters of an equation in NumPy, for one set of parameters or for every draw at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.build import equation_matrix, zero_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import NUMBERED, VARYING

Arrays = Mapping[str, Array]


def having(model: PathModel, name: str) -> list[str]:
    """Return the responses whose equations have a parameter such as ``sigma`` or ``tau``, in the order of the chain."""
    return [
        e.response
        for e in model.equations
        if name in FAMILIES[e.family].parameters or (name == "tau" and bool(e.varying))
    ]


def arrays_of(model: PathModel, design: Design, posterior: xr.Dataset) -> dict[str, Array]:
    """Return a posterior's variables as arrays (chain, draw, ...), each in the model's own order."""
    ordered = posterior.transpose("chain", "draw", ...)
    found = {str(name): variable.to_numpy() for name, variable in ordered.data_vars.items()}
    for name in {p for e in model.equations for p in (*FAMILIES[e.family].parameters, "tau")} & found.keys():
        found[name] = ordered[name].sel({f"{name}_response": having(model, name)}).to_numpy()
    for equation in model.equations:
        if equation.varying:
            labels = design.groups[equation.varying][1]
            draws = group_draws(ordered, equation.response, equation.varying, labels)
            found[f"{equation.response}_varying"] = draws.to_numpy()
    for confounder in model.confounders:
        for response, _ in confounder.estimated:
            chosen = ordered[confounder.name].sel({f"{confounder.name}_term": response})
            found[strength_name(confounder.name, response)] = chosen.to_numpy()
    return found


def strength_name(confounder: str, response: str) -> str:
    """Return the name under which arrays hold a strength that is a parameter."""
    return f"{confounder}:{response}"


def strength(confounder: Unmeasured, response: str, at: Arrays) -> Array:
    """Return what one SD of a confounder adds to a response's predictor, (...) or (); 0 where it does not act."""
    given = dict(confounder.strengths).get(response, 0.0)
    return at[strength_name(confounder.name, response)] if isinstance(given, Prior) else np.asarray(float(given))


def mean_predictor(model: PathModel, design: Design, j: int, at: Arrays, values: Arrays) -> Array:
    """Return eta of equation j, (..., n), at parameters whose arrays are (..., p).

    Parameters
    ----------
    model, design
        The specification and the records' arrays.
    j
        Number of the equation.
    at
        Parameters by name, as in the posterior.
    values
        Responses as later equations see them, in their own units, (n,) or (..., n), where the design's are not meant.
        Unmeasured confounders, in SDs; one that is not given is 0.
    """
    equation = model.equations[j]
    response, terms = equation.response, model.terms(equation)
    x = equation_matrix(model, design, j)
    columns = {}
    for parent in equation.monotonic:
        coding = model.coding(parent)
        value = values.get(parent, design.y[:, design.responses.index(parent)])
        columns[parent] = monotonic_column(at[f"{response}_{parent}_simplex"], (value - coding.origin) / coding.unit)
    eta = _columns(model, design, terms, x, at.get(response), values, columns)
    if equation.varying:
        eta = eta + at[f"{response}_varying"][..., design.groups[equation.varying][0]]
    for confounder in model.confounders:
        if confounder.name in values and response in dict(confounder.strengths):
            eta = eta + strength(confounder, response, at)[..., None] * values[confounder.name]
    offset = design.offset(response)
    return eta if offset is None else eta + offset


def zero_predictor(model: PathModel, design: Design, j: int, at: Arrays, values: Arrays) -> Array:
    """Return zeta of equation j, (..., n); 0 without a zero part."""
    equation = model.equations[j]
    terms = model.zero_terms(equation)
    if not terms:
        return np.zeros(design.n)
    beta = at[f"{equation.response}_zero"]
    return _columns(model, design, terms, zero_matrix(model, design, j), beta, values, {})


def monotonic_column(shares: Array, level: Array) -> Array:
    """Return D * (sum of the shares of the steps up to each level), (..., n), of shares (..., D) and levels from 0.

    The column of a monotonic effect (Bürkner & Charpentier 2020, doi:10.1111/bmsp.12195); NaN where the level is.
    """
    sums = np.concatenate([np.zeros((*shares.shape[:-1], 1)), np.cumsum(shares, axis=-1)], axis=-1) * shares.shape[-1]
    places = np.broadcast_to(np.nan_to_num(level).round().astype(np.intp), (*shares.shape[:-1], level.shape[-1]))
    return np.where(np.isnan(level), np.nan, np.take_along_axis(sums, places, axis=-1))


def auxiliary(model: PathModel, design: Design, j: int, at: Arrays) -> Array:
    """Return the aux of equation j's family, (..., A): cutpoints, or parameters and a known measurement SD."""
    response, family = model.equations[j].response, FAMILIES[model.equations[j].family]
    if family.ordered:
        return at[f"{response}_cutpoint"]
    places = {name: having(model, name).index(response) for name in family.parameters}
    found = [at[name][..., place] for name, place in places.items()]
    if family.latent:
        found.append(np.full(found[0].shape, design.measurement_sd[response]))
    return np.stack(found, axis=-1) if found else np.empty(0)


def _columns(
    model: PathModel,
    design: Design,
    terms: tuple[str, ...],
    x: Array,
    beta: Array | None,
    values: Arrays,
    others: Arrays,
) -> Array:
    """Return X beta, (..., n), with other columns, (n,) or (..., n), where a parent's values are given."""
    if beta is None:  # an ordered response without a parent or a covariate
        return np.zeros(design.n)
    columns = dict(others)
    for term in terms:
        exposure, _, parent = term.rpartition(":")
        if parent in values and term not in columns:
            value = values[parent] - model.variable(parent).center
            columns[term] = design.x * value if exposure else value
    eta = beta @ np.where(np.isin(terms, list(columns)), 0.0, x).T
    for term, column in columns.items():
        eta = eta + beta[..., terms.index(term), None] * column
    return eta


def group_draws(posterior: xr.Dataset, response: str, column: str, labels: Sequence[str]) -> xr.DataArray:
    """Return the intercepts of groups in a design's order; those of a saved run have numbers in place of names."""
    found = posterior[f"{response}{VARYING}"]
    if found[column].attrs.get(NUMBERED):
        return found.assign_coords({column: list(labels)})
    return found.sel({column: list(labels)})
