"""Many normal equations at once against NumPy's one at a time."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_sp.inference.likelihood import normal_equations
from bayes_sp.inference.likelihood.normal_equations import (
    COLLINEAR,
    cross_products,
    definite,
    solve_normal,
    weighted_gram,
)


def test_elimination_agrees_with_lapack() -> None:
    """Solutions of random positive definite systems are those of numpy.linalg.solve."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(50, 20, 6))
    a, b = np.swapaxes(z, 1, 2) @ z, rng.normal(size=(50, 6, 2))
    solution, unexplained = solve_normal(a.transpose(1, 2, 0), b.transpose(1, 2, 0))
    np.testing.assert_allclose(solution.transpose(2, 0, 1), np.linalg.solve(a, b), rtol=1e-9)
    assert definite(unexplained).all()


def test_a_singular_system_is_flagged_and_leaves_the_others_alone() -> None:
    """One singular system among three becomes NaN; the others keep their solutions."""
    a = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)], axis=-1)
    solution, unexplained = solve_normal(a, np.ones((2, 1, 3)))
    assert definite(unexplained).tolist() == [True, False, True]
    np.testing.assert_array_equal(solution[:, 0], [[1.0, np.nan, 0.5], [1.0, np.nan, 0.5]])


def test_unexplained_share_is_one_minus_r_squared() -> None:
    """The pivot's share is what the variables before it leave unexplained, down to the stated threshold."""
    r = 1 - 1e-9
    _, unexplained = solve_normal(np.array([[1.0, r], [r, 1.0]])[:, :, None], np.ones((2, 1, 1)))
    np.testing.assert_allclose(unexplained[:, 0], [1.0, 1 - r**2], rtol=1e-6)
    assert unexplained[1, 0] > COLLINEAR


def test_both_ways_to_weigh_patients_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of products and the product made anew for each weighting give the same sums."""
    rng = np.random.default_rng(1)
    z, weights = rng.normal(size=(30, 4)), rng.integers(0, 4, (7, 30)).astype(float)
    table = weighted_gram(cross_products(z), weights)
    monkeypatch.setattr(normal_equations, "_MOST_PRODUCTS", 0)
    anew = cross_products(z)
    assert anew.products is None
    np.testing.assert_allclose(weighted_gram(anew, weights), table, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(table[:, :, 3], (z.T * weights[3]) @ z, rtol=1e-13, atol=1e-13)
