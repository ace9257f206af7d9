"""Ways in which missing values can lie elsewhere than the model says, and which of their shifts moves an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

import numpy as np

from bayes_sp.arrays import sd_of
from bayes_sp.design.design import Design
from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.shifts import POINTS, shift_problems, shift_scale, shift_words
from bayes_sp.sensitivity.crossings import Crossing
from bayes_sp.sensitivity.target import Estimate, Target, effect_words
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


TOGETHER = "all together"
MULTIPLES = (-1.0, -0.5, 0.0, 0.5, 1.0)

type Shifts = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Curve:
    """One way in which missing values are shifted."""

    name: str  # the response, or ``all together``
    deltas: tuple[tuple[str, tuple[float, ...]], ...]  # response -> its shift at each step, ascending, 0 at one of them

    def at(self, place: int) -> Shifts:
        """Return the shifts at a step (by its place)."""
        return tuple((name, values[place]) for name, values in self.deltas)

    def between(self, position: float) -> Shifts:
        """Return the shifts at a position between places, linearly."""
        return tuple((name, float(np.interp(position, range(len(v)), v))) for name, v in self.deltas)


def curves_of(model: PathModel, design: Design, shifts: Mapping[str, Sequence[float]] | None) -> tuple[Curve, ...]:
    """Return the curves of the responses that have missing cells: each alone, then all together.

    By default each runs over -1, -1/2, 0, 1/2 and 1 SD of its observed values on an identity link, and over the same
    numbers on the scale of the log rate, log mean, log odds or probit otherwise (rate x 0.37 to x 2.7).

    Raises BayesSpError where no response has a missing cell; for an unknown response, one without missing cells,
    numbers that do not ascend or are not finite, and lists that cannot be paired step by step.
    """
    missing = [name for name in design.responses if name in design.missing]
    if not missing:
        problem = "no response has a missing value, so no shift of missing values changes anything"
        raise BayesSpError(model.name, [f"{problem}; give the survey with the rows of those who did not come back"])
    if shifts is None:
        found = {name: tuple(m * _unit(model, design, name) for m in MULTIPLES) for name in missing}
    else:
        found = _checked(model, missing, shifts)
    curves = [Curve(name, ((name, values),)) for name, values in found.items()]
    if len(found) > 1:
        curves.append(Curve(TOGETHER, tuple(found.items())))
    shifted = [replace(model, missing_shift=curve.at(place)) for curve in curves for place in (0, -1)]
    if problems := dict.fromkeys(problem for one in shifted for problem in shift_problems(one)):
        raise BayesSpError(model.name, list(problems))
    return tuple(curves)


def zero_place(curves: Sequence[Curve]) -> int:
    """Return the place of the step without a shift."""
    return curves[0].deltas[0][1].index(0.0)


def words_of(model: PathModel, shifts: Shifts) -> str:
    """Return shifts in words; ``missing at random`` where there are none."""
    moved = [(name, delta) for name, delta in shifts if delta]
    if not moved:
        return "missing at random"
    return "; ".join(f"missing values of {name}: {shift_words(model, name, delta)}" for name, delta in moved)


def _unit(model: PathModel, design: Design, name: str) -> float:
    if shift_scale(model, name)[0] != POINTS:
        return 1.0
    values = design.y[:, design.responses.index(name)]
    return float(sd_of(values[~np.isnan(values)], ddof=1))


def _checked(
    model: PathModel, missing: Sequence[str], shifts: Mapping[str, Sequence[float]]
) -> dict[str, tuple[float, ...]]:
    """Return lists of shifts in the order of the chain, with 0 in each."""
    problems, found = [], {}
    known = [equation.response for equation in model.equations]
    for name, values in shifts.items():
        numbers = sorted({0.0, *map(float, values)})
        if name not in known:
            problems.append(f'shifts: there is no response "{name}"{nearest(name, known)}')
        elif name not in missing:
            problems.append(f"shifts: no value of {name} is missing; missing are values of {', '.join(missing)}")
        elif not np.isfinite(numbers).all() or list(values) != sorted(set(values)) or len(numbers) < 2:
            problems.append(f"shifts: those of {name} must be ascending finite numbers, found {list(values)}")
        else:
            found[name] = tuple(numbers)
    if not problems and not found:
        problems.append("shifts: none is given")
    sides = {name: (values.index(0.0), len(values)) for name, values in found.items()}
    if not problems and len(set(sides.values())) > 1:
        counts = "; ".join(f"{name}: {low} below 0 and {all_ - 1 - low} above" for name, (low, all_) in sides.items())
        problems.append(
            f"shifts: give each response as many on either side of 0, to shift them together; found {counts}"
        )
    if problems:
        raise BayesSpError(model.name, problems)
    return {name: found[name] for name in known if name in found}
