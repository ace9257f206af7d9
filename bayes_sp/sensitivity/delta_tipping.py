"""Which shift of the missing values moves the interval of an effect to another side of no effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bayes_sp.names import DIFFERENCE
from bayes_sp.sensitivity.delta_shifts import Curve, Shifts, words_of
from bayes_sp.sensitivity.target import Estimate, Target
from bayes_sp.spec.types import PathModel


@dataclass(frozen=True)
class DeltaTipping:
    """Where the target's interval first changes sides as missing values are shifted one way.

    Attributes
    ----------
    shifted
        The way's name.
    sign
        Of the interval without a shift: -1 or 1, or 0 where it holds no effect.
    shifts
        The nearest shifts on either side of 0 at which that changes, those of more negative deltas first; () where
        none in the range does.
    sentence
        The result in words.
    """

    shifted: str
    sign: int
    shifts: tuple[Shifts, ...]
    sentence: str


def tipping_of(
    model: PathModel, way: Curve, estimates: Sequence[Estimate | None], target: Target, ci_prob: float
) -> DeltaTipping:
    """Return where a way's interval first changes sides, between neighbouring fits by linear interpolation.

    What is interpolated is the limit that reaches no effect: the nearer one of an interval that is clear of it, the one
    that leaves it behind otherwise; of a ratio, its logarithm. Steps without an answer are passed over. The Monte Carlo
    error of both limits is in the result.

    Parameters
    ----------
    model, way
        The specification, and what is shifted.
    estimates
        The target at each step of the way, in order; None where there is no answer, never at the step without a shift.
    target, ci_prob
        Which effect, and the probability of its intervals.
    """
    zero = way.deltas[0][1].index(0.0)
    start = estimates[zero]
    assert start is not None  # noqa: S101
    sign = start.sign(target.null)
    found = []
    for outward in (range(zero, -1, -1), range(zero, len(estimates))):
        known = [(place, estimate) for place in outward if (estimate := estimates[place]) is not None]
        crossing = _first_change(known, sign, target.null)
        if crossing is not None:
            found.append(way.between(crossing))
    return DeltaTipping(
        way.name, sign, tuple(found), _sentence(model, way, sign, found, target, ci_prob, _unknown(way, estimates))
    )


def _first_change(known: Sequence[tuple[int, Estimate]], sign: int, null: float) -> float | None:
    """Return the position, in places, at which the sign first changes going outward; None where it does not."""
    for (near, inner), (far, outer) in pairwise(known):
        after = outer.sign(null)
        if after != sign:
            side = sign or after
            before, beyond = _margin(inner, side, null), _margin(outer, side, null)
            return near + (far - near) * before / (before - beyond)
    return None


def _margin(estimate: Estimate, side: int, null: float) -> float:
    """Return how far the interval lies clear of no effect on a side; negative where it does not."""
    limit = estimate.lower if side > 0 else estimate.upper
    return side * (math.log(limit) if null else limit)


def _unknown(way: Curve, estimates: Sequence[Estimate | None]) -> int:
    return sum(estimate is None for estimate in estimates[: len(way.deltas[0][1])])


def _sentence(
    model: PathModel, way: Curve, sign: int, found: Sequence[Shifts], target: Target, ci_prob: float, unknown: int
) -> str:
    """Return the result in words."""
    side = {-1: "stays below", 1: "stays above", 0: "includes"}[sign]
    scale = "" if target.scale == DIFFERENCE else f" ({target.scale})"
    state = f'the {100 * ci_prob:g} % interval of "{target.path}"{scale} over all patients {side} {target.null:g}'
    failed = f"; {unknown} of the fits on the way have no answer" if unknown else ""
    if found:
        return f"{state} until {', or '.join(words_of(model, shifts) for shifts in found)}{failed}"
    last = len(way.deltas[0][1]) - 1
    ends = [words_of(model, way.at(place)) for place in (0, last) if any(delta for _, delta in way.at(place))]
    return f"{state} from {' to '.join(ends) if len(ends) > 1 else f'missing at random to {ends[0]}'}{failed}"
