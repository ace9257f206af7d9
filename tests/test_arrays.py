"""The spread of values in any unit."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_sp.arrays import sd_of, unit_of
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.effects.summary import summarise
from bayes_sp.effects.tails import pareto_k

UNITS = [2.0**-900, 2.0**-300, 2.0**300, 2.0**1000]


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_said_of_draws_follows_their_unit(unit) -> None:
    """A power of two changes no digit: SDs and errors carry the unit, R-hat, sample sizes and tails do not."""
    draws = np.random.default_rng(3).standard_normal((2, 400, 3))
    np.testing.assert_array_equal(sd_of(draws, axis=(0, 1), ddof=1), draws.std(axis=(0, 1), ddof=1))
    np.testing.assert_array_equal(sd_of(draws * unit, axis=(0, 1, 2)), draws.std() * unit)
    one, other = summarise(draws), summarise(draws * unit)
    np.testing.assert_allclose(other["sd"], one["sd"] * unit, rtol=1e-12)
    plain, scaled = convergence_measures(draws), convergence_measures(draws * unit)
    for name, values in plain.items() if unit > 1 else ():  # as ArviZ, which takes what varies by 1e-15 for constant
        size = unit if name.startswith("mcse") else 1.0
        np.testing.assert_allclose(scaled[name], values * size, rtol=1e-9, err_msg=name)
    size = plain["ess_tail"]
    np.testing.assert_allclose(pareto_k(draws * unit, size), pareto_k(draws, size), rtol=1e-9)


def test_a_unit_is_that_of_the_largest_value() -> None:
    """Zeros and infinite values have none."""
    found = unit_of(np.array([[3.0, -5.0], [0.0, 0.0], [np.inf, 1.0]]), axis=1)
    np.testing.assert_array_equal(found, [[8.0], [1.0], [1.0]])
    assert np.isnan(sd_of(np.array([np.inf, 1.0])))
