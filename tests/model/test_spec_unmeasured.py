"""Unmeasured confounders in a specification: what is read, what is refused, and what is written again."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from spec_chains import chain_of, problems_of

from bayes_sp.model.checks.model import check_model
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.reading.load import load_model, parse_model
from bayes_sp.model.reading.write import specification_digest, specification_tables, specification_text

HALF = {"dist": "half_normal", "sigma": 0.3, "why": "x"}
REAL = {"dist": "normal", "mu": 0.0, "sigma": 0.3, "why": "x"}


def with_unmeasured(**strengths) -> dict:
    tables = chain_of("normal", "normal", "poisson", unmeasured={"U": strengths})
    tables["priors"] = {name: tables["priors"][name] for name in ("intercept", "slope", "sigma")}
    return tables


def test_a_strength_is_a_number_or_a_prior():
    """Numbers are known strengths, tables with dist are priors, in the order of the file."""
    model = load_model(with_unmeasured(m2=0.3, y=HALF), name="c")
    prior = Prior("half_normal", (("sigma", 0.3),), "x")
    assert model.unmeasured == (Unmeasured("U", (("m2", 0.3), ("y", prior))),)
    assert model.confounders == model.unmeasured
    assert model.unmeasured[0].estimated == (("y", prior),)


def test_a_specification_with_a_confounder_reads_back_from_its_text():
    """Dump and load are inverse, and the digest follows every strength."""
    model = load_model(with_unmeasured(m2=-0.3, y=HALF), name="c")
    back = parse_model(tomllib.loads(specification_text(model)), name="c", source="text")
    assert back == model
    other = load_model(with_unmeasured(m2=-0.31, y=HALF), name="c")
    assert specification_digest(model) == specification_digest(back) != specification_digest(other)


def test_a_specification_without_one_is_written_as_before():
    """No key stands for it, so digests of kept runs stay as they are."""
    tables = with_unmeasured()
    del tables["unmeasured"]
    model = load_model(tables, name="c")
    assert "unmeasured" not in specification_tables(model)
    assert specification_digest(model) != specification_digest(load_model(with_unmeasured(m1=0, y=0), name="c"))


def test_a_confounder_of_strength_zero_acts_on_nothing():
    """It is allowed, as the corner of a grid, and is no part of the model."""
    model = load_model(with_unmeasured(m2=0, y=0.0), name="c")
    assert len(model.unmeasured) == 1
    assert model.confounders == ()
    assert load_model(with_unmeasured(m2=0.2, y=0.0), name="c").confounders != ()


@pytest.mark.parametrize(
    ("strengths", "problem"),
    [
        ({"y": 0.3}, "unmeasured.U: must act on at least two responses, found 1 (y)"),
        ({}, "unmeasured.U: must act on at least two responses, found 0"),
        ({"m2": 0.3, "yy": 0.3}, "unmeasured.U.yy: no equation has this response; did you mean"),
        ({"x": 0.3, "m1": 0.2, "y": 0.1}, "unmeasured.U.x: is the exposure"),
        ({"m1": 0.3, "age": 0.3}, "unmeasured.U.age: no equation has this response"),
        ({"m1": True, "y": 0.3}, "unmeasured.U.m1: must be a finite number, found True"),
        ({"m1": float("nan"), "y": 0.3}, "unmeasured.U.m1: must be a finite number, found nan"),
        ({"m1": "strong", "y": 0.3}, "unmeasured.U.m1: must be a number, or a prior as in { dist = ... }"),
        ({"m1": 0.3, "y": {"dist": "half_normal", "sigma": 0.3}}, "unmeasured.U.y.why: is missing"),
        ({"m1": 0.3, "y": {**HALF, "mu": 1}}, "unmeasured.U.y.mu: unknown key"),
        ({"m1": 0.3, "y": {"dist": "flat", "why": "x"}}, "unmeasured.U.y.dist: Flat() is improper"),
        ({"m1": 0.3, "y": {"dist": "dirichlet", "alpha": 1, "why": "x"}}, "unmeasured.U.y.dist: Dirichlet(alpha=1)"),
        ({"m1": REAL, "y": REAL}, "unmeasured.U: U and -U fit alike"),
        ({"m1": REAL, "y": 0.0}, "unmeasured.U: U and -U fit alike"),
    ],
)
def test_a_mistake_is_named_with_its_place(strengths, problem):
    """Every rule, by the key path it concerns."""
    assert any(found.startswith(problem) for found in problems_of(with_unmeasured(**strengths)))


@pytest.mark.parametrize("strengths", [{"m1": REAL, "y": 0.2}, {"m1": REAL, "y": HALF}, {"m1": 0.2, "y": -0.1}])
def test_one_strength_of_known_sign_is_enough(strengths):
    """A number other than 0, or a prior on the positive numbers, says in which direction U acts."""
    assert problems_of(with_unmeasured(**strengths)) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("age", "is a column of the model"),
        ("m1", "is a column of the model"),
        ("sigma", "has a meaning of its own"),
        ("y_zero", "has a meaning of its own"),
        ("zero_age", "has a meaning of its own"),
        ("U V", "cannot name a confounder"),
    ],
)
def test_a_name_that_is_taken_is_refused(name, problem):
    """A confounder is no column, no parameter, and nothing that a posterior holds of a response."""
    tables = chain_of("normal", "poisson", unmeasured={name: {"m1": 0.3, "y": 0.3}})
    assert any(found.startswith(f"unmeasured.{name}: {problem}") for found in problems_of(tables))


def test_two_confounders_of_one_name_are_refused():
    """A model made in code can hold what a file cannot."""
    model = load_model(with_unmeasured(m2=0.3, y=0.2), name="c")
    doubled = replace(model, unmeasured=model.unmeasured * 2)
    assert any('"U" stands 2 times' in problem for problem in check_model(doubled))
    twice = replace(model, unmeasured=(Unmeasured("U", (("y", 0.1), ("y", 0.2), ("m1", 0.3))),))
    assert "unmeasured.U.y: stands 2 times" in check_model(twice)


def test_what_is_no_table_is_refused():
    """Both at the top and for a confounder."""
    assert "unmeasured.U: must be a table, found 3" in problems_of(chain_of("normal", "poisson", unmeasured={"U": 3}))
    assert any("unmeasured: must be a table" in p for p in problems_of(chain_of("normal", "poisson", unmeasured=3)))
