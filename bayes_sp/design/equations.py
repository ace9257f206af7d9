"""The equations as the engine sees them: columns of numbers, states of cells, and terms that no column can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design import states
from bayes_sp.design.build import equation_matrix, transformed, zero_matrix
from bayes_sp.design.parameters import Block, equation_blocks, hidden_block, varying_block
from bayes_sp.design.relevance import relevant
from bayes_sp.design.rows import Rows
from bayes_sp.errors import SurveyError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Equation
from bayes_sp.model.path_model import PathModel

Ints = NDArray[np.int64]
WEAK = "weak: on the scale of the observed cells"


@dataclass(frozen=True, eq=False, repr=False)
class Term:
    """A term whose value is not known before sampling.

    Attributes
    ----------
    name
        Of its coefficient.
    source
        The hidden variable, or the ordered parent of a monotonic effect.
    variable
        That its coefficient is an element of; '' for the equation's own coefficients.
    zero
        Whether it belongs to the zero part.
    center
        Taken off the hidden value.
    multiplier
        What that is multiplied with, (R,), in an interaction.
    levels
        Number of the parent's level in each row, (R,), for a monotonic effect.
    """

    name: str
    source: str
    zero: bool = False
    center: float = 0.0
    multiplier: Array | None = None
    levels: Ints | None = None
    variable: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """One equation.

    Attributes
    ----------
    response, family
        The variable, and its likelihood.
    x, zero_x
        Columns of both predictors, (R, p) and (R, q); 0 where a term stands instead.
    y
        Coded responses, (R,); 0 where the cell is missing.
    state
        What each cell is, (R,): `states.SEEN`, `ABSENT` (missing, and nothing that was observed depends on it),
        `MISSING` or `MEASURED`.
    hidden_number
        Number of each cell among the variable's hidden ones, (R,), -1 elsewhere.
    is_parent
        Whether a later equation needs the value.
    levels
        Number of levels of an ordered response.
    fixed
        Known constants after the family's parameters.
    offset, groups
        Added to the mean's predictor, (R,): windows and shifts of missing values; group of each row, (R,).
    terms
        Monotonic effects and hidden parents.
    blocks, others
        Parameters of the equation; parameters of its groups and hidden cells.
    """

    response: str
    family: str
    x: Array
    zero_x: Array
    y: Array
    state: Ints
    hidden_number: Ints
    is_parent: bool
    levels: int
    fixed: tuple[float, ...]
    offset: Array | None
    groups: Ints | None
    terms: tuple[Term, ...]
    blocks: tuple[Block, ...]
    others: tuple[Block, ...]


def parts_of(model: PathModel, rows: Rows) -> tuple[Part, ...]:
    """Return the equations of incomplete covariates and of an incomplete exposure, then those of the chain.

    p(w_1, ..., w_m, x) is factorised in that order: each incomplete covariate given the complete ones, the exposure
    where it is complete, and the incomplete ones before it; an incomplete exposure given all covariates. So no two of
    them are taken to be independent.

    Raises
    ------
    SurveyError
        Where cells are missing of which the model has no account.
    """
    design = rows.design
    whole = [t for t, column in zip(design.covariate_terms, design.w.T, strict=True) if not np.isnan(column).any()]
    known = [term for term in whole if term.partition("[")[0] not in rows.summed]
    incomplete = [c.name for c in model.covariates if c.name in rows.summed or c.name in design.missing]
    extra = [_covariate_part(model, rows, name, known, incomplete[:k]) for k, name in enumerate(incomplete)]
    if model.exposure in design.missing:
        extra.append(_covariate_part(model, rows, model.exposure, known, incomplete))
    return (*extra, *(_chain_part(model, rows, j) for j in range(len(model.equations))))


def _chain_part(model: PathModel, rows: Rows, j: int) -> Part:
    equation, design = model.equations[j], rows.design
    response, family = equation.response, FAMILIES[equation.family]
    is_parent = any(response in other.parents for other in model.equations[j + 1 :])
    gone, asked = np.isnan(design.y[:, j]), relevant(design, response)
    state = np.full(rows.count, states.SEEN, dtype=np.int64)
    state[gone] = np.where(asked[gone], states.MISSING, states.ABSENT)
    if family.latent:
        state[~gone & asked] = states.MEASURED
    unknown = int((state == states.MISSING).sum())
    if unknown and family.missing != "number":
        problem = f"{response}: {unknown} values are missing, and the family {equation.family} has no account"
        raise SurveyError("the survey", [f'{problem} of missing mediators; set missing = "complete"'])
    number, count = _hidden_numbers(rows, state)
    counts = state != states.ABSENT
    hidden = {name: mask & counts for name, mask in _hidden_columns(model, rows).items() if (mask & counts).any()}
    columns, zero_columns = equation_matrix(model, design, j), zero_matrix(model, design, j)
    columns[~counts], zero_columns[~counts] = 0.0, 0.0
    x, terms = _without_hidden(model, rows, equation, columns, hidden, zero=False)
    zero_x, zero_terms = _without_hidden(model, rows, equation, zero_columns, hidden, zero=True)
    others = []
    groups = None
    if equation.varying:
        groups, labels = design.groups[equation.varying]
        others.append(varying_block(response, labels))
    if count:
        others.append(hidden_block(response, count))
    return Part(
        response=response, family=equation.family, x=x, zero_x=zero_x,
        y=np.where(gone, 0.0, design.coded(j)), state=state, hidden_number=number, is_parent=is_parent,
        levels=model.coding(response).levels,
        fixed=(design.measurement_sd[response],) if family.latent else (),
        offset=_offset(rows, response, counts), groups=groups,
        terms=(*terms, *zero_terms, *_confounding(model, response)),
        blocks=tuple(equation_blocks(model, j)), others=tuple(others),
    )  # fmt: skip


def _confounding(model: PathModel, response: str) -> list[Term]:
    """Return the terms of the unmeasured confounders that act on a response."""
    acting = [(u.name, strength) for u in model.confounders for name, strength in u.strengths if name == response]
    return [Term(response, name, variable=name) for name, strength in acting if strength != 0.0]


def _offset(rows: Rows, response: str, counts: NDArray[np.bool_]) -> Array | None:
    """Return what a predictor has beside coefficients; None where that is nothing in any row that counts."""
    shift = rows.design.shifts.get(response)
    if shift is None or not shift[counts].any():
        return rows.design.offsets.get(response)
    return rows.design.offset(response)


def _hidden_numbers(rows: Rows, state: Ints) -> tuple[Ints, int]:
    """Return each row's number among the patients whose cell is hidden, and how many those are."""
    hidden = (state == states.MISSING) | (state == states.MEASURED)
    patients = np.unique(rows.patient[hidden])
    number = np.full(rows.count, -1, dtype=np.int64)
    number[hidden] = np.searchsorted(patients, rows.patient[hidden])
    return number, len(patients)


