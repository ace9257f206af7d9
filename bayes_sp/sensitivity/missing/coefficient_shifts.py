"""Constants added to the coefficients of patients who did not come back, and what levels do to mean outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import predictors_of

LEVEL = ""


@dataclass(frozen=True)
class Move:
    """What is added to a coefficient in one equation of those who did not come back."""

    response: str  # of the equation
    # Whose slope moves; `LEVEL` for the level of the response. What moves between two worlds has as its slope what it
    # adds to the linear predictor from the one to the other (`moved_terms`).
    parent: str
    amount: float  # in the unit of the linear predictor (per unit of the parent)


def moved(model: PathModel, draws: xr.Dataset, moves: Sequence[Move]) -> xr.Dataset:
    """Return draws with constants added to coefficients: slopes, intercepts, or all cutpoints less the amount."""
    changed = dict[str, xr.DataArray]()
    for move in (one for whole in moves for one in _of_terms(model, whole)):
        equation = next(equation for equation in model.equations if equation.response == move.response)
        ordered = move.parent == LEVEL and FAMILIES[equation.family].ordered
        name = f"{move.response}_cutpoint" if ordered else move.response
        values = changed.get(name, draws[name])
        if ordered:
            changed[name] = values - move.amount
        else:
            dim = f"{move.response}_term"
            changed[name] = values + move.amount * (draws[dim] == (move.parent or "intercept"))
    return draws.assign(changed)


def moved_terms(model: PathModel, response: str) -> list[tuple[str, float, float]]:
    """Return the terms of what moves in an equation, without products, with their columns at the numbers 0 and 1."""
    ends, _ = model.ends
    equation = next(equation for equation in model.equations if equation.response == response)
    found = []
    for term in predictors_of(model, equation)[0].terms:
        if len(term.factors) == 1 and (factor := term.factors[0]).variable in ends:
            start, stop = factor.coding.column(np.array(ends[factor.variable])).tolist()
            found.append((term.name, start, stop))
    return [(name, start, stop) for name, start, stop in found if start != stop]


def _of_terms(model: PathModel, move: Move) -> list[Move]:
    """Return a move as moves of single coefficients.

    What goes from one level to another, or together with others, turns about where it comes from: one of its
    coefficients moves, and the level back, so that the first world stays. A number turns about its centre.
    """
    if model.move is None or move.parent != model.source:
        return [move]
    name, start, stop = moved_terms(model, move.response)[0]
    amount = move.amount / (stop - start)
    number = model.ends[0] == {model.source: (0.0, 1.0)} and model.source not in model.categories
    back = [] if number or not start else [Move(move.response, LEVEL, -amount * start)]
    return [Move(move.response, name, amount), *back]


def total_slopes(chain: Chain) -> Array:
    """Return each response's total slope into the outcome's linear predictor, mediators then outcome, (K + 1, S).

    The sum over all routes of products of slopes; 1 for the outcome itself.
    """
    count = len(chain.mediators)
    found = np.zeros((count + 1, chain.draws))
    found[count] = 1.0
    for k in reversed(range(count)):
        for j in range(k + 1, count + 1):
            found[k] += chain.slopes[:, j, k] * found[j]
    return found


def levels_are_proportional(chain: Chain) -> bool:
    """Whether a level multiplies every mean outcome by one number (log link), or adds one to it (identity link)."""
    return chain.all_normal and chain.outcome.closed and not chain.bent


def outcome_is_scaled(chain: Chain) -> bool:
    """Whether a level of the outcome multiplies every mean outcome by one number, whatever the mediators."""
    return chain.outcome.rule in ("exp", "zero_inflated")


def split_moves(chain: Chain, responses: Sequence[str], moves: Sequence[Move]) -> tuple[list[Move], Array]:
    """Return the moves that change mean outcomes each in its own way, and what the others add to the outcome's eta.

    The others are levels that add the same to the outcome's linear predictor for every patient and in every world,
    (S,): `total_slopes` times the amount where everything is linear in the mediators, else the outcome's own level
    where that multiplies its mean.
    """
    if levels_are_proportional(chain) and all(move.parent == LEVEL for move in moves):
        slopes, free = total_slopes(chain), list(moves)
    else:
        slopes = np.ones((len(responses), chain.draws))
        own = [move for move in moves if (move.response, move.parent) == (responses[-1], LEVEL)]
        free = own if outcome_is_scaled(chain) else []
    added = np.zeros(chain.draws)
    for move in free:
        added += move.amount * slopes[responses.index(move.response)]
    return [move for move in moves if move not in free], added
