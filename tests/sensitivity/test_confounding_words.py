"""What an analysis of unmeasured confounding says, in the words of the specification's labels."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from bayes_sp.analysis.batch.cell import Answer, Failure
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import CURVE_COLUMNS
from bayes_sp.sensitivity.conclusion import tipping_summary
from bayes_sp.sensitivity.confounder.confounding import Confounding
from bayes_sp.sensitivity.confounder.multiples import Multiple, Statement
from bayes_sp.sensitivity.confounder.words import (
    findings_of,
    problems_sentence,
    sentences_of,
)
from bayes_sp.sensitivity.target import Estimate, Target, effect_words, target_of

MODEL = load_model("primary")
SERIAL = target_of(MODEL)
CLEAR = Estimate(-0.03, -0.08, -0.01)
FOUND = Multiple("loneliness_t1", "appointments_t1", "relationship", 0.1, 0.2, 1, 3.216, 5.0, 0.041, 2)
NEVER = Multiple("belonging_t1", "appointments_t1", "age", 0.1, 0.2, 1, math.nan, 12.3, refitted=1)
CURVE = pd.DataFrame(columns=list(CURVE_COLUMNS))


def sentences(*multiples, plain=CLEAR, curve=CURVE):
    statements = [Statement(multiple, 1.0, CLEAR) for multiple in multiples]
    return sentences_of(MODEL, SERIAL, plain, statements, curve, "95 %")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (SERIAL.path, "the serial effect"),
        ("total", "the total effect"),
        ("total_indirect", "the total indirect effect"),
        ("group_change -> appointments_t1", "the direct effect"),
        ("group_change -> loneliness_t1 -> appointments_t1", "the indirect effect via loneliness T1"),
    ],
)
def test_effects_in_words(path, words):
    """By the labels of their mediators."""
    assert effect_words(MODEL, Target(path)) == words


def test_the_multiple_of_a_covariate_in_a_sentence():
    """Both responses, the factor, the covariate, how it was found and how well."""
    (found,) = sentences(FOUND)
    assert found == (
        "To make the 95 % interval of the serial effect include 0, an unmeasured confounder of loneliness T1 and "
        'primary-care appointments T1 would have to be 3.22 times as strong as "In a relationship", the strongest '
        "covariate of both equations (by a fit there, Monte Carlo error 0.04)."
    )
    (interpolated,) = sentences(replace(FOUND, refitted=0))
    assert interpolated.endswith("(interpolated).")


def test_the_last_sentence_has_the_error_of_a_multiple_that_fits_found():
    """So that 0.99 times beside a case that keeps its sign at once the strength is no contradiction."""
    (found,) = tipping_summary(MODEL, None, _with(FOUND), None)
    assert " 3.2 times as strong as " in found
    assert found.endswith("in both equations (Monte Carlo error 0.04)")
    (interpolated,) = tipping_summary(MODEL, None, _with(replace(FOUND, mcse=math.nan, refitted=0)), None)
    assert interpolated.endswith("in both equations")


def _with(multiple: Multiple) -> Confounding:
    return cast("Confounding", SimpleNamespace(statements=[Statement(multiple, 1.0, CLEAR)]))


def test_a_confounder_that_never_suffices_in_a_sentence():
    """How far was tried."""
    (found,) = sentences(NEVER)
    assert found == (
        "No unmeasured confounder of community belonging T1 and primary-care appointments T1 up to 12 times as strong "
        'in both equations as "Age", the most that was tried, would make the 95 % interval of the serial effect '
        "include 0."
    )
    (interpolated,) = sentences(replace(NEVER, refitted=0))
    assert interpolated.endswith("include 0, by interpolation.")


def test_the_pair_that_needs_least_comes_first():
    """Then larger multiples, then those that never suffice."""
    more = replace(FOUND, first="belonging_t1", second="loneliness_t1", multiple=4.0)
    assert [s.split(" ")[0] for s in sentences(NEVER, more, FOUND)] == ["To", "To", "No"]
    assert "loneliness T1 and primary-care" in sentences(NEVER, more, FOUND)[0]


def test_an_effect_that_is_not_clear_needs_no_confounder():
    """There is no sign to take away."""
    assert sentences(FOUND, plain=Estimate(-0.03, -0.08, 0.01)) == [
        "The 95 % interval of the serial effect includes 0 without any confounder."
    ]


def test_without_a_common_covariate_the_strengths_themselves_are_told():
    """Where the product of strengths is least; or that none suffices."""
    rows = [("a", "b", 0.1, math.nan, 0.0), ("a", "b", 0.2, -0.5, 0.0), ("a", "b", 0.4, -0.2, 0.0)]
    rows = [("belonging_t1", "loneliness_t1", *row[2:]) for row in rows]
    (found,) = sentences(curve=pd.DataFrame(rows, columns=list(CURVE_COLUMNS)))
    assert "moves community belonging T1 by 0.4 and loneliness T1 by -0.2" in found
    (never,) = sentences(curve=pd.DataFrame(rows[:1], columns=list(CURVE_COLUMNS)))
    assert never.startswith(
        "No unmeasured confounder of community belonging T1 and loneliness T1 of the strengths tried"
    )


def test_what_went_wrong_is_said():
    """Failures and doubtful fits, and nothing where there are none."""
    good, bad = Answer("k", pd.DataFrame(), True, (), 1.0), Answer("k", pd.DataFrame(), False, ("no",), 1.0)
    failed = Failure("k", "n", "no", "t")
    assert problems_sentence([good, good]) == ""
    assert problems_sentence([good, bad, failed, failed]) == (
        "2 of 4 fits failed; 1 of 4 fits did not pass the diagnostics."
    )


def test_a_finding_for_each_pair():
    """A confounder as strong as its strongest covariate; with its factor where the grid ends before."""
    short = Statement(replace(FOUND, multiple=4.0), 0.4, None)
    first, second = findings_of(MODEL, SERIAL, [short, Statement(FOUND, 1.0, CLEAR)], None, "")
    assert first.case == (
        'a confounder of loneliness T1 and primary-care appointments T1 as strong as "In a relationship" in both'
    )
    assert (first.analysis, first.estimate, first.note) == ("confounding", CLEAR, "")
    assert '0.40 times as strong as "In a relationship"' in second.case
    assert (second.estimate, second.note) == (None, "its fit failed")


def test_a_finding_for_strengths_that_are_averaged():
    """With the estimate, or the reason why there is none."""
    (found,) = findings_of(MODEL, SERIAL, [], CLEAR, "")
    assert (found.estimate, found.note) == (CLEAR, "")
    (failed,) = findings_of(MODEL, SERIAL, [], None, "could not be sampled")
    assert (failed.estimate, failed.note) == (None, "could not be sampled")


def test_a_limit_that_monte_carlo_error_leaves_open_is_noted():
    """A limit within two of its standard errors of no effect; a clear one has no note."""
    near = replace(CLEAR, upper=-0.001, mcse_lower=0.002, mcse_upper=0.0006)
    (found,) = findings_of(MODEL, SERIAL, [Statement(FOUND, 1.0, near)], None, "")
    assert found.note == "within Monte Carlo error of including 0 or not"
    (clear,) = findings_of(MODEL, SERIAL, [Statement(FOUND, 1.0, replace(near, mcse_upper=0.0004))], None, "")
    assert clear.note == ""
