"""Unmeasured confounders as the engine sees them: a hidden value for each patient, and what is known of it already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayes_sp.model import layout as at
from bayes_sp.model.parameters import Block, Known, hidden_block
from bayes_sp.model.parts import Part
from bayes_sp.model.split import Rows
from bayes_sp.spec.parts import Unmeasured
from bayes_sp.spec.priors import Prior
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array

# Families of continuous responses: the response on the scale of the linear predictor, and a factor of its precision.
ON_LINK: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "normal": lambda y: (y, np.ones_like(y)),
    "student_t": lambda y: (y, np.ones_like(y)),
    "latent_normal": lambda y: (y, np.ones_like(y)),
    "lognormal": lambda y: (np.log(y), np.ones_like(y)),
    "gamma": lambda y: (np.log(y), np.ones_like(y)),
    "beta": lambda y: (np.log(y) - np.log1p(-y), y * (1.0 - y)),
}
# A moderate value of a strength with a prior on the positive numbers.
MODERATE: dict[str, Callable[..., float]] = {
    "half_normal": lambda sigma: 0.5 * sigma,
    "half_student_t": lambda nu, sigma: 0.5 * sigma,
    "exponential": lambda scale: 0.5 * scale,
    "gamma": lambda alpha, beta: alpha / beta,
    "inverse_gamma": lambda alpha, beta: beta / (alpha + 1.0),
    "lognormal": lambda mu, sigma: float(np.exp(mu)),
}
PRECISIONS = ("gamma", "beta")  # whose first parameter is a precision; the others' is an SD


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Guide:
    """A response that says of each patient where the confounder lies.

    Attributes
    ----------
    response
        Of the equation that the confounder acts on.
    target, weight
        The response on the scale of its linear predictor, and what its precision is multiplied with, (R,); 0 where
        it says nothing.
    is_precision
        Whether the family's first parameter is a precision, not an SD.
    """

    response: str
    target: Array
    weight: Array
    is_precision: bool


@dataclass(frozen=True, eq=False, repr=False)
class Confounder:
    r"""An unmeasured confounder, U ~ N(0, 1) for each patient.

    The sampler sees z ~ N(0, 1) in its place where nothing else is known of U. With r_j the residual of response j
    before U, s_j its strength there and q_j the precision of r_j::

        U = (sum_j s_j q_j r_j) / T + z / sqrt(T),    T = 1 + sum_j s_j^2 q_j

    For normal responses, z is what U is known to be given them, standardised: N(0, 1) again. That is a change of
    variables, exact whatever the guides are. Without it the joint density of U and a residual SD rises without limit
    where the SD falls to 0 and every U explains its patient's residual, and has no other mode at strengths above half
    of the SD.

    Attributes
    ----------
    name
        As in the specification.
    guides
        Continuous responses that it acts on.
    blocks, others, known
        Strengths that are parameters; the standardised values; strengths that are taken as known.
    """

    name: str
    guides: tuple[Guide, ...]
    blocks: tuple[Block, ...]
    others: tuple[Block, ...]
    known: tuple[Known, ...]


def confounders_of(model: PathModel, rows: Rows, parts: Sequence[Part]) -> tuple[Confounder, ...]:
    """Return the unmeasured confounders of a specification, with what the records' equations say of them."""
    return tuple(_confounder(model, rows, parts, unmeasured) for unmeasured in model.confounders)


def _confounder(model: PathModel, rows: Rows, parts: Sequence[Part], unmeasured: Unmeasured) -> Confounder:
    name = unmeasured.name
    names = [other.name for other in model.confounders]
    patients = len(np.unique(rows.patient))
    blocks = tuple(_strength_block(name, response, prior) for response, prior in unmeasured.estimated)
    known = tuple(Known(name, response, float(s)) for response, s in unmeasured.strengths if isinstance(s, int | float))
    acting = [part for part in parts if any(term.source == name for term in part.terms)]
    guides = tuple(_guide(rows, part, parts, names) for part in acting if part.family in ON_LINK)
    return Confounder(name, guides, blocks, (hidden_block(name, patients),), known)


def softened(parts: Sequence[Part], confounders: Sequence[Confounder]) -> tuple[Part, ...]:
    """Return the equations with residual SDs on a linear scale where a confounder makes up a part of the variance.

    That part can be the whole, and on a logarithmic scale the SD would have no end below.
    """
    scales = {
        guide.response: float(guide.target[guide.weight > 0].std())
        for confounder in confounders
        for guide in confounder.guides
        if not guide.is_precision and (guide.weight > 0).any()
    }
    return tuple(
        replace(part, blocks=tuple(_soft(block, scales.get(part.response, 0.0)) for block in part.blocks))
        for part in parts
    )


def _soft(block: Block, scale: float) -> Block:
    is_scale = block.variable == "sigma" and scale > 0.0
    return replace(block, transform="soft", unit=0.1 * scale) if is_scale else block


def _strength_block(name: str, response: str, prior: Prior) -> Block:
    """Return a strength as a parameter.

    A residual SD and a strength in its equation make up one variance, so that a strength near that SD is known to a
    part of itself: on a logarithmic scale, where small ones spread wide, no single step size suits both.
    """
    if prior.support != "positive":
        return Block(name, (response,), "identity", (prior,))
    return Block(name, (response,), "soft", (prior,), unit=0.5 * MODERATE[prior.dist](**prior.values))


def _guide(rows: Rows, part: Part, parts: Sequence[Part], confounders: Sequence[str]) -> Guide:
    """Return what a response says: nothing of a patient with several rows, or whose predictor is not all known."""
    says = ((part.state == at.SEEN) | (part.state == at.MEASURED)) & (np.arange(rows.count) < rows.single)
    for term in part.terms:
        if term.levels is None and term.source not in confounders:
            source = next(other for other in parts if other.response == term.source)
            says &= source.state == at.SEEN
    target, factor = ON_LINK[part.family](np.where(says, part.y, 0.5))
    return Guide(part.response, np.where(says, target, 0.0), np.where(says, factor, 0.0), part.family in PRECISIONS)
