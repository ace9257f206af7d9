"""Families, parts of equations and their priors: what is read, what is refused, and under which names it is found."""

from __future__ import annotations

import copy
import tomllib

import pytest

from bayes_sp.compare.twin import twin_of
from bayes_sp.errors import SpecificationError
from bayes_sp.families.registry import FAMILIES
from bayes_sp.spec.check import check_model
from bayes_sp.spec.dump import specification_digest, specification_tables, specification_text
from bayes_sp.spec.load import load_model
from bayes_sp.spec.parts import Coding, Equation

REAL = {"dist": "normal", "mu": 0.0, "sigma": 1.0, "why": "x"}
POSITIVE = {"dist": "lognormal", "mu": 0.0, "sigma": 1.0, "why": "x"}
GENERAL = {
    "intercept": REAL, "slope": REAL, "sigma": POSITIVE, "phi": POSITIVE, "nu": POSITIVE, "precision": POSITIVE,
    "shape": POSITIVE, "tau": POSITIVE, "cutpoint": REAL, "zero_intercept": REAL, "zero_slope": REAL,
    "simplex": {"dist": "dirichlet", "alpha": 2.0, "why": "x"},
}  # fmt: skip
SCALES = {"integer": {"kind": "integer", "min": 0, "max": 4}, "real": {"min": 0, "max": 10, "step": 0.5}}


def chain_of(*families: str, **more) -> dict:
    """Return a specification whose mediators m1, m2, ... and outcome y have these families, with all priors needed."""
    responses = [*(f"m{k}" for k in range(1, len(families))), "y"]
    tables = {
        "title": "A chain",
        "exposure": "x",
        "outcome": "y",
        "variables": {
            response: copy.deepcopy(SCALES.get(FAMILIES[family].response, {}))
            for response, family in zip(responses, families, strict=True)
            if family in FAMILIES
        },
        "covariates": {"age": {"center": 50}, "site": {"levels": [1, 2, 3]}},
        "equation": [{"response": r, "family": f} for r, f in zip(responses, families, strict=True)],
        "priors": copy.deepcopy(GENERAL),
        **more,
    }
    latent = {"reliability": 0.8}
    for equation in tables["equation"]:
        equation.update(latent if equation["family"] == "latent_normal" else {})
    return tables


def problems_of(tables) -> list[str]:
    """Return what is wrong, but for priors of parameters that this chain does not have."""
    try:
        load_model(tables, name="spoiled")
    except SpecificationError as error:
        return [problem for problem in error.problems if "there is no such parameter" not in problem]
    return []


def pruned(tables):
    """Return the specification without priors of parameters that it does not have, read."""
    try:
        return load_model(tables, name="chain")
    except SpecificationError as error:
        for problem in error.problems:
            assert "there is no such parameter" in problem
            del tables["priors"][problem.removeprefix("priors.").partition(":")[0]]
    return load_model(tables, name="chain")


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.outcome])
def test_every_family_of_an_outcome_is_read(family):
    """Each may follow a normal mediator."""
    assert pruned(chain_of("normal", family)).outcome_family.name == family


@pytest.mark.parametrize(
    ("families", "problem"),
    [
        (("normal", "latent_normal"), 'equation[2].family: "latent_normal" is not available for the outcome'),
        (("poisson", "normal"), 'equation[1].family: "poisson" is not available for a mediator'),
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


def whole() -> dict:
    """Return a chain that has every part an equation can have."""
    tables = chain_of("ordered_logit", "latent_normal", "zero_inflated_negative_binomial", missing="complete")
    tables["equation"][1] |= {"covariates": ["age"], "varying": "practice", "observed_sd": 1.5}
    tables["equation"][2] |= {
        "interactions": ["m2"], "monotonic": ["m1"], "varying": "practice", "offset": "months",
        "offset_reference": 3, "zero": ["m1", "site"],
    }  # fmt: skip
    for name in ("nu", "precision", "shape"):
        del tables["priors"][name]
    tables["priors"]["y"] = {
        "interaction": REAL | {"mu": 1.0}, "x:m2": REAL | {"mu": 2.0}, "zero_site": REAL | {"mu": 3.0}
    }  # fmt: skip
    return tables


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


def test_all_mistakes_of_parts_are_reported_at_once():
    """One error names them all."""
    tables = whole()
    tables["equation"][0]["offset"] = "months"
    tables["equation"][1]["zero"] = ["x"]
    tables["equation"][2]["interactions"] = ["x"]
    del tables["priors"]["cutpoint"]
    assert len(problems_of(tables)) == 4


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
