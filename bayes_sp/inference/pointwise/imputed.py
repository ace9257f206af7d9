"""Draws of missing covariate cells, which effects are averaged over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.build import transformed
from bayes_sp.design.design import Design
from bayes_sp.design.joint import JointModel
from bayes_sp.design.rows import Rows

type Evaluated = Callable[[slice], tuple[Mapping[str, Array], Array]]

BATCH = 2_000_000  # numbers in one temporary, draws x rows


def imputed_covariates(
    joint: JointModel, design: Design, evaluated: Evaluated, chains: int, draws: int, *, seed: int
) -> xr.Dataset:
    """Return draws of the covariate columns' missing cells, one variable for each column with such cells.

    A missing number's draw is its parameter's; a missing level is drawn with its probability given the parameters and
    everything observed of the patient, p(level) proportional to the product of the equations' densities at it.

    ``evaluated`` gives, for some of the draws, the values of every variable, and every row's log-density, (s, R).
    Variables are named as the columns, dims (chain, draw, ``<column>_cell``), whose coordinate is the patient.
    """
    rng = np.random.default_rng(seed)
    model, rows_of = joint.model, joint.rows
    names = [c.name for c in model.covariates if c.name in design.missing]
    cells: dict[str, list[Array]] = {name: [] for name in names}
    size = max(1, BATCH // max(1, rows_of.count))
    for start in range(0, chains * draws, size):
        values, ell = evaluated(slice(start, start + size))
        chosen = _chosen_rows(rows_of, ell, rng)
        for name in names:
            patients = np.flatnonzero(design.missing[name])
            rows = chosen[:, patients]
            if name in rows_of.summed:
                cells[name].append(rows_of.levels[name][rows].astype(float))
            else:
                cells[name].append(np.take_along_axis(values[name], rows, axis=1))
    found, coords = {}, dict[str, object]()
    for covariate in model.covariates:
        if covariate.name not in names:
            continue
        drawn = np.concatenate(cells[covariate.name]).reshape(chains, draws, -1)
        columns = [drawn]
        if covariate.name in rows_of.summed:
            levels = np.array(rows_of.summed[covariate.name])
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


def _chosen_rows(rows: Rows, ell: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a row for each patient, (s, n): the only one, or one drawn with its probability."""
    chosen = np.empty((len(ell), len(np.unique(rows.patient))), dtype=np.int64)
    chosen[:, rows.patient[: rows.single]] = np.arange(rows.single)
    for first, count in rows.split:
        own = ell[:, first : first + count]
        weight = np.exp(own - own.max(axis=1, keepdims=True))
        steps = np.cumsum(weight, axis=1)
        draw = rng.random((len(ell), 1)) * steps[:, -1:]
        chosen[:, rows.patient[first]] = first + np.minimum((draw >= steps).sum(axis=1), count - 1)
    return chosen
