"""How those who did not come back may differ: which coefficients move, over which range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayes_sp.arrays import Array, sd_of
from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT, path_name
from bayes_sp.sensitivity.missing.coefficient_shifts import LEVEL, Move, moved_terms, total_slopes
from bayes_sp.sensitivity.missing.mixture import Patterns
from bayes_sp.sensitivity.target import Target

TOGETHER = "all levels together"
LEVELS, SLOPES = "level", "slope"
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Departure:
    """One way in which those who did not come back may differ."""

    name: str  # ``level of <response>``, ``slope <parent> -> <response>`` or `TOGETHER`
    kind: str  # ``level`` or ``slope``
    # What the first and the last delta of the range do: one pair of moves for each coefficient that they touch.
    moves: tuple[tuple[Move, Move], ...]
    # First and last delta: in the unit of the linear predictor, and for `TOGETHER` -1 and 1, the share of the way to
    # the first and to the last ends of all levels.
    ends: tuple[float, float]
    slope: float = float("nan")  # posterior mean of the slope among those who came back; NaN for levels

    def at(self, delta: float) -> tuple[Move, ...]:
        """Return the moves of a delta."""
        if self.name != TOGETHER:
            return tuple(Move(first.response, first.parent, delta) for first, _ in self.moves)
        ways = (pair[0] if delta < 0 else pair[1] for pair in self.moves)
        return tuple(Move(way.response, way.parent, abs(delta) * way.amount) for way in ways)

    @property
    def at_the_end(self) -> str:
        """The departure at its last delta, in words."""
        if self.name == TOGETHER:
            return f"{self.name} at their last ends"
        if self.kind == LEVELS:
            return f"{self.name} {self.ends[1]:+.3g}"
        reversed_ = " (reversed)" if self.fraction(self.ends[1]) == -1.0 else ""
        return f"{self.name} at {self.slope + self.ends[1]:.3g}{reversed_}"

    def deltas(self, points: int) -> Array:
        """Return evenly spaced deltas from the first to the last, (points,)."""
        return np.linspace(*self.ends, points)

    def fraction(self, delta: float) -> float:
        """Return the slope of those who did not come back as a fraction of the others': 1 unchanged, -1 reversed."""
        return round(1.0 + delta / self.slope, 12) + 0.0 if self.slope else float("nan")


def departures(
    patterns: Patterns, target: Target, shifts: Ranges | None, slopes: Ranges | None
) -> tuple[Departure, ...]:
    """Return every departure: levels of each response, all of them together, slopes of the target's edges.

    By default a level runs over 1 to either side: the SD of the observed response under an identity link, 1 on the log
    rate, log odds or probit scale otherwise; first away from a higher outcome, last towards it, judged by the posterior
    mean of the response's total slope. A slope runs from unchanged to reversed, delta from 0 to -2 times its posterior
    mean.

    Raises BayesSpError for a response or an edge that the specification does not have, or a range that is not two
    different numbers.
    """
    model = patterns.model
    edges = edges_of(model, target)
    means = {edge: slope_of(patterns, edge) for edge in all_edges(model)}
    if slopes is None:
        slopes = {edge: (0.0, -2.0 * means[edge]) for edge in edges}
    else:
        _check(model, "slopes", slopes, tuple(means))
    if shifts is None:
        shifts = _default_shifts(patterns)
    else:
        _check(model, "shifts", shifts, tuple(equation.response for equation in model.equations))
    found = [_level(name, ends) for name, ends in shifts.items()]
    if len(found) > 1:
        together = tuple(pair for one in found for pair in one.moves)
        found.append(Departure(TOGETHER, LEVELS, together, (-1.0, 1.0)))
    for edge, ends in slopes.items():
        parent, response = edge.split(ARROW)
        pair = (Move(response, parent, ends[0]), Move(response, parent, ends[1]))
        found.append(Departure(f"slope {edge}", SLOPES, (pair,), (float(ends[0]), float(ends[1])), means[edge]))
    return tuple(found)


def all_edges(model: PathModel) -> tuple[str, ...]:
    """Return every edge as ``parent -> response``, equation by equation; of several exposures from what moves alone."""
    found = []
    for equation in model.equations:
        parents = equation.parents
        if model.move:
            own = (model.source,) if model.from_exposure(equation) else ()
            parents = (*own, *(name for name in parents if name in model.mediators))
        found += [path_name((parent, equation.response)) for parent in parents]
    return tuple(found)


def edges_of(model: PathModel, target: Target) -> tuple[str, ...]:
    """Return the edges that a target's paths run along."""
    chosen = [
        path
        for path in model.named_paths()
        if target.path in (path_name(path), TOTAL) or (target.path == TOTAL_INDIRECT and len(path) > 2)
    ]
    used = {path_name(edge) for path in chosen for edge in pairwise(path)}
    return tuple(edge for edge in all_edges(model) if edge in used)


def slope_of(patterns: Patterns, edge: str) -> float:
    """Return the posterior mean of an edge's slope; of what moves, what it adds from the one world to the other."""
    parent, response = edge.split(ARROW)
    model, terms = patterns.model, [(parent, 0.0, 1.0)]
    if model.move and parent == model.source:
        terms = moved_terms(model, response)
    means = patterns.draws[response].mean(("chain", "draw"))
    return sum(float(means.sel({f"{response}_term": name})) * (stop - start) for name, start, stop in terms)


def unit_of(model: PathModel, response: str) -> str:
    """Return the scale of a response's linear predictor in words."""
    family = next(FAMILIES[equation.family] for equation in model.equations if equation.response == response)
    return family.predictor or model.variable(response).unit or "its own unit"


def _level(response: str, ends: tuple[float, float]) -> Departure:
    first, last = float(ends[0]), float(ends[1])
    pair = (Move(response, LEVEL, first), Move(response, LEVEL, last))
    return Departure(f"level of {response}", LEVELS, (pair,), (first, last))


def _default_shifts(patterns: Patterns) -> dict[str, tuple[float, float]]:
    model, towards = patterns.model, total_slopes(patterns.chain).mean(axis=1)
    found = {}
    for j, equation in enumerate(model.equations):
        size = 1.0
        family = FAMILIES[equation.family]
        if family.link == "identity":
            observed = patterns.design.y[:, j]
            size = float(sd_of(family.to_link(observed[~np.isnan(observed)]), ddof=1))
        way = -size if towards[j] < 0 else size
        found[equation.response] = (-way, way)
    return found


def _check(model: PathModel, which: str, ranges: Ranges, known: Sequence[str]) -> None:
    """Refuse unknown names and ranges that are none."""
    problems = []
    for name, ends in ranges.items():
        if name not in known:
            problems.append(f'{which}: has no "{name}"{nearest(name, known)}; it has {", ".join(known)}')
        elif len(ends) != 2 or not np.isfinite(np.asarray(ends, dtype=float)).all() or ends[0] == ends[1]:
            problems.append(f'{which}["{name}"]: must be two different numbers, found {ends!r}')
    if problems:
        raise BayesSpError(model.name, problems)
