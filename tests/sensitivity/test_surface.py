"""Interpolation between strengths: exact where the bias is linear, close where it is not; first crossings."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_sp.sensitivity.confounder.grid import Surface, first_crossing, product_bias

FIRST, SECOND = np.array([0.2, 0.4, 0.6]), np.array([-0.6, -0.4, -0.2, 0.2, 0.4, 0.6])


def surface_of(function, first=FIRST, second=SECOND, plain=None):
    """The surface of a function of two strengths from its values on a grid."""
    s, t = (grid.ravel() for grid in np.meshgrid(first, second, indexing="ij"))
    return Surface(s, t, function(s, t), function(0.0, 0.0) if plain is None else plain)


def test_the_bias_of_a_slope_by_simulation():
    """Least squares without U: b + s_j s_k / v for the mediator, gamma - (s_j s_k / v) beta for the exposure."""
    rng, n = np.random.default_rng(0), 400_000
    x, u = rng.standard_normal(n), rng.standard_normal(n)
    m = 0.7 * x + 0.6 * u + 0.5 * rng.standard_normal(n)
    y = 0.2 * x + 0.3 * m - 0.4 * u + rng.standard_normal(n)
    found = np.linalg.lstsq(np.column_stack([x, m]), y)[0]
    bias = product_bias(0.6, -0.4, 0.6**2 + 0.5**2)
    assert_allclose(found, [0.2 - bias * 0.7, 0.3 + bias], atol=0.01)


def test_the_bias_of_a_log_rate_by_simulation():
    """With a log link the same formula holds for the log of the mean: Poisson regression without U."""
    rng, n = np.random.default_rng(1), 200_000
    u = rng.standard_normal(n)
    m = 0.5 * u + 0.8 * rng.standard_normal(n)
    y = rng.poisson(np.exp(0.1 + 0.2 * m + 0.4 * u))
    design, beta = np.column_stack([np.ones(n), m]), np.zeros(2)
    for _ in range(20):  # Fisher scoring
        mean = np.exp(design @ beta)
        beta += np.linalg.solve((design.T * mean) @ design, design.T @ (y - mean))
    assert_allclose(beta[1], 0.2 + product_bias(0.5, 0.4, 0.5**2 + 0.8**2), atol=0.01)


def test_a_margin_that_is_linear_in_the_product_is_exact_everywhere():
    """Within the grid, beyond it, and on the axes."""
    surface = surface_of(lambda s, t: 0.3 - 0.8 * s * t)
    s, t = np.meshgrid(np.linspace(0, 0.9, 10), np.linspace(-0.9, 0.9, 19))
    assert_allclose(surface.at(s, t), 0.3 - 0.8 * s * t, atol=1e-10)


def test_the_points_themselves_are_met():
    """Interpolation, not smoothing."""
    surface = surface_of(lambda s, t: 0.3 - s * t - 0.7 * s**2 * t**2 + 0.2 * s**2 * t)
    assert_allclose(surface.at(surface.first, surface.second), surface.values, atol=1e-10)
    assert_allclose(surface.at([0.0, 0.5, 0.0], [0.4, 0.0, 0.0]), surface.plain)


def test_a_curved_margin_is_close_between_the_points():
    """The limit of a product's interval as its slope changes sign: within 3 % of the range of values."""

    def limit(s, t):  # the 97.5 % quantile of a product, which swings from one end to the other
        slope = 0.3 - s * t
        return 0.2 * slope - 0.05 * np.sqrt(slope**2 + 0.01)

    surface = surface_of(limit)
    s, t = np.meshgrid(np.linspace(0.1, 0.6, 11), np.linspace(-0.6, 0.6, 25))
    error = np.abs(surface.at(s, t) - limit(s, t)).max()
    assert error < 0.03 * np.ptp(surface.values)


def test_places_without_an_answer_are_bridged():
    """The spline needs no complete grid."""
    whole = surface_of(lambda s, t: 0.3 - 0.8 * s * t - 0.3 * (s * t) ** 2)
    keep = np.arange(18) % 5 != 0
    some = Surface(whole.first[keep], whole.second[keep], whole.values[keep], whole.plain)
    assert_allclose(some.at(whole.first, whole.second), whole.values, atol=0.01)


@pytest.mark.parametrize(("first", "second"), [([0.3], [-0.2, 0.2]), ([0.3], [0.4]), ([0.1, 0.3], [0.4])])
def test_a_few_places_are_enough(first, second):
    """One strength of a response, or one place: the bias is proportional to the product of strengths."""
    surface = surface_of(lambda s, t: 0.3 - 0.8 * s * t, np.array(first), np.array(second))
    assert_allclose(surface.at(0.15, 0.2), 0.3 - 0.8 * 0.03, atol=1e-10)


def test_signs_turned_together_change_nothing_about_the_product():
    """U and -U are the same confounder: the surface depends on the sign of the product alone."""
    surface = surface_of(lambda s, t: 0.3 - 0.8 * s * t)
    assert_allclose(surface.at(0.3, -0.2), surface.at(-0.3, 0.2), atol=1e-10)


def test_the_first_crossing_is_the_nearest_one():
    """Of three roots the least; none, and none needed."""
    assert first_crossing(lambda x: np.cos(5 * x), 2.0) == pytest.approx(np.pi / 10)
    assert np.isnan(first_crossing(lambda x: 1.0 + 0 * x, 2.0))
    assert first_crossing(lambda x: x - 1.0, 2.0) == 0.0
    assert first_crossing(lambda x: 1.0 - x, 1.0) == pytest.approx(1.0)
