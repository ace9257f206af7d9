"""Mean outcomes of any chain in any world, against simulation of every copy of every mediator."""

from __future__ import annotations

import numpy as np
import pytest
from chains import made_up_chain, simulated_world

from bayes_sp.effects.nodes import Rule
from bayes_sp.effects.worlds import world_means

OUTCOMES = ("identity", "exp", "logit", "probit", "zero_inflated", "hurdle")
PAIRS = [("normal", "normal"), ("normal", "logit"), ("normal", "beta"), ("logit", "normal"), ("probit", "normal"),
         ("logit", "probit"), ("logit", "beta"), ("binary", "binary"), ("normal", "probit")]  # fmt: skip
WORLDS = np.array([(1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 1, 1), (0, 0, 1, 0), (1, 1, 1, 1)], dtype=bool)
U = (0.0, 1.5)


def exposures(world: np.ndarray) -> tuple[float, ...]:
    return tuple(U[int(switched)] for switched in world)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("mediators", PAIRS, ids="-".join)
def test_two_mediators_agree_with_simulation(mediators, outcome):
    """Every pair of mediators with every outcome is within four Monte Carlo errors, at three kappas."""
    chain, baselines = made_up_chain(mediators, outcome, draws=2, seed=5, interactions=True, monotonic=True)
    for kappa in (0.0, 0.4, 1.0):
        found = world_means(chain, baselines, WORLDS, U, Rule(kappa, nodes=24)).plain
        for v, world in enumerate(WORLDS):
            if kappa < 1.0 and v not in (1, 2):
                continue  # the same as for kappa = 1
            mean, error = simulated_world(chain, baselines, 1, exposures(world), kappa, 60_000, seed=100 + v)
            assert abs(found[v, 1] - mean) < 4 * error, (kappa, v, found[v, 1], mean, error)
