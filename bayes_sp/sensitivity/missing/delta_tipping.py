"""Which shift of the missing values moves the interval of an effect to another side of no effect."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from bayes_sp.model.path_model import PathModel
from bayes_sp.sensitivity.crossings import Crossing
from bayes_sp.sensitivity.effect_words import effect_words
from bayes_sp.sensitivity.missing.shifts import Curve, Shifts, words_of, zero_place
from bayes_sp.sensitivity.target import Estimate, Target
from bayes_sp.sensitivity.tipping_search import Evaluate, find_tipping


@dataclass(frozen=True)
class DeltaTipping:
    """Where the target's interval first changes sides as missing values are shifted one way."""

    shifted: str  # the way's name
    sign: int  # of the interval without a shift: -1 or 1, or 0 where it holds no effect
    # The nearest shifts on either side of 0 at which that changes, those of more negative deltas first; () where none
    # in the range does.
    shifts: tuple[Shifts, ...]
    # For each, the shifts between which Monte Carlo error leaves it; () where it was interpolated.
    ranges: tuple[tuple[Shifts, Shifts], ...]
    sentence: str  # the result in words


def tipping_of(
    model: PathModel,
    way: Curve,
    estimates: Sequence[Estimate | None],
    target: Target,
    ci_prob: float,
    between: Evaluate | None = None,
) -> DeltaTipping:
    """Return where a way's interval first changes sides.

    With further fits between the steps that is `find_tipping` with the position along the way as the dial. Without,
    what is interpolated linearly between neighbouring fits is the limit that reaches no effect: the nearer one of an
    interval that is clear of it, the one that leaves it behind otherwise; of a ratio, its logarithm. Steps without an
    answer are passed over.

    ``estimates`` are the target's at each step of the way, never None at the step without a shift; ``between`` gives
    those at positions, in steps from the one without a shift.
    """
    zero = zero_place([way])
    start = estimates[zero]
    assert start is not None  # noqa: S101 - for the type checker
    sign = start.sign(target.null)
    crossings: list[Crossing] = []
    if between is not None:
        low, high = -zero, len(estimates) - 1 - zero
        found = find_tipping(between, low, high, start=0.0, null=target.null, scan=len(estimates))
        crossings = sorted(found.crossings, key=lambda crossing: crossing.value)
        positions = [crossing.value + zero for crossing in crossings]
    else:
        sides = (range(zero, -1, -1), range(zero, len(estimates)))
        changes = (_first_change(_known(estimates, side), sign, target.null) for side in sides)
        positions = [change for change in changes if change is not None]
    ranges = tuple((way.between(c.low + zero), way.between(c.high + zero)) for c in crossings)
    shifts = tuple(way.between(position) for position in positions)
    failed = sum(estimate is None for estimate in estimates)
    places = [_place(model, *pair) for pair in zip_longest(shifts, ranges)]
    return DeltaTipping(way.name, sign, shifts, ranges, _sentence(model, way, sign, places, target, ci_prob, failed))


def _known(estimates: Sequence[Estimate | None], places: Iterable[int]) -> list[tuple[int, Estimate]]:
    return [(place, estimate) for place in places if (estimate := estimates[place]) is not None]


def _place(model: PathModel, shifts: Shifts, within: tuple[Shifts, Shifts] | None) -> str:
    """Return a tipping shift in words, with its range where one response alone is shifted."""
    words = words_of(model, shifts)
    if within is None or len(shifts) > 1:
        return words
    low, high = (f"{end[0][1]:.3g}" for end in within)
    return words if low == high else f"{words}, {low} to {high} within Monte Carlo error"


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


def _sentence(
    model: PathModel, way: Curve, sign: int, places: Sequence[str], target: Target, ci_prob: float, unknown: int
) -> str:
    """Return the result in words."""
    side = {-1: "stays below", 1: "stays above", 0: "includes"}[sign]
    state = (
        f"the {100 * ci_prob:g} % interval of {effect_words(model, target)} over all patients {side} {target.null:g}"
    )
    failed = f"; {unknown} of the fits on the way have no answer" if unknown else ""
    if places:
        return f"{state} until {', or '.join(places)}{failed}"
    last = len(way.deltas[0][1]) - 1
    ends = [words_of(model, way.at(place)) for place in (0, last) if any(delta for _, delta in way.at(place))]
    return f"{state} from {' to '.join(ends) if len(ends) > 1 else f'missing at random to {ends[0]}'}{failed}"
