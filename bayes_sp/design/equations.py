"""The equations of a joint model: columns of numbers, states of cells, and terms that no column can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.build import columns_of, design_values, product_of
from bayes_sp.design.design import Design
from bayes_sp.design.parameters import Block
from bayes_sp.design.rows import MEASURED, MISSING, SEEN, Rows
from bayes_sp.errors import SurveyError
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.terms import Number, Predictor, Term

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Live:
    """A term whose column is not known before sampling."""

    name: str  # of its coefficient
    source: str  # the hidden variable, or the ordered parent of a monotonic effect
    zero: bool = False  # whether it belongs to the zero part
    center: float = 0.0  # taken off the hidden value
    multiplier: Array | None = None  # what that is multiplied with, (R,), in an interaction
    levels: Ints | None = None  # number of the parent's level in each row, (R,), for a monotonic effect
    variable: str = ""  # what its coefficient is an element of; '' for the equation's own coefficients


@dataclass(frozen=True, eq=False, repr=False)
class JointEquation:
    """One equation."""

    response: str
    family: str
    # mean, zero: predictors of the mean and of the zero part, whose terms are the columns; None where there is no such
    # part.
    mean: Predictor
    zero: Predictor | None
    # x, zero_x: columns of both predictors, (R, p) and (R, q); 0 where a live term stands instead.
    x: Array
    zero_x: Array
    y: Array  # coded responses, (R,); 0 where the cell is missing
    # What each cell is, (R,): `SEEN`, `ABSENT` (missing, and nothing that was observed depends on it), `MISSING` or
    # `MEASURED`.
    state: Ints
    hidden_number: Ints  # number of each cell among the variable's hidden ones, (R,), -1 elsewhere
    is_parent: bool  # whether a later equation needs the value
    levels: int  # of an ordered response
    fixed: tuple[float, ...]  # known constants after the family's parameters
    # offset, groups: added to the mean's predictor, (R,): windows and shifts of missing values; group of each row,
    # (R,).
    offset: Array | None
    groups: Ints | None
    terms: tuple[Live, ...]  # those that no column holds: monotonic effects, hidden parents, unmeasured confounders
    # blocks, others: parameters of the equation; parameters of its groups and hidden cells.
    blocks: tuple[Block, ...]
    others: tuple[Block, ...]

    @property
    def likelihood(self) -> Family:
        """The family itself."""
        return FAMILIES[self.family]

    @property
    def own_columns(self) -> Array:
        """Columns of its own coefficients, (R, p): all, but of a mediator given others with correlated errors."""
        labels = next((block.labels for block in self.blocks if block.variable == self.response), ())
        return self.x if labels == self.mean.names else self.x[:, [self.mean.names.index(label) for label in labels]]

    @property
    def seen(self) -> Mask:
        """Rows whose response has a density, (R,)."""
        return np.asarray((self.state == SEEN) | (self.state == MEASURED))

    @property
    def has_hidden(self) -> bool:
        """Whether later equations need values of the response that are not known."""
        return self.is_parent and bool((self.hidden_number >= 0).any())

    def live(self, *, zero: bool = False, steps: bool = True, hidden: bool = True) -> tuple[int, ...]:
        """Return the places of a predictor's terms that no column holds: monotonic effects, hidden parents, or both."""
        predictor = self.zero if zero else self.mean
        chosen = {
            term.name
            for term in self.terms
            if term.zero == zero and not term.variable and (steps if term.levels is not None else hidden)
        }
        return tuple(k for k, term in enumerate(predictor.terms) if term.name in chosen) if predictor else ()


def hidden_numbers(rows: Rows, state: Ints) -> tuple[Ints, int]:
    """Return each row's number among the patients whose cell is hidden, and how many those are."""
    hidden = (state == MISSING) | (state == MEASURED)
    patients = np.unique(rows.patient[hidden])
    number = np.full(rows.count, -1, dtype=np.int64)
    number[hidden] = np.searchsorted(patients, rows.patient[hidden])
    return number, len(patients)


def known_columns(predictor: Predictor, rows: Rows, hidden: dict[str, Mask], counts: Mask) -> tuple[Array, list[Live]]:
    """Return a predictor's columns with 0 where a value is not known or nothing counts, and the terms for those."""
    x, terms = columns_of(predictor, rows.design), list[Live]()
    x[~counts] = 0.0
    for c, term in enumerate(predictor.terms):
        if term.steps is not None:
            terms.append(Live(term.name, term.variables[0], levels=x[:, c].astype(np.int64)))
            x[:, c] = 0.0
            continue
        sources = [name for name in term.variables if name in hidden and hidden[name].any()]
        if len(sources) > 1:
            problem = f"{sources[0]}: values are missing, and so are values of {sources[1]} in an interaction with it"
            raise SurveyError("the survey", [f'{problem}; set missing = "complete"'])
        if sources:
            terms.append(_live(term, sources[0], rows.design, zero=predictor.zero))
            x[hidden[sources[0]], c] = 0.0
    if np.isnan(x).any():
        raise AssertionError("a missing cell has no account")
    return x, terms


def _live(term: Term, source: str, design: Design, *, zero: bool) -> Live:
    """Return a term of which one factor is hidden: the value less its centre, times the other factors."""
    (own,) = (factor for factor in term.factors if factor.variable == source)
    others = term.without(source).factors
    multiplier = np.nan_to_num(product_of(others, design_values(design), design.n)) if others else None
    center = 0.0 if own.column or not isinstance(own.coding, Number) else own.coding.center
    return Live(term.name, source, zero=zero, center=center, multiplier=multiplier)
