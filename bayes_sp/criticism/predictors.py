"""Draws of a model's parameters -> what each equation says about each patient: one seam for every check."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_sp.families.base import Family
from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.types import Equation, PathModel, Variable
from bayes_sp.survey.arrays import equation_matrix
from bayes_sp.survey.design import Array, Design

# exp(36) = 4e15 events; beyond it NumPy cannot draw a count. Only priors without a scale come near it.
MOST_LOG_MEAN = 36.0


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Predictor:
    """What one equation says about ``n`` patients in each of ``S`` draws, given their observed parents.

    Attributes
    ----------
    response, family
        Name of the response, and its likelihood.
    variable
        What is known of the response before any record is seen.
    y
        Coded responses, (n,).
    eta, zeta
        Linear predictors, (S, n); ``zeta`` is 0 where the family has none.
    aux
        The family's other parameters, (S, A).
    origin, unit
        A value is ``origin + unit * coded``.
    """

    response: str
    family: Family
    variable: Variable
    y: Array
    eta: Array
    zeta: Array
    aux: Array
    origin: float
    unit: float

    @property
    def observed(self) -> Array:
        """Responses on their own scale, (n,)."""
        return self.origin + self.unit * self.y

    @property
    def is_probability(self) -> bool:
        """Whether the likelihood is the probability of a value, not a density."""
        return self.family.ordered or self.family.response in ("count", "binary", "integer")

    def replicate(self, rng: np.random.Generator) -> Array:
        """Draw one response for each draw and patient, on the response's own scale, (S, n)."""
        return self.origin + self.unit * self.family.simulate(rng, self.eta, self.zeta, self.aux)

    def mean(self) -> Array:
        """Return the expected response for each draw and patient, on the response's own scale, (S, n)."""
        return self.origin + self.unit * self.family.mean(self.eta, self.zeta, self.aux)


def predictors(model: PathModel, design: Design, parameters: xr.Dataset) -> tuple[Predictor, ...]:
    """Return the predictor of each equation for draws (chain, draw, ...) as a posterior names them.

    Parents are the observed ones: each equation is looked at by itself, as its likelihood is.
    """
    return tuple(_predictor(model, design, parameters, j) for j in range(len(model.equations)))


def thinned(draws: xr.Dataset, most: int) -> xr.Dataset:
    """Return at most ``most`` draws, evenly spaced over each chain, as one chain."""
    chains, each = draws.sizes["chain"], draws.sizes["draw"]
    if chains * each > most:
        places = np.unique(np.linspace(0, each - 1, max(1, most // chains)).round().astype(int))
        draws = draws.isel(draw=places)
    count = chains * draws.sizes["draw"]
    flat = {
        name: ((("chain", "draw", *array.dims[2:])), array.to_numpy().reshape(1, count, *array.shape[2:]))
        for name, array in draws.transpose("chain", "draw", ...).data_vars.items()
    }
    labels = {name: array for name, array in draws.coords.items() if name not in ("chain", "draw")}
    return xr.Dataset(flat, coords={**labels, "chain": [0], "draw": np.arange(count)})


def _predictor(model: PathModel, design: Design, parameters: xr.Dataset, j: int) -> Predictor:
    equation, family = model.equations[j], FAMILIES[model.equations[j].family]
    x = equation_matrix(model, design, j)
    beta = _flat(parameters[equation.response])
    eta = beta @ x.T
    if family.link == "log":
        eta = np.minimum(eta, MOST_LOG_MEAN)
    aux = _auxiliary(equation, family, parameters, len(beta))
    origin, unit = 0.0, 1.0
    return Predictor(
        equation.response, family, model.variable(equation.response), design.y[:, j], eta, np.zeros_like(eta), aux,
        origin, unit,
    )  # fmt: skip


def _auxiliary(equation: Equation, family: Family, parameters: xr.Dataset, count: int) -> Array:
    """Return a family's other parameters in its order, (S, A); the cutpoints for an ordered family."""
    if family.ordered:
        return _flat(parameters[f"{equation.response}_cutpoint"])
    columns = [
        _flat(parameters[name].sel({f"{name}_response": equation.response})) for name in family.parameters
    ]
    return np.column_stack(columns) if columns else np.empty((count, 0))


def _flat(array: xr.DataArray) -> Array:
    """Return draws with chains one after another, (S, ...)."""
    values = array.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(-1, *values.shape[2:])
