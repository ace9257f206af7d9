"""Columns in units that nobody uses: the whole job ends in a result or in an error that names the column."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.workflow import Analysis, analyse
from bayes_sp.errors import FitError, FitWarning, SurveyError, SurveyWarning
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

WEAK = {"dist": "normal", "mu": 0, "sigma": 5, "why": "weak"}
POSITIVE = {"dist": "half_normal", "sigma": 5, "why": "weak"}


def analysed(family: str, **units: float) -> Analysis:
    """Analyse x -> m -> y with a covariate c, some columns in other units; a raw warning is an error."""
    shape = {"gamma": "shape", "negative_binomial": "phi"}[family]
    tables = {
        "title": "t", "exposure": "x", "outcome": "y", "contrast": [0, 1], "covariates": {"c": {}},
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": family}],
        "priors": {"intercept": WEAK, "slope": WEAK, "sigma": POSITIVE, shape: POSITIVE},
    }  # fmt: skip
    rng = np.random.default_rng(1)
    records = pd.DataFrame({"x": rng.normal(size=60), "c": rng.normal(size=60)})
    records["m"] = 0.5 * records["x"] + rng.normal(size=60)
    records["y"] = np.floor(5 * np.exp(0.3 * records["m"] + rng.normal(size=60))) + 1
    for name, unit in units.items():
        records[name] *= unit
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in (SurveyWarning, FitWarning):
            warnings.simplefilter("ignore", kind)
        return analyse(
            load_model(tables, name="t"), Survey(records, "memory", "mine"), seed=1, replicates=50,
            options=SamplerOptions(draws=1000, method="laplace"),
        )  # fmt: skip


def coefficient(found: Analysis) -> pd.DataFrame:
    table = found.effects.table()
    return table[(table["scale"] == "coefficient") & (table["path"] == "x -> m -> y")]


def test_a_covariate_in_a_huge_unit_changes_no_effect():
    """Its slope's prior is as good as flat in either unit; effects agree within a quarter of their SD."""
    plain, huge = (coefficient(analysed("negative_binomial", c=unit)) for unit in (1.0, 1e280))
    assert (np.abs(plain["median"] - huge["median"]) < 0.25 * plain["sd"]).all()
    assert len(plain) == 1


@pytest.mark.parametrize(
    ("family", "name", "unit"),
    [
        ("negative_binomial", "x", 1e-280),
        ("negative_binomial", "x", 1e280),
        ("gamma", "c", 1e-200),
        ("gamma", "y", 1e90),
    ],
)
def test_a_column_in_an_extreme_unit_gives_numbers_without_a_raw_warning(family, name, unit):
    """What one unit of it does may be nothing or all, but each effect is a number."""
    table = analysed(family, **{name: unit}).effects.table()
    assert np.isfinite(table.loc[table["scale"] == "coefficient", ["median", "lower", "upper"]]).all(axis=None)


@pytest.mark.parametrize(
    ("name", "unit", "message"),
    [("m", 1e-200, "are all nearer to 0 than 1e-100"), ("m", 1e200, "reach .*, beyond 1e[+]100"),
     ("x", 1e-310, "are all nearer to 0 than 1e-305"), ("c", 1e307, "reach .*, beyond 1e[+]305")],
)  # fmt: skip
def test_a_column_that_arithmetic_has_no_room_for_is_named(name, unit, message):
    """The exposure and covariates may be anything that has an inverse; responses are squared."""
    with pytest.raises(FitError if name == "m" else SurveyError, match=f'column "{name}": its values {message}'):
        analysed("gamma", **{name: unit})
