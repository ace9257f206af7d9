"""Specifications of every family, surveys drawn from them, and normal chains whose posterior is known exactly."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

# family of the outcome -> what the specification says of it
FAMILY_VARIABLES: dict[str, dict[str, Any]] = {
    "normal": {"label": "Outcome"},
    "student_t": {"label": "Outcome"},
    "ordered_logit": {"label": "Outcome", "kind": "integer", "min": 1, "max": 4},
    "ordered_probit": {"label": "Outcome", "kind": "integer", "min": 1, "max": 4},
    "beta": {"label": "Outcome", "min": 1, "max": 5, "step": 0.125},
    "bernoulli_logit": {"label": "Outcome", "kind": "binary"},
    "poisson": {"label": "Outcome", "kind": "count"},
    "negative_binomial": {"label": "Outcome", "kind": "count"},
    "zero_inflated_negative_binomial": {"label": "Outcome", "kind": "count"},
    "hurdle_negative_binomial": {"label": "Outcome", "kind": "count"},
    "gamma": {"label": "Outcome", "kind": "positive"},
    "lognormal": {"label": "Outcome", "kind": "positive"},
}


def _half(sigma: float) -> dict[str, Any]:
    return {"dist": "half_normal", "sigma": sigma, "why": "test"}


def _normal(mu: float, sigma: float) -> dict[str, Any]:
    return {"dist": "normal", "mu": mu, "sigma": sigma, "why": "test"}


PRIORS: dict[str, dict[str, Any]] = {
    "intercept": _normal(0.5, 0.5), "slope": _normal(0.0, 0.3), "sigma": _half(0.5), "cutpoint": _normal(0.0, 1.5),
    "nu": {"dist": "gamma", "alpha": 4.0, "beta": 0.5, "why": "test"},
    "phi": {"dist": "lognormal", "mu": 0.5, "sigma": 0.5, "why": "test"},
    "precision": {"dist": "gamma", "alpha": 8.0, "beta": 1.0, "why": "test"},
    "shape": {"dist": "gamma", "alpha": 4.0, "beta": 1.0, "why": "test"},
    "zero_intercept": _normal(-1.0, 0.5), "zero_slope": _normal(0.0, 0.3),
}  # fmt: skip
NEEDS = {
    "normal": ("sigma",), "student_t": ("sigma", "nu"), "ordered_logit": ("cutpoint",),
    "ordered_probit": ("cutpoint",), "beta": ("precision",), "bernoulli_logit": (), "poisson": (),
    "negative_binomial": ("phi",), "zero_inflated_negative_binomial": ("phi", "zero_intercept", "zero_slope"),
    "hurdle_negative_binomial": ("phi", "zero_intercept", "zero_slope"), "gamma": ("shape",), "lognormal": ("sigma",),
}  # fmt: skip


def family_tables(family: str) -> dict[str, Any]:
    """Return a specification x -> m -> y with this family for the outcome."""
    equation: dict[str, Any] = {"response": "y", "family": family}
    kept = {"intercept", "slope", "sigma", *NEEDS[family]}
    return copy.deepcopy(
        {
            "title": f"A {family} outcome", "exposure": "x", "outcome": "y",
            "variables": {"y": FAMILY_VARIABLES[family], "m": {"label": "Mediator"}},
            "equation": [{"response": "m", "family": "normal"}, equation],
            "priors": {name: PRIORS[name] for name in PRIORS if name in kept},
        }
    )  # fmt: skip


def family_survey(family: str, n: int = 60, seed: int = 0) -> Survey:
    """Return records on which every family can stand."""
    rng = np.random.default_rng(seed)
    x, m = rng.integers(-2, 3, n).astype(float), rng.normal(0, 1, n)
    kind = FAMILY_VARIABLES[family]
    if "step" in kind:
        y = 1 + 0.125 * rng.integers(0, 33, n)
    elif kind.get("kind") == "integer":
        y = rng.integers(1, 5, n).astype(float)
    else:
        y = {
            "binary": rng.integers(0, 2, n),
            "count": rng.negative_binomial(1, 0.3, n),
            "positive": rng.gamma(2.0, 1.0, n),
        }.get(str(kind.get("kind")), rng.normal(0, 1.2, n))
    return Survey(pd.DataFrame({"x": x, "m": m, "y": y}), "simulation", "records made up for a test")


@pytest.fixture(params=sorted(FAMILY_VARIABLES))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def family_model(family: str) -> PathModel:
    return load_model(family_tables(family), name=family)


@pytest.fixture
def family_records(family: str) -> Survey:
    return family_survey(family)


@pytest.fixture
def make_family() -> Callable[[str], tuple[PathModel, Survey]]:
    return lambda family: (load_model(family_tables(family), name=family), family_survey(family))


@pytest.fixture
def make_tables() -> Callable[[str], dict[str, Any]]:
    return family_tables


@pytest.fixture
def make_records() -> Callable[..., Survey]:
    return family_survey


@pytest.fixture
def some_priors() -> dict[str, dict[str, Any]]:
    return copy.deepcopy(PRIORS)


@pytest.fixture
def normal_chain() -> tuple[PathModel, Survey]:
    """Return a chain of three normal equations, whose posterior is known in closed form, and 40 records."""
    tables = family_tables("normal")
    tables["equation"] = [{"response": name, "family": "normal"} for name in ("m", "k", "y")]
    tables["variables"] = {name: {"label": name} for name in ("x", "m", "k", "y")}
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, 40)
    m = 0.5 + 0.6 * x + rng.normal(0, 0.7, 40)
    k = 0.3 + 0.5 * m + rng.normal(0, 0.7, 40)
    y = 0.2 - 0.6 * k + rng.normal(0, 0.7, 40)
    y[7] += 2.0
    survey = Survey(pd.DataFrame({"x": x, "m": m, "k": k, "y": y}), "memory", "forty records")
    return load_model(tables, name="normal_chain"), survey
