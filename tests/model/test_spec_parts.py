"""Parts of equations and their priors: what is read, what is refused, and under which names it is found."""

from __future__ import annotations

import tomllib

import pytest
from spec_chains import GENERAL, POSITIVE, REAL, chain_of, problems_of, whole

from bayes_sp.model.checks.model import check_model
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.parts import Equation
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_tables, specification_text


def test_every_part_of_an_equation_survives_being_written():
    """Each new key is written and read back."""
    model = load_model(whole(), name="whole")
    assert model.equations[2] == Equation(
        "y", "zero_inflated_negative_binomial", ("x", "m1", "m2"), None, ("m2",), ("m1",), "practice", "months", 3.0,
        ("m1", "site"),
    )  # fmt: skip
    assert (model.missing, model.equations[1].reliability, model.equations[1].observed_sd) == ("complete", 0.8, 1.5)
    assert load_model(tomllib.loads(specification_text(model)), name="whole") == model
    assert model.columns == ("x", "m1", "m2", "y", "age", "site", "practice", "months")
    assert (model.variable("practice").kind, model.variable("months").kind) == ("label", "positive")
    assert check_model(twin_of(model)) == []


def test_a_key_left_at_its_default_is_not_written(small_model):
    """A specification without the new keys keeps its text, and so its digest."""
    tables = specification_tables(small_model)
    assert all(set(equation) == {"response", "family", "parents"} for equation in tables["equation"])
    assert "missing" not in tables


def test_terms_of_a_whole_equation():
    """Cutpoints stand in place of an ordered intercept; interactions come after parents; the zero part has its own."""
    model = load_model(whole(), name="whole")
    first, second, last = model.equations
    assert model.terms(first) == ("x", "age", "site[2]", "site[3]")
    assert model.terms(second) == ("intercept", "x", "m1", "age")
    assert model.terms(last) == ("intercept", "x", "m1", "m2", "x:m2", "age", "site[2]", "site[3]")
    assert [model.zero_terms(equation) for equation in model.equations] == [
        (), (), ("intercept", "m1", "site[2]", "site[3]"),
    ]  # fmt: skip
    assert model.parameters(first) == ("cutpoint",)
    assert model.parameters(second) == ("sigma", "tau")
    assert model.parameters(last) == ("phi", "simplex", "tau")


def test_a_zero_part_has_the_terms_of_its_equation_where_nothing_is_said():
    """Without ``zero`` it depends on all parents and covariates, without interactions; ``[]`` leaves the intercept."""
    tables = whole()
    del tables["equation"][2]["zero"], tables["priors"]["y"]["zero_site"]
    model = load_model(tables)
    assert model.zero_terms(model.equations[2]) == ("intercept", "x", "m1", "m2", "age", "site[2]", "site[3]")
    tables["equation"][2]["zero"] = []
    del tables["priors"]["zero_slope"]
    model = load_model(tables)
    assert model.zero_terms(model.equations[2]) == ("intercept",)


@pytest.mark.parametrize(
    ("parameter", "mu"),
    [("x:m2", 2.0), ("zero_site[2]", 3.0), ("zero_m1", 0.0), ("zero_intercept", 0.0)],
)
def test_the_most_special_prior_of_a_part_is_used(parameter, mu):
    """Interactions and zero parts have names of their own, then general ones."""
    assert load_model(whole()).prior("y", parameter).values["mu"] == mu


def test_an_interaction_without_a_name_has_the_general_prior():
    """``interaction`` comes before ``slope``."""
    tables = whole()
    del tables["priors"]["y"]["x:m2"]
    assert load_model(tables).prior("y", "x:m2").values["mu"] == 1.0
    del tables["priors"]["y"]["interaction"]
    assert load_model(tables).prior("y", "x:m2").values["mu"] == 0.0


@pytest.mark.parametrize("parameter", ["cutpoint", "simplex", "tau", "zero_intercept", "zero_slope", "phi"])
def test_every_parameter_of_a_part_needs_a_prior(parameter):
    """There is no hidden default for any of them."""
    tables = whole()
    del tables["priors"][parameter]
    assert any(problem.startswith(f"priors.{parameter}: is missing") for problem in problems_of(tables))


