"""Specifications of every family and every part of an equation, with records simulated from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_sp.design.simulate import simulate_survey
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

REAL = {"dist": "normal", "mu": 0.1, "sigma": 0.7, "why": "x"}
POSITIVE = {"dist": "lognormal", "mu": 0.1, "sigma": 0.6, "why": "x"}
PRIORS = {
    "intercept": REAL, "slope": REAL, "cutpoint": {"dist": "student_t", "nu": 5, "mu": 0, "sigma": 1.5, "why": "x"},
    "zero_intercept": REAL, "zero_slope": REAL, "tau": POSITIVE,
    "simplex": {"dist": "dirichlet", "alpha": 2.0, "why": "x"},
    **dict.fromkeys(("sigma", "phi", "nu", "precision", "shape"), POSITIVE),
}  # fmt: skip
SCALES: dict[str, dict[str, Any]] = {
    "integer": {"kind": "integer", "min": 1, "max": 4, "center": 2.5},
    "bounded": {"min": 1, "max": 5, "step": 0.125},
    "real": {"center": 0.3},
    "count": {"kind": "count", "max": 100_000_000},
    "positive": {"kind": "positive"},
    "binary": {"kind": "binary"},
}
LATENT = {"reliability": 0.8, "observed_sd": 1.2}


def chain_model(families: list[str], **parts: dict[str, Any]) -> PathModel:
    """Return a model whose mediators m1, m2, ... and outcome y have these families; ``parts`` are keys of equations."""
    responses = [*(f"m{k}" for k in range(1, len(families))), "y"]
    kinds = {
        r: "bounded" if FAMILIES[f].bounded else FAMILIES[f].response for r, f in zip(responses, families, strict=True)
    }
    equations = [
        {"response": r, "family": f, **(LATENT if FAMILIES[f].latent else {}), **parts.get(r, {})}
        for r, f in zip(responses, families, strict=True)
    ]
    variables = {r: {k: v for k, v in SCALES[kind].items() if k != "center" or r != "y"} for r, kind in kinds.items()}
    names = {p for f in families for p in FAMILIES[f].parameters} | {"intercept", "slope"}
    names |= {"cutpoint"} if any(FAMILIES[f].ordered for f in families) else set()
    names |= {"zero_intercept", "zero_slope"} if any(FAMILIES[f].zero_part for f in families) else set()
    names |= {"simplex"} if any("monotonic" in part for part in parts.values()) else set()
    names |= {"tau"} if any("varying" in part for part in parts.values()) else set()
    if all(FAMILIES[f].ordered for f in families):
        names.remove("intercept")
    tables = {
        "title": "A chain", "exposure": "x", "outcome": "y", "variables": variables, "equation": equations,
        "covariates": {"age": {"center": 50, "scale": 10}, "site": {"levels": [1, 2, 3]}},
        "priors": {name: PRIORS[name] for name in names},
    }  # fmt: skip
    return load_model(tables, name="chain")


def parameters_of(model: PathModel, seed: int = 0) -> dict[str, np.ndarray]:
    """Return parameters of an ordinary size."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[float] | np.ndarray] = {}
    for equation in model.equations:
        r, family = equation.response, FAMILIES[equation.family]
        found[r] = rng.normal(0.2, 0.25, len(model.terms(equation)))
        if zeros := model.zero_terms(equation):
            found[f"{r}_zero"] = rng.normal(-0.2, 0.25, len(zeros))
        if family.ordered:
            found[f"{r}_cutpoint"] = np.array([-0.9, 0.2, 1.1])
        for parent in equation.monotonic:
            found[f"{r}_{parent}_simplex"] = np.array([0.5, 0.2, 0.3])
        if equation.varying:
            found[f"{r}_varying"] = np.array([0.4, -0.7, 0.2, 0.1])
            found.setdefault("tau", []).append(0.6)  # type: ignore[union-attr]  # lists by construction
        for name in family.parameters:
            found.setdefault(name, []).append({"nu": 5.0, "precision": 6.0}.get(name, rng.uniform(0.7, 1.4)))  # type: ignore[union-attr]  # lists by construction
    return {name: np.asarray(value) for name, value in found.items()}


def base_survey(n: int = 60, seed: int = 1) -> Survey:
    """Return records of exposure, covariates, groups and windows."""
    rng = np.random.default_rng(seed)
    columns: Mapping[str, Any] = {
        "x": rng.integers(-2, 3, n), "age": rng.uniform(20, 80, n), "site": rng.integers(1, 4, n),
        "clinic": rng.choice(["b", "a", "d", "c"], n), "days": rng.uniform(40, 100, n),
    }  # fmt: skip
    return Survey(pd.DataFrame(columns), "simulation", "made up")


def simulated(model: PathModel, n: int = 60, seed: int = 2) -> tuple[Survey, dict[str, np.ndarray]]:
    """Return records of a model, and the parameters behind them."""
    parameters = parameters_of(model)
    return simulate_survey(model, base_survey(max(n, 60)), parameters, n=n, seed=seed), parameters


FULL = {
    "m2": {"monotonic": ["m1"], "varying": "clinic"},
    "y": {
        "monotonic": ["m1"], "interactions": ["m2"], "varying": "clinic", "offset": "days", "offset_reference": 90,
        "covariates": ["age"], "zero": ["m1", "age"],
    },
}  # fmt: skip
PAIRS = {  # every outcome, after every mediator that there is; Student's t has no mean on a logarithmic scale
    "normal": "student_t", "student_t": "normal", "ordered_logit": "ordered_probit", "ordered_probit": "ordered_logit",
    "beta": "bernoulli_logit", "bernoulli_logit": "normal", "poisson": "beta", "negative_binomial": "poisson",
    "zero_inflated_negative_binomial": "bernoulli_logit", "hurdle_negative_binomial": "ordered_logit",
    "gamma": "ordered_probit", "lognormal": "negative_binomial",
}  # fmt: skip
CHAINS = {
    **{
        f"{first}, {last}": ([first, last], {"y": {"log1p": ["m1"]}} if FAMILIES[first].response == "count" else {})
        for last, first in PAIRS.items()
    },
    "every part": (["ordered_logit", "normal", "hurdle_negative_binomial"], FULL),
    "probit and inflation": (["ordered_probit", "beta", "zero_inflated_negative_binomial"], FULL),
}
