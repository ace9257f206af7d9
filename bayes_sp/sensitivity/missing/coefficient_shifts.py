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

LEVEL = ""


@dataclass(frozen=True)
class Move:
    """What is added to a coefficient in one equation of those who did not come back.

    Attributes
    ----------
    response
        Of the equation.
    parent
        Whose slope moves; `LEVEL` for the level of the response.
    amount
        In the unit of the linear predictor (per unit of the parent).
    """

    response: str
    parent: str
    amount: float


def moved(model: PathModel, draws: xr.Dataset, moves: Sequence[Move]) -> xr.Dataset:
    """Return draws with constants added to coefficients: slopes, intercepts, or all cutpoints less the amount."""
    changed = dict[str, xr.DataArray]()
    for move in moves:
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
    return chain.all_normal and chain.outcome.rule in ("exp", "identity") and not chain.bent


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
