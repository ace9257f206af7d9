r"""Interventional effects: what moving the mediators' distributions does, without cross-world assumptions.

Patients' mediators are replaced by random draws from the mediators' distributions given an exposure and covariates.
With y(u, m1*, m2*) the mean outcome at exposure u when M1 is drawn as under m1* and M2 as under m2*, either *jointly*
(j; then m1* = m2*) or independently from its *margin* (m),

.. math::
    \text{direct}                &= y_j(1,0,0) - y_j(0,0,0) \\
    \text{via } M_1              &= y_m(1,1,0) - y_m(1,0,0) \\
    \text{via } M_2              &= y_m(1,0,1) - y_m(1,0,0) \\
    \text{mediated interaction}  &= y_m(1,1,1) - y_m(1,1,0) - y_m(1,0,1) + y_m(1,0,0) \\
    \text{dependence}            &= y_j(1,1,1) - y_m(1,1,1) - y_j(1,0,0) + y_m(1,0,0)

which add up to the total y_j(1,1,1) - y_j(0,0,0). The margin of M2 moves with the exposure along both its ways, its own
and the one through M1. Drawing M2 independently of M1 throughout (the marginal y alone) gives another total where
mediators act on a curved scale or interact with the exposure.

References
----------
Vansteelandt & Daniel (2017). Epidemiology 28, 258-265. doi:10.1097/EDE.0000000000000596
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.chain import Baselines
from bayes_sp.effects.means.nodes import LEAST_NODES, Rule
from bayes_sp.effects.means.normal import Flags
from bayes_sp.effects.problem import Problem, Quadrature, choose_nodes, make_problem
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import DEPENDENCE, DIRECT, MEDIATED_INTERACTION, TOTAL, VIA


def interventional_effects(
    model: PathModel,
    design: Design,
    posterior: xr.Dataset,
    *,
    mark: str = "",
    baselines: Baselines | None = None,
) -> xr.Dataset:
    """Compute the interventional effects for every draw, exactly given the draw.

    Arguments are as in `compute_effects`.

    ``difference`` in the outcome's unit, dims (chain, draw, effect), with effects ``direct``, ``via <mediator>``,
    ``mediated_interaction``, ``dependence`` and ``total``; with one mediator ``direct``, ``via <mediator>`` and
    ``total``. ``mean``, dims (chain, draw, exposure): the mean outcome at both exposures. Attributes: ``contrast``,
    ``data_source`` and, where used, ``quadrature_nodes`` and ``quadrature_error``.

    Raises ValueError with three or more mediators, or for a chain without effects (`world_means`); SurveyError if
    covariates have missing cells and no baselines are given.
    """
    return interventional_of(make_problem(model, design, posterior, baselines), design.mediators, mark=mark)


def interventional_of(problem: Problem, names: Sequence[str], *, mark: str = "") -> xr.Dataset:
    """Return what `interventional_effects` does, of a posterior that is read already; ``names`` are the mediators."""
    if len(names) > 2:
        raise ValueError(f"interventional effects are for one or two mediators, found {len(names)}")
    quadrature, joint, marginal = _means(problem)
    unit, origin = problem.chain.outcome.unit, problem.chain.outcome.origin
    effects = {DIRECT: joint[1, 0, 0] - joint[0, 0, 0], VIA + names[0]: marginal[1, 1, 0] - marginal[1, 0, 0]}
    if len(names) > 1:
        effects[VIA + names[1]] = marginal[1, 0, 1] - marginal[1, 0, 0]
        effects[MEDIATED_INTERACTION] = marginal[1, 1, 1] - marginal[1, 1, 0] - marginal[1, 0, 1] + marginal[1, 0, 0]
        effects[DEPENDENCE] = joint[1, 1, 1] - marginal[1, 1, 1] - joint[1, 0, 0] + marginal[1, 0, 0]
    effects[TOTAL] = joint[1, 1, 1] - joint[0, 0, 0]
    values = problem.labelled(unit * np.stack(list(effects.values()), axis=-1))
    means = problem.labelled(origin + unit * np.stack([joint[0, 0, 0], joint[1, 1, 1]], axis=-1))
    return xr.Dataset(
        {"difference": (("chain", "draw", "effect"), values), "mean": (("chain", "draw", "exposure"), means)},
        coords={**problem.places, "effect": list(effects), "exposure": list(problem.contrast)},
        attrs={"contrast": list(problem.contrast), "data_source": mark} | quadrature.attrs,
    )


def _means(problem: Problem) -> tuple[Quadrature, dict[tuple[int, int, int], Array], dict[tuple[int, int, int], Array]]:
    """Joint and marginal means y(u, m1*, m2*), (S,) each, with the nodes in use.

    In the worlds of `every_path`, M1 drawn as under m1* is the path through M1 alone, and M2 as under m2* both paths
    that end with M2.
    """
    two = len(problem.chain.mediators) == 2

    def worlds(keys: list[tuple[int, int, int]]) -> Flags:
        return np.array([(u, first, second, second) if two else (u, first) for u, first, second in keys], dtype=bool)

    joint = [(0, 0, 0), (1, 0, 0), (1, 1, 1)]
    marginal = [(1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1)]
    rule, apart = Rule(1.0), Rule(0.0, apart=True)
    tried = [choose_nodes(problem, worlds(joint), rule), choose_nodes(problem, worlds(marginal), apart)]
    nodes = max(one.nodes for one in tried)
    found = []
    for keys, how in ((joint, rule), (marginal, apart)):
        means = problem.means(worlds(keys), replace(how, nodes=nodes or LEAST_NODES)).plain
        found.append(dict(zip(keys, means, strict=True)))
    if not two:  # one mediator has no other to be independent of
        found[1] |= {(1, 0, 0): found[0][1, 0, 0], (1, 1, 0): found[0][1, 1, 1]}
    return Quadrature(nodes, max(one.error for one in tried)), found[0], found[1]
