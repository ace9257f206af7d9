"""Draws of a model's parameters -> what each equation says about each patient: one seam for every check."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayes_sp.families.base import Family
from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.parts import Coding, Equation, Variable
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import equation_matrix, zero_matrix
from bayes_sp.survey.design import Array, Design, Mask

# exp(36) = 4e15 events; beyond it NumPy cannot draw a count. Only priors without a scale come near it.
MOST_LOG_MEAN = 36.0

Parameters = xr.Dataset


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Predictor:
    """What one equation says about ``n`` patients in each of ``S`` draws, given their observed parents.

    Attributes
    ----------
    response, family
        Name of the response, and its likelihood.
    variable
        What is known of the response before any record is seen.
    coding
        How the family sees the response.
    observed
        Responses on their own scale, (n,).
    eta, zeta
        Linear predictors, (S, n); ``zeta`` is 0 where the family has none.
    aux
        The family's other parameters, (S, A).
    """

    response: str
    family: Family
    variable: Variable
    coding: Coding
    observed: Array
    eta: Array
    zeta: Array
    aux: Array

    @property
    def predicted(self) -> Mask:
        """Patients of whom all that predicts the response is there, (n,)."""
        return np.isfinite(self.eta).all(axis=0) & np.isfinite(self.zeta).all(axis=0)

    @property
    def known(self) -> Mask:
        """Patients of whom the response is there too, (n,)."""
        return self.predicted & np.isfinite(self.observed)

    def among(self, patients: Mask) -> Predictor:
        """Return the predictor of these patients alone."""
        eta, zeta = self.eta[:, patients], self.zeta[:, patients]
        return replace(self, observed=self.observed[patients], eta=eta, zeta=zeta)

    def replicate(self, rng: np.random.Generator) -> Array:
        """Draw one response for each draw and patient, on the response's own scale, (S, n).

        A replicate on a bounded scale with steps is rounded to the nearest step, as the answers are.
        """
        eta, zeta = np.nan_to_num(self.eta), np.nan_to_num(self.zeta)
        value = self.coding.origin + self.coding.unit * self.family.simulate(rng, eta, zeta, self.aux)
        if self.family.bounded and self.variable.step > 0 and self.variable.minimum is not None:
            low, step = self.variable.minimum, self.variable.step
            value = low + step * np.round((value - low) / step)
        return value

    def log_density(self) -> Array:
        """Return log p(coded response) for each draw and patient, (S, n); NaN where the response is missing."""
        coded = (self.observed - self.coding.origin) / self.coding.unit
        coded = np.round(coded) if self.coding.levels else coded
        known = self.known
        values = np.full(self.eta.shape, np.nan)
        values[:, known] = self.family.log_density(coded[known], self.eta[:, known], self.zeta[:, known], self.aux)
        return values

    def mean(self) -> Array:
        """Return the expected response for each draw and patient, on the response's own scale, (S, n)."""
        return self.coding.origin + self.coding.unit * self.family.mean(self.eta, self.zeta, self.aux)


def predictors(
    model: PathModel, design: Design, parameters: Parameters, rng: np.random.Generator
) -> tuple[Predictor, ...]:
    """Return the predictor of each equation for draws (chain, draw, ...) as a posterior names them.

    Parents are the observed ones: each equation is looked at by itself, as its likelihood is. Where a parent is
    missing, or was measured with error, its value is drawn from its own equation given what was measured of it.
    """
    values: dict[str, Array] = dict(zip((design.exposure, *design.responses), (design.x, *design.y.T), strict=True))
    found = []
    for j, equation in enumerate(model.equations):
        eta, zeta = _linear(model, design, parameters, j, values), _zeta(model, design, parameters, j, values)
        family = FAMILIES[equation.family]
        if family.link == "log":
            eta = np.minimum(eta, MOST_LOG_MEAN)
        aux = _auxiliary(equation, family, design, parameters, len(eta))
        variable, coding = model.variable(equation.response), model.coding(equation.response)
        predictor = Predictor(equation.response, family, variable, coding, design.y[:, j], eta, zeta, aux)
        found.append(predictor)
        values[equation.response] = _parent_values(predictor, rng)
    return tuple(found)


