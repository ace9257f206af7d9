"""Which pairs a confounder biases an effect through, and the specifications in which it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayes_sp.errors import BayesSpError
from bayes_sp.model.checks.model import check_model
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.reading.load import load_model
from bayes_sp.sensitivity.confounder.pairs import (
    check_strengths,
    confounded_pairs,
    default_levels,
    with_confounder,
)
from bayes_sp.sensitivity.target import Target, target_of

CHAIN = ("group_change", "belonging_t1", "loneliness_t1", "appointments_t1")
POSITIVE = Prior("half_normal", (("sigma", 0.3),), "moderate")
REAL = Prior("normal", (("mu", 0.0), ("sigma", 0.3)), "either sign")


def pairs(model, *path):
    return confounded_pairs(model, Target(" -> ".join(path)))


def test_a_serial_effect_has_every_pair():
    """Two mediators and an outcome: three pairs, in the order of the chain."""
    model = load_model("primary")
    expected = ((CHAIN[1], CHAIN[2]), (CHAIN[1], CHAIN[3]), (CHAIN[2], CHAIN[3]))
    assert confounded_pairs(model, target_of(model)) == expected
    assert confounded_pairs(model, Target("total_indirect")) == expected


def test_only_equations_on_the_path_can_be_biased():
    """A common cause of both mediators biases the second one's equation, which a path around it does not use."""
    model = load_model("primary")
    around = ((CHAIN[1], CHAIN[3]), (CHAIN[2], CHAIN[3]))
    assert pairs(model, CHAIN[0], CHAIN[1], CHAIN[3]) == around
    assert pairs(model, CHAIN[0], CHAIN[3]) == around
    assert len(pairs(model, CHAIN[0], CHAIN[2], CHAIN[3])) == 3


def test_one_mediator_has_one_pair_and_ordinal_mediators_are_no_exception():
    """Pairs follow from the chain, not from the families."""
    one = load_model("process4")
    assert confounded_pairs(one, target_of(one)) == (("loneliness_t1", "appointments_t1"),)
    ordinal = load_model("ordinal")
    assert len(confounded_pairs(ordinal, target_of(ordinal))) == 3


def test_a_response_that_is_no_ancestor_biases_nothing():
    """Without an arrow from the first mediator to the second, their common cause leaves the second's equation alone."""
    primary = load_model("primary")
    second = replace(primary.equations[1], parents=("group_change",))
    model = replace(primary, equations=(primary.equations[0], second, primary.equations[2]))
    assert (CHAIN[1], CHAIN[2]) not in confounded_pairs(model, Target("total_indirect"))
    last = replace(primary.equations[2], parents=("group_change", "loneliness_t1"))
    through = replace(primary, equations=(*primary.equations[:2], last))
    assert (CHAIN[1], CHAIN[3]) in confounded_pairs(through, Target("total"))  # an ancestor by way of the second


def test_a_confounder_of_no_strength_is_the_specification_itself():
    """The plain cell is the model as it stands, not one with a confounder that does nothing."""
    model = load_model("primary")
    assert with_confounder(model, {"loneliness_t1": 0.0, "appointments_t1": 0.0}) is model


def test_a_confounder_joins_those_that_are_there():
    """Its name is free, its strengths are kept, and the specification is sound."""
    model = load_model("primary")
    one = with_confounder(model, {"loneliness_t1": 0.3, "appointments_t1": -0.2})
    assert one.unmeasured == (Unmeasured("U", (("loneliness_t1", 0.3), ("appointments_t1", -0.2))),)
    two = with_confounder(one, {"belonging_t1": POSITIVE, "appointments_t1": REAL})
    assert [unmeasured.name for unmeasured in two.unmeasured] == ["U", "U2"]
    assert check_model(two) == []


def test_levels_reach_the_greatest_strength():
    """Three evenly spaced levels, without 0."""
    assert default_levels(0.6) == pytest.approx((0.2, 0.4, 0.6))


@pytest.mark.parametrize(
    "strengths",
    [
        {"loneliness_t1": [0.1, 0.2], "appointments_t1": (0.3,)},
        {"loneliness_t1": np.array([0.1]), "appointments_t1": [1]},
        {"loneliness_t1": POSITIVE, "appointments_t1": REAL},
    ],
)
def test_sound_strengths_pass(strengths):
    """Numbers above 0 in any sequence, or priors."""
    check_strengths(load_model("primary"), strengths)


@pytest.mark.parametrize(
    ("strengths", "words"),
    [
        ({"lonelines_t1": [0.1], "appointments_t1": [0.1]}, 'did you mean "loneliness_t1"'),
        ({"loneliness_t1": [0.1]}, "at least two responses, found 1"),
        ({"loneliness_t1": POSITIVE, "appointments_t1": [0.1]}, "priors for all responses or numbers for all"),
        ({"loneliness_t1": [0.1, -0.2], "appointments_t1": [0.1]}, '"loneliness_t1" needs numbers above 0'),
        ({"loneliness_t1": [], "appointments_t1": [0.1]}, '"loneliness_t1" needs numbers above 0'),
        ({"loneliness_t1": "0.1", "appointments_t1": [True]}, '"appointments_t1" needs numbers above 0'),
        ({"loneliness_t1": 0.1, "appointments_t1": [0.1]}, '"loneliness_t1" needs numbers above 0'),
        ({"loneliness_t1": REAL, "appointments_t1": REAL}, "U and -U fit alike"),
    ],
)
def test_wrong_strengths_are_refused(strengths, words):
    """Each mistake is named."""
    with pytest.raises(BayesSpError, match=words):
        check_strengths(load_model("primary"), strengths)


def test_all_mistakes_come_at_once():
    """A user mends them in one go."""
    with pytest.raises(BayesSpError) as caught:
        check_strengths(load_model("primary"), {"age": [0.1], "loneliness_t1": [np.nan]})
    assert len(caught.value.problems) == 2
