"""Simulated designs for the tests of regressions and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bayes_sp.design.design import Design


def simulated_design(
    n: int = 120,
    *,
    count: bool = False,
    mediators: int = 2,
    q: int = 3,
    seed: int = 0,
    edges_exposure: NDArray[np.bool_] | None = None,
    edges_mediators: NDArray[np.bool_] | None = None,
) -> Design:
    """Return a design drawn from a chain with the given edges; the last covariate is a dummy."""
    rng = np.random.default_rng(seed)
    k = mediators
    from_x = np.ones(k + 1, dtype=bool) if edges_exposure is None else edges_exposure
    from_m = np.tri(k + 1, k, -1, dtype=bool) if edges_mediators is None else edges_mediators
    w = rng.normal(size=(n, q))
    w[:, -1] = rng.random(n) < 0.3
    x = np.round(0.33 + 2.1 * rng.normal(size=n))
    slopes = rng.normal(0, 0.2, (k + 1, q))
    y = np.zeros((n, k + 1))
    for j in range(k):
        y[:, j] = 2 + 0.2 * x * from_x[j] + w @ slopes[j] - 0.4 * y[:, :k] @ from_m[j] + rng.normal(size=n)
    eta = 0.6 + 0.05 * x * from_x[k] + 0.2 * y[:, :k] @ from_m[k] + w @ slopes[k]
    phi = 1.5
    y[:, k] = rng.negative_binomial(phi, phi / (phi + np.exp(eta))) if count else eta + rng.normal(size=n)
    return Design(
        exposure="x",
        mediators=tuple(f"m{j + 1}" for j in range(k)),
        outcome="y",
        families=("normal",) * k + ("negative_binomial" if count else "normal",),
        x=x,
        y=y,
        w=w,
        covariate_terms=tuple(f"w{j + 1}" for j in range(q)),
        edges_exposure=from_x,
        edges_mediators=from_m,
        contrast=(0.0, 1.0),
    )


@pytest.fixture
def make_design() -> Callable[..., Design]:
    """Return the function that simulates a design."""
    return simulated_design
