"""Equations that hidden values depend on: their own, and those whose responses say where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array, sd_of
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.joint import Confounder
from bayes_sp.design.parameters import Block
from bayes_sp.design.rows import Rows
from bayes_sp.inference.engine import layout as at
from bayes_sp.model.families.base import Precision
from bayes_sp.model.families.registry import FAMILIES

Ints = NDArray[np.int64]
# How a precision follows from a family's first parameter.
PRECISIONS: dict[Precision, int] = {
    "sd": at.OF_SD, "precision": at.OF_PRECISION, "weight": at.OF_WEIGHT, "size": at.OF_COUNT
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Link:
    """An equation, and what it says of hidden values."""

    name: str  # of the response, or of an unmeasured confounder
    # Number of each row's hidden value among the variable's, (R,), -1 elsewhere; None where it has none.
    hidden: Ints | None
    # target, weight: the response on the scale of its linear predictor, and what its precision is multiplied with,
    # (R,); 0 where it says nothing. None where it never says anything.
    target: Array | None = None
    weight: Array | None = None
    precision: int = at.OF_WEIGHT  # how the precision follows from the family's first parameter, as in `layout`


def links_of(rows: Rows, confounders: Sequence[Confounder], parts: Sequence[JointEquation]) -> tuple[Link, ...]:
    """Return, in the engine's order, every confounder and every equation with hidden values or a hidden parent."""
    found = [Link(confounder.name, rows.patient) for confounder in confounders]
    for part in parts:
        hidden = part.hidden_number if part.has_hidden else None
        says = any(term.levels is None and not term.zero for term in part.terms) or hidden is not None
        if says and FAMILIES[part.family].on_link:
            found.append(_saying(part, hidden))
        elif hidden is not None:
            found.append(Link(part.response, hidden))
    return tuple(found) if any(link.hidden is not None for link in found) else ()


def are_normal(confounders: Sequence[Confounder], parts: Sequence[JointEquation]) -> bool:
    """Whether all that depends on hidden values is normal and linear in them, so that they can be integrated out."""
    there = bool(confounders) or any(part.has_hidden for part in parts)
    return there and all(
        term.levels is not None or (FAMILIES[part.family].gaussian and not term.zero)
        for part in parts
        for term in part.terms
    )


def shifted(part: JointEquation, parts: Sequence[JointEquation], *, zero: bool = False) -> Array:
    """Return an equation's columns, (R, p), with what is taken off a parent's hidden value where that one stands."""
    x = (part.zero_x if zero else part.x).copy()
    hidden = {other.response: other.hidden_number >= 0 for other in parts}
    predictor = part.zero if zero else part.mean
    labels = predictor.names if predictor else ()
    for term in part.terms:
        if term.zero == zero and term.center != 0.0 and term.source in hidden:
            times = -term.center if term.multiplier is None else -term.center * term.multiplier
            x[:, labels.index(term.name)] = np.where(hidden[term.source], times, x[:, labels.index(term.name)])
    return x


def with_softplus_loadings(
    parts: Sequence[JointEquation], confounders: Sequence[Confounder]
) -> tuple[JointEquation, ...]:
    """Return the equations with residual SDs on a linear scale where a hidden value makes up a part of the variance.

    That part can be the whole, with a confounder, a measurement error or a parent measured with error, and on a
    logarithmic scale the SD would have no end below.
    """
    sources = {confounder.name for confounder in confounders}
    sources |= {part.response for part in parts if FAMILIES[part.family].latent and part.has_hidden}
    return tuple(
        replace(part, blocks=tuple(_soft(block, part) for block in part.blocks))
        if part.response in sources or any(term.source in sources for term in part.terms)
        else part
        for part in parts
    )


def _soft(block: Block, part: JointEquation) -> Block:
    if block.variable != "sigma":
        return block
    seen = (part.state == at.SEEN) | (part.state == at.MEASURED)
    scale = float(sd_of(FAMILIES[part.family].to_link(part.y[seen])))
    return replace(block, transform="soft", unit=0.1 * scale) if scale > 0.0 else block


def _saying(part: JointEquation, hidden: Ints | None) -> Link:
    says = (part.state == at.SEEN) | (part.state == at.MEASURED)
    family = FAMILIES[part.family]
    if family.on_link is None:
        raise ValueError(f'the family "{part.family}" does not say where its predictor lies')
    target, weight = family.on_link(np.where(says, part.y, 0.5))
    target, weight = np.where(says, target, 0.0), np.where(says, weight, 0.0)
    return Link(part.response, hidden, target, weight, PRECISIONS[family.precision])
