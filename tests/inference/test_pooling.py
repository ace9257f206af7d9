"""Rubin's rules, and draws of several sets of records one after the other, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes_sp.inference.estimates import Estimates
from bayes_sp.inference.pooling import few_words, joined, pooled_estimates, rubin


def test_rubins_rules_are_those_of_the_book():
    """Three sets, elementwise: variances, share, degrees of freedom and limits, by the formulas with numbers put in."""
    found = rubin(np.array([[1.0, 5.0], [2.0, 5.0], [4.5, 5.0]]), np.array([[0.5, 0.2], [0.7, 0.3], [0.9, 0.7]]))
    mean, between = 2.5, (1.5**2 + 0.5**2 + 2.0**2) / 2
    total = 0.7 + 4 / 3 * between
    share = 4 / 3 * between / total
    np.testing.assert_allclose(found.estimate, [mean, 5.0])
    np.testing.assert_allclose(found.within, [0.7, 0.4])
    np.testing.assert_allclose(found.between, [between, 0.0], atol=1e-15)
    np.testing.assert_allclose(found.total, [total, 0.4])
    np.testing.assert_allclose(found.share, [share, 0.0], atol=1e-15)
    np.testing.assert_allclose(found.df, [2 / share**2, math.inf])
    low, high = found.interval(0.9)
    half = [stats.t.ppf(0.95, 2 / share**2) * math.sqrt(total), stats.norm.ppf(0.95) * math.sqrt(0.4)]
    np.testing.assert_allclose(low, found.estimate - half)
    np.testing.assert_allclose(high, found.estimate + half)
    assert rubin(np.ones((2, 1)), np.zeros((2, 1))).share.tolist() == [0.0]


def test_estimates_of_sets_are_pooled_where_all_have_them():
    """Coefficients of one name and number of terms; the fewest patients, and every note once."""
    one = Estimates(
        {("y", "y"): (np.array([1.0, 2.0]), np.array([0.1, 0.2])), ("m", "m"): (np.ones(1), np.ones(1))}, 90, ("a",)
    )
    two = Estimates(
        {("y", "y"): (np.array([3.0, 2.0]), np.array([0.3, 0.2])), ("m", "m"): (np.ones(2), np.ones(2))}, 80, ("a", "b")
    )
    found = pooled_estimates([one, two])
    assert set(found.values) == {("y", "y")}
    np.testing.assert_allclose(found.values["y", "y"][0], [2.0, 2.0])
    np.testing.assert_allclose(found.values["y", "y"][1], [math.sqrt(0.05 + 1.5 * 2.0), 0.2])
    assert found.patients == 80
    assert found.notes[:2] == ("a", "b")
    assert "2 sets of records" in found.notes[2]
    none = pooled_estimates(
        [Estimates({("m", "m"): one.values["m", "m"]}, 9, ()), Estimates({("m", "m"): two.values["m", "m"]}, 9, ())]
    )
    assert none.values == {}
    assert none.notes == ()


def draws(chains: int, length: int, start: float, groups: list[str]) -> xr.Dataset:
    """Return draws numbered from ``start``, of a quantity and of groups of patients."""
    values = start + np.arange(chains * length).reshape(chains, length)
    of_groups = np.zeros((chains, length, len(groups)))
    coords = {"chain": range(chains), "draw": range(length), "group": groups}
    return xr.Dataset({"a": (("chain", "draw"), values), "g": (("chain", "draw", "group"), of_groups)}, coords=coords)


@pytest.mark.parametrize("others", [["p", "q"], ["p", "r"]])
def test_draws_of_sets_stand_one_after_the_other(others):
    """Thinned evenly to the shortest, with the fewest chains; groups stay where all sets have the same."""
    found = joined([draws(3, 6, 0.0, ["p", "q"]), draws(2, 4, 100.0, others)])
    expected = [[0, 1, 3, 4], [6, 7, 9, 10], [100, 101, 102, 103], [104, 105, 106, 107]]
    np.testing.assert_array_equal(found["a"], expected)
    assert found["member"].values.tolist() == [1, 1, 2, 2]
    assert found["chain"].values.tolist() == [0, 1, 2, 3]
    assert found["draw"].values.tolist() == [0, 1, 2, 3]
    assert ("g" in found) == (others == ["p", "q"])


def test_few_sets_are_said_in_numbers():
    """sqrt((K + 1)/(K - 1)): 5 sets need 22 % more; 20 are enough."""
    assert "from 5 sets" in few_words(5)
    assert "22 % larger; use 20 or more" in few_words(5)
    assert "5 % larger" in few_words(19)
    assert few_words(20) == ""