def _hidden_columns(model: PathModel, rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """Return which rows' values are parameters, by variable: missing numbers, and what is measured with error."""
    design = rows.design
    found = {name: mask for name, mask in design.missing.items() if name not in rows.summed}
    for equation in model.equations:
        if FAMILIES[equation.family].latent:
            found[equation.response] = np.ones(rows.count, dtype=bool)
    return found


def _without_hidden(
    model: PathModel, rows: Rows, equation: Equation, x: Array, hidden: dict[str, NDArray[np.bool_]], *, zero: bool
) -> tuple[Array, list[Term]]:
    """Return the columns with 0 where a value is not known, and the terms that stand for those."""
    labels = model.zero_terms(equation) if zero else model.terms(equation)
    x, terms = x.copy(), list[Term]()
    for c, name in enumerate(labels):
        if not zero and name in equation.monotonic:
            coded = rows.design.coded(rows.design.responses.index(name))
            levels = np.nan_to_num(coded).astype(np.int64)  # missing only in rows that do not count
            terms.append(Term(name, name, levels=levels))
            x[:, c] = 0.0
            continue
        exposure, _, mediator = name.partition(":")
        sources = [source for source in (exposure, mediator) if source in hidden]
        if not sources:
            continue
        if len(sources) == 2:
            problem = f"{model.exposure}: values are missing, and so are values of {mediator} in an interaction with it"
            raise SurveyError("the survey", [f'{problem}; set missing = "complete"'])
        source = sources[0]
        center = model.variable(source).center if source in model.chain else 0.0
        multiplier = None
        if mediator:
            design = rows.design
            other = design.y[:, design.responses.index(mediator)] - model.variable(mediator).center
            multiplier = design.x if source == mediator else np.nan_to_num(other)
            center = center if source == mediator else 0.0
        elif source == model.exposure:
            center = model.variable(source).center
        x[hidden[source], c] = 0.0
        terms.append(Term(name, source, zero=zero, center=center, multiplier=multiplier))
    if np.isnan(x).any():
        raise AssertionError("a missing cell has no account")
    return x, terms


def _covariate_part(model: PathModel, rows: Rows, name: str, known: list[str], earlier: list[str]) -> Part:
    """Return the equation of an incomplete covariate or exposure, given complete and earlier incomplete ones.

    A number is normal, on the covariate's transformed scale; one of few levels is ordered.
    """
    design = rows.design
    levels = len(rows.summed.get(name, ()))
    before = [term for c in model.covariates if c.name in earlier for term in c.terms]
    labels = [*known, *before]
    columns = [design.w[:, design.covariate_terms.index(term)] for term in labels]
    if name != model.exposure and model.exposure not in design.missing:
        columns.append(design.x)
        labels.append(model.exposure)
    if levels:
        values = _level_numbers(model, rows, name)
    else:
        columns.insert(0, np.ones(rows.count))
        labels.insert(0, "intercept")
        values = design.x if name == model.exposure else design.w[:, design.covariate_terms.index(name)]
    terms = tuple(Term(label, label) for label, column in zip(labels, columns, strict=True) if np.isnan(column).any())
    gone = np.isnan(values)
    unknown = gone & relevant(design, name) if name == model.exposure else gone
    state = np.where(unknown, states.MISSING, np.where(gone, states.ABSENT, states.SEEN))
    number, count = _hidden_numbers(rows, state)
    return Part(
        response=name, family="ordered_logit" if levels else "normal",
        x=np.nan_to_num(np.column_stack(columns)) if columns else np.empty((rows.count, 0)),
        zero_x=np.empty((rows.count, 0)), y=np.where(gone, 0.0, values), state=state, hidden_number=number,
        is_parent=True, levels=levels, fixed=(), offset=None, groups=None, terms=terms,
        blocks=_covariate_blocks(name, labels, columns, values, levels),
        others=(hidden_block(name, count),) if count else (),
    )  # fmt: skip


def _covariate_blocks(
    name: str, labels: list[str], columns: list[Array], values: Array, levels: int
) -> tuple[Block, ...]:
    """Return the parameters of an incomplete covariate's equation, with priors on the scale of what was observed."""
    center, spread = (0.0, 1.0) if levels else (float(np.nanmean(values)), float(np.nanstd(values)) or 1.0)
    priors = []
    for label, column in zip(labels, columns, strict=True):
        unit = float(np.nanstd(column)) or 1.0
        mu, sigma = (center, 2.0 * spread) if label == "intercept" else (0.0, spread / unit)
        priors.append(Prior("normal", (("mu", mu), ("sigma", sigma)), WEAK))
    blocks = [Block(name, tuple(labels), "identity", tuple(priors))] if labels else []
    if levels:
        cut = Prior("normal", (("mu", 0.0), ("sigma", 2.0)), WEAK)
        names = tuple(f"{k}|{k + 1}" for k in range(levels - 1))
        return (*blocks, Block(f"{name}_cutpoint", names, "increasing", (cut,) * (levels - 1)))
    scale = Prior("half_normal", (("sigma", 1.5 * spread),), WEAK)
    return (*blocks, Block("sigma", (name,), "log", (scale,)))


def _level_numbers(model: PathModel, rows: Rows, name: str) -> Array:
    """Return the number of a summed covariate's level in each row."""
    covariate = next(c for c in model.covariates if c.name == name)
    design = rows.design
    own = np.column_stack([design.w[:, design.covariate_terms.index(term)] for term in covariate.terms])
    each = np.column_stack(transformed(covariate, np.array(rows.summed[name])))
    return np.abs(own[:, None, :] - each[None, :, :]).sum(axis=2).argmin(axis=1).astype(float)
