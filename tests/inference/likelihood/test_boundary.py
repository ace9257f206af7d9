"""Limits at infinity, the directions that leave them open, and the boundaries of one equation's fits, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from bayes_sp.inference.bootstrap import boundary as at
from bayes_sp.inference.bootstrap.equation_fits import boundaries_of, enough, fit_with_steps
from bayes_sp.inference.likelihood.equations import made_ready
from bayes_sp.inference.likelihood.maximum import Fits, Regression, determined

Array = NDArray[np.float64]
ONES, X = np.ones(8), np.tile([0.0, 1.0], 4)
M = np.array([0.3, -1.2, 0.8, 0.5, -0.4, 1.5, 1.1, -0.7])


def test_boundaries_are_counted_most_frequent_first() -> None:
    """Replicates on several boundaries count for each; a boundary without any is not named."""
    bits = np.array([at.NO_OVERDISPERSION, 0, at.NO_OVERDISPERSION | at.ONE_ANSWER, at.ONE_ANSWER, at.ONE_ANSWER])
    words = at.BOUNDARY_WORDS
    assert at.counted(bits) == ((words[at.ONE_ANSWER], 3), (words[at.NO_OVERDISPERSION], 2))
    assert [at.counted(np.array([bit])) for bit in words] == [((text, 1),) for text in words.values()]


LIMITS = [  # what stands 15 and 30 units along a direction, and its limit
    (3.0, 3.0, 3.0),
    (0.5, 0.500012, 0.5),
    (0.5, 0.50002, np.inf),
    (100.0, 100.0005, 100.0),
    (100.0, 100.002, np.inf),
    (-100.0, -100.002, -np.inf),
    (100.0, 99.998, -np.inf),
    (1.0, -8.0, -np.inf),
    (np.exp(-15), np.exp(-30), 0.0),
    (-np.exp(-15), -np.exp(-30), 0.0),
    (5e-5, 4.5e-5, 5e-5),
    (9e-6, 8e-10, 0.0),
    (9e-6, 1e-9, 9e-6),
    (2e-4, 1.95e-4, 2e-4),
    (2e-12, 2e-12, 2e-12),
    (5e-13, 5e-13, 0.0),
    (1.0, np.inf, np.inf),
    (2.0, -np.inf, -np.inf),
    (np.inf, np.inf, np.inf),
    (np.nan, 1.0, np.nan),
    (1.0, np.nan, np.nan),
]


def test_limits_along_a_direction() -> None:
    """A value that stays, grows, or falls as a rate does; what counts as movement is relative above 1."""
    table, asked = np.array(LIMITS), []

    def values_at(t: float) -> Array:
        asked.append(t)
        return np.asarray(table[:, 0 if t < 20.0 else 1])

    np.testing.assert_array_equal(at.limits(values_at), table[:, 2])
    assert asked == [15.0, 30.0]
    np.testing.assert_array_equal(at.limits(values_at, still=1e-4)[:5], [3.0, 0.5, 0.5, 100.0, 100.0])
    rough = at.limits(lambda t: np.array([9e-5, 1.1e-4, -9e-5]) * (1.0 if t < 20.0 else 9e-5), still=at.STILL_ROUGHLY)
    np.testing.assert_array_equal(rough, [0.0, 1.1e-4, 0.0])


def test_a_slope_of_an_arm_without_events_is_free() -> None:
    """Where the likelihood moves the arm x = 1 away, the arm's own slope has no value: 10 units of its predictor."""
    m = M.copy()
    m[1] = 90.0  # of a patient whom no resample holds
    counts = np.tile(np.where(np.arange(8) == 1, 0.0, 1.0), (4, 1))
    counts[3, 2:] = X[2:]  # one patient without the direction left
    columns = np.column_stack([ONES, X, m, X * m])
    directions = np.zeros((4, 6))
    directions[[0, 2, 3], 1] = -2.0, 0.0, -1.0
    kept = np.ones((4, 6), dtype=bool)
    zero = np.column_stack([ONES, m])
    found = at.free_directions([columns, zero], [slice(0, 4), slice(4, 6)], counts, directions, kept)
    assert not found[:3, [0, 1, 2, 4, 5]].any()
    np.testing.assert_allclose(np.abs(found[:, 3][:3]), [10.0 / 1.5, 0.0, 0.0], rtol=1e-12)
    rows = columns[counts[3] > 0] @ found[3, :4]
    np.testing.assert_allclose([rows[0], found[3, 1], np.abs(rows).max()], [0.0, 0.0, 10.0], atol=1e-12)
    kept[:, 3] = False  # a slope that the resample does not determine takes no part
    assert not at.free_directions([columns, zero], [slice(0, 4), slice(4, 6)], counts, directions, kept)[:3].any()


