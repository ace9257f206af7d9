"""Public data sets: estimates, effects and posteriors against values that were made without this package."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import bayes_sp as sp
from bayes_sp.names import effect_name

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "models" / "examples"
REFERENCE = json.loads((ROOT / "tests" / "references" / "public_data.json").read_text(encoding="utf-8"))
LAPLACE = sp.SamplerOptions(draws=1000, method="laplace")
# years of marriage stand in seven levels, along which the mean rating leaves a line: said, and not what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:.*yrs_married enters as a number:bayes_sp.errors.SurveyWarning")


def records_of(name: str):
    """Return the records that the script beside the specifications makes."""
    spec = importlib.util.spec_from_file_location("records", EXAMPLES / "records.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RECORDS[name]()


@pytest.fixture(scope="module", params=sorted(REFERENCE))
def fitted(request) -> tuple[str, sp.Fit]:
    return request.param, sp.fit(EXAMPLES / f"{request.param}.toml", records_of(request.param), options=LAPLACE)


@pytest.mark.slow
def test_maximum_likelihood_is_that_of_statsmodels(fitted):
    """Every slope of exposure and mediator, and phi, to five digits."""
    name, fit = fitted
    table = fit.coefficients().set_index(["equation", "term"])
    for response, slopes in REFERENCE[name]["slopes"].items():
        for term, value in slopes.items():
            found = table.loc[(response, term)]
            if term == "sigma":  # least squares divides by the degrees of freedom
                assert found["mean"] == pytest.approx(value, abs=4 * found["sd"])
                continue
            assert found["ml_estimate"] == pytest.approx(value, rel=2e-4), (response, term)
            assert found["mean"] == pytest.approx(value, abs=0.25 * found["sd"]), (response, term)


@pytest.mark.slow
def test_effects_are_those_of_the_formula_written_out(fitted):
    """Posterior medians of direct, indirect and total effect lie within a third of an SD of the plug-in values."""
    name, fit = fitted
    table = fit.effects().table()
    table = table[(table["scale"] == "difference") & (table["decomposition"] != "alone")].set_index("path")
    chain = fit.model.chain
    paths = {"direct": f"{chain[0]} -> {chain[2]}", "indirect": " -> ".join(chain), "total": "total"}
    for kind, value in REFERENCE[name]["effects"].items():
        row = table.loc[effect_name(paths[kind], REFERENCE[name].get("compared", ""))]
        assert row["median"] == pytest.approx(value, abs=0.34 * row["sd"]), kind


@pytest.mark.parametrize("name", ["anes96", "fair"])
def test_bootstrap_estimates_are_the_plug_in_values(name):
    """From all records: means over everybody, sums or quadrature over the mediator."""
    found = sp.bootstrap(EXAMPLES / f"{name}.toml", records_of(name), replicates=20)
    place = found.scales.index("difference"), found.decompositions.index("average")
    estimates = dict(zip(found.names, found.estimate[:, *place], strict=True))
    chain = sp.load_model(EXAMPLES / f"{name}.toml").chain
    effects = REFERENCE[name]["effects"]
    assert estimates["total"] == pytest.approx(effects["total"], rel=2e-3)
    assert estimates[" -> ".join(chain)] == pytest.approx(effects["indirect"], rel=2e-3)
    assert np.isfinite(found.lower[:, *place]).all()
