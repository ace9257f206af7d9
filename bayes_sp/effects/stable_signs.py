"""Which signs hold at 95 %: of effects averaged over the orders of switching, and in every single order, by kappa."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.effects.means.nodes import LEAST_NODES, Rule
from bayes_sp.effects.means.normal import in_two_worlds
from bayes_sp.effects.problem import Problem, choose_nodes
from bayes_sp.effects.shapley import all_sets, enumerated_shapley, with_totals
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.names import TOTAL, TOTAL_INDIRECT

KAPPAS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Sign:
    """On which side of 0 the interval of one difference lies, for each of `KAPPAS`: -1, 1, or 0 where it holds 0.

    Attributes
    ----------
    average
        Of the effect averaged over the orders of switching, as tables of effects show it.
    single
        Of each step E Y(S and the path) - E Y(S), where S holds the paths switched before: the sign that all of them
        have, else 0. Below kappa 1 such a step also sets one mediator's two worlds apart, or joins them, so that it
        is not 0 even where the path's own effect is.
    """

    average: tuple[int, ...]
    single: tuple[int, ...]

    @property
    def lasting(self) -> int:
        """The sign that the averaged effect has for every kappa, else 0."""
        return self.average[0] if len(set(self.average)) == 1 else 0

    @property
    def in_every_order(self) -> bool:
        """Whether the lasting sign is also that of every single step."""
        return bool(self.lasting) and self.single == self.average


def signs_of(problem: Problem, means: Sequence[Array], ci_prob: float = CI_PROB) -> dict[str, Sign]:
    """Return the signs of differences at equal-tailed intervals: of each path, total indirect, total.

    All indirect paths are switched together for ``total_indirect``, before or after the direct one.

    Draws of several sets of records stand one after the other.
    """
    found = [_signs_at(problem, own, ci_prob) for own in means]
    return {
        name: Sign(tuple(average[name] for average, _ in found), tuple(single[name] for _, single in found))
        for name in (*problem.names, TOTAL_INDIRECT, TOTAL)
    }


def means_of_sets(problem: Problem) -> list[Array]:
    """Return the mean outcome of every set of switched paths for each of `KAPPAS`, (2**P, S).

    Computed for kappa 1, and again only where kappa matters. Through a first mediator with levels means are linear in
    kappa.

    Raises ValueError with more than `MAX_ENUMERATED_PATHS` paths.
    """
    worlds = problem.sets()
    whole = problem.means(worlds, Rule(1.0, choose_nodes(problem, worlds, Rule(1.0)).nodes or LEAST_NODES)).plain
    apart = in_two_worlds(worlds, problem.paths, problem.full)
    if not apart.any():
        return [whole] * len(KAPPAS)
    again = apart | (np.arange(len(worlds)) == 0)  # nodes are chosen by differences from the first world

    def at(kappa: float) -> Array:
        nodes = choose_nodes(problem, worlds[again], Rule(kappa)).nodes or LEAST_NODES
        means = whole.copy()
        means[again] = problem.means(worlds[again], Rule(kappa, nodes)).plain
        means[0] = whole[0]
        return means

    first = at(0.0)
    linear = not problem.chain.mediators[0].normal
    half = {kappa: (1.0 - kappa) * first + kappa * whole if linear else at(kappa) for kappa in KAPPAS[1:-1]}
    return [first, *half.values(), whole]


def _signs_at(problem: Problem, means: Array, ci_prob: float) -> tuple[dict[str, int], dict[str, int]]:
    """Return the signs of averaged effects, and those that every single step has, at one kappa."""
    names, sets = problem.names, all_sets(len(problem.paths))
    with np.errstate(invalid="ignore"):  # a wild prior draw may have no finite mean: then there is no sign
        averages = with_totals(enumerated_shapley(means), problem.paths)
    average = dict(zip((*names, TOTAL_INDIRECT, TOTAL), _signs(averages.T, ci_prob), strict=True))
    single = {}
    for p, name in enumerate(names):
        without = np.flatnonzero(~sets[:, p])
        single[name] = _steps(means, without + 2 ** (len(names) - 1 - p), without, ci_prob)
    everything = len(sets) - 1
    direct = 2 ** (len(names) - 1 - problem.paths.index(())) if () in problem.paths else 0
    switched, before = np.array([everything - direct, everything]), np.array([0, direct])  # the direct path not yet, or
    single[TOTAL_INDIRECT] = _steps(means, switched, before, ci_prob)  # already
    average[TOTAL] = single[TOTAL] = _steps(means, np.array([everything]), np.array([0]), ci_prob)
    return average, single


def _steps(means: Array, after: NDArray[np.intp], before: NDArray[np.intp], ci_prob: float) -> int:
    """Return the sign that all of these differences have, else 0."""
    with np.errstate(invalid="ignore"):
        found = set(_signs(means[after] - means[before], ci_prob))
    return found.pop() if len(found) == 1 else 0


def _signs(values: Array, ci_prob: float) -> list[int]:
    """Sign of the equal-tailed interval of each row (rows, S), 0 where it holds 0."""
    tail = (1.0 - ci_prob) / 2.0
    with np.errstate(invalid="ignore"):
        lower, upper = np.quantile(values, [tail, 1.0 - tail], axis=1)
    return [int(sign) for sign in np.where(lower > 0.0, 1, np.where(upper < 0.0, -1, 0))]
