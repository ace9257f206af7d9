"""Effects as a function of how much those who did not come back differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.means.worlds import Means
from bayes_sp.effects.problem import Problem, Quadrature
from bayes_sp.effects.summary import CI_KIND, variance_factor
from bayes_sp.names import DIFFERENCE, TOTAL, TOTAL_INDIRECT
from bayes_sp.sensitivity.missing.coefficient_shifts import Move
from bayes_sp.sensitivity.missing.departures import Departure
from bayes_sp.sensitivity.missing.mixture import Patterns, effects_of, scales_of
from bayes_sp.sensitivity.target import Estimate, Target

NONRESPONDERS, EVERYONE = "nonresponders", "all"
POPULATIONS = (NONRESPONDERS, EVERYONE)
NUMBERS = ("mean", "median", "lower", "upper", "prob_negative")


@dataclass(frozen=True, eq=False)
class AttritionCurves:
    """Effects averaged over orders of switching, for any departure and delta, from the same draws."""

    # patterns, quadrature: both groups of patients, and the nodes in use.
    patterns: Patterns
    quadrature: Quadrature
    problem: Problem  # of those who did not come back, without a departure
    # came_back, others: mean outcomes of every set of switched paths without a departure.
    came_back: Means
    others: Means
    ci_prob: float  # probability of the intervals
    _known: dict[tuple[Move, ...], Array] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """Names of the effects: paths, total indirect, total."""
        return (*self.problem.names, TOTAL_INDIRECT, TOTAL)

    @property
    def scales(self) -> tuple[str, ...]:
        """Scales of the effects."""
        return scales_of(self.problem)

    @property
    def factor(self) -> Array | None:
        """Variance factors of resampled draws, (chain, draw); None for chains."""
        return variance_factor(self.patterns.draws)

    def draws(self, means: Means) -> Array:
        """Return draws of every effect, (S, path, scale)."""
        found = effects_of(self.problem, means)
        by_scale = {DIFFERENCE: found.difference_average, self.problem.chain.outcome.ratio: found.rate_ratio_average}
        return np.stack([by_scale[scale] for scale in self.scales], axis=-1)

    def summary(self, moves: Sequence[Move]) -> Array:
        """Return `NUMBERS` of every effect on those who did not come back and on everyone, (population, number, ...).

        Moves of 0 are none, and what was once computed is kept.
        """
        key = tuple(move for move in moves if move.amount)
        if key not in self._known:
            others = self.patterns.others_means(self.others, key, self.quadrature) if key else self.others
            mixed = self.patterns.mixed(self.came_back, others)
            self._known[key] = np.stack([self._numbers(self.draws(means)) for means in (others, mixed)])
        return self._known[key]

    def estimate(self, departure: Departure, delta: float, target: Target, *, trustworthy: bool = True) -> Estimate:
        """Return the target's estimate over everyone at a delta."""
        found = self.summary(departure.at(delta))[1, :, self.paths.index(target.path), self.scales.index(target.scale)]
        _, median, lower, upper, _ = map(float, found)
        return Estimate(median, lower, upper, trustworthy)

    def target_draws(self, departure: Departure, delta: float, target: Target) -> Array:
        """Return draws (chain, draw) of the target over everyone at a delta."""
        moves = tuple(move for move in departure.at(delta) if move.amount)
        others = self.patterns.others_means(self.others, moves, self.quadrature)
        draws = self.draws(self.patterns.mixed(self.came_back, others))
        return self.problem.labelled(draws[:, self.paths.index(target.path), self.scales.index(target.scale)])

    def curves(self, departures: Sequence[Departure], points: int) -> xr.Dataset:
        """Return every effect along every departure.

        Mean, median, limits and P(effect < no effect), dims (population, shifted, step, path, scale); ``delta`` and
        ``fraction``, dims (shifted, step): what is added, and the slope of those who did not come back as a fraction of
        the others' posterior mean (NaN for levels).
        """
        deltas = np.stack([departure.deltas(points) for departure in departures])
        values = np.stack(
            [
                np.stack([self.summary(departure.at(float(delta))) for delta in row])
                for departure, row in zip(departures, deltas, strict=True)
            ]
        )  # (shifted, step, population, number, path, scale)
        dims = ("population", "shifted", "step", "path", "scale")
        arranged = np.moveaxis(values, (2, 3), (0, -1))
        fractions = [
            [departure.fraction(float(delta)) for delta in row]
            for departure, row in zip(departures, deltas, strict=True)
        ]
        return xr.Dataset(
            {name: (dims, arranged[..., i]) for i, name in enumerate(NUMBERS)},
            coords={
                "population": list(POPULATIONS),
                "shifted": [departure.name for departure in departures],
                "step": np.arange(points),
                "path": list(self.paths),
                "scale": list(self.scales),
                "kind": ("shifted", [departure.kind for departure in departures]),
                "delta": (("shifted", "step"), deltas),
                "fraction": (("shifted", "step"), np.array(fractions)),
            },
            attrs={"ci_kind": CI_KIND, "ci_prob": self.ci_prob},
        )

    def _numbers(self, draws: Array) -> Array:
        """Return `NUMBERS` of draws (S, path, scale), (number, path, scale)."""
        tail = (1.0 - self.ci_prob) / 2.0
        median, lower, upper = np.quantile(draws, [0.5, tail, 1.0 - tail], axis=0)
        nulls = np.array([Target("", scale).null for scale in self.scales])
        return np.stack([draws.mean(axis=0), median, lower, upper, (draws < nulls).mean(axis=0)])


def attrition_curves(patterns: Patterns, departures: Sequence[Departure], ci_prob: float) -> AttritionCurves:
    """Return effects along departures, with nodes of quadrature that are enough at the ends of their ranges."""
    extremes = [departure.at(end) for departure in departures for end in departure.ends]
    quadrature = patterns.quadrature(extremes)
    problem = patterns.others_problem()
    came_back = patterns.means(patterns.responders_problem(), quadrature)
    others = patterns.means(problem, quadrature)
    return AttritionCurves(patterns, quadrature, problem, came_back, others, ci_prob)
