"""One number that turns some priors: what it reaches, where it starts, how far it goes."""

from __future__ import annotations

import pytest
from fast_and_slow import some_fast

from bayes_sp.errors import BayesSpError
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.sensitivity.prior.dials import any_dial, constant_dial, factor_dial, turned


def test_a_key_is_a_group_a_prior_or_a_constant(small_model):
    """``a.b`` is a constant of the prior a, unless a is an equation: then it is that equation's prior b."""
    assert any_dial(small_model, "paths").kind == "factor"
    assert any_dial(small_model, "slope").kind == "factor"
    assert any_dial(small_model, "slope.sigma").kind == "constant"
    assert any_dial(small_model, "visits.walks").kind == "factor"
    assert any_dial(small_model, "visits.walks.mu").kind == "constant"
    assert any_dial(small_model, "mood.sigma").members == (("mood", "sigma"),)


@pytest.mark.parametrize("name", some_fast(sorted(shipped_models())))
def test_every_prior_of_every_shipped_specification_can_be_turned(name):
    """Each constant of each entry reaches the parameters that the entry serves, and no others."""
    model = load_model(name)
    every = [
        (equation.response, parameter)
        for equation in model.equations
        for parameter in (*model.terms(equation), *model.parameters(equation),
                          *(f"zero_{term}" for term in model.zero_terms(equation)))
    ]  # fmt: skip
    for where, entry, prior in model.priors:
        for constant, value in prior.constants:
            key = ".".join(filter(None, (where, entry, constant)))
            if all(model.prior_place(*place) != (where, entry) for place in every):
                with pytest.raises(BayesSpError, match="no parameter uses"):
                    constant_dial(model, key)
                continue
            dial = constant_dial(model, key)
            assert dial.start(model) == value
            assert dial.turned(model, value) is model
            found = dial.turned(model, value + 0.125)
            reached = {place for place in every if found.prior(*place) != model.prior(*place)}
            assert reached == {place for place in every if model.prior_place(*place) == (where, entry)}
            for place in reached:
                assert found.prior(*place).values == {**model.prior(*place).values, constant: value + 0.125}
            low, high, log = dial.range(model)
            assert low < value < high
            assert dial.allows(model, low)
            assert not (log and dial.allows(model, -1.0))


def test_a_more_special_dial_wins_whatever_its_place_in_the_file(small_model):
    """The general one reaches the rest."""
    general, special = constant_dial(small_model, "slope.sigma"), constant_dial(small_model, "visits.mood.sigma")
    for dials, values in (((general, special), (2.0, 0.1)), ((special, general), (0.1, 2.0))):
        found = turned(small_model, dials, values)
        assert found.prior("visits", "mood").values["sigma"] == 0.1
        assert found.prior("mood", "walks").values["sigma"] == 2.0


def test_factors_come_after_constants(small_model):
    """Whatever their order."""
    factor, constant = factor_dial(small_model, "paths"), constant_dial(small_model, "slope.sigma")
    for dials, values in (((factor, constant), (3.0, 2.0)), ((constant, factor), (2.0, 3.0))):
        found = turned(small_model, dials, values)
        assert found.prior("mood", "walks").values["sigma"] == 6.0
        assert found.prior("mood", "age").values["sigma"] == 2.0


def test_a_dial_that_is_back_at_its_start_is_the_specification_itself(small_model):
    """So that a crossing at the values as written is the fit as written, also by name."""
    dials = factor_dial(small_model, "paths"), constant_dial(small_model, "slope.sigma")
    assert turned(small_model, dials, (1.0, 0.5)) is small_model
    assert turned(small_model, dials, (1.0, 0.25)).name == "small (paths = 1, slope.sigma = 0.25)"