def test_a_direction_of_the_zero_part_is_its_own() -> None:
    """The second predictor moves: its other coefficients are fixed by the rows that stay, the first has none free."""
    columns, zero = np.column_stack([ONES, M]), np.column_stack([ONES, X, X * M])
    directions = np.array([[0.0, 0.0, 0.0, 1.0, 0.0]])
    found = at.free_directions(
        [columns, zero], [slice(0, 2), slice(2, 5)], np.ones((1, 8)), directions, np.ones((1, 5), dtype=bool)
    )
    np.testing.assert_allclose(np.abs(found), [[0, 0, 0, 0, 10.0 / 1.5]], atol=1e-12)
    alone = at.free_directions([X[:, None]], [slice(0, 1)], np.ones((1, 8)), np.ones((1, 1)), np.ones((1, 1), bool))
    assert not alone.any()  # nothing is left beside the direction


def test_limits_that_a_free_direction_changes_have_no_value() -> None:
    """To either side, by more than 1 in 100; 0 and infinity are limits whatever is free."""
    asked = []
    base = np.array([2.0, 2.0, 2.0, 2.0, 0.0, np.inf, -3.0, -3.0])
    size = np.array([0.05, 0.02, 0.0, 0.0, 5.0, 5.0, 0.035, -0.045])
    up, down = np.zeros(8), np.zeros(8)
    up[2], down[3] = 1.0, 0.04

    def values_at(t: float, s: float) -> Array:
        asked.append((t, s))
        return base + s * size + max(s, 0.0) * up + max(-s, 0.0) * down

    found = at.without_undetermined(base, values_at)
    np.testing.assert_array_equal(found, [np.nan, 2.0, np.nan, np.nan, 0.0, np.inf, -3.0, np.nan])
    assert sorted(asked) == [(30.0, -1.0), (30.0, 0.0), (30.0, 1.0)]


def test_an_infinite_limit_that_another_direction_has_not_is_none() -> None:
    """A level that only an arm without events has: its coefficient may go anywhere, as long as the arm's rates fall.

    Whether the level's rate in the other arm grows, stays or falls is then a matter of the direction that the climb
    took; that the arm's own coefficient goes to minus infinity is not.
    """
    arm = np.repeat([0.0, 1.0], 4)
    columns = np.column_stack([ONES, arm, np.where(np.arange(8) == 5, 1.0, 0.0)])
    directions = np.array([[0.0, -1.0, 0.4], [0.0, -1.0, -0.4], [0.0, -1.0, 0.0]])
    moves = at.moves_of([columns], [slice(0, 3)], np.ones((3, 8)), directions, np.ones((3, 3), dtype=bool))
    for side in (2, 3):
        turned = directions + moves[side]
        assert (turned @ columns[4:].T <= directions @ columns[4:].T + 1e-9).all()
        np.testing.assert_allclose(turned @ columns[:4].T, 0.0, atol=1e-12)
    theta = np.log([[2.0, 1.0, 1.0]] * 3)

    def values_at(t: float, s: float = 0.0, side: int | None = None) -> Array:
        there = at.moved(theta, moves, t, s, side)
        return np.column_stack([there[:, 1], np.exp(there[:, 0] + there[:, 2]), np.exp(there[:, 0])])

    found = at.limits_of(values_at, free=True)
    np.testing.assert_array_equal(found[:, 0], -np.inf)
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(found[:, 2], 2.0, rtol=1e-12)


def regression_of(family: str, y: Array, columns: dict[str, Array], **more: Any) -> Regression:
    """Return an equation whose intercept and column ``g`` a resample may leave out."""
    return made_ready("y", family, y, columns, more.pop("zero", {}), spare={"intercept", "g"}, **more)


def test_a_resample_needs_its_exposure_and_a_hurdle_its_levels() -> None:
    """A level that nobody has may be left out, the exposure not; nor a level that only zeros of a hurdle have."""
    g = np.array([0.0, 0, 0, 0, 0, 0, 1, 1])
    y = np.array([1.0, 2, 1, 3, 2, 1, 0, 0])
    columns = {"intercept": ONES, "x": X, "g": g}
    counts = np.array([ONES, 1.0 - g, X, np.where(g > 0, 0.0, X), [1, 1, 1, 1, 1, 1, 1, 0]])
    plain = regression_of("negative_binomial", y, columns)
    assert enough(plain, counts, determined(plain, counts)).tolist() == [True, True, False, False, True]
    hurdle = regression_of("hurdle_negative_binomial", y, columns, zero={"intercept": ONES})
    assert enough(hurdle, counts, determined(hurdle, counts)).tolist() == [False, True, False, False, False]


