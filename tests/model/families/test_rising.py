"""Differences of log Gamma beyond the table that kernels read."""

import math

import numpy as np
import pytest

from bayes_sp.model.families.special import TABLE, rising


def table_of(phi: float, size: int = TABLE) -> np.ndarray:
    steps = phi + np.arange(size - 1)
    return np.array([np.r_[0.0, np.cumsum(np.log(steps))], np.r_[0.0, np.cumsum(1.0 / steps)]])


@pytest.mark.parametrize("phi", [1e-3, 0.7, 12.5, 3e3, 1e7])
@pytest.mark.parametrize("count", [0, 5, TABLE - 1, TABLE, TABLE + 1, 40_000, 273_000])
def test_differences_are_sums_over_all_counts_below(phi: float, count: int) -> None:
    steps = phi + np.arange(count)
    exact = [math.fsum(np.log(steps)), math.fsum(1.0 / steps)]
    np.testing.assert_allclose(rising(phi, float(count), table_of(phi)), exact, rtol=1e-12, atol=1e-15)
