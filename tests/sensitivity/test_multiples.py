"""Tipping curves and multiples of covariates, against margins whose roots are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_sp.names import CURVE_COLUMNS, MULTIPLE_COLUMNS
from bayes_sp.sensitivity.confounder.grid import Grid, Surface
from bayes_sp.sensitivity.confounder.multiples import (
    MOST_REFITS,
    Multiple,
    multiples_of,
    multiples_table,
    refined,
    strongest,
    tipping_curve,
    with_refined,
)

GRID = Grid(("m", "y"), (0.2, 0.4, 0.6), (0.3, 0.6, 0.9))
START = Multiple("m", "y", "age", 0.2, 0.3, 1, 1.5, 3.0)


def surface(function=lambda s, t: 0.1 - 0.5 * s * t):
    """A margin on the grid."""
    s, t = (np.array(values) for values in zip(*(place[1:] for place in GRID.places()), strict=True))
    return Surface(s, t, function(s, t), 0.1)


def benchmarks(**strengths):
    rows = [(name, response, value) for name, both in strengths.items() for response, value in both.items()]
    return pd.DataFrame(rows, columns=["covariate", "response", "strength"])


def test_the_tipping_curve_is_a_hyperbola_where_the_bias_is_linear():
    """0.5 s t = 0.1; nothing within the grid where s is too small; the slope's bias is the same all along."""
    curve = tipping_curve(GRID, surface(), 1.6)
    assert tuple(curve.columns) == CURVE_COLUMNS
    expected = 0.2 / curve["first_strength"].to_numpy()
    found = curve["second_strength"].to_numpy()
    inside = expected <= 0.9
    assert_allclose(found[inside], expected[inside], rtol=1e-6)
    assert np.isnan(found[~inside]).all()
    assert_allclose(curve["slope_bias"].to_numpy()[inside], 0.2 / 1.6, rtol=1e-6)


def test_of_both_signs_the_nearer_one_tips():
    """Against a margin that falls with negative products the second strength is negative."""
    curve = tipping_curve(GRID, surface(lambda s, t: 0.1 + 0.5 * s * t), None).dropna(subset=["second_strength"])
    assert (curve["second_strength"] < 0).all()
    assert curve["slope_bias"].isna().all()


def test_multiples_solve_for_the_covariate():
    """0.5 k^2 b_j b_k = 0.1, up to the end of the grid; a covariate that is in one equation only has none."""
    table = benchmarks(
        age={"m": 0.2, "y": 0.5}, weak={"m": 0.05, "y": 0.5}, strong={"m": 0.1, "y": 1.8}, alone={"m": 0.4}
    )
    found = {m.covariate: m for m in multiples_of(GRID, surface(), table)}
    assert list(found) == ["age", "weak", "strong"]
    assert found["age"].multiple == pytest.approx(math.sqrt(0.1 / (0.5 * 0.2 * 0.5)))
    assert found["age"].most == pytest.approx(0.9 / 0.5)
    assert math.isnan(found["weak"].multiple)
    assert found["strong"].most == pytest.approx(0.5)
    assert found["age"].sign == 1
    assert found["age"].strengths(2.0) == (0.4, 1.0)


def test_the_sign_works_against_the_effect():
    """Also where no multiple gets there."""
    table = benchmarks(age={"m": 0.2, "y": 0.5}, weak={"m": 0.05, "y": 0.5})
    against = multiples_of(GRID, surface(lambda s, t: 0.1 + 0.5 * s * t), table)
    assert [m.sign for m in against] == [-1, -1]
    assert against[0].strengths(1.0) == (0.2, -0.5)


def test_without_an_answer_there_are_no_multiples():
    """A pair all of whose fits failed has an empty curve and no multiples."""
    assert multiples_of(GRID, None, benchmarks(age={"m": 0.2, "y": 0.5})) == []
    assert tipping_curve(GRID, None, 1.0).empty
    assert tuple(multiples_table([]).columns) == MULTIPLE_COLUMNS


def test_the_strongest_covariate_is_multiplied_least():
    """Where none gets there, the one that was tried furthest."""
    least = replace(START, covariate="b", multiple=1.2)
    never = replace(START, covariate="c", multiple=math.nan)
    further = replace(never, covariate="d", most=4.0)
    other = replace(never, first="n")
    assert strongest([START, least, never, other]) == [least, other]
    assert strongest([never, further]) == [further]


def fits(margin, error, log):
    """Margins of fits, whose places are logged."""

    def margins(multiples):
        log.extend(m.multiple for m in multiples)
        return [(float(margin(m.multiple)), error) for m in multiples]

    return margins


def test_refits_find_the_root_where_interpolation_was_wrong():
    """A margin linear in the square is met by the second fit; the error is that of the margin over the slope."""
    log = []
    (found,) = refined([START], 0.1, fits(lambda k: 0.1 - 0.025 * k**2, 1e-6, log))
    assert log == pytest.approx([1.5, 2.0])
    assert found.multiple == pytest.approx(2.0)
    assert found.refitted == 2
    assert found.mcse == pytest.approx(1e-6 / (2 * 0.025 * 2.0))


def test_refits_follow_a_margin_that_is_not_linear():
    """Within the Monte Carlo error of the root of a curved margin."""
    log = []
    (found,) = refined([START], 0.1, fits(lambda k: 0.1 - 0.02 * k**2 - 0.003 * k**3, 1e-4, log))
    root = np.roots([-0.003, -0.02, 0.0, 0.1])
    expected = float(root[(root.real > 0) & (abs(root.imag) < 1e-9)].real[0])
    assert found.multiple == pytest.approx(expected, abs=5 * found.mcse)
    assert len(log) == found.refitted <= MOST_REFITS


def test_a_margin_that_stays_clear_at_the_end_is_no_multiple():
    """Tried once at the largest multiple, where interpolation found none or a root beyond."""
    log = []
    never = replace(START, multiple=math.nan)
    found, corrected = refined([never, START], 0.1, fits(lambda k: 0.1 - 0.005 * k**2, 1e-6, log))
    assert math.isnan(found.multiple)
    assert found.refitted == 1
    assert math.isnan(corrected.multiple)
    assert corrected.refitted == 2
    assert log == [3.0, 1.5, 3.0]


def test_interpolation_that_missed_a_root_is_corrected_too():
    """A fit at the end that includes no effect leads back to the root."""
    (found,) = refined([replace(START, multiple=math.nan)], 0.1, fits(lambda k: 0.1 - 0.025 * k**2, 1e-6, []))
    assert found.multiple == pytest.approx(2.0)


def test_an_interval_that_needs_no_confounder_is_not_refitted():
    """A multiple of 0 is returned as it is."""
    zero = replace(START, multiple=0.0)
    log = []
    assert refined([zero], -0.1, fits(lambda k: -0.1, 1e-6, log)) == [zero]
    assert log == []


def test_a_failed_fit_leaves_the_interpolation():
    """The number of fits says that nothing was checked."""
    assert refined([START], 0.1, lambda multiples: [None] * len(multiples)) == [START]


def test_refined_multiples_take_the_place_of_interpolated_ones():
    """By pair and covariate."""
    better, other = replace(START, multiple=2.0, refitted=2), replace(START, first="n")
    assert with_refined([START, other], [better]) == [better, other]
    table = multiples_table([better])
    assert tuple(table.columns) == MULTIPLE_COLUMNS
    assert table.loc[0, "refitted"] == 2
