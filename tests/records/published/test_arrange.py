"""Exchanges within columns reach the targets and keep the margins."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayes_sp.records.published.arrange import Problem, correlations, exchange
from bayes_sp.records.published.margins import UnreachableError


def test_exchange_keeps_margins_and_reaches_targets() -> None:
    """Exchanging values within columns keeps each column's values and reaches new correlations."""
    rng = np.random.default_rng(4)
    columns = rng.integers(0, 30, size=(4, 60)).astype(float)
    targets = np.array([[1, 0.3, -0.2, 0.1], [0.3, 1, 0.4, 0], [-0.2, 0.4, 1, 0.2], [0.1, 0, 0.2, 1]])
    problem = Problem(targets, targets, np.full((4, 4), 0.005), anchored=1)
    arranged = exchange(columns, problem)
    assert_array_equal(arranged[0], columns[0])
    assert_array_equal(np.sort(arranged, axis=1), np.sort(columns, axis=1))
    assert_allclose(np.corrcoef(arranged), targets, atol=0.005)
    assert_allclose(correlations(arranged), np.corrcoef(arranged), atol=1e-12)


def test_exchange_gives_up_on_the_impossible() -> None:
    """Correlations that no arrangement has end in an error."""
    columns = np.random.default_rng(4).integers(0, 30, size=(3, 40)).astype(float)
    targets = np.array([[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]])
    with pytest.raises(UnreachableError, match="remain beyond rounding"):
        exchange(columns, Problem(targets, targets, np.full((3, 3), 0.005), anchored=1), max_sweeps=20)
