"""Chains of any families, and one with every part that an equation can have."""

from __future__ import annotations

import copy

from bayes_sp.errors import SpecificationError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.reading.load import load_model

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
