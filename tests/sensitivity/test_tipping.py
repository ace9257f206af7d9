"""The tipping value of dials with known roots, with and without Monte Carlo error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_sp.sensitivity.crossings import margin_of, state_of
from bayes_sp.sensitivity.target import Estimate
from bayes_sp.sensitivity.tipping_search import find_tipping, one_by_one

STEP = 0.777 + math.atanh(0.5) / 40  # where a steep step reaches a half


def interval(center, half=1.0, error=float("nan"), shift=0.0):
    """Return a function of a dial: an interval of constant half-width, a Monte Carlo error, and one draw of it."""

    def at(value):
        middle = center(value) + shift
        return Estimate(middle, middle - half, middle + half, True, error, error)

    return at


@pytest.mark.parametrize(
    ("center", "low", "high", "start", "log", "root", "before", "after"),
    [
        (lambda d: 3 - d, 0.0, 10.0, 0.0, False, 2.0, "above", "across"),
        (lambda d: d - 3, 0.0, 10.0, 0.0, False, 2.0, "below", "across"),
        (lambda d: 0.5 + 0.01 * math.exp(d), 0.0, 10.0, 0.0, False, math.log(50), "across", "above"),
        (lambda d: -0.2 * d * d, 0.0, 10.0, 1.0, False, math.sqrt(5), "across", "below"),
        (lambda d: 2.5 * d / (d + 1), 1e-3, 100.0, 10.0, True, 1 / 1.5, "above", "across"),
        (lambda d: 0.9 + math.log10(d), 0.1, 1e3, 1.0, True, 10**0.1, "across", "above"),
        (lambda d: math.tanh(40 * (d - 0.777)) + 0.5, -1.0, 1.0, -1.0, False, STEP, "across", "above"),
    ],
)
def test_a_known_root_is_found_to_the_tolerance(center, low, high, start, log, root, before, after):
    """Leaving and reaching a null, from either side, on both scales, and over a steep step."""
    found = find_tipping(one_by_one(interval(center)), low, high, start=start, log=log, tolerance=1e-10)
    assert found.before == before
    assert len(found.crossings) == 1
    assert found.first.after == after
    assert_allclose(found.first.value, root, rtol=1e-8)
    assert found.first.low <= found.first.value <= found.first.high
    assert_allclose([found.first.low, found.first.high], root, rtol=1e-7)


def test_the_null_of_a_ratio_is_1():
    """The root is where the limit reaches the null that was given."""
    found = find_tipping(one_by_one(interval(lambda d: 1.5 + d, 0.2)), -1, 1, start=0, null=1.0, tolerance=1e-10)
    assert_allclose(found.first.value, -0.3, rtol=1e-8)


def test_first_means_nearest_to_the_start_on_each_side():
    """Of five roots of a wave, the two around the start are reported, the nearer one first."""
    found = find_tipping(
        one_by_one(interval(lambda d: 2 * math.cos(d), 1.0)), -12, 12, start=0.5, scan=25, tolerance=1e-10
    )
    assert_allclose([crossing.value for crossing in found.crossings], [math.pi / 3, -math.pi / 3], rtol=1e-8)


def test_a_dial_that_comes_back_does_not_hide_its_nearer_root():
    """Both ends of the range say the same; bisection of the whole range would find nothing."""
    found = find_tipping(one_by_one(interval(lambda d: 4 - (d - 5) ** 2, 1.0)), 0, 10, start=5, tolerance=1e-10)
    assert_allclose(sorted(c.value for c in found.crossings), [5 - math.sqrt(3), 5 + math.sqrt(3)], rtol=1e-8)
    again = find_tipping(one_by_one(interval(lambda d: (d - 5) ** 2 - 4, 1.0)), 0, 10, start=0, tolerance=1e-10)
    assert_allclose(again.first.value, 5 - math.sqrt(5), rtol=1e-8)


def test_no_root_says_how_near_the_interval_came():
    """The value of the dial at which the limit is nearest, and by how much."""
    found = find_tipping(one_by_one(interval(lambda d: 3 + (d - 4) ** 2)), 0, 8, start=0)
    assert found.first is None
    assert found.before == "above"
    assert found.note == "nearest at 4, where the limit is 2 away"


def test_a_limit_within_its_error_of_the_null_is_said_to_be_so():
    """No crossing, but Monte Carlo error leaves one open."""
    found = find_tipping(one_by_one(interval(lambda d: 1.05 + (d - 4) ** 2, error=0.1)), 0, 8, start=0)
    assert found.first is None
    assert "within the Monte Carlo error" in found.note


@pytest.mark.parametrize(
    ("center", "half", "root", "before", "after"),
    [
        (lambda d: d, 0.1, 0.4, "inside", "across"),
        (lambda d: 1.0 - d, 0.2, 0.3, "above", "across"),
        (lambda d: 0.45 - d, 0.2, 0.15, "across", "inside"),
        (lambda d: 0.45 + d, 0.2, 0.25, "across", "above"),
        (lambda d: -0.45 - d, 0.2, 0.25, "across", "below"),
    ],
)
def test_a_region_of_practical_equivalence_is_left_and_entered(center, half, root, before, after):
    """With a region from -0.5 to 0.5 the interval is outside, inside, or across an end."""
    found = find_tipping(one_by_one(interval(center, half)), 0, 2, start=0, rope=(-0.5, 0.5), scan=41, tolerance=1e-10)
    assert (found.before, found.first.after) == (before, after)
    assert_allclose(found.first.value, root, rtol=1e-7)


def test_states_and_margins_agree():
    """An interval is in a state exactly where its margin from leaving it is positive."""
    rng = np.random.default_rng(0)
    for region in ((0.0, 0.0), (-0.3, 0.4)):
        for _ in range(300):
            lower, upper = np.sort(rng.normal(0, 0.6, 2))
            found = Estimate(0.0, float(lower), float(upper))
            known = ("above", "below", "across") if region[0] == region[1] else ("above", "below", "inside", "across")
            states = [state for state in known if margin_of(found, region, state)[0] > 0]
            assert states == [state_of(found, region)]


def test_the_range_holds_the_root_in_95_of_100_when_errors_go_together():
    """One seed for every evaluation shifts the whole curve: the range from the error covers the root as it says."""
    rng, error, root = np.random.default_rng(1), 0.05, 0.5  # 3 d / (d + 1) = 1
    found = [
        find_tipping(
            one_by_one(interval(lambda d: 3 * d / (d + 1), error=error, shift=rng.normal(0, error))),
            1e-2, 10, start=1, log=True,
        ).first
        for _ in range(1000)
    ]  # fmt: skip
    covered = np.mean([crossing.low <= root <= crossing.high for crossing in found])
    assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 1000) + 0.01)  # the line bends a little
    width = np.median([crossing.high - crossing.low for crossing in found])
    assert width == pytest.approx(2 * 1.96 * error / (3 / 1.5**2), rel=0.15)


def test_independent_errors_neither_mislead_nor_cost_many_evaluations():
    """The root stays within its range and the search stops when the error is what remains."""
    rng, error = np.random.default_rng(2), 0.03
    covered, counts = [], []
    for _ in range(300):
        calls = []

        def noisy(value, calls=calls):
            calls.append(value)
            return interval(lambda d: 3 * d / (d + 1), error=error, shift=rng.normal(0, error))(value)

        first = find_tipping(one_by_one(noisy), 1e-3, 10, start=1, log=True).first
        covered.append(first.low <= 0.5 <= first.high)
        counts.append(len(calls))
    assert np.mean(covered) > 0.95
    assert np.mean(counts) < 20


def test_scan_and_rounds_are_evaluated_in_batches_and_no_value_twice():
    """A runner gets all values of a scan at once."""
    batches = []

    def evaluate(values):
        batches.append(list(values))
        return [interval(lambda d: 3 - d)(value) for value in values]

    find_tipping(evaluate, 0, 10, start=0, scan=11)
    assert sorted(batches[0]) == list(range(11))
    everything = [value for batch in batches for value in batch]
    assert len(set(everything)) == len(everything)
    assert max(len(batch) for batch in batches[1:]) > 1


def test_values_without_an_answer_are_left_out_and_named():
    """The bracket goes round a failed fit, and the note says which failed."""

    def at(value):
        return None if value in (2.5, 3.75) else interval(lambda d: 3 - d)(value)

    found = find_tipping(one_by_one(at), 0, 10, start=0, tolerance=1e-8)
    assert_allclose(found.first.value, 2.0, rtol=1e-6)
    assert "no answer at 2.5, 3.75" in found.note
    failed = found.table[found.table["dial"] == 2.5].iloc[0]
    assert np.isnan(failed["median"])
    assert not failed["trustworthy"]


def test_no_answer_at_the_start_ends_the_search():
    """Without the estimate as planned there is nothing to leave."""
    found = find_tipping(one_by_one(lambda value: None if value == 1 else interval(lambda d: d)(value)), 0, 2, start=1)
    assert found.crossings == ()
    assert found.note == "there is no answer at the start"


def test_doubtful_evaluations_are_named():
    """A fit that fails its diagnostics counts, but the reader is told."""

    def at(value):
        found = interval(lambda d: 3 - d)(value)
        return Estimate(found.median, found.lower, found.upper, trustworthy=value < 5)

    found = find_tipping(one_by_one(at), 0, 10, start=0, scan=3, tolerance=0.3)
    assert "not trustworthy at 5, 10" in found.note


def test_an_interval_that_includes_no_effect_all_along_is_said_to():
    """Not how near to no effect the limit comes where the interval shrinks upon it."""
    found = find_tipping(one_by_one(lambda d: Estimate(0.1 * d, -d, d)), 1e-9, 1, start=1, log=True)
    assert (found.before, found.crossings) == ("across", ())
    assert found.note == "the interval includes no effect to begin with, and at every value that was tried"


def test_a_base_that_differs_from_the_start_tips_there():
    """Where the start itself already says something else, nothing needs to be turned."""
    base = Estimate(2.0, 1.0, 3.0)
    found = find_tipping(one_by_one(interval(lambda d: 0.5)), 0, 1, start=0.5, base=base)
    assert (found.before, found.first.value, found.first.after) == ("above", 0.5, "across")


@pytest.mark.parametrize(
    ("low", "high", "start", "more", "message"),
    [
        (1, 0, 0.5, {}, "low <= start <= high"),
        (0, 1, 2, {}, "low <= start <= high"),
        (0, 1, 0.5, {"log": True}, "0 < low"),
        (0, 1, 0.5, {"scan": 1}, "scan"),
        (0, 1, 0.5, {"rope": (1.0, -1.0)}, "rope"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(low, high, start, more, message):
    """Before anything is evaluated."""
    with pytest.raises(ValueError, match=message):
        find_tipping(one_by_one(interval(lambda d: d)), low, high, start=start, **more)
