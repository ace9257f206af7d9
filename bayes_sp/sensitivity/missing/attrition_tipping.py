r"""How much those who did not come back must differ before the interval over everyone changes sides.

The draws are fixed, so that a limit of the interval is a continuous function of delta, and its crossing of no effect is
a root that is found exactly, without a refit and without Monte Carlo.

**When no level can do it.** With D_1 and D_0 the differences among those who came back and the others,
D = P(R=1) D_1 + P(R=0) D_0 in every draw.

1. Identity link, normal mediators, no interactions: levels leave every world's mean by the same number, D_0 stays.
2. Log link, normal mediators, no interactions: every world's mean is A g(world), where patients and levels enter A
   alone. Then D_1 = A_1 f and D_0 = A_0(delta) f with positive A: every draw keeps its sign whatever delta, and so does
   the interval; ratios are g(world) / g(none) for any mixture of patients and do not change at all.
3. The level of an outcome whose mean is exp(eta) or exp(eta) times the probability of not being an excess zero, in any
   chain: D_0 becomes exp(delta) D_0. A draw in which D_1 and D_0 have one sign keeps it; where such draws are more than
   the interval needs, no delta can move it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.names import ARROW, DIFFERENCE, TOTAL
from bayes_sp.sensitivity.missing.coefficient_shifts import levels_are_proportional, outcome_is_scaled
from bayes_sp.sensitivity.missing.curves import AttritionCurves
from bayes_sp.sensitivity.missing.departures import LEVELS, TOGETHER, Departure, unit_of
from bayes_sp.sensitivity.target import Target, effect_words

_ROOT = 1e-9  # of the bracket: how near a root is found


@dataclass(frozen=True)
class DepartureTipping:
    """What one departure does to the side on which the interval over everyone lies."""

    departure: str  # its name
    sign: int  # of the interval without a departure: -1 or 1, or 0 where it holds no effect
    # Nearest delta on either side of 0 at which that changes; () where none in the range does.
    deltas: tuple[float, ...]
    errors: tuple[float, ...]  # Monte Carlo standard error of each
    impossible: str  # why no delta can change it, in a sentence; '' where that cannot be said
    sentence: str  # the result in words


def tipping(curves: AttritionCurves, departure: Departure, target: Target, points: int) -> DepartureTipping:
    """Return the deltas of a departure at which the target's interval over everyone first changes sides."""
    sign = curves.estimate(departure, 0.0, target).sign(target.null)
    impossible = why_never(curves, departure, target)
    deltas = () if impossible else _crossings(curves, departure, target, points)
    errors = tuple(_error(curves, departure, delta, target) for delta in deltas)
    state = _state(curves, target, sign)
    sentence = f"{state} {_when(curves, departure, deltas, errors, impossible)}"
    return DepartureTipping(departure.name, sign, deltas, errors, impossible, sentence)


def clearance(curves: AttritionCurves, departure: Departure, delta: float, target: Target) -> float:
    """How far the interval over everyone is from no effect; below 0 where it holds it."""
    estimate = curves.estimate(departure, delta, target)
    return max(estimate.lower - target.null, target.null - estimate.upper)


def why_never(curves: AttritionCurves, departure: Departure, target: Target) -> str:
    """Return why no delta of a departure can change the side of the interval; '' where nothing says so."""
    if departure.kind != LEVELS:
        return ""
    chain = curves.patterns.chain
    if levels_are_proportional(chain):
        if chain.outcome.linear:
            return "under an identity link without interactions a level changes no difference"
        if target.scale != DIFFERENCE:
            return "under a log link, with normal mediators and no interactions, a level changes no ratio"
        return (
            "under a log link, with normal mediators and no interactions, a level multiplies the difference of those "
            "who did not come back by a positive number"
        )
    outcome = curves.patterns.model.outcome
    scaled = outcome_is_scaled(chain) and departure.name == f"level of {outcome}"
    if scaled and (target.scale == DIFFERENCE or target.path == TOTAL) and _same_sign(curves, target):
        return (
            f"a level of {outcome} multiplies the difference of those who did not come back by a positive number, and "
            f"in enough draws it has the sign that it has among those who came back"
        )
    return ""


def _same_sign(curves: AttritionCurves, target: Target) -> bool:
    """Whether draws in which both groups' differences have one sign settle the side of the interval for any delta."""
    place = (curves.paths.index(target.path), curves.scales.index(DIFFERENCE))
    both = np.stack([curves.draws(means)[:, *place] for means in (curves.came_back, curves.others)])
    negative, positive = int((both < 0).all(axis=0).sum()), int((both > 0).all(axis=0).sum())
    draws = both.shape[1]
    rank = (1.0 - curves.ci_prob) / 2.0 * (draws - 1)  # of the lower limit among the draws in order, from 0
    one_side = max(negative, positive) >= draws - floor(rank)
    neither = min(negative, positive) > ceil(rank)
    return one_side or neither


