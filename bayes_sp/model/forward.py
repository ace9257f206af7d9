"""The engine's forward pass in NumPy, for many draws at once: hidden values, and every row's log-density."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model import layout as at
from bayes_sp.model.parameters import hidden_name, varying_name
from bayes_sp.model.parts import Part, Term
from bayes_sp.model.program import Program
from bayes_sp.survey.design import Array, Mask


def forward(program: Program, natural: Array) -> tuple[dict[str, Array], Array]:
    """Return values of hidden variables, (s, R) each, and every row's log-density, (s, R), as the engine has them."""
    values = unmeasured(program, natural)
    ell = np.zeros((len(natural), program.rows.count))
    for part in program.parts:
        eta = _predictor(program, part, natural, values, zero=False)
        zeta = _predictor(program, part, natural, values, zero=True)
        aux = _aux(program, part, natural)
        seen = (part.state == at.SEEN) | (part.state == at.MEASURED)
        density = FAMILIES[part.family].log_density(part.y[seen], eta[:, seen], zeta[:, seen], aux)
        ell[:, seen] += density
        if (part.hidden_number >= 0).any():
            values[part.response] = _hidden(program, part, natural, eta, aux)
    return values, ell


def taken(program: Program, keep: Mask) -> Program:
    """Return a program with these rows alone, (R,), whole patients each, for `forward` to read: not for the engine."""
    rows = program.rows

    def term(one: Term) -> Term:
        levels = None if one.levels is None else one.levels[keep]
        return replace(one, levels=levels, multiplier=None if one.multiplier is None else one.multiplier[keep])

    def part(one: Part) -> Part:
        return replace(
            one, x=one.x[keep], zero_x=one.zero_x[keep], y=one.y[keep], state=one.state[keep],
            hidden_number=one.hidden_number[keep], offset=None if one.offset is None else one.offset[keep],
            groups=None if one.groups is None else one.groups[keep], terms=tuple(term(own) for own in one.terms),
        )  # fmt: skip

    place = np.cumsum(keep) - 1  # of each row among those that are kept
    fewer = replace(
        rows, patient=rows.patient[keep], single=int(keep[: rows.single].sum()),
        split=tuple((int(place[first]), count) for first, count in rows.split if keep[first]),
        levels={name: numbers[keep] for name, numbers in rows.levels.items()},
    )  # fmt: skip
    return replace(program, parts=tuple(part(one) for one in program.parts), rows=fewer)


def unmeasured(program: Program, natural: Array) -> dict[str, Array]:
    """Return each unmeasured confounder in every row, (s, R), at natural parameters (s, ...); see `Confounder`."""
    values: dict[str, Array] = {}
    parts = {part.response: part for part in program.parts}
    for confounder in program.confounders:
        total, precision = np.zeros((len(natural), program.rows.count)), np.ones((len(natural), program.rows.count))
        for guide in confounder.guides:
            part, aux = parts[guide.response], _aux(program, parts[guide.response], natural)
            known = aux[:, :1] if guide.is_precision else 1.0 / (aux[:, :1] ** 2 + sum(part.fixed) ** 2)
            strength = natural[:, [program.parameters.place(confounder.name, guide.response)]]
            residual = guide.target - _predictor(program, part, natural, values, zero=False)
            total += strength * known * guide.weight * residual
            precision += strength**2 * known * guide.weight
        z = natural[:, program.parameters.place(hidden_name(confounder.name)) + program.rows.patient]
        values[confounder.name] = total / precision + z / np.sqrt(precision)
    return values


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
    source = next(other for other in program.parts if other.response == term.source)
    hidden = (source.state == at.MISSING) | (source.state == at.MEASURED)
    column = np.where(hidden, values[term.source] - term.center, 0.0)
    return column if term.multiplier is None else column * term.multiplier


def _aux(program: Program, part: Part, natural: Array) -> Array:
    family = FAMILIES[part.family]
    places = [program.parameters.place(name, part.response) for name in family.parameters]
    if family.ordered:
        cut = program.parameters.place(f"{part.response}_cutpoint")
        places += range(cut, cut + part.levels - 1)
    fixed = np.broadcast_to(part.fixed, (len(natural), len(part.fixed)))
    return np.concatenate([natural[:, places], fixed], axis=1)


def _hidden(program: Program, part: Part, natural: Array, eta: Array, aux: Array) -> Array:
    """Values of a variable in every row: the hidden ones of `rows.hide`, the others as observed (0 where absent)."""
    first = program.parameters.place(hidden_name(part.response))
    z = natural[:, first + np.maximum(part.hidden_number, 0)]
    sigma = aux[:, :1]
    missing, out = eta + sigma * z, np.broadcast_to(part.y, eta.shape)
    if part.fixed:
        spread = sigma**2 + part.fixed[0] ** 2
        shared = eta + sigma**2 / spread * (part.y - eta) + sigma * part.fixed[0] / np.sqrt(spread) * z
        out = np.where(part.state == at.MEASURED, shared, out)
    return np.where(part.state == at.MISSING, missing, out)
