"""Shifts of missing values in a specification: read, refused, written back, and said in words."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from spec_chains import chain_of, problems_of, pruned

from bayes_sp.errors import SpecificationError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.normal_twin import twin_notes, twin_of
from bayes_sp.model.reading.load import load_model, parse_model
from bayes_sp.model.reading.write import specification_digest, specification_tables
from bayes_sp.model.shifts import shift_scale, shift_words


def shifted(tables, **shifts):
    return {**tables, "missing_shift": shifts}


def problems(tables) -> list[str]:
    with pytest.raises(SpecificationError) as caught:
        load_model(tables, name="spoiled")
    return list(caught.value.problems)


def test_shifts_are_read_and_written_back(small_tables):
    """A table of responses and numbers, whole ones too, comes back as it was."""
    model = load_model(shifted(small_tables, mood=-1, visits=0.25), name="small")
    assert model.missing_shift == (("mood", -1.0), ("visits", 0.25))
    again = parse_model(specification_tables(model), name="small", source="dumped")
    assert again == model
    assert specification_digest(again) == specification_digest(model)


def test_shifts_of_zero_are_no_shifts(small_tables, small_model):
    """Missing at random has one specification and one digest, read or made in code."""
    zero = load_model(shifted(small_tables, mood=0.0, visits=0), name="small")
    assert zero == small_model
    made = replace(small_model, missing_shift=(("mood", 0.0), ("visits", 0.5)))
    assert load_model(made).missing_shift == (("visits", 0.5),)
    assert specification_digest(replace(small_model, missing_shift=(("mood", 0.0),))) == specification_digest(
        small_model
    )
    assert "missing_shift" not in specification_tables(zero)


def test_the_order_of_shifts_is_no_part_of_the_digest(small_model):
    """The digest is that of the content."""
    one, other = (
        replace(small_model, missing_shift=pairs)
        for pairs in ((("mood", 1.0), ("visits", 0.5)), (("visits", 0.5), ("mood", 1.0)))
    )
    assert specification_digest(one) == specification_digest(other)


@pytest.mark.parametrize(
    ("shifts", "problem"),
    [
        ({"moood": 1.0}, 'missing_shift.moood: is not a response of the chain; did you mean "mood"?'),
        ({"walks": 1.0}, "missing_shift.walks: is not a response of the chain"),
        ({"age": 1.0}, "missing_shift.age: is not a response of the chain"),
        ({"mood": "high"}, "missing_shift.mood: must be a finite number, found 'high'"),
        ({"mood": math.inf}, "missing_shift.mood: must be a finite number, found inf"),
        ({"mood": True}, "missing_shift.mood: must be a finite number, found True"),
        ({"mood": -10.0}, "missing_shift.mood: must be smaller than the width of the scale, 10, found -10"),
        ({"visits": 5.5}, "missing_shift.visits: must be from -5 to 5 on the scale of the log rate, found 5.5"),
    ],
)
def test_shifts_that_cannot_be_are_refused(small_tables, shifts, problem):
    """Each with its key: no response, no number, larger than the scale has room for."""
    (found,) = problems(shifted(small_tables, **shifts))
    assert found.startswith(problem)


def test_shifts_made_in_code_are_checked_too(small_model):
    """A response that stands twice, and a number that is none."""
    twice = replace(small_model, missing_shift=(("mood", 1.0), ("mood", 2.0), ("visits", math.nan)))
    with pytest.raises(SpecificationError) as caught:
        load_model(twice)
    assert caught.value.problems == (
        "missing_shift.mood: stands 2 times",
        "missing_shift.visits: must be a finite number, found nan",
    )


def test_complete_records_have_no_missing_values_to_shift(small_tables):
    """With complete records alone a shift is a contradiction, one of zero is not."""
    tables = {**small_tables, "missing": "complete"}
    (found,) = problems(shifted(tables, mood=0.5))
    assert found.startswith('missing_shift: has no effect with missing = "complete"')
    assert load_model(shifted(tables, mood=0.0)).missing_shift == ()


def test_a_table_that_is_none_is_refused(small_tables):
    """The key holds a table."""
    assert problems({**small_tables, "missing_shift": 0.5}) == ["missing_shift: must be a table, found 0.5"]


WORDS = {
    "normal": ("points", "0.5 higher"),
    "student_t": ("points", "0.5 higher"),
    "ordered_logit": ("log odds", "odds of a higher value x 1.65 (log odds +0.5)"),
    "ordered_probit": ("probit", "0.5 residual SDs higher on the probit scale"),
    "beta": ("log odds", "odds of a higher value x 1.65 (log odds +0.5)"),
    "bernoulli_logit": ("log odds", "odds x 1.65 (log odds +0.5)"),
    "poisson": ("log rate", "rate x 1.65 (log rate +0.5)"),
    "negative_binomial": ("log rate", "rate x 1.65 (log rate +0.5)"),
    "zero_inflated_negative_binomial": ("log rate", "rate x 1.65 (log rate +0.5)"),
    "hurdle_negative_binomial": ("log rate", "rate x 1.65 (log rate +0.5)"),
    "gamma": ("log mean", "mean x 1.65 (log mean +0.5)"),
    "lognormal": ("log mean", "mean x 1.65 (log mean +0.5)"),
}


@pytest.mark.parametrize("family", [name for name, f in FAMILIES.items() if f.outcome])
def test_a_shift_in_words_says_its_scale(family):
    """Every family of an outcome."""
    model = pruned(shifted(chain_of("normal", family), y=0.5))
    assert (shift_scale(model, "y")[0], shift_words(model, "y", 0.5)) == WORDS[family]


def test_points_have_their_unit(small_model):
    """A shift downward is lower by as much."""
    assert shift_words(small_model, "mood", -1.25) == "1.25 points (0-10) lower"


def test_the_derived_twin_keeps_what_is_in_points(small_tables):
    """Points stay points under a normal likelihood; a log rate does not, and that is said."""
    model = load_model(shifted(small_tables, mood=1.0, visits=0.5), name="small")
    assert twin_of(model).missing_shift == (("mood", 1.0),)
    assert twin_notes(model) == ["the normal twin leaves out shifts of missing values on other scales"]
    named = replace(load_model("primary"), missing_shift=(("loneliness_t1", 0.5),))
    assert twin_of(named).missing_shift == ()
    assert twin_notes(named) == ["the normal twin process6 has its own missing_shift, not this model's"]


def test_mistakes_in_a_chain_and_in_its_shifts_come_together():
    """Shifts are among the rules that are checked once the chain is sound."""
    found = problems_of(shifted(chain_of("normal", "poisson"), z=1.0, y=9.0))
    assert [problem.partition(":")[0] for problem in found] == ["missing_shift.z", "missing_shift.y"]
