"""Simulated responses: their mean and their distribution are those of the family."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from bayes_sp.model.families.registry import FAMILIES

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
N = 200_000
AUX = {
    "ordered_logit": [-1.0, 0.2, 1.5],
    "ordered_probit": [-1.0, 0.2, 1.5],
    "student_t": [0.8, 6.0],
    "latent_normal": [0.8, 0.5],
    "beta": [4.0],
}


def drawn(family, eta: float, zeta: float = -0.6, aux=None, seed: int = 1):
    aux = np.array(AUX.get(family.name, [0.8] * len(family.parameters)) if aux is None else aux)
    every = np.full(N, eta)
    return family.simulate(np.random.default_rng(seed), every, np.full(N, zeta), aux), aux


@every_family
@pytest.mark.parametrize("eta", [-1.5, 0.4])
def test_the_mean_of_simulated_responses_is_the_mean(family, eta):
    """Within 4 Monte Carlo errors."""
    y, aux = drawn(family, eta)
    expected = family.mean(np.array([eta]), np.array([-0.6]), aux)[0]
    assert abs(y.mean() - expected) < 5 * y.std() / np.sqrt(N)


@every_family
def test_simulated_responses_follow_the_density(family):
    """Shares of values (or of intervals) within 4 Monte Carlo errors of the density's probabilities."""
    eta, zeta = np.array([0.4]), np.array([-0.6])
    y, aux = drawn(family, 0.4)

    def probability(value: float) -> float:
        return float(np.exp(family.log_density(np.array([value]), eta, zeta, aux))[0])

    if family.response in ("integer", "count", "binary"):
        expected = [probability(float(k)) for k in range(int(min(y.max(), 8)) + 1)]
        found = [np.mean(y == k) for k in range(len(expected))]
    else:
        ends = np.quantile(y, [0.02, 0.2, 0.5, 0.8, 0.98])
        expected = [integrate.quad(probability, a, b)[0] for a, b in pairwise(ends)]
        found = [np.mean((y > a) & (y <= b)) for a, b in pairwise(ends)]
    error = np.sqrt(np.array(expected) * (1 - np.array(expected)) / N)
    # quantiles are estimated themselves, with an error of the same size
    assert np.all(
        np.abs(np.array(found) - expected) < 5 * error * (1.0 if family.response in ("count",) else 1.5) + 1e-6
    )


@pytest.mark.parametrize(("eta", "phi"), [(-25.0, 1.0), (20.0, 1e-3), (3.0, 1e7), (-2.0, 1e-3)])
def test_the_truncated_counts_of_a_hurdle_are_exact_at_extremes(eta, phi):
    """Never 0 behind the hurdle, and the mean of the truncated distribution."""
    family = FAMILIES["hurdle_negative_binomial"]
    y, aux = drawn(family, eta, -800.0, [phi])
    assert y.min() >= 1.0
    expected = family.mean(np.array([eta]), np.array([-800.0]), aux)[0]
    assert abs(y.mean() - expected) < 5 * y.std() / np.sqrt(N) + 1e-9


def test_a_simulated_share_stays_within_the_open_interval():
    """A beta of tiny precision rounds to its ends, where it has no density."""
    y, _ = drawn(FAMILIES["beta"], 0.0, aux=[1e-3])
    assert (y.min() > 0.0) & (y.max() < 1.0)