def test_steps_of_one_sign_are_the_isotonic_regression() -> None:
    """Means of levels under each weighting are SciPy's isotonic regression, up or down, as fits better."""
    rng = np.random.default_rng(8)
    level = np.repeat(np.arange(4), 15)
    y = np.array([0.0, 1.0, -0.2, 0.6])[level] + 0.3 * rng.normal(size=60)
    falls = np.where((level == 1) | (level == 2), 1.0, 0.02)  # means of levels 1 and 2 fall
    weights = np.array([np.ones(60), np.where(level == 1, 3.0, 1.0), falls, rng.integers(1, 4, 60)])
    steps = {f"m >= {k}": (level >= k).astype(float) for k in (1, 2, 3)}
    regression = made_ready("y", "normal", y, {"intercept": np.ones(60), **steps}, {}, steps={"m": list(steps)})
    fits = fit_with_steps(regression, weights, determined(regression, weights), None)
    assert fits.reason.tolist() == [""] * 4
    by_term = dict(zip(regression.parts[0].terms, regression.natural(fits.theta)["mean"].T, strict=True))
    means = np.cumsum([by_term[name] for name in ("intercept", *steps)], axis=0).T
    risen = []
    for r, w in enumerate(weights):
        sizes = np.bincount(level, w)
        centres = np.bincount(level, w * y) / sizes
        found = [optimize.isotonic_regression(centres, weights=sizes, increasing=rise).x for rise in (True, False)]
        losses = [w @ (y - one[level]) ** 2 for one in found]
        best = int(np.argmin(losses))
        np.testing.assert_allclose(means[r], found[best], atol=1e-6)
        variance = losses[best] / w.sum()
        expected = -0.5 * w.sum() * (np.log(2 * np.pi * variance) + 1)
        np.testing.assert_allclose(fits.log_likelihood[r], expected, rtol=1e-8)
        risen.append(best == 0)
        zeros = np.abs(np.diff(found[best])) < 1e-9
        columns = [regression.parts[0].terms.index(name) for name in steps]
        np.testing.assert_array_equal(~fits.kept[r, columns], zeros)
    assert len(set(risen)) == 2


@pytest.mark.parametrize("family", ["normal", "student_t", "negative_binomial", "ordered_logit"])
def test_the_boundaries_of_fits(family: str) -> None:
    """A direction of a predictor or a shared parameter, by its sign; columns left out, and steps that are 0."""
    y = np.array([0.0, 1, 2, 1, 0, 2, 1, 2])
    ordered = family == "ordered_logit"
    columns = {"m >= 1": X, "g": M} if ordered else {"intercept": ONES, "m >= 1": X, "g": M}
    steps = {"m": ["m >= 1"]}
    regression = regression_of(family, y, columns, cuts=2 if ordered else 0, steps=steps)
    width, terms = len(regression.start), regression.parts[0].terms
    first, last = regression.places[0].stop, width - 1
    signs = {
        "normal": (at.NO_ERROR, at.NO_ERROR), "student_t": (at.NORMAL_TAILS, at.NORMAL_TAILS),
        "negative_binomial": (at.NO_OVERDISPERSION, at.ALL_OVERDISPERSION), "ordered_logit": (0, at.EMPTY_ANSWER),
    }[family]  # fmt: skip
    direction = np.zeros((9, width))
    keep = np.ones((9, width), dtype=bool)
    direction[1, last], direction[2, last] = 0.4, -0.4
    direction[3, 0], direction[4, first - 1] = -0.4, 0.4
    direction[5, [0, last]] = 0.4, -0.4
    keep[6, terms.index("g")] = False
    kept = keep.copy()
    kept[7:, terms.index("m >= 1")] = False
    keep[8, terms.index("m >= 1")] = False  # not in the resample at all, so no step of 0
    reasons = np.full(9, "", dtype=object)
    found = boundaries_of(regression, Fits(np.zeros((9, width)), direction, np.zeros(9), kept, reasons), keep)
    away, level = at.SEPARATION, at.EMPTY_LEVEL
    by_name = [0, *signs, away, away, away | signs[1], level, at.NO_STEP]
    assert found[:8].tolist() == by_name
    if family == "student_t":  # its spread is a parameter as that of the normal
        assert regression.parameters[-1] == "nu"
        direction[:, [last - 1, last]] = direction[:, [last, last - 1]]
        other = boundaries_of(regression, Fits(np.zeros((9, width)), direction, np.zeros(9), kept, reasons), keep)
        assert other[1:3].tolist() == [at.NO_ERROR] * 2