def _crossings(curves: AttritionCurves, departure: Departure, target: Target, points: int) -> tuple[float, ...]:
    """Return the nearest crossing on either side of 0, nearest first."""
    from scipy.optimize import brentq  # 0.2 s that only a search costs

    def height(delta: float) -> float:
        return clearance(curves, departure, delta, target)

    steps = departure.deltas(points)
    found = []
    for side in (steps[steps < 0], steps[steps > 0]):
        nodes = [0.0, *sorted(map(float, side), key=abs)]
        heights = [height(node) for node in nodes]
        for low, high, before, after in zip(nodes, nodes[1:], heights, heights[1:], strict=False):
            if (before > 0.0) != (after > 0.0):
                found.append(float(brentq(height, low, high, xtol=_ROOT * abs(high - low))))
                break
    return tuple(sorted(found, key=abs))


def _error(curves: AttritionCurves, departure: Departure, delta: float, target: Target) -> float:
    r"""Return the Monte Carlo standard error of a crossing: that of the limit over its slope along delta.

    The limit is the quantile at p of draws whose tail ESS is E: half the distance between the quantiles at
    :math:`p \pm \sqrt{p (1 - p) / E}`. The slope is that of the clearance over 2 % of delta to either side.
    """
    values = curves.target_draws(departure, delta, target)
    tail = (1.0 - curves.ci_prob) / 2.0
    limits = np.quantile(values, [tail, 1.0 - tail])
    p = tail if abs(limits[0] - target.null) < abs(limits[1] - target.null) else 1.0 - tail
    spread = np.sqrt(p * (1.0 - p) / convergence_measures(values[..., None], curves.factor)["ess_tail"][0])
    below, above = np.quantile(values, np.clip([p - spread, p + spread], 0.0, 1.0))
    ends = [clearance(curves, departure, share * delta, target) for share in (0.98, 1.02)]
    rise = abs(ends[1] - ends[0]) / (0.04 * abs(delta))
    return float(above - below) / 2.0 / rise if rise > 0.0 else float("nan")


def _state(curves: AttritionCurves, target: Target, sign: int) -> str:
    """Return on which side the interval lies without a departure, in words."""
    side = {-1: "stays below", 1: "stays above", 0: "includes"}[sign]
    patterns = curves.patterns
    interval = f"the {100 * curves.ci_prob:g} % interval of {effect_words(patterns.model, target)}"
    return f"{interval} over all {patterns.everyone} {side} {target.null:g}"


def _when(
    curves: AttritionCurves, departure: Departure, deltas: Sequence[float], errors: Sequence[float], impossible: str
) -> str:
    """Return for which deltas that is so, in words."""
    who = f"the {curves.patterns.size} who did not come back"
    if impossible:
        return f"whatever the level{'s' if len(departure.moves) > 1 else ''} among {who}: {impossible}"
    if not deltas:
        return _range(curves, departure, who)
    places = [_place(curves, departure, delta, error, who) for delta, error in sorted(zip(deltas, errors, strict=True))]
    return f"unless {' or '.join(places)}"


def _range(curves: AttritionCurves, departure: Departure, who: str) -> str:
    """Return the range over which nothing changes, in words."""
    first, last = sorted(departure.ends)
    if departure.name == TOGETHER:
        return f"for all levels together among {who}, to both ends of their ranges"
    if departure.kind == LEVELS:
        unit = unit_of(curves.patterns.model, departure.moves[0][0].response)
        return f"for every {departure.name} among {who} from {first:+.2g} to {last:+.2g} ({unit})"
    low, high = sorted((departure.slope + first, departure.slope + last))
    edge = _edge(departure)
    return f"for every slope from {edge} among {who} from {_short(low)} to {_short(high)} ({_own(curves, departure)})"


def _place(curves: AttritionCurves, departure: Departure, delta: float, error: float, who: str) -> str:
    """Return on which side of a tipping delta things change, in words."""
    if departure.name == TOGETHER:
        ways = ", ".join(f"{move.response} {move.amount:+.2g}" for move in departure.at(delta))
        return f"all levels among {who} move together as far as {ways}"
    accuracy = f"Monte Carlo error {error:.1g}"
    if departure.kind == LEVELS:
        response = departure.moves[0][0].response
        more = "higher" if delta > 0 else "lower"
        unit = unit_of(curves.patterns.model, response)
        return f"the {departure.name} among {who} is {more} by more than {_short(abs(delta))} ({unit}; {accuracy})"
    side = "above" if delta > 0 else "below"
    value = _short(departure.slope + delta)
    return f"the slope from {_edge(departure)} among {who} is {side} {value} ({accuracy}; {_own(curves, departure)})"


def _edge(departure: Departure) -> str:
    return departure.name.removeprefix("slope ").replace(ARROW, " to ")


def _own(curves: AttritionCurves, departure: Departure) -> str:
    return f"the {curves.patterns.design.n} who did: {_short(departure.slope)}"


def _short(value: float) -> str:
    """Return a number with two digits."""
    return np.format_float_positional(float(f"{value:.2g}"), trim="-")
