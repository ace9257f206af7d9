"""Which conclusions hold whatever is assumed about the order of switching paths and about the mediator's two worlds."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_sp.effects.chain import Array, Baselines
from bayes_sp.effects.nodes import LEAST_NODES, Rule
from bayes_sp.effects.problem import choose_nodes, make_problem
from bayes_sp.effects.shapley import all_sets
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.names import TOTAL, TOTAL_INDIRECT
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Design

KAPPAS = (0.0, 0.5, 1.0)


def lasting_signs(
    model: PathModel,
    design: Design,
    posterior: xr.Dataset,
    *,
    ci_prob: float = CI_PROB,
    baselines: Baselines | None = None,
) -> dict[str, int]:
    """Return the sign that each effect has in every order and for every kappa: paths, total indirect, total.

    A path's effect in an order of switching is the step E Y(S and the path) - E Y(S), where S holds the paths switched
    before; all indirect paths are switched together, before or after the direct one. A sign lasts if the equal-tailed
    interval of every such step, for kappa 0, 0.5 and 1, lies on the same side of 0: on the scale of differences, and
    then of ratios too.

    Parameters
    ----------
    model, design, posterior, baselines
        As in `compute_effects`.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    dict of str to int
        -1, 1, or 0 where no sign lasts.

    Raises
    ------
    ValueError
        With more than `MAX_ENUMERATED_PATHS` paths, or for a chain without effects.
    """
    problem = make_problem(model, design, posterior, baselines)
    worlds, sets = problem.sets(), all_sets(len(problem.paths))
    signs: dict[str, list[int]] = {name: [] for name in (*problem.names, TOTAL_INDIRECT, TOTAL)}
    direct = 2 ** (len(problem.paths) - 1 - problem.paths.index(())) if () in problem.paths else 0
    everything = len(sets) - 1
    for kappa in KAPPAS:
        nodes = choose_nodes(problem, worlds, Rule(kappa)).nodes or LEAST_NODES
        values = problem.means(worlds, Rule(kappa, nodes)).values
        for p, name in enumerate(problem.names):
            without = np.flatnonzero(~sets[:, p])
            after = values[without + 2 ** (len(problem.paths) - 1 - p)]
            signs[name] += _signs(after, values[without], ci_prob)
        switched, before = [everything - direct, everything], [0, direct]  # the direct path not yet, or already
        signs[TOTAL_INDIRECT] += _signs(values[switched], values[before], ci_prob)
        signs[TOTAL] += _signs(values[-1:], values[:1], ci_prob)
    return {name: found[0] if len(set(found)) == 1 else 0 for name, found in signs.items()}


def _signs(after: Array, before: Array, ci_prob: float) -> list[int]:
    """Sign of the equal-tailed interval of each row of after - before (rows, S), 0 where it holds 0."""
    tail = (1.0 - ci_prob) / 2.0
    with np.errstate(invalid="ignore"):  # a wild prior draw may have no finite mean: then no sign lasts
        lower, upper = np.quantile(after - before, [tail, 1.0 - tail], axis=1)
    return [int(sign) for sign in np.where(lower > 0.0, 1, np.where(upper < 0.0, -1, 0))]
