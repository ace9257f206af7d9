"""Draws of missing covariate cells, which effects are averaged over."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model import layout as at
from bayes_sp.model.parameters import hidden_name, varying_name
from bayes_sp.model.parts import Part, Term
from bayes_sp.model.program import Program
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import transformed
from bayes_sp.survey.design import Array, Design

BATCH = 2_000_000  # numbers in one temporary, draws x rows


def imputed_covariates(model: PathModel, design: Design, program: Program, theta: Array, *, seed: int) -> xr.Dataset:
    """Return draws of the covariate columns' missing cells, one variable for each column with such cells.

    A missing number's draw is its parameter's; a missing level is drawn with its probability given the parameters and
    everything observed of the patient, p(level) proportional to the product of the equations' densities at it.

    Parameters
    ----------
    model, design
        The specification and the records' arrays.
    program
        As it was sampled.
    theta
        Draws of its unconstrained parameters, (chain, draw, P).
    seed
        Of the drawn levels.

    Returns
    -------
    xarray.Dataset
        Variables named as the columns, dims (chain, draw, ``<column>_cell``), whose coordinate is the patient.
    """
    rng = np.random.default_rng(seed)
    chains, draws = theta.shape[:2]
    names = [c.name for c in model.covariates if c.name in design.missing]
    flat = theta.reshape(chains * draws, -1)
    cells: dict[str, list[Array]] = {name: [] for name in names}
    size = max(1, BATCH // max(1, program.rows.count))
    for start in range(0, len(flat), size):
        values, ell = _forward(program, program.parameters.naturals(flat[start : start + size]))
        chosen = _chosen_rows(program, ell, rng)
        for name in names:
            patients = np.flatnonzero(design.missing[name])
            rows = chosen[:, patients]
            if name in program.rows.summed:
                cells[name].append(program.rows.levels[name][rows].astype(float))
            else:
                cells[name].append(np.take_along_axis(values[name], rows, axis=1))
    found, coords = {}, dict[str, object]()
    for covariate in model.covariates:
        if covariate.name not in names:
            continue
        drawn = np.concatenate(cells[covariate.name]).reshape(chains, draws, -1)
        columns = [drawn]
        if covariate.name in program.rows.summed:
            levels = np.array(program.rows.summed[covariate.name])
            columns = list(transformed(covariate, levels[drawn.astype(np.intp)]))
        for term, column in zip(covariate.terms, columns, strict=True):
            found[term] = (("chain", "draw", f"{term}_cell"), column)
            coords[f"{term}_cell"] = np.flatnonzero(design.missing[covariate.name])
    return xr.Dataset(found, coords=coords)


def filled_columns(design: Design, imputed: xr.Dataset, start: int, stop: int) -> Array:
    """Return the covariate columns of draws start to stop, (stop - start, n, q), chains one after the other."""
    out = np.broadcast_to(design.w, (stop - start, *design.w.shape)).copy()
    for name, cells in imputed.data_vars.items():
        values = cells.to_numpy().reshape(-1, cells.shape[-1])[start:stop]
        out[:, imputed[f"{name}_cell"].to_numpy(), design.covariate_terms.index(str(name))] = values
    return out


def _forward(program: Program, natural: Array) -> tuple[dict[str, Array], Array]:
    """Return values of hidden variables, (s, R) each, and every row's log-density, (s, R), as the engine has them."""
    values: dict[str, Array] = {}
    ell = np.zeros((len(natural), program.rows.count))
    for part in program.parts:
        eta = _predictor(program, part, natural, values, zero=False)
        zeta = _predictor(program, part, natural, values, zero=True)
        aux = _aux(program, part, natural)
        seen = (part.state == at.SEEN) | (part.state == at.MEASURED)
        density = FAMILIES[part.family].log_density(part.y[seen], eta[:, seen], zeta[:, seen], aux)
        ell[:, seen] += density
        if (part.hidden_number >= 0).any():
            values[part.response] = _hidden(program, part, natural, eta, aux)
    return values, ell


def _predictor(program: Program, part: Part, natural: Array, values: dict[str, Array], *, zero: bool) -> Array:
    parameters, x = program.parameters, part.zero_x if zero else part.x
    variable = f"{part.response}_zero" if zero else part.response
    eta = np.zeros((len(natural), program.rows.count))
    if x.shape[1]:
        first = parameters.place(variable)
        eta = natural[:, first : first + x.shape[1]] @ x.T
    if not zero and part.offset is not None:
        eta = eta + part.offset
    if not zero and part.groups is not None:
        tau, first = parameters.place("tau", part.response), parameters.place(varying_name(part.response))
        eta = eta + natural[:, [tau]] * natural[:, first + part.groups]
    for term in part.terms:
        if term.zero == zero:
            eta = eta + natural[:, [parameters.place(variable, term.name)]] * _column(
                program, part, term, natural, values
            )
    return eta


def _column(program: Program, part: Part, term: Term, natural: Array, values: dict[str, Array]) -> Array:
    if term.levels is not None:
        simplex = f"{part.response}_{term.source}_simplex"
        labels = next(block.labels for block in program.parameters.blocks if block.variable == simplex)
        first = program.parameters.place(simplex)
        shares = natural[:, first : first + len(labels)]
        sums = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
        return len(labels) * sums[:, term.levels]
    source = next(other for other in program.parts if other.response == term.source)
    hidden = (source.state == at.MISSING) | (source.state == at.MEASURED)
    column = np.where(hidden, values[term.source] - term.center, 0.0)
    return column if term.multiplier is None else column * term.multiplier


def _aux(program: Program, part: Part, natural: Array) -> Array:
    family = FAMILIES[part.family]
    places = [program.parameters.place(name, part.response) for name in family.parameters]
    if family.ordered:
        cut = program.parameters.place(f"{part.response}_cutpoint")
        places += range(cut, cut + part.levels - 1)
    fixed = np.broadcast_to(part.fixed, (len(natural), len(part.fixed)))
    return np.concatenate([natural[:, places], fixed], axis=1)


def _hidden(program: Program, part: Part, natural: Array, eta: Array, aux: Array) -> Array:
    """Values of a variable in every row: the hidden ones of `rows.hide`, the others as observed (0 where absent)."""
    first = program.parameters.place(hidden_name(part.response))
    z = natural[:, first + np.maximum(part.hidden_number, 0)]
    sigma = aux[:, :1]
    missing, out = eta + sigma * z, np.broadcast_to(part.y, eta.shape)
    if part.fixed:
        spread = sigma**2 + part.fixed[0] ** 2
        shared = eta + sigma**2 / spread * (part.y - eta) + sigma * part.fixed[0] / np.sqrt(spread) * z
        out = np.where(part.state == at.MEASURED, shared, out)
    return np.where(part.state == at.MISSING, missing, out)


def _chosen_rows(program: Program, ell: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a row for each patient, (s, n): the only one, or one drawn with its probability."""
    rows = program.rows
    chosen = np.empty((len(ell), len(np.unique(rows.patient))), dtype=np.int64)
    chosen[:, rows.patient[: rows.single]] = np.arange(rows.single)
    for first, count in rows.split:
        own = ell[:, first : first + count]
        weight = np.exp(own - own.max(axis=1, keepdims=True))
        steps = np.cumsum(weight, axis=1)
        draw = rng.random((len(ell), 1)) * steps[:, -1:]
        chosen[:, rows.patient[first]] = first + np.minimum((draw >= steps).sum(axis=1), count - 1)
    return chosen
