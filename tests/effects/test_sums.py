"""Mean outcomes of small chains against the sums that define them, over every pair of the first mediator's values.

Simulation has an error of 1 in 100; these sums see a wrong digit in a compiled loop, and are quick without a compiler.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from chains import made_up_chain, outcome_mean
from numpy.typing import NDArray
from scipy import special, stats

from bayes_sp.effects.chain import Chain
from bayes_sp.effects.means.nodes import Rule
from bayes_sp.effects.means.worlds import world_means

Array = NDArray[np.float64]
U = (0.0, 1.5)
ALL = np.array(list(product([False, True], repeat=4)))
WEIGHTS = np.array([3.0, 1.0])
Z, W = np.polynomial.hermite_e.hermegauss(60)
W = W / W.sum()
CASES = [
    ("normal", "normal", "identity"),
    ("normal", "normal", "logit"),
    ("normal", "normal", "zero_inflated"),
    ("normal", "normal", "hurdle"),
    ("logit", "normal", "logit"),
    ("logit", "normal", "hurdle"),
    ("probit", "normal", "zero_inflated"),
    ("logit", "normal", "exp"),
    ("count", "normal", "probit"),
    ("count", "normal", "identity"),
    ("count", "normal", "zero_inflated"),
    ("poisson", "normal", "hurdle"),
    ("poisson", "normal", "exp"),
    ("count", "logit", "exp"),
    ("count", "probit", "identity"),
    ("count", "count", "exp"),
    ("poisson", "count", "identity"),
    ("count", "logit", "logit"),
    ("logit", "probit", "logit"),
    ("probit", "logit", "hurdle"),
    ("logit", "logit", "zero_inflated"),
    ("probit", "probit", "identity"),
    ("logit", "probit", "probit"),
    ("logit", "probit", "exp"),
    ("probit", "count", "hurdle"),
    ("logit", "count", "exp"),
    ("normal", "logit", "logit"),
    ("normal", "probit", "zero_inflated"),
    ("normal", "logit", "identity"),
    ("normal", "probit", "exp"),
    ("normal", "count", "identity"),
    ("normal", "poisson", "exp"),
]


def law(chain: Chain, k: int, eta: Array) -> tuple[Array, Array]:
    """Return values of a mediator and their probabilities, (..., L) each, given its predictor."""
    mediator = chain.mediators[k]
    if mediator.rule == "normal":
        return eta[..., None] + mediator.sigma[0] * Z, np.broadcast_to(W, (*eta.shape, len(W)))
    if mediator.rule == "count":
        largest = 200.0 if k == 0 else {"count": 300.0, "normal": 400.0}.get(chain.mediators[0].rule, 2000.0)
        values, mu = np.arange(largest), np.exp(eta)[..., None]
        phi = mediator.phi[0]
        p = stats.poisson.pmf(values, mu) if np.isinf(phi) else stats.nbinom.pmf(values, phi, phi / (phi + mu))
        return np.broadcast_to(values, p.shape), p
    cdf = special.expit if mediator.rule == "logit" else special.ndtr
    above = cdf(eta[..., None] - mediator.cuts[0])
    ones = np.ones((*eta.shape, 1))
    p = -np.diff(np.concatenate([ones, above, 0.0 * ones], axis=-1))
    return np.broadcast_to(mediator.values, p.shape), p


def pairs(chain: Chain, etas: tuple[float, float], kappa: float, *, apart: bool, same: bool) -> tuple[Array, ...]:
    """Return the first mediator's values in two worlds with the probability of each pair of them, (P,) each."""
    one, p = law(chain, 0, np.array(etas[0]))
    two, q = law(chain, 0, np.array(etas[1]))
    if chain.mediators[0].rule == "normal":
        shared = 0.0 if apart else (1.0 if same else kappa)
        moved = shared * Z[:, None] + np.sqrt(1.0 - shared**2) * Z
        joint = np.outer(W, W)
        return np.repeat(one, len(Z)), (etas[1] + chain.mediators[0].sigma[0] * moved).ravel(), joint.ravel()
    ends, others = np.cumsum(p)[:, None], np.cumsum(q)
    ranks = np.clip(np.minimum(ends, others) - np.maximum(ends - p[:, None], others - q), 0.0, None)
    mix = 0.0 if apart else (1.0 if same else kappa)
    joint = mix * (np.diag(p) if same else ranks) + (1.0 - mix) * np.outer(p, q)
    return np.repeat(one, len(two)), np.tile(two, len(one)), joint.ravel()


def summed(chain: Chain, base: Array, kappa: float, *, apart: bool) -> Array:
    """Return the mean outcome of one patient in every world, (16,), by its definition."""

    def seen(j: int, k: int, u: float, m: Array) -> Array:
        m = np.log1p(m) if (j, k) in chain.logs else m
        return (chain.slopes[0, j, k] + u * chain.interactions[0, j, k]) * m

    found = []
    for d, a, u, b in product(U, repeat=4):
        etas = base[0] + chain.exposure[0, 0] * a, base[0] + chain.exposure[0, 0] * b
        m, other, weight = pairs(chain, etas, kappa, apart=apart, same=a == b)
        kept = weight > 1e-14
        m, other, weight = m[kept], other[kept], weight[kept]
        second, p = law(chain, 1, base[1] + chain.exposure[0, 1] * u + seen(1, 0, u, other))
        ends = [
            base[j] + chain.exposure[0, j] * d + seen(j, 0, d, m)[:, None] + seen(j, 1, d, second)
            for j in range(2, 3 + chain.zero_part)
        ]
        found.append(weight @ (p * outcome_mean(chain.outcome, 0, *ends)).sum(axis=1))
    return np.array(found)


@pytest.mark.fixed_seed  # no mean near 0, of which a relative error says nothing
@pytest.mark.parametrize("way", [0, 1, pytest.param(2, marks=pytest.mark.slow)], ids=["some", "one", "apart"])
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_mean_is_the_sum_that_defines_it(case: tuple[str, str, str], way: int) -> None:
    """Every world, with exposures that change slopes, of two patients of whom one stands for three."""
    kappa, apart = (0.3, 1.0, 0.0)[way], way == 2
    chain, baselines = made_up_chain(case[:2], case[2], draws=1, n=2, seed=11 + way, interactions=way != 1)
    patients = np.array([summed(chain, baselines(0, 1)[:, 0, i], kappa, apart=apart) for i in range(2)])
    nodes = 24 if case[:2] != ("normal", "normal") and case[2] != "hurdle" else 12
    rule = Rule(kappa, nodes, apart)
    found = world_means(chain, baselines, ALL, U, rule, WEIGHTS).plain[:, 0]
    np.testing.assert_allclose(found, WEIGHTS @ patients / WEIGHTS.sum(), rtol=2e-6)
    if way == 1:
        alike = world_means(chain, baselines, ALL, U, rule).plain[:, 0]
        np.testing.assert_allclose(alike, patients.mean(axis=0), rtol=2e-6)
