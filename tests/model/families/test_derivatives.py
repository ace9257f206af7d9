"""Derivatives of log-densities that maximum likelihood climbs by are the limits of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from bayes_sp.model.families.registry import FAMILIES

GIVEN = [name for name, family in FAMILIES.items() if family.derivatives is not None]
STEP = 1e-4


@pytest.mark.parametrize("name", GIVEN)
def test_derivatives_are_limits_of_differences(name: str) -> None:
    """By eta and by t, once and twice, at several counts or values, locations and spreads."""
    family = FAMILIES[name]
    derivatives = family.derivatives
    assert derivatives is not None
    y = np.array([0.0, 1.0, 2.0, 7.0, 40.0]) if family.response == "count" else np.array([0.3, 0.8, 1.7, 2.2, 6.0])
    eta, t = np.array([-0.4, 0.9, 0.2, 2.0, 3.1]), np.array([-0.7, 0.4, 1.2, 0.1, -0.2])
    found, first, second = derivatives(y, eta, t)
    size = len(first)
    moves = np.eye(2) * STEP

    def at(move: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        value, slopes, _ = derivatives(y, eta + move[0], t + move[1])
        return np.asarray(value), [np.asarray(slope) for slope in slopes]

    for i in range(size):
        (above, slopes_above), (below, slopes_below) = at(moves[i]), at(-moves[i])
        np.testing.assert_allclose(first[i], (above - below) / (2 * STEP), rtol=1e-6, atol=1e-7)
        for j in range(size):
            change = (slopes_above[j] - slopes_below[j]) / (2 * STEP)
            np.testing.assert_allclose(np.broadcast_to(second[i][j], y.shape), change, rtol=1e-6, atol=1e-7)
    for k in range(len(y)):
        one = slice(k, k + 1)
        density = family.log_density(y[one], eta[one], np.zeros(1), np.exp(t[one]))
        left_out = special.gammaln(y[k] + 1.0) if family.response == "count" else 0.0
        assert found[k] == pytest.approx(density[0] + left_out, rel=1e-10)
