"""Margins have exactly the printed moments, on their scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_sp.records.published.count_shapes import COUNT_SHAPES, plain
from bayes_sp.records.published.margins import UnreachableError, Window, negative_binomial, repair, tilt
from bayes_sp.records.published.printed import Printed


def test_tilt_has_the_moments() -> None:
    """Tilted weights have exactly the wanted mean and SD on a bounded lattice."""
    x = np.arange(81.0)
    p = tilt(x, negative_binomial(x, 4.5, 8.3), 4.478, 8.32)
    moments = np.array([p.sum(), p @ x, np.sqrt(p @ (x - 4.478) ** 2)])
    assert_allclose(moments, np.array([1.0, 4.478, 8.32]), rtol=1e-8)


def test_tilt_refuses_impossible_moments() -> None:
    """No distribution on 1..4 has an SD above 1.5."""
    with pytest.raises(UnreachableError, match="no distribution"):
        tilt(np.arange(1.0, 5.0), np.ones(4), 2.5, 1.6)


def test_negative_binomial_weights() -> None:
    """The negative binomial's weights on a long lattice have its mean and variance."""
    k = np.arange(3000.0)
    p = negative_binomial(k, 5.97, 8.11)
    p /= p.sum()
    assert_allclose(np.array([p @ k, np.sqrt(p @ (k - 5.97) ** 2)]), np.array([5.97, 8.11]), rtol=1e-9)
    with pytest.raises(UnreachableError, match="SD above"):
        negative_binomial(k, 4.0, 1.9)


def test_window_of_printed_moments() -> None:
    """A window holds the totals that round to a mean, and sums of squares that a total allows."""
    window = Window.printed(178, Printed("1.89"), Printed("1.59"), 0, 10)
    assert window.totals == (336, 337)
    low, high = window.squares(336)
    assert low % 2 == high % 2 == 0
    sds = np.sqrt((np.array([low - 2, low, high, high + 2]) - 336**2 / 178) / 177)
    assert [f"{sd:.2f}" for sd in sds] == ["1.58", "1.59", "1.59", "1.60"]


def test_repair_reaches_exact_sums() -> None:
    """Repair gives the exact total and sum of squares without leaving the scale."""
    rng = np.random.default_rng(1)
    window = Window.printed(178, Printed("1.89"), Printed("1.59"), 0, 10)
    x = repair(rng.integers(0, 5, size=178), window, 336, (1080, 1080), rng)
    assert (int(x.sum()), int(x @ x)) == (336, 1080)
    assert set(x) <= set(range(11))


def test_repair_gives_up() -> None:
    """Repair raises where no scores have the sums: an odd sum of squares needs an odd total."""
    window = Window.printed(178, Printed("1.89"), Printed("1.59"), 0, 10)
    rng = np.random.default_rng(1)
    with pytest.raises(UnreachableError, match="sum of squares"):
        repair(rng.integers(0, 5, size=178), window, 336, (1081, 1081), rng)


def test_count_shapes_cannot_be_changed() -> None:
    """The table of count shapes is read-only."""
    with pytest.raises(TypeError):
        COUNT_SHAPES["poisson"] = plain  # type: ignore[index]  # refused at run time too
