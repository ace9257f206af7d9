"""Unmeasured confounders as the engine sees them: a hidden value for each patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_sp.design.parameters import Block, FixedParameter, hidden_block
from bayes_sp.design.rows import Rows
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import PathModel


@dataclass(frozen=True, eq=False, repr=False)
class Confounder:
    """An unmeasured confounder, U ~ N(0, 1) for each patient.

    Attributes
    ----------
    name
        As in the specification.
    blocks, others, known
        Strengths that are parameters; the standardised values; strengths that are taken as known.
    """

    name: str
    blocks: tuple[Block, ...]
    others: tuple[Block, ...]
    known: tuple[FixedParameter, ...]


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
