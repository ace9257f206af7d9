"""Which family may stand where, and what it asks of its response."""

from __future__ import annotations

import tomllib

import pytest
from spec_chains import chain_of, problems_of, pruned

from bayes_sp.model.checks.model import check_model
from bayes_sp.model.families.registry import FAMILIES, SYNONYMS, family_name
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.parts import Coding, Equation
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_digest, specification_text


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.outcome])
def test_every_family_of_an_outcome_is_read(family):
    """Each may follow a normal mediator."""
    assert pruned(chain_of("normal", family)).outcome_family.name == family


@pytest.mark.parametrize(
    ("families", "problem"),
    [
        (("normal", "latent_normal"), 'equation[2].family: "latent_normal" is not available for the outcome'),
        (("hurdle_negative_binomial", "normal"), "is not available for a mediator"),
        (("normal", "poisson", "poisson"), 'log1p = ["m2"] in the equation of y'),
        (("poisson", "negative_binomial", "hurdle_negative_binomial"), "enters the log link of y as itself"),
        (("normal",) * 4 + ("bernoulli_logit",), "2^16 for the 16 paths found; at most 8 paths are possible"),
        (("poisson", "normal", "normal", "normal"), "exact for at most 2 of them, found 3"),
        (("gamma", "normal"), 'equation[1].family: "gamma" is not available for a mediator'),
        (("lognormal", "normal"), 'equation[1].family: "lognormal" is not available for a mediator'),
        (("beta", "normal", "poisson"), 'equation[1].family: "beta" is available for the last mediator only'),
        (("student_t", "poisson"), 'equation[1].family: "student_t" is available for a mediator only where'),
        (("student_t", "lognormal"), 'found "lognormal" for y'),
        (("student_t", "ordered_logit", "normal"), 'found "ordered_logit" for m2'),
        (("ordered_logit", "normal", "normal", "normal"), "exact for at most 2 of them, found 3"),
    ],
)
def test_a_family_without_exact_effects_at_its_place_is_refused(families, problem):
    """Effects have a closed form or a quadrature, or the specification is refused before anything is compiled."""
    (found,) = problems_of(chain_of(*families))
    assert problem in found


@pytest.mark.parametrize(
    "families",
    [
        ("normal", "beta", "negative_binomial"),
        ("ordered_logit", "latent_normal", "hurdle_negative_binomial"),
        ("bernoulli_logit", "ordered_probit", "gamma"),
        ("student_t", "latent_normal", "student_t"),
        ("normal", "normal", "normal", "poisson"),
    ],
)
def test_a_family_with_exact_effects_at_its_place_is_read(families):
    """What is not refused is read, and survives being written and read with the same digest."""
    model = pruned(chain_of(*families))
    again = load_model(tomllib.loads(specification_text(model)), name=model.name)
    assert again == model
    assert specification_digest(again) == specification_digest(model)
    assert check_model(twin_of(model)) == []


@pytest.mark.parametrize(
    ("families", "name", "variable", "problem"),
    [
        (("ordered_logit", "normal"), "m1", {"kind": "integer"}, "min and max must be given for the family"),
        (("ordered_logit", "normal"), "m1", {"kind": "integer", "min": 1}, "variables.m1: max must be given for"),
        (("ordered_logit", "normal"), "m1", {"kind": "real", "min": 1, "max": 4}, 'must be "integer" for the family'),
        (("ordered_logit", "normal"), "m1", {"min": 0.5, "max": 4}, "min and max must be whole numbers for the family"),
        (("beta", "normal"), "m1", {}, 'variables.m1: min and max must be given for the family "beta"'),
        (("beta", "normal"), "m1", {"min": 0, "max": 1, "step": 1}, "variables.m1.step: must be below the width"),
        (("beta", "normal"), "m1", {"min": 0, "max": 1, "step": -1}, "variables.m1.step: must be > 0, found -1"),
        (("normal", "gamma"), "y", {"kind": "real"}, 'variables.y.kind: must be "positive" for the family "gamma"'),
        (("normal", "bernoulli_logit"), "y", {"kind": "count"}, 'must be "binary" for the family "bernoulli_logit"'),
        (("normal", "bernoulli_logit"), "y", {"min": 0, "max": 2}, "neighbouring whole numbers"),
        (("normal", "normal"), "m1", {"kind": "label"}, 'variables.m1.kind: "label" is for grouping columns'),
        (("normal", "normal"), "m1", {"kind": "Real"}, "variables.m1.kind: unknown kind 'Real'; did you mean"),
    ],
)
def test_a_response_needs_the_kind_and_scale_of_its_family(families, name, variable, problem):
    """Whole-number levels for ordered answers, two ends for a bounded scale, counts for counts."""
    tables = chain_of(*families)
    tables["variables"][name] = variable
    assert any(problem in found for found in problems_of(tables))


