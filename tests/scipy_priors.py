"""A prior of each distribution of a number with SciPy's distribution: the one list that tests of priors take."""

from __future__ import annotations

import math
from typing import Any

from scipy import stats

from bayes_sp.model.distributions import Prior


def _prior(dist: str, **constants: float) -> Prior:
    return Prior(dist, tuple(constants.items()), "test")


# SciPy has no half-Student t, which has tests of its own where this list is taken.
PRIORS: list[tuple[Prior, Any]] = [
    (_prior("normal", mu=0.3, sigma=1.2), stats.norm(0.3, 1.2)),
    (_prior("student_t", nu=5.0, mu=0.3, sigma=1.2), stats.t(5.0, 0.3, 1.2)),
    (_prior("laplace", mu=0.3, b=0.8), stats.laplace(0.3, 0.8)),
    (_prior("half_normal", sigma=1.4), stats.halfnorm(scale=1.4)),
    (_prior("exponential", scale=2.5), stats.expon(scale=2.5)),
    (_prior("gamma", alpha=2.3, beta=1.5), stats.gamma(2.3, scale=1 / 1.5)),
    (_prior("inverse_gamma", alpha=3.5, beta=1.5), stats.invgamma(3.5, scale=1.5)),
    (_prior("lognormal", mu=0.2, sigma=0.7), stats.lognorm(0.7, scale=math.exp(0.2))),
    (_prior("lkj", eta=2.0), stats.beta(2.0, 2.0, -1.0, 2.0)),
]
NAMES = [prior.dist for prior, _ in PRIORS]