@pytest.mark.parametrize(
    ("name", "prior", "words"),
    [
        ("simplex", REAL, "is a distribution on the real numbers; simplex needs a simplex one"),
        ("tau", GENERAL["simplex"], "is a distribution on shares that add up to 1; tau needs a positive one"),
        ("zero_slope", POSITIVE, "is a distribution on the positive numbers; zero_slope needs a real one"),
    ],
)
def test_priors_of_parts_have_their_support(name, prior, words):
    """Shares need a Dirichlet, SDs a positive distribution, slopes a real one."""
    tables = whole()
    tables["priors"][name] = prior
    (found,) = problems_of(tables)
    assert words in found


@pytest.mark.parametrize(
    ("equation", "change", "problem"),
    [
        (1, {"covariates": ["agee"]}, 'equation[2].covariates: "agee" is not in [covariates]; did you mean "age"?'),
        (1, {"covariates": ["age", "age"]}, 'equation[2].covariates: "age" stands 2 times'),
        (2, {"interactions": ["x"]}, 'equation[3].interactions: "x" is not a mediator among the parents of y'),
        (2, {"interactions": ["age"]}, 'equation[3].interactions: "age" is not a mediator among the parents of y'),
        (2, {"interactions": ["m1"]}, 'equation[3].interactions: "m1" enters by a monotonic effect'),
        (2, {"parents": ["m1", "m2"]}, "equation[3].interactions: the exposure is not a parent of y; add"),
        (2, {"monotonic": ["m2"]}, 'equation[3].monotonic: "m2" has no ordered levels; its family must be one of'),
        (2, {"monotonic": ["x"]}, 'equation[3].monotonic: "x" has no ordered levels'),
        (0, {"monotonic": ["m2"]}, 'equation[1].monotonic: "m2" is not a parent of m1'),
        (0, {"varying": "m2"}, 'equation[1].varying: "m2" is in the chain'),
        (0, {"varying": "age"}, 'equation[1].varying: "age" is already a covariate'),
        (0, {"varying": "months"}, 'equation[1].varying: "months" is already an offset'),
        (1, {"offset": "months"}, 'equation[2].offset: "latent_normal" is not a family of counts'),
        (2, {"offset": "m2"}, 'equation[3].offset: "m2" is in the chain'),
        (2, {"offset": ""}, "equation[3].offset_reference: has no effect without offset"),
        (2, {"offset_reference": 0}, "equation[3].offset_reference: must be > 0, found 0"),
        (0, {"zero": ["x"]}, 'equation[1].zero: "ordered_logit" has no zero part'),
        (2, {"zero": ["m3"]}, 'equation[3].zero: "m3" is neither a parent of y nor a covariate'),
        (1, {"reliability": 0}, "equation[2].reliability: must be above 0 and at most 1, found 0"),
        (1, {"reliability": 1.1}, "equation[2].reliability: must be above 0 and at most 1, found 1.1"),
        (1, {"observed_sd": -1}, "equation[2].observed_sd: must be > 0, found -1"),
        (0, {"reliability": 0.9}, 'equation[1].reliability: has no effect on "ordered_logit"'),
        (0, {"observed_sd": 0.9}, 'equation[1].observed_sd: has no effect on "ordered_logit"'),
    ],
)
def test_parts_that_an_equation_cannot_have_are_refused(equation, change, problem):
    """Each with its key, what was found and what to do."""
    tables = whole()
    tables["equation"][equation] |= change
    assert any(found.startswith(problem) for found in problems_of(tables))


def test_a_latent_response_needs_its_reliability():
    """It has no default."""
    tables = whole()
    del tables["equation"][1]["reliability"]
    assert problems_of(tables) == [
        'equation[2].reliability: is missing; "latent_normal" needs it, such as the alpha of the scale'
    ]


def test_a_covariate_of_no_equation_is_refused():
    """A covariate that nothing uses is a mistake."""
    tables = chain_of("normal", "poisson")
    for equation in tables["equation"]:
        equation["covariates"] = ["site"]
    assert problems_of(tables) == ["covariates.age: stands in no equation; name it in one, or leave it out"]


def test_all_mistakes_of_parts_are_reported_at_once():
    """One error names them all."""
    tables = whole()
    tables["equation"][0]["offset"] = "months"
    tables["equation"][1]["zero"] = ["x"]
    tables["equation"][2]["interactions"] = ["x"]
    del tables["priors"]["cutpoint"]
    assert len(problems_of(tables)) == 4
