"""PathModel + Design -> JointModel: every equation, row and parameter, for whatever samples or evaluates them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.design.equations import JointEquation, Live, hidden_numbers, known_columns
from bayes_sp.design.incomplete import incomplete_equations
from bayes_sp.design.parameters import Block, FixedParameter, equation_blocks, hidden_block, varying_block
from bayes_sp.design.relevance import relevant, unaccounted
from bayes_sp.design.rows import ABSENT, MEASURED, MISSING, SEEN, Rows, split_rows
from bayes_sp.design.sequence import design_in_sequence, in_sequence
from bayes_sp.errors import SurveyError
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of


@dataclass(frozen=True, eq=False, repr=False)
class Confounder:
    """An unmeasured confounder, U ~ N(0, 1) for each patient."""

    name: str
    # blocks, others, known: strengths that are parameters; the standardised values; strengths that are taken as known.
    blocks: tuple[Block, ...]
    others: tuple[Block, ...]
    known: tuple[FixedParameter, ...]


@dataclass(frozen=True, eq=False, repr=False)
class JointModel:
    """A specification with its records: what is sampled, evaluated and replicated."""

    model: PathModel
    rows: Rows  # which rows are which patient; missing levels stand as every value that they may have
    confounders: tuple[Confounder, ...]  # unmeasured ones
    # Those of incomplete covariates and of an incomplete exposure, then those of the chain.
    equations: tuple[JointEquation, ...]

    @property
    def members(self) -> tuple[Confounder | JointEquation, ...]:
        """Everything that has parameters, in their order."""
        return (*self.confounders, *self.equations)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every parameter: of the equations, then one for each group or hidden value."""
        own = (block for member in self.members for block in member.blocks)
        return (*own, *(block for member in self.members for block in member.others))


def joint_model(model: PathModel, design: Design) -> JointModel:
    """Return the joint model of a specification and a survey's arrays.

    Raises SurveyError where cells are missing of which the model has no account.
    """
    if problems := unaccounted(model, design):
        raise SurveyError("the survey", problems)
    rows = split_rows(model, design_in_sequence(model, design))
    chain = (_chain_equation(model, rows, j) for j in range(len(model.equations)))
    return JointModel(model, rows, confounders_of(model, rows), (*incomplete_equations(model, rows), *chain))


def _chain_equation(model: PathModel, rows: Rows, j: int) -> JointEquation:
    chain = in_sequence(model)
    equation, design = chain.equations[j], rows.design
    response, family = equation.response, FAMILIES[equation.family]
    is_parent = any(response in other.parents for other in chain.equations[j + 1 :])
    gone, asked = np.isnan(design.y[:, j]), relevant(design, response)
    state = np.full(rows.count, SEEN, dtype=np.int64)
    state[gone] = np.where(asked[gone], MISSING, ABSENT)
    if family.latent:
        state[~gone & asked] = MEASURED
    number, count = hidden_numbers(rows, state)
    counts = state != ABSENT
    hidden = {name: mask & counts for name, mask in _hidden_columns(model, rows).items()}
    mean, *zeros = predictors_of(chain, equation)
    zero = zeros[0] if zeros else None
    x, terms = known_columns(mean, rows, hidden, counts)
    zero_x, zero_terms = known_columns(zero, rows, hidden, counts) if zero else (np.empty((rows.count, 0)), [])
    loadings = [Live(response, loading.name, variable=loading.name) for loading in mean.loadings]
    others = []
    groups = None
    if equation.varying:
        groups = design.groups[equation.varying][0]
    if varying := model.equations[j].varying:
        others.append(varying_block(response, design.groups[varying][1]))
    if count:
        others.append(hidden_block(response, count))
    return JointEquation(
        response=response, family=equation.family, mean=mean, zero=zero, x=x, zero_x=zero_x,
        y=np.where(gone, 0.0, design.coded(j)), state=state, hidden_number=number, is_parent=is_parent,
        levels=model.coding(response).levels,
        fixed=(design.measurement_sd[response],) if family.latent else (),
        offset=_offset(rows, response, counts), groups=groups,
        terms=(*terms, *zero_terms, *loadings),
        blocks=tuple(equation_blocks(model, j)), others=tuple(others),
    )  # fmt: skip


def _offset(rows: Rows, response: str, counts: Mask) -> Array | None:
    """Return what a predictor has beside coefficients; None where that is nothing in any row that counts."""
    shift = rows.design.shifts.get(response)
    if shift is None or not shift[counts].any():
        return rows.design.offsets.get(response)
    return rows.design.offset(response)


def _hidden_columns(model: PathModel, rows: Rows) -> dict[str, Mask]:
    """Return which rows' values are parameters, by variable: missing numbers, and what is measured with error."""
    design = rows.design
    found = {name: mask for name, mask in design.missing.items() if name not in rows.summed}
    for equation in model.equations:
        if FAMILIES[equation.family].latent:
            found[equation.response] = np.ones(rows.count, dtype=bool)
    return found


def confounders_of(model: PathModel, rows: Rows) -> tuple[Confounder, ...]:
    """Return the unmeasured confounders of a specification."""
    return tuple(_confounder(rows, unmeasured) for unmeasured in model.confounders)


def _confounder(rows: Rows, unmeasured: Unmeasured) -> Confounder:
    name = unmeasured.name
    blocks = tuple(_strength_block(name, response, prior) for response, prior in unmeasured.estimated)
    known = tuple(
        FixedParameter(name, response, float(s)) for response, s in unmeasured.strengths if isinstance(s, int | float)
    )
    return Confounder(name, blocks, (hidden_block(name, len(np.unique(rows.patient))),), known)


def _strength_block(name: str, response: str, prior: Prior) -> Block:
    """Return a strength as a parameter.

    A residual SD and a strength in its equation make up one variance, so that a strength near that SD is known to a
    part of itself: on a logarithmic scale, where small ones spread wide, no single step size suits both.
    """
    if prior.support != "positive":
        return Block(name, (response,), "identity", (prior,))
    moderate = prior.distribution.moderate
    if moderate is None:
        raise ValueError(f"a strength needs a proper prior on the positive numbers, found {prior}")
    return Block(name, (response,), "soft", (prior,), unit=0.5 * moderate(*prior.numbers))