def thinned(draws: Parameters, most: int) -> Parameters:
    """Return at most ``most`` draws, evenly spaced over each chain, as one chain."""
    chains, each = draws.sizes["chain"], draws.sizes["draw"]
    if chains * each > most:
        places = np.unique(np.linspace(0, each - 1, max(1, most // chains)).round().astype(int))
        draws = draws.isel(draw=places)
    flat = {
        name: (("chain", "draw", *array.dims[2:]), array.to_numpy().reshape(1, -1, *array.shape[2:]))
        for name, array in draws.transpose("chain", "draw", ...).data_vars.items()
    }
    labels = {name: array for name, array in draws.coords.items() if name not in ("chain", "draw")}
    return xr.Dataset(flat, coords={**labels, "chain": [0], "draw": np.arange(chains * draws.sizes["draw"])})


def _linear(model: PathModel, design: Design, parameters: Parameters, j: int, values: dict[str, Array]) -> Array:
    """Return eta of equation j, (S, n): columns, hidden parents, monotonic steps, groups, windows."""
    equation, terms = model.equations[j], model.terms(model.equations[j])
    beta = _flat(parameters[equation.response]) if terms else np.empty((_count(parameters), 0))
    x = equation_matrix(model, design, j)
    eta = np.zeros((len(beta), design.n))
    for place, term in enumerate(terms):
        parent = term.rpartition(":")[2]
        if parent in equation.monotonic:
            eta += beta[:, [place]] * _monotonic(model, parameters, equation.response, parent, values[parent])
        elif parent in values and values[parent].ndim == 2:  # drawn, so that each draw has its own column
            column = values[parent] - model.variable(parent).center
            eta += beta[:, [place]] * (column * design.x if ":" in term else column)
        else:
            continue
        x[:, place] = 0.0
    eta += beta @ x.T
    if equation.varying:
        codes, labels = design.groups[equation.varying]
        eta += _flat(parameters[f"{equation.response}_varying"].sel({equation.varying: list(labels)}))[:, codes]
    return eta + design.offsets.get(equation.response, 0.0)


def _zeta(model: PathModel, design: Design, parameters: Parameters, j: int, values: dict[str, Array]) -> Array:
    """Return zeta of equation j, (S, n): parents enter as numbers; 0 without a zero part."""
    equation, terms = model.equations[j], model.zero_terms(model.equations[j])
    if not terms:
        return np.zeros((_count(parameters), design.n))
    beta, x = _flat(parameters[f"{equation.response}_zero"]), zero_matrix(model, design, j)
    zeta = np.zeros((len(beta), design.n))
    for place, term in enumerate(terms):
        if term in values and values[term].ndim == 2:
            zeta += beta[:, [place]] * (values[term] - model.variable(term).center)
            x[:, place] = 0.0
    return zeta + beta @ x.T


def _monotonic(model: PathModel, parameters: Parameters, response: str, parent: str, values: Array) -> Array:
    """Return D * sum of the first steps' shares up to the level of each patient, (S, n); NaN where it is missing."""
    shares = _flat(parameters[f"{response}_{parent}_simplex"])
    sums = shares.shape[1] * np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
    coding = model.coding(parent)
    level = np.broadcast_to((values - coding.origin) / coding.unit, (len(shares), values.shape[-1]))
    places = np.nan_to_num(level).round().astype(int)
    return np.where(np.isnan(level), np.nan, np.take_along_axis(sums, places, axis=1))


def _parent_values(predictor: Predictor, rng: np.random.Generator) -> Array:
    """Return a response as later equations see it, (n,), or (S, n) where some of it had to be drawn."""
    missing = np.isnan(predictor.observed)
    if predictor.family.latent:
        sigma, error = predictor.aux[:, [0]], predictor.aux[:, [1]]
        share = np.where(missing, 0.0, sigma**2 / (sigma**2 + error**2))
        mean = predictor.eta + share * (np.nan_to_num(predictor.observed) - predictor.eta)
        return mean + sigma * np.sqrt(1.0 - share) * rng.standard_normal(predictor.eta.shape)
    if not missing.any():
        return predictor.observed
    drawn = np.where(np.isfinite(predictor.eta), predictor.replicate(rng), np.nan)
    return np.where(missing, drawn, predictor.observed)


def _auxiliary(equation: Equation, family: Family, design: Design, parameters: Parameters, count: int) -> Array:
    """Return a family's other parameters in its order, (S, A); cutpoints for an ordered one, then known errors."""
    if family.ordered:
        return _flat(parameters[f"{equation.response}_cutpoint"])
    columns = [_flat(parameters[name].sel({f"{name}_response": equation.response})) for name in family.parameters]
    if family.latent:
        columns.append(np.full(count, design.measurement_sd[equation.response]))
    return np.column_stack(columns) if columns else np.empty((count, 0))


def _count(parameters: Parameters) -> int:
    return int(parameters.sizes["chain"] * parameters.sizes["draw"])


def _flat(array: xr.DataArray) -> Array:
    """Return draws with chains one after another, (S, ...)."""
    values = array.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(-1, *values.shape[2:])