def test_a_family_without_its_scale_is_refused_even_where_nothing_is_said():
    """A response that stands in no table of variables is checked too."""
    tables = chain_of("ordered_probit", "normal")
    tables["variables"] = {}
    assert problems_of(tables) == [
        'variables.m1: min and max must be given for the family "ordered_probit", whose scale has two ends'
    ]


def test_a_name_that_is_a_prior_of_a_zero_part_is_refused():
    """``zero_age`` beside ``age`` could mean two things."""
    tables = chain_of("normal", "poisson")
    tables["covariates"]["zero_age"] = {}
    assert any('"zero_age" cannot name a variable' in found for found in problems_of(tables))


@pytest.mark.parametrize(
    ("family", "variable", "coding"),
    [
        ("ordered_logit", {"kind": "integer", "min": 1, "max": 4}, Coding(1.0, 1.0, 4)),
        ("beta", {"min": 1, "max": 5, "step": 0.125}, Coding(0.9375, 4.125, 0)),
        ("beta", {"min": 0, "max": 10}, Coding(0.0, 10.0, 0)),
        ("bernoulli_logit", {}, Coding(0.0, 1.0, 2)),
        ("bernoulli_logit", {"min": 1, "max": 2}, Coding(1.0, 1.0, 2)),
        ("normal", {"min": 1, "max": 5}, Coding()),
    ],
)
def test_coding_of_a_response(family, variable, coding):
    """value = origin + unit * coded."""
    tables = chain_of(family, "normal")
    tables["variables"]["m1"] = variable
    assert pruned(tables).coding("m1") == coding


def test_values_that_can_be_summed_over():
    """Ordered and binary responses, covariates with levels, binary ones, and whole numbers with two values."""
    tables = chain_of("ordered_logit", "bernoulli_logit", "poisson")
    tables["covariates"] |= {"gender": {}, "smoker": {}, "visits_t0": {}}
    tables["variables"] |= {
        "gender": {"kind": "integer", "min": 1, "max": 2}, "smoker": {"kind": "binary"},
        "visits_t0": {"kind": "integer", "min": 0, "max": 9}, "x": {"kind": "binary"},
    }  # fmt: skip
    model = pruned(tables)
    assert {name: model.levels(name) for name in model.columns} == {
        "x": (), "m1": (0, 1, 2, 3, 4), "m2": (0, 1), "y": (), "age": (), "site": (1, 2, 3), "gender": (1, 2),
        "smoker": (0, 1), "visits_t0": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("negbin", "negative_binomial"),
        ("Neg. Binomial", "negative_binomial"),
        ("gaussian", "normal"),
        ("logistic", "bernoulli_logit"),
        ("Poisson", "poisson"),
        ("ordinal", "ordered_logit"),
        ("zinb", "zero_inflated_negative_binomial"),
    ],
)
def test_names_of_other_programs_are_taken_for_a_family_s_own(given, family):
    """In a file and in code; text and digest are those of the family's own name."""
    tables = chain_of("normal", family)
    named = pruned(tables)
    tables["equation"][1]["family"] = given
    model = load_model(tables, name="chain")
    assert model == named
    assert specification_digest(model) == specification_digest(named)
    assert given not in specification_text(model)
    assert Equation("y", given, ("x",)) == Equation("y", family, ("x",))


def test_no_synonym_means_two_families():
    """Nor does one stand in the way of a family's own name; what is unknown stays as it was written."""
    every = [name for family in FAMILIES.values() for name in (family.name, *family.synonyms)]
    assert len(set(every)) == len(every)
    assert all(family_name(name) == family for name, family in SYNONYMS.items())
    assert family_name("nb1") == "nb1"
