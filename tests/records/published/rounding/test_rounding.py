"""Matrices that round to a printed one: whether there are any, least squares over all of them, a uniform sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_sp.errors import SurveyError
from bayes_sp.records.published.rounding.feasible import Box, feasibility, smallest_conflict, support
from bayes_sp.records.published.rounding.paths import rounded_paths
from bayes_sp.records.published.rounding.regressions import slopes_of, within_cone
from bayes_sp.records.published.rounding.sample import inner_point, sample_box
from bayes_sp.records.published.study.read import read_study


def box_of(matrix: np.ndarray, half: float) -> Box:
    """Return the box of all entries within ``half``."""
    off = half * (1 - np.eye(len(matrix)))
    return Box(np.maximum(matrix - off, -1), np.minimum(matrix + off, 1))


def random_correlation(rng: np.random.Generator, p: int, rows: int) -> np.ndarray:
    return np.asarray(np.corrcoef(rng.standard_normal((rows, p)), rowvar=False))


@pytest.mark.parametrize("seed", range(8))
def test_rounded_correlations_of_records_are_feasible(seed: int):
    """Records with fewer rows than columns have a singular matrix, which rounding to one decimal makes indefinite."""
    rng = np.random.default_rng(seed)
    box = box_of(np.round(random_correlation(rng, 8, 6), 1), 0.05 + 1e-12)
    found = feasibility(box)
    assert found.feasible
    assert np.linalg.eigvalsh(found.witness)[0] >= -1e-9
    assert np.all((found.witness >= box.low - 1e-12) & (found.witness <= box.high + 1e-12))


def test_a_contradiction_has_a_certificate():
    """r(a,b) = r(a,c) = .9 leave r(b,c) >= .62; printed is .50 with two decimals."""
    matrix = np.array([[1, 0.9, 0.9, 0.1], [0.9, 1, 0.5, 0.1], [0.9, 0.5, 1, 0.1], [0.1, 0.1, 0.1, 1.0]])
    box = box_of(matrix, 0.005)
    found = feasibility(box)
    assert found.infeasible
    y = found.certificate
    assert np.linalg.eigvalsh(y)[0] >= -1e-12
    assert np.trace(y) == pytest.approx(1)
    assert support(y, box) < 0  # <Y, R> >= 0 for every positive semidefinite R: none is in the box
    assert smallest_conflict(box) == (0, 1, 2)
    assert feasibility(box_of(matrix, 0.05)).feasible  # .85, .85 and .55: 1 + 2 x .85^2 x .55 - 2 x .85^2 - .55^2 > 0


def test_the_edge_of_three_correlations():
    """r(b,c) >= r(a,b) r(a,c) - sqrt((1 - r(a,b)^2)(1 - r(a,c)^2)), to within 1e-4 on both sides."""
    edge = 0.8 * 0.7 - np.sqrt((1 - 0.64) * (1 - 0.49))
    for off, feasible in ((1e-4, True), (-1e-4, False)):
        r = edge + off
        found = feasibility(box_of(np.array([[1, 0.8, 0.7], [0.8, 1, r], [0.7, r, 1]]), 1e-9))
        assert found.feasible == feasible
        assert found.infeasible == (not feasible)


def test_enclosures_hold_and_the_range_found_is_nearly_all_of_them():
    """Of random matrices of a box none is beyond; derivatives agree with differences."""
    rng = np.random.default_rng(4)
    middle = random_correlation(rng, 6, 60)
    box = box_of(middle, 0.005)
    slope = slopes_of(5, range(5))[2]
    draws = sample_box(box, 4000, rng)
    values = slope.values(draws)
    low, high = slope.enclosure(box)
    assert low < values.min() < values.max() < high
    value, gradient = slope.gradient(middle)
    moved = middle.copy()
    moved[1, 3] = moved[3, 1] = middle[1, 3] + 1e-6
    assert gradient[1, 3] == pytest.approx((float(slope.values(moved)) - value) / 1e-6, rel=1e-4)
    least_squares = np.linalg.solve(middle[:5, :5], middle[:5, 5])
    assert value == pytest.approx(least_squares[2])
    corner = np.where(gradient > 0, box.high, box.low)
    assert (float(slope.values(corner)) - value) / (high - value) > 0.9


def test_uniform_over_all_correlation_matrices():
    """Of three variables each correlation is then distributed as 2 Beta(3/2, 3/2) - 1 (Joe 2006)."""
    box = Box(np.where(np.eye(3) > 0, 1.0, -1.0), np.ones((3, 3)))
    draws = sample_box(box, 1920, np.random.default_rng(11))
    assert np.linalg.eigvalsh(draws).min() > 0
    for i, j in ((0, 1), (0, 2), (1, 2)):
        test = stats.kstest(draws[:, i, j], stats.beta(1.5, 1.5, loc=-1, scale=2).cdf)
        assert test.pvalue > 1e-4
    own = draws[:, 0, 1]  # of 64 walkers, one after the other
    assert abs(np.corrcoef(own[:-64], own[64:])[0, 1]) < 0.25


def test_the_walk_is_uniform_where_part_of_the_box_is_cut_off():
    """Against rejection: draws of all the box, of which those that are positive definite stay."""
    rng = np.random.default_rng(5)
    matrix = np.array([[1, 0.8, 0.7], [0.8, 1, 0.16], [0.7, 0.16, 1]])
    box = box_of(matrix, 0.05)
    assert not box.inside_the_cone
    entries = rng.uniform(-0.05, 0.05, (40_000, 3))
    every = np.broadcast_to(matrix, (40_000, 3, 3)).copy()
    for k, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        every[:, i, j] = every[:, j, i] = matrix[i, j] + entries[:, k]
    accepted = every[np.linalg.eigvalsh(every)[:, 0] > 0]
    assert 0.1 < len(accepted) / 40_000 < 0.9
    walk = sample_box(box, 1280, rng)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert stats.ks_2samp(walk[:, i, j], accepted[:, i, j]).pvalue > 1e-4


def test_a_point_is_drawn_back_into_the_cone():
    inside, outside = np.eye(3), np.array([[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1.0]])
    moved = within_cone(outside, inside)
    assert 0 < np.linalg.eigvalsh(moved)[0] < 1e-6
    with pytest.raises(SurveyError, match="no positive definite"):
        inner_point(box_of(outside, 0.005))


@pytest.fixture(scope="module")
def paths():
    """All paths of the published study over the tables that round to Table 2."""
    return rounded_paths(read_study("kellezi2019"))


def test_the_published_first_path_comes_back_within_rounding(paths):
    """Table 2 as printed gives .095, which would print .10 or .09; tables that round to it give .088 to .103."""
    first = paths["belonging_t1 ~ group_change"]
    assert first.middle == pytest.approx(0.0954, abs=1e-4)
    assert first.surely_low < first.low < 0.09 < first.middle < first.high < first.surely_high
    assert 0.3 < first.share < 0.55
    serial = paths["group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"]
    assert serial.share > 0.95  # nearly all of them print -.04


def test_what_does_not_come_back(paths):
    """The total effect: no table that rounds to the printed one gives -.07, whatever the rounding."""
    total = paths["total"]
    assert total.share == 0
    assert total.surely_high < -0.075
    assert total.middle == pytest.approx(-0.1471, abs=1e-4)


def test_every_draw_lies_within_the_sure_range(paths):
    """And the total is the sum of its paths in every draw to the sampled SDs' share."""
    for item in paths.ranges:
        assert item.surely_low <= item.draws.min()
        assert item.draws.max() <= item.surely_high
        assert item.low <= item.middle <= item.high
    parts = sum(paths[name].middle for name in (
        "group_change -> appointments_t1", "group_change -> belonging_t1 -> appointments_t1",
        "group_change -> loneliness_t1 -> appointments_t1",
        "group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"))  # fmt: skip
    assert parts == pytest.approx(paths["total"].middle)
    assert "Without employment" in repr(paths)


def test_studies_without_a_chain_or_with_gaps_are_refused():
    table = {"n": 40, "variable": [{"name": "x"}, {"name": "m", "correlations": [".3"]},
                                   {"name": "y", "correlations": [".2", ""]}]}  # fmt: skip
    tables = {"citation": {"title": "t"}, "table": [table]}
    with pytest.raises(SurveyError, match="no \\[\\[chain\\]\\]"):
        rounded_paths(read_study(tables))
    chain = {"exposure": "x", "mediators": ["m"], "outcome": "y"}
    with pytest.raises(SurveyError, match="does not print the correlation of m with y"):
        rounded_paths(read_study(tables | {"chain": [chain]}))
