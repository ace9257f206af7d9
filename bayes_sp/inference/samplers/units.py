"""Units in which a search for the mode moves: those of the columns, whatever units the columns themselves have.

A column of time stamps, 1.7e9 +- 1e7, has a slope of 1e-8 that is tied to the intercept; of the slope of a column of
1e-200 the records say nothing. In theta = origin + L z, with L L' = (X' X / s^2 + diag(prior precision))^-1, each
coefficient is of order 1 and nearly independent of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayes_sp.arrays import Array, triangle
from bayes_sp.design.equations import JointEquation, Live
from bayes_sp.design.parameters import Block
from bayes_sp.inference.samplers.starts import root_precision
from bayes_sp.inference.samplers.target import Program

TINY = 1e-12  # of a column's own length, what is left of one that others explain


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # the search refuses units that are not finite
def search_units(program: Program) -> Array:
    """Return L, lower triangular, (F, F), of the framed parameters.

    Coefficients of an equation, with the first cutpoint where it has some, are taken together; s is the residual SD
    at the start where there is one, else 1. Strengths of confounders are in units of their priors, parameters on the
    transform `soft` in its unit, and all others, which stand on logarithms, in units of 1.
    """
    units = np.eye(program.framed)
    for confounder in program.confounders:
        for block in confounder.blocks:
            places = range(block.start, block.start + block.size)
            units[places, places] = [1.0 / (root_precision(prior) or 1.0) for prior in block.priors]
    for block in program.parameters.blocks:
        if block.transform == "soft":
            places = range(block.start, block.start + block.size)
            units[places, places] = block.unit
    for part in program.parts:
        residual = _residual(program, part)
        for name, x, zero in ((part.response, part.own_columns, False), (f"{part.response}_zero", part.zero_x, True)):
            if x.shape[1]:
                block = _block(program, name)
                columns = _filled(program.parts, part, block, x, zero) / (1.0 if zero else residual)
                _set(units, program, part, block, columns)
    return units


def _block(program: Program, variable: str, label: str = "") -> Block:
    return next(b for b in program.parameters.blocks if b.variable == variable and (not label or label in b.labels))


def _set(units: Array, program: Program, part: JointEquation, block: Block, columns: Array) -> None:
    """Write L of a block's coefficients, and of the first cutpoint where the equation has cutpoints."""
    priors, places = list(block.priors), list(range(block.start, block.start + block.size))
    if part.levels and block.variable == part.response and any(b.transform == "increasing" for b in part.blocks):
        cuts = _block(program, f"{part.response}_cutpoint")
        columns = np.column_stack([columns, np.full(len(columns), -1.0)])
        priors, places = [*priors, cuts.priors[0]], [*places, cuts.start]
    order = np.argsort(places)
    roots = np.array([root_precision(prior) for prior in priors])
    factor = inverse_root(columns[:, order], roots[order])
    units[np.ix_(np.array(places)[order], np.array(places)[order])] = factor


def inverse_root(columns: Array, roots: Array) -> Array:
    """Return L, lower triangular, with L L' = (X' X + diag(roots^2))^-1, (p, p).

    Every column is divided by its largest number first, so that no square is too large or too small for a float; L is
    then the inverse of a QR factor of the columns from the last to the first.
    """
    largest = np.maximum(np.abs(columns).max(axis=0, initial=0.0), roots)
    largest[largest == 0.0] = 1.0
    table = np.concatenate([columns / largest, np.diag(roots / largest)])
    factor = triangle(table[:, ::-1])
    length = np.sqrt((factor**2).sum(axis=0))
    diagonal = np.diag(factor)
    least = np.maximum(TINY * length, np.finfo(float).tiny)
    np.fill_diagonal(factor, np.where(np.abs(diagonal) > least, diagonal, np.where(length > 0.0, least, 1.0)))
    inverse = np.linalg.solve(factor, np.eye(len(factor)))[::-1, ::-1]
    return np.tril(inverse) / largest[:, None]


def _filled(parts: Sequence[JointEquation], part: JointEquation, block: Block, x: Array, zero: bool) -> Array:
    """Return the columns, with what is measured of a hidden parent, or its mean, where its value is not known."""
    x = x.copy()
    by_name = {other.response: other for other in parts}
    for term in part.terms:
        if term.zero is zero and term.levels is None and term.name in block.labels and term.source in by_name:
            x[:, block.labels.index(term.name)] += _stand_in(by_name[term.source], term)
    return x


def _stand_in(source: JointEquation, term: Live) -> Array:
    hidden = source.hidden_number >= 0
    known = source.seen
    middle = float(source.y[known].mean()) if known.any() else 0.0
    value = np.where(known, source.y, middle) - term.center
    return np.where(hidden, value if term.multiplier is None else value * term.multiplier, 0.0)


def _residual(program: Program, part: JointEquation) -> float:
    """Return an equation's residual SD at the start; 1 where it has none."""
    block = next((b for b in part.blocks if b.variable == "sigma"), None)
    if block is None:
        return 1.0
    theta = float(program.start[_block(program, "sigma", part.response).start])
    return float(np.exp(theta)) if block.transform == "log" else max(theta, block.unit)
