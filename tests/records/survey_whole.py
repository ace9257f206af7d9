"""A specification with every part that an equation can have, and records for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.errors import SurveyError
from bayes_sp.records.survey import Survey

REAL = {"dist": "normal", "mu": 0.0, "sigma": 1.0, "why": "x"}
POSITIVE = {"dist": "lognormal", "mu": 0.0, "sigma": 1.0, "why": "x"}
TABLES = {
    "title": "Whole",
    "exposure": "x",
    "outcome": "y",
    "variables": {
        "sleep": {"kind": "integer", "min": 1, "max": 4, "center": 2.5},
        "mood": {"min": 0, "max": 10, "center": 5},
        "smoker": {"kind": "binary"},
    },
    "covariates": {"age": {"center": 50, "scale": 10}, "smoker": {}, "site": {"levels": [1, 2, 3]}},
    "equation": [
        {"response": "sleep", "family": "ordered_logit"},
        {"response": "mood", "family": "latent_normal", "reliability": 0.75, "varying": "practice"},
        {
            "response": "y", "family": "hurdle_negative_binomial", "monotonic": ["sleep"], "interactions": ["mood"],
            "covariates": ["site"], "zero": ["sleep", "age"], "offset": "months", "offset_reference": 3,
        },
    ],
    "priors": {
        "intercept": REAL, "slope": REAL, "cutpoint": REAL, "zero_intercept": REAL, "zero_slope": REAL,
        "sigma": POSITIVE, "phi": POSITIVE, "tau": POSITIVE, "simplex": {"dist": "dirichlet", "alpha": 2, "why": "x"},
    },
}  # fmt: skip


def whole_records() -> pd.DataFrame:
    """Return records of 40 patients."""
    rng = np.random.default_rng(5)
    n = 40
    return pd.DataFrame(
        {
            "x": rng.permutation(np.arange(n) % 8),
            "sleep": rng.integers(1, 5, n),
            "mood": np.round(rng.uniform(0, 10, n), 1),
            "y": rng.poisson(3, n),
            "age": rng.integers(20, 80, n),
            "smoker": rng.integers(0, 2, n),
            "site": rng.integers(1, 4, n),
            "practice": rng.choice(["North", "South", "West"], n),
            "months": rng.choice([3.0, 6.0], n),
        }
    )


def survey_of(records) -> Survey:
    return Survey(records, "memory", "a frame")


def without(records, **gaps: list[int]) -> pd.DataFrame:
    """Return the records with missing cells in some rows of some columns."""
    return records.assign(
        **{name: records[name].astype(object if name == "practice" else float).where(~records.index.isin(rows))
           for name, rows in gaps.items()}
    )  # fmt: skip


def problems_of(model, records) -> list[str]:
    with pytest.raises(SurveyError) as caught:
        design_arrays(model, survey_of(records))
    return list(caught.value.problems)
