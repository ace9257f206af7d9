"""Every parameter of every equation: its posterior beside its maximum-likelihood estimate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.summary import CI_PROB, converged, summarise
from bayes_sp.inference.estimates import Estimates, maximum_likelihood
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import COEFFICIENT_COLUMNS, RESIDUAL_CORRELATION
from bayes_sp.records.survey import Survey
from bayes_sp.shown import Part, Shown, short

INTERCEPT = "intercept"
NONE = np.array([np.nan]), np.array([np.nan])


SHOWN = ("equation", "term", "mean", "sd", "lower", "upper", "ml_estimate", "ml_se")


@dataclass(frozen=True, eq=False, repr=False)
class Coefficients(Shown):
    """The table of coefficients.

    Attributes
    ----------
    table
        As `coefficient_table` returns it.
    patients
        Records that the maximum-likelihood estimates rest on; 0 for none.
    notes
        What maximum likelihood leaves empty and why, in sentences.
    records
        All records of the survey.
    """

    table: pd.DataFrame
    patients: int
    notes: tuple[str, ...]
    records: int

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{len(self.table)} parameters; maximum likelihood from {self.patients} records"
        return head, [short(self.table, SHOWN, rows=len(self.table)), list(self.notes)]


@dataclass(frozen=True)
class _Element:
    """One parameter: its row's term, its place among a posterior variable's labels, whether its exp is a ratio."""

    term: str
    variable: str
    label: str
    ratio: bool


def coefficient_table(
    model: PathModel,
    survey: Survey,
    design: Design,
    draws: xr.Dataset,
    *,
    ci_prob: float = CI_PROB,
    known: pd.DataFrame | None = None,
    estimates: Estimates | None = None,
) -> Coefficients:
    r"""Return every parameter of every equation, the posterior beside maximum likelihood.

    ``known`` is the table of the draws' `Verdict` and ``estimates`` are those by maximum likelihood, where they are at
    hand.

    With a table of the columns `COEFFICIENT_COLUMNS`. ``equation`` is the response. ``term`` names a coefficient of its
    linear predictor as the posterior does, or is another variable of the posterior without the response, its label in
    brackets: ``zero[age]``, ``cutpoint[1|2]``, ``mood_simplex[1-2]``; then ``sigma``, ``phi``, ``tau`` and the like. A
    coefficient b is in units of the linear predictor (the response's own, log means, log odds) for one unit of its
    column, less its fixed centre and divided by its scale where the specification says so: :math:`\eta = b_0 + \sum_k
    b_k x_k`. ``ratio`` is the posterior median of exp(b) where that is a ratio (see `ratio_word`), never for
    intercepts. ``ml_estimate`` and ``ml_se`` are `maximum_likelihood`'s, NaN where there is none.

    Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221
    """
    estimates = estimates or maximum_likelihood(model, survey, design)
    rows, names, values, likelihood = [], [], [], []
    for equation in model.equations:
        for element in _elements(model, equation, draws):
            array = draws[element.variable].transpose("chain", "draw", ...)
            labels = [str(label) for label in array[array.dims[-1]].to_numpy()]
            place = labels.index(element.label)
            rows.append((equation.response, element.term, element.ratio))
            names.append(f"{element.variable}[{element.label}]")
            values.append(array.to_numpy()[..., place])
            pair = estimates.values.get((equation.response, element.variable), NONE)
            likelihood.append([each[0 if len(each) == 1 else place] for each in pair])
    stacked = np.stack(values, axis=-1)
    measures = converged(stacked, draws) if known is None else known.set_index("name").loc[names]
    table = pd.concat([summarise(stacked, ci_prob), measures.reset_index(drop=True)], axis=1)
    table["equation"], table["term"], kept = zip(*rows, strict=True)
    table["ratio"] = _ratios(stacked, np.array(kept))
    table["ml_estimate"], table["ml_se"] = np.array(likelihood).T
    return Coefficients(table[list(COEFFICIENT_COLUMNS)], estimates.patients, estimates.notes, len(survey))


def ratio_word(family: Family) -> str:
    """Return what exp of a coefficient of a family's mean is; '' where it is no ratio.

    Where the logarithm of the mean is linear, a ratio of means (of rates for counts); where log odds are, a ratio of
    odds. In a zero part it is always an odds ratio.
    """
    if family.link == "log" or family.response == "positive":
        return family.ratio
    if family.link != "logit":
        return ""
    return "odds ratio of the mean's place on its scale" if family.bounded else "odds ratio"


def _ratios(values: Array, kept: Array) -> Array:
    """Return posterior medians of exp(coefficient), (k,); NaN where that is no ratio."""
    found = np.full(len(kept), np.nan)
    if kept.any():  # NumPy 2.1 has no median of no columns
        with np.errstate(over="ignore"):
            found[kept] = np.median(np.exp(values[..., kept]), axis=(0, 1))
    return found


def _elements(model: PathModel, equation: Equation, draws: xr.Dataset) -> Iterator[_Element]:
    """Yield an equation's parameters: coefficients, those of its zero part and of confounders, then all others."""
    response, family = equation.response, FAMILIES[equation.family]
    ratio = bool(ratio_word(family))
    for term in model.terms(equation):
        yield _Element(term, response, term, ratio and term != INTERCEPT)
    for term in model.zero_terms(equation):
        yield _Element(f"zero[{term}]", f"{response}_zero", term, term != INTERCEPT)
    for confounder in model.confounders:
        if response in dict(confounder.estimated):
            yield _Element(confounder.name, confounder.name, response, ratio)
    names = ["cutpoint"] if family.ordered else []
    for name in [*names, *(f"{parent}_simplex" for parent in equation.monotonic)]:
        array = draws[f"{response}_{name}"]
        (dim,) = set(array.dims) - {"chain", "draw"}
        for label in array[dim].to_numpy():
            yield _Element(f"{name}[{label}]", str(array.name), str(label), ratio=False)
    for name in (*family.parameters, *(["tau"] if equation.varying else [])):
        yield _Element(name, name, response, ratio=False)
    for pair in model.correlated_pairs if RESIDUAL_CORRELATION in model.parameters(equation) else ():
        yield _Element(f"{RESIDUAL_CORRELATION}[{pair}]", RESIDUAL_CORRELATION, pair, ratio=False)
