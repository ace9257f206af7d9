"""Grids of strengths: which cells, and what they say with names."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure
from bayes_sp.model.parts import Unmeasured
from bayes_sp.names import CONFOUNDING_COLUMNS
from bayes_sp.sensitivity.confounder.grid import Grid, array_of, cell_at, margin_of, margins, table_of
from bayes_sp.sensitivity.target import Estimate, Target, estimate_in

GRID = Grid(("mood", "visits"), (0.2, 0.1), (0.3,))
TARGET = Target("walks -> mood -> visits")


def answer(mean, *, trustworthy=True):
    """An answer whose every number is near one."""
    rows = [
        ("walks -> visits", "difference", "average", 1.0),
        (TARGET.path, "difference", "alone", 9.0),
        (TARGET.path, "difference", "average", mean),
        (TARGET.path, "rate_ratio", "average", math.exp(mean)),
        ("total", "difference", "", 2.0),
    ]
    table = pd.DataFrame(rows, columns=["path", "scale", "decomposition", "mean"])
    table["median"] = table["mean"] + 0.1
    table["lower"], table["upper"], table["prob_negative"] = table["mean"] - 0.5, table["mean"] + 0.5, 0.3
    table["mcse_lower"], table["mcse_upper"] = 0.01, 0.02
    return Answer("key", table, trustworthy, () if trustworthy else ("too few draws",), 1.0)


def test_cells_are_those_with_confounding():
    """One sign of the first strength, both of the second, none with a 0."""
    assert list(GRID.places()) == [
        (GRID.pair, s, t) for s in (0.1, 0.2) for t in (-0.3, 0.3)
    ]  # fmt: skip
    assert GRID.axes == ([0.0, 0.1, 0.2], [-0.3, 0.0, 0.3])
    assert GRID.most == (0.2, 0.3)


def test_a_cell_differs_from_the_plain_one_by_its_confounder(small_model, make_user_survey):
    """Same records, seed and options; another key."""
    plain = Cell("small", small_model, make_user_survey(), seed=4)
    cell = cell_at(plain, (GRID.pair, 0.1, -0.3))
    assert cell.model.unmeasured == (Unmeasured("U", (("mood", 0.1), ("visits", -0.3))),)
    assert (cell.seed, cell.survey, cell.options) == (4, plain.survey, plain.options)
    assert cell.key != plain.key
    assert cell.name == "confounder of mood (0.1) and visits (-0.3)"


@pytest.fixture
def outcomes():
    """Answers at three places and a failure."""
    found = {place: answer(10 * place[1] + place[2]) for place in GRID.places()}
    found[GRID.pair, 0.2, 0.3] = Failure("key", "a confounder", "no such luck", "text")
    found[GRID.pair, 0.2, -0.3] = answer(1.7, trustworthy=False)
    return found


def test_an_array_has_the_strengths_as_coordinates(outcomes):
    """Values by name; the plain model on the axes; NaN for a failure; the average over orders, never alone."""
    found = array_of(GRID, answer(-1.0), outcomes)
    assert found["mean"].dims == ("mood", "visits", "path", "scale")
    at = found["mean"].sel(path=TARGET.path, scale="difference")
    assert_allclose(at, [[-1, -1, -1], [0.7, -1, 1.3], [1.7, -1, np.nan]])
    assert_allclose(found["upper"].sel(mood=0.1, visits=0.3, path="total", scale="difference"), 2.5)
    assert np.isnan(found["mean"].sel(mood=0.1, visits=0.3, path="total", scale="rate_ratio"))
    assert found["fitted"].to_numpy().tolist() == [[False] * 3, [True, False, True], [True, False, True]]
    assert found["trustworthy"].sel(mood=0.2).to_numpy().tolist() == [False, True, False]


def test_the_table_says_what_became_of_each_cell(outcomes):
    """One row for each place, path and scale, with the reason where a fit failed or is doubtful."""
    table = table_of({GRID.pair: array_of(GRID, answer(-1.0), outcomes)}, outcomes, 0.9)
    assert tuple(table.columns) == CONFOUNDING_COLUMNS
    assert len(table) == 9 * 3 * 2
    row = table[(table["path"] == TARGET.path) & (table["scale"] == "difference")]
    row = row.set_index(["first_strength", "second_strength"])
    assert row.loc[(0.2, 0.3), "reason"] == "no such luck"
    assert row.loc[(0.2, -0.3), "reason"] == "too few draws"
    assert row.loc[(0.1, 0.3), ["mean", "reason", "fitted"]].tolist() == [1.3, "", True]
    assert row.loc[(0.1, 0.3), "median"] == pytest.approx(1.4)
    assert not row.loc[(0.0, 0.3), "fitted"]
    assert (table["ci_prob"] == 0.9).all()


def test_the_margin_is_the_distance_of_the_nearer_limit():
    """On the side of the effect; ratios by their logarithm, with the error of the same limit."""
    estimate = Estimate(-0.3, -0.5, -0.1, mcse_lower=0.01, mcse_upper=0.02)
    assert margin_of(estimate, TARGET, -1) == (0.1, 0.02)
    assert margin_of(estimate, TARGET, 1) == (-0.5, 0.01)
    ratio = Estimate(0.8, 0.6, 0.9, mcse_lower=0.01, mcse_upper=0.02)
    assert margin_of(ratio, Target(TARGET.path, "rate_ratio"), -1) == pytest.approx((-math.log(0.9), 0.02 / 0.9))


def test_margins_are_those_of_the_answers(outcomes):
    """A failure is left out; nothing is left where all failed."""
    plain = estimate_in(answer(-1.0), TARGET)
    surface = margins(GRID, plain, outcomes, TARGET, -1)
    assert_allclose(surface.plain, 0.5)
    assert_allclose(sorted(surface.values), sorted(-(np.array([0.7, 1.3, 1.7]) + 0.5)))
    failed = dict.fromkeys(outcomes, outcomes[GRID.pair, 0.2, 0.3])
    assert margins(GRID, plain, failed, TARGET, -1) is None
    assert estimate_in(outcomes[GRID.pair, 0.2, 0.3], TARGET) is None
    assert not estimate_in(outcomes[GRID.pair, 0.2, -0.3], TARGET).trustworthy
