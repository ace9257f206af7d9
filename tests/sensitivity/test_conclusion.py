"""Findings are sorted by what they say of the sign, and the sentences count them right."""

from __future__ import annotations

import pytest

from bayes_sp.sensitivity.conclusion import MOST_NAMED, listed, quotable, verdict_lines, verdicts
from bayes_sp.sensitivity.target import Estimate, Finding, Target

TARGET, RATIO = Target("walks -> mood -> visits"), Target("walks -> mood -> visits", "rate_ratio")
BELOW, ACROSS, ABOVE = Estimate(-0.2, -0.3, -0.1), Estimate(-0.1, -0.3, 0.1), Estimate(0.2, 0.1, 0.3)
DOUBTFUL = Estimate(-0.2, -0.3, -0.1, trustworthy=False)


def findings(*cases: tuple[str, Estimate | None], analysis: str = "priors", note: str = "") -> list[Finding]:
    return [Finding(analysis, name, estimate, note) for name, estimate in cases]


def said(found: list[Finding], base: Estimate = BELOW) -> tuple[list[str], str]:
    """Return the lines, and the sentence to quote."""
    sorted_ = verdicts(found, base, TARGET)
    return verdict_lines(sorted_, 0.95), quotable(sorted_, base, "serial", "visits", 0.95)


def test_each_case_is_kept_lost_turned_or_unusable():
    """By the side of the reference's mean on which its interval lies; a doubtful fit counts for nothing."""
    cases = findings(("a", BELOW), ("b", ACROSS), ("c", ABOVE), ("d", DOUBTFUL), ("e", None))
    (one,) = verdicts(cases, BELOW, TARGET)
    assert (one.keep, one.lose, one.turn) == (("a",), ("b",), ("c",))
    assert one.unusable == ("d (its fit failed the diagnostics)", "e (no answer)")
    assert one.answered == 3
    (other,) = verdicts(cases, ABOVE, TARGET)
    assert (other.keep, other.lose, other.turn) == (("c",), ("b",), ("a",))


def test_a_limit_within_monte_carlo_error_is_undecided():
    """Two standard errors of the limit nearer to no effect decide; where they are not known, the limit itself."""
    cases = findings(
        ("keeps", Estimate(-0.2, -0.4, -0.011, True, 0.1, 0.005)),
        ("just below", Estimate(-0.2, -0.4, -0.009, True, 0.001, 0.005)),
        ("just above", Estimate(-0.2, -0.4, 0.009, True, 0.001, 0.005)),
        ("loses", Estimate(-0.2, -0.4, 0.011, True, 0.1, 0.005)),
        ("unknown", Estimate(-0.2, -0.4, -0.009)),
    )
    (one,) = verdicts(cases, BELOW, TARGET)
    assert (one.keep, one.lose, one.undecided) == (("keeps", "unknown"), ("loses",), ("just below", "just above"))
    lines, sentence = said(cases)
    assert "Undecided within Monte Carlo error with just below and just above." in lines[0]
    assert "keeps its sign at 95 % in 2 of 5 cases, is undecided within Monte Carlo error in 2;" in sentence


def test_a_ratio_is_judged_by_1():
    """An interval from 0.7 to 0.9 lies below no effect, one from 0.9 to 1.1 includes it."""
    base = Estimate(0.8, 0.7, 0.9)
    (one,) = verdicts(findings(("a", base), ("b", Estimate(1.0, 0.9, 1.1)), ("c", Estimate(2, 1.5, 3))), base, RATIO)
    assert (one.keep, one.lose, one.turn) == (("a",), ("b",), ("c",))


def test_why_a_case_is_unusable_is_its_own_reason():
    """A note on a case that was fitted is no reason; one on a case without an answer is."""
    cases = [*findings(("a", DOUBTFUL), note="stays below 0"), *findings(("b", None), note="not fitted: no start")]
    (one,) = verdicts(cases, BELOW, TARGET)
    assert one.unusable == ("a (its fit failed the diagnostics)", "b (not fitted: no start)")


def test_analyses_keep_their_order():
    """One line for each analysis, in the order of the findings."""
    found = [
        *findings(("a", BELOW), analysis="kappa"),
        *findings(("b", BELOW)),
        *findings(("c", ACROSS), analysis="kappa"),
    ]
    assert [(one.analysis, one.answered) for one in verdicts(found, BELOW, TARGET)] == [("kappa", 2), ("priors", 1)]


def test_where_every_case_keeps_the_sign():
    """All of several cases, or the only one."""
    lines, sentence = said(findings(("a", BELOW), ("b", BELOW)))
    assert lines == ["Other priors: the sign holds at 95 % in all 2 cases."]
    assert sentence.startswith(
        "The serial effect, -0.200 [-0.300, -0.100] visits, keeps its sign at 95 % in 2 of 2 cases;"
    )
    assert sentence.endswith("their number is no probability.")
    lines, sentence = said(findings(("a", BELOW)))
    assert lines == ["Other priors: the sign holds at 95 % in its only case."]
    assert "in 1 of 1 case;" in sentence


def test_cases_that_lose_or_turn_the_sign_are_named():
    """The counts add up, and every case that does not keep the sign is named."""
    lines, sentence = said(findings(("a", BELOW), ("b", ACROSS), ("c", ABOVE), ("d", None)))
    assert lines == [
        "Other priors: the sign holds at 95 % in 1 of 3 cases. Not with b. It is the opposite with c. "
        "Not used: d (no answer)."
    ]
    assert "keeps its sign at 95 % in 1 of 3 cases, has the opposite sign in 1;" in sentence


def test_a_base_interval_that_includes_0_has_no_sign_to_keep():
    """How many cases include 0 too is counted; those on either side are not among them."""
    _, sentence = said(findings(("a", ACROSS), ("b", ACROSS), ("c", BELOW), ("d", ABOVE)), ACROSS)
    assert sentence == (
        "The 95 % interval of the serial effect, -0.100 [-0.300, 0.100] visits, includes 0 already, so there is no "
        "sign to keep; in 2 of 4 cases it still includes 0."
    )


def test_nothing_but_unusable_cases_say_nothing():
    """No share of no cases is given."""
    for base in (BELOW, ACROSS):
        lines, sentence = said(findings(("a", DOUBTFUL), ("b", None)), base)
        assert lines == [
            "Other priors: no case can be used. Not used: a (its fit failed the diagnostics) and b (no answer)."
        ]
        assert "no case can be used" in sentence
        assert " 0 of 0" not in sentence


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a, b", "c"], "a, b; c"),
        ([*"abcdefgh"], "a, b, c, d, e, f and 2 more"),
    ],
)
def test_a_list_can_be_read(names, words):
    """Names with commas are told apart, and many names are counted."""
    assert listed(names) == words
    assert MOST_NAMED == 6
