"""The engine's forward pass in NumPy, for many draws at once: hidden values, and every row's log-density."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.design.equations import Part, Term
from bayes_sp.design.parameters import hidden_name, varying_name
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.links import Link
from bayes_sp.inference.engine.lower import Program
from bayes_sp.inference.pointwise.standardised import Linked, precision_of, settled
from bayes_sp.model.families.registry import FAMILIES


def forward(program: Program, natural: Array) -> tuple[dict[str, Array], Array]:
    """Return values of hidden variables, (s, R) each, and every row's log-density, (s, R), as the engine has them."""
    own, ell = standardised_values(program, natural)
    values = {confounder.name: own[confounder.name] for confounder in program.confounders}
    for part in program.parts:
        eta = _predictor(program, part, natural, values, zero=False)
        zeta = _predictor(program, part, natural, values, zero=True)
        aux = _aux(program, part, natural)
        seen = (part.state == at.SEEN) | (part.state == at.MEASURED)
        density = FAMILIES[part.family].log_density(part.y[seen], eta[:, seen], zeta[:, seen], aux)
        ell[:, seen] += density
        if part.response in own:
            share, sd = _shares(part, aux)
            hidden = eta + share * (part.y - eta) + sd * own[part.response]
            values[part.response] = np.where(part.hidden_number >= 0, hidden, part.y)
    return values, ell


def standardised_values(program: Program, natural: Array) -> tuple[dict[str, Array], Array]:
    """Return the standardised value w of each variable with hidden ones in every row, and the change that `settle` has.

    Both (s, R); an unmeasured confounder is its w. ``natural`` are natural parameters, (s, ...).
    """
    rows = program.rows.count
    members = [link.name for link in program.links if link.hidden is not None]
    parts = {part.response: part for part in program.parts}
    linked = []
    z = []
    for link in program.links:
        if link.hidden is not None:
            first = program.parameters.place(hidden_name(link.name))
            z.append(np.where(link.hidden >= 0, natural[:, first + np.maximum(link.hidden, 0)], 0.0))
        member = members.index(link.name) if link.hidden is not None else None
        linked.append(_linked(program, link, member, parts.get(link.name), natural, members))
    if not z:
        return {}, np.zeros((len(natural), rows))
    w, change = settled(linked, z)
    return dict(zip(members, w, strict=True)), change


def _linked(
    program: Program, link: Link, member: int | None, part: Part | None, natural: Array, members: list[str]
) -> Linked:
    if part is None:  # an unmeasured confounder
        return Linked(member)
    aux = _aux(program, part, natural)
    parents = []
    for term in part.terms:
        if term.levels is None and not term.zero:
            slope = natural[:, [program.parameters.place(term.variable or part.response, term.name)]]
            times = slope * _open(program, term) * (1.0 if term.multiplier is None else term.multiplier)
            parents.append((members.index(term.source), times, term.center))
    share, sd = _shares(part, aux) if member is not None else (0.0, 1.0)
    precision = None
    if link.weight is not None:
        precision = precision_of(link.precision, link.weight, aux[:, :1], sum(part.fixed))
    base = _predictor(program, part, natural, {}, zero=False)
    return Linked(member, base, parents, share, sd, part.y, link.target, precision)


def _open(program: Program, term: Term) -> Array:
    """Return in which rows a term's parent is hidden, (R,), as 0 and 1."""
    source = next((part for part in program.parts if part.response == term.source), None)
    return np.ones(program.rows.count) if source is None else (source.hidden_number >= 0).astype(float)


def _shares(part: Part, aux: Array) -> tuple[Array, Array]:
    """Return (k, sd) of hidden values eta + k (y - eta) + sd w, (s, R) or (s, 1)."""
    sigma = aux[:, :1]
    if not part.fixed:
        return np.zeros_like(sigma), sigma
    spread = sigma**2 + part.fixed[0] ** 2
    measured = part.state == at.MEASURED
    share = np.where(measured, sigma**2 / spread, 0.0)
    return share, np.where(measured, sigma * part.fixed[0] / np.sqrt(spread), sigma)


def _predictor(program: Program, part: Part, natural: Array, values: dict[str, Array], *, zero: bool) -> Array:
    """Return a linear predictor, (s, R), without the terms whose values are not known yet."""
    parameters, x = program.parameters, part.zero_x if zero else part.x
    variable = f"{part.response}_zero" if zero else part.response
    eta = np.zeros((len(natural), program.rows.count))
    if x.shape[1]:
        first = parameters.place(variable)
        eta = natural[:, first : first + x.shape[1]] @ x.T
    if not zero and part.offset is not None:
        eta = eta + part.offset
    if not zero and part.groups is not None:
        tau, first = parameters.place("tau", part.response), parameters.place(varying_name(part.response))
        eta = eta + natural[:, [tau]] * natural[:, first + part.groups]
    for term in part.terms:
        if term.zero == zero and (term.levels is not None or term.source in values):
            slope = natural[:, [parameters.place(term.variable or variable, term.name)]]
            eta = eta + slope * _column(program, part, term, natural, values)
    return eta


def _column(program: Program, part: Part, term: Term, natural: Array, values: dict[str, Array]) -> Array:
    if term.levels is not None:
        simplex = f"{part.response}_{term.source}_simplex"
        labels = next(block.labels for block in program.parameters.blocks if block.variable == simplex)
        first = program.parameters.place(simplex)
        shares = natural[:, first : first + len(labels)]
        sums = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
        return len(labels) * sums[:, term.levels]
    if term.variable:  # an unmeasured confounder, hidden in every row
        return values[term.source]
    column = np.where(_open(program, term) > 0, values[term.source] - term.center, 0.0)
    return column if term.multiplier is None else column * term.multiplier


def _aux(program: Program, part: Part, natural: Array) -> Array:
    family = FAMILIES[part.family]
    places = [program.parameters.place(name, part.response) for name in family.parameters]
    if family.ordered:
        cut = program.parameters.place(f"{part.response}_cutpoint")
        places += range(cut, cut + part.levels - 1)
    fixed = np.broadcast_to(part.fixed, (len(natural), len(part.fixed)))
    return np.concatenate([natural[:, places], fixed], axis=1)
