"""Baselines of a posterior: what linear predictors hold for each patient beside exposure and mediators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.build import transformed
from bayes_sp.design.design import Design
from bayes_sp.design.elements import group_draws
from bayes_sp.effects.chain import Baselines, Batched, Linear, covariates_of
from bayes_sp.effects.read import covariate_of, flat, flattened, monomials
from bayes_sp.errors import SurveyError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of

type Row = tuple[Array, Array, Array | None, NDArray[np.int64] | None]
type Columns = Callable[[int, int], Array]
"""``(start, stop) -> (stop - start, n, q)``: draws of the patients' covariate columns."""


def linear_baselines(
    model: PathModel,
    design: Design,
    posterior: xr.Dataset,
    columns: Columns | None = None,
    held: Mapping[str, float] | None = None,
) -> Baselines:
    r"""Return the baselines of a posterior: intercept + g . w_i + the intercept of patient i's group + delta_ij.

    delta_ij is the specification's shift of response j where patient i's is missing, else 0. So effects are averages
    over all patients of the survey, those who did not come back included: in every world such a patient's mediator or
    outcome follows its equation with the shift added, as the cells that the posterior integrated over did.

    ``columns(start, stop)`` gives draws of covariate columns with missing cells, (stop - start, n, q), in the order of
    ``design.covariate_terms``; ``held`` are covariates that have one value for every patient, in their own units.

    Raises SurveyError if cells are missing among the design's covariates and no columns are given.
    """
    fixed = held_columns(model, held or {})
    products = _products(model, design, posterior)
    w = design.w.copy()
    w[:, list(fixed)] = list(fixed.values())
    if columns is None and np.isnan(w).any():
        raise SurveyError(
            "the survey",
            ["effects are averages over patients whose covariates have missing cells without draws: fit again"],
        )
    w = _with_products(w, products)
    rows = _baseline_rows(model, design, posterior, products)
    shifts: dict[int, Array] = {}  # of the mean's predictors; a zero part is not shifted
    place = 0
    for equation in model.equations:
        if equation.response in design.shifts:
            shifts[place] = design.shifts[equation.response]
        place += len(predictors_of(model, equation))
    if columns is None and not shifts and all(groups is None for _, _, groups, _ in rows):
        return Linear(np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows]), w)

    def covariates(start: int, stop: int) -> Array:
        if columns is None:
            return w[None]
        found = columns(start, stop)
        if fixed:
            found = found.copy()
            found[..., list(fixed)] = list(fixed.values())
        return _with_products(found, products)

    def batch(start: int, stop: int) -> Array:
        """Return the baselines of some draws, (rows, stop - start, n)."""
        each = covariates(start, stop)
        out = np.empty((len(rows), stop - start, design.n))
        for j, (intercept, g, groups, codes) in enumerate(rows):
            if columns is None:
                np.matmul(g[start:stop], w.T, out=out[j])
            else:
                np.einsum("sq,snq->sn", g[start:stop], each, out=out[j])
            out[j] += intercept[start:stop, None]
            if groups is not None:
                out[j] += groups[start:stop][:, codes]
            if j in shifts:
                out[j] += shifts[j]
        return out

    return Batched(batch, covariates, fixed)


def held_columns(model: PathModel, held: Mapping[str, float]) -> dict[int, float]:
    """Return the values of the columns of covariates that are held, by their places."""
    found = {}
    for name, value in held.items():
        covariate = covariate_of(model, name)
        for term, column in zip(covariate.terms, transformed(covariate, np.array([value])), strict=True):
            found[model.covariate_terms.index(term)] = float(column[0])
    return found


def with_unmeasured(model: PathModel, posterior: xr.Dataset, unmeasured: xr.Dataset, known: Baselines) -> Baselines:
    r"""Return baselines with what the unmeasured confounders add to each response: strength * U_i, draw by draw.

    Effects are then averages over the patients' covariates and their U, as if U had been measured::

        E[Y(u)] = sum_i E[Y(u) | w_i, U_i] / n,    (U_1, ..., U_n, parameters) ~ posterior

    ``unmeasured`` holds draws of each confounder, (chain, draw, patient), in SDs.
    """
    added: list[tuple[int, Array | float, Array]] = []
    place = 0
    for equation in model.equations:
        for confounder in model.confounders:
            given = dict(confounder.strengths).get(equation.response, 0.0)
            if isinstance(given, Prior):
                chosen = posterior[[confounder.name]].sel({f"{confounder.name}_term": equation.response})
                added.append((place, flat(chosen, confounder.name)[:, None], flat(unmeasured, confounder.name)))
            elif given != 0.0:
                added.append((place, float(given), flat(unmeasured, confounder.name)))
        place += len(predictors_of(model, equation))

    def batch(start: int, stop: int) -> Array:
        """Return the same with the confounders' parts."""
        out = known(start, stop)
        for j, strength, u in added:
            own = strength if isinstance(strength, float) else strength[start:stop]
            out[j] += own * u[start:stop]
        return out

    held = known.held if isinstance(known, Batched) else {}
    return Batched(batch, partial(covariates_of, known), held)


def _products(model: PathModel, design: Design, posterior: xr.Dataset) -> tuple[tuple[int, ...], ...]:
    """Return the products of columns, as of an exposure that does not move and a covariate, by their places."""
    found = (tuple(map(design.covariate_terms.index, one.columns)) for one in monomials(model, posterior)
             if len(one.columns) > 1 and not one.exposure and not one.mediators)  # fmt: skip
    return tuple(dict.fromkeys(found))


def _with_products(w: Array, products: tuple[tuple[int, ...], ...]) -> Array:
    """Return covariates' columns, (..., q), with the products of some of them after them."""
    if not products:
        return w
    return np.concatenate([w, np.stack([w[..., list(own)].prod(axis=-1) for own in products], axis=-1)], axis=-1)


def _baseline_rows(
    model: PathModel, design: Design, posterior: xr.Dataset, products: tuple[tuple[int, ...], ...]
) -> list[Row]:
    """Return of each linear predictor the intercept with centres moved in, covariates' coefficients, and groups."""
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    means = [(e, zero) for e in model.equations for zero, _ in enumerate(predictors_of(model, e))]
    q = len(design.covariate_terms)
    intercepts, slopes = np.zeros((len(means), draws)), np.zeros((len(means), draws, q + len(products)))
    for one in monomials(model, posterior):
        if not one.exposure and not one.mediators:
            if one.columns:
                places = tuple(map(design.covariate_terms.index, one.columns))
                slopes[one.place, :, q + products.index(places) if len(places) > 1 else places[0]] += one.draws
            else:
                intercepts[one.place] += one.draws
    rows: list[Row] = []
    for (equation, zero), intercept, g in zip(means, intercepts, slopes, strict=True):
        groups, codes = None, None
        if equation.varying and not zero:
            codes, labels = design.groups[equation.varying]
            known = group_draws(posterior, equation.response, equation.varying, labels)
            groups = flattened(known)
        rows.append((intercept, g, groups, codes))
    return rows
