"""The same effects under many priors: each cell is a stand-alone fit, and a failed one is reported."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.analysis.batch.cell import Failure
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.errors import BayesSpError, FitError, SurveyError
from bayes_sp.sensitivity.prior.grid import VALUES, prior_grid
from bayes_sp.sensitivity.prior.grid_file import read_grid
from bayes_sp.sensitivity.target import Target, target_of

SERIAL = "walks -> mood -> visits"
FEW = sp.SamplerOptions(draws=60, tune=80, chains=2, cores=1)
GRID = {
    "title": "A grid",
    "named": ["sceptical", "primary", "flat"],
    "cross": {"visits.walks.sigma": [0.1, 0.2]},
    "scale": {"paths_to_mediators": [0.5, 1, 2]},
}


@dataclass(frozen=True)
class Counting(Runner):
    """A runner that keeps the names of what it runs, and fails some."""

    ran: tuple[list[str], ...] = ()
    fails: tuple[str, ...] = ()

    def run(self, cells):
        self.ran[0].extend(cell.name for cell in cells)
        failed = [any(name in cell.name for name in self.fails) for cell in cells]
        found = iter(super().run([cell for cell, bad in zip(cells, failed, strict=True) if not bad]))
        return [
            Failure(cell.key, cell.name, "it is bad", "a specification") if bad else next(found)
            for cell, bad in zip(cells, failed, strict=True)
        ]


@pytest.fixture(scope="module")
def survey(make_user_survey):
    return make_user_survey()


@pytest.fixture(scope="module")
def grid_of(small_model, survey, tmp_path_factory):
    """Return a function that fits the grid with a runner that fails some cells: the grid, and what was run.

    One cell after the other, each fitted once for all tests.
    """
    kept = tmp_path_factory.mktemp("cells")

    def make(fails=(), tables=GRID, workers=1, store=kept, **more):
        ran: list[str] = []
        runner = Counting(ran=(ran,), fails=tuple(fails), workers=workers, store=store)
        return prior_grid(small_model, survey, tables, seed=3, options=FEW, runner=runner, **more), ran

    return make


@pytest.mark.slow
@pytest.mark.fixed_seed  # the processes that fit are others, whose seeds are not moved
def test_every_cell_is_bitwise_a_stand_alone_fit(small_model, survey, grid_of):
    """The same seed and the alternative's specification give the same numbers, named and crossed."""
    found, _ = grid_of(workers=2, store=None)
    grid = read_grid(small_model, GRID)
    for alternative in grid.alternatives:
        alone = sp.fit(alternative.model, survey, seed=3, options=FEW).effects().table()
        alone = alone[alone["decomposition"].isin(["", "average"])]
        rows = found.named[found.named["case"] == alternative.name]
        assert rows[["path", "scale"]].to_numpy().tolist() == alone[["path", "scale"]].to_numpy().tolist()
        for name in ("mean", "median", "sd", "lower", "upper", "prob_negative"):
            np.testing.assert_array_equal(rows[name].to_numpy(), alone[name].to_numpy())
    model = grid.crossed(small_model)[5]
    assert model.prior("visits", "walks").values["sigma"] == 0.2
    assert model.prior("mood", "walks").values["sigma"] == 1.0
    alone = sp.fit(model, survey, seed=3, options=FEW).effects().table()
    cell = found.crossed.sel({"visits.walks.sigma": 0.2, "paths_to_mediators": 2.0})
    for row in alone[alone["decomposition"].isin(["", "average"])].to_dict("records"):
        for name in ("mean", "median", "lower", "upper"):
            assert float(cell[name].sel(path=row["path"], scale=row["scale"])) == row[name]


def test_dims_coordinates_and_the_long_table_agree(grid_of, small_model):
    """Each crossed key is a dim with its values, and the table holds each cell's numbers once."""
    found, _ = grid_of()
    assert found.crossed["mean"].dims == ("visits.walks.sigma", "paths_to_mediators", "path", "scale")
    np.testing.assert_array_equal(found.crossed["visits.walks.sigma"], [0.1, 0.2])
    np.testing.assert_array_equal(found.crossed["paths_to_mediators"], [0.5, 1, 2])
    assert found.crossed["trustworthy"].dims == found.keys
    table = found.table
    paths, scales = found.crossed.sizes["path"], found.crossed.sizes["scale"]
    assert len(table) == (3 + 6) * paths * scales
    for row in table[table["case"] == "crossed"].to_dict("records"):
        place = {key: row[key] for key in (*found.keys, "path", "scale")}
        for name in VALUES:
            assert row[name] == float(found.crossed[name].sel(place))
    named = table[table["case"] != "crossed"]
    assert named[list(found.keys)].isna().all().all()
    np.testing.assert_array_equal(named["mean"], found.named["mean"])
    assert table["trustworthy"].isin([True, False]).all()


def test_cells_of_one_specification_are_run_once(grid_of):
    """The crossing at the specification's own values is the primary fit."""
    found, ran = grid_of()
    assert len(ran) == 3 + 6 - 1
    own = found.crossed.sel({"visits.walks.sigma": 0.2, "paths_to_mediators": 1.0}).sel(
        path="total", scale="difference"
    )
    primary = found.named.query("case == 'primary' and path == 'total' and scale == 'difference'").iloc[0]
    assert float(own["mean"]) == primary["mean"]


def test_failed_cells_are_nan_and_listed(grid_of):
    """The others keep their numbers, and the findings say what failed."""
    found, _ = grid_of(fails=("flat", "paths_to_mediators = 2"))
    assert {failure.reason for failure in found.failures} == {"it is bad"}
    assert len(found.failures) == 3
    flat = found.named[found.named["case"] == "flat"]
    assert flat[list(VALUES)].isna().all().all()
    assert not flat["trustworthy"].any()
    assert found.named[found.named["case"] == "primary"]["mean"].notna().all()
    assert found.crossed["mean"].sel(paths_to_mediators=2.0).isnull().all()
    assert found.crossed["mean"].sel(paths_to_mediators=[0.5, 1.0]).notnull().all()
    assert not found.crossed["trustworthy"].sel(paths_to_mediators=2.0).any()
    findings = {finding.case: finding for finding in found.findings()}
    assert findings["flat priors"].estimate is None
    assert findings["flat priors"].note == "not fitted: it is bad"
    assert "2 could not be fitted" in [*findings.values()][-1].note


def separated():
    """Return a specification and records in which the mediator separates yes from no."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    m = 0.4 * x + rng.normal(size=80)
    normal = {"dist": "normal", "mu": 0, "sigma": 1, "why": "w"}
    tables = {
        "title": "Separated",
        "exposure": "x",
        "outcome": "y",
        "equation": [{"response": "m", "family": "normal"}, {"response": "y", "family": "bernoulli_logit"}],
        "priors": {"intercept": normal, "slope": normal, "sigma": {"dist": "half_normal", "sigma": 1, "why": "w"}},
    }
    frame = pd.DataFrame({"x": x, "m": m, "y": (m > 0.1).astype(int)})
    return sp.load_model(tables, name="separated"), sp.Survey(frame, "simulation", "a made-up survey")


@pytest.mark.slow
def test_flat_priors_where_the_records_separate_are_a_failure_or_not_trustworthy():
    """The posterior is improper: the Laplace fit fails, NUTS or its diagnostics too; the proper priors are fitted."""
    model, survey = separated()
    named = {"title": "t", "named": ["primary", "flat"]}
    found = prior_grid(model, survey, named, options=sp.SamplerOptions(method="laplace", draws=4000))
    assert [failure.name for failure in found.failures] == ["flat"]
    assert "could not be fitted" in found.failures[0].reason
    assert found.estimate("primary").trustworthy
    assert found.estimate("flat") is None
    found = prior_grid(model, survey, named, options=sp.SamplerOptions(draws=500, cores=1))
    assert found.estimate("primary").trustworthy
    flat = found.estimate("flat")
    assert flat is None or not flat.trustworthy


def test_findings_are_the_target_under_each_named_set(grid_of):
    """With the sets' own words, and the crossing that is farthest from a conclusion."""
    found, _ = grid_of(target=Target("walks -> mood -> visits", "rate_ratio"))
    findings = found.findings()
    assert [finding.case for finding in findings[:3]] == ["sceptical priors", "primary priors", "flat priors"]
    for finding, case in zip(findings, ("sceptical", "primary", "flat"), strict=False):
        row = found.named[
            (found.named["case"] == case)
            & (found.named["path"] == "walks -> mood -> visits")
            & (found.named["scale"] == "rate_ratio")
        ].iloc[0]
        assert (finding.analysis, finding.estimate.median, finding.estimate.upper) == (
            "priors",
            row["median"],
            row["upper"],
        )
    cells = found.crossed.sel(path="walks -> mood -> visits", scale="rate_ratio")
    worst = float(cells["upper"].max()) if float(cells["median"].median()) < 1 else float(cells["lower"].min())
    assert worst in (findings[3].estimate.upper, findings[3].estimate.lower)
    below = float(cells["median"].median()) < 1
    limit, error = (cells["upper"], cells["mcse_upper"]) if below else (cells["lower"], cells["mcse_lower"])
    sides = int(((limit < 1) if below else (limit > 1)).sum())
    unsure = int((abs(limit - 1) <= 1.96 * error).sum())
    note = f"the interval excludes 1 on one side in {sides} of 6 crossings"
    note += f"; in {unsure} its limit is within Monte Carlo error of 1" if unsure else ""
    assert findings[3].note == note


def test_a_grid_says_what_it_depends_on(grid_of, survey, small_model):
    """Seed, options, versions, digest and mark of the records, specification."""
    found, _ = grid_of()
    for attrs in (found.attrs, found.crossed.attrs):
        assert attrs["seed"] == 3
        assert json.loads(attrs["options"])["draws"] == 60
        assert attrs["data_digest"] == survey.digest
        assert attrs["data_source"] == survey.mark
        assert attrs["ci_prob"] == 0.95
        assert "numpy" in json.loads(attrs["versions"])
        assert small_model.title in attrs["specification"]
    assert survey.mark in found._repr_html_()


def test_without_crossings_the_table_is_the_named_one(grid_of):
    """And the dataset is empty."""
    found, _ = grid_of(tables={"title": "Named", "named": ["primary"]})
    assert found.keys == ()
    assert not found.crossed.data_vars
    assert found.table is found.named
    assert [finding.case for finding in found.findings()] == ["primary priors"]


def test_mistakes_are_the_users_before_anything_is_fitted(small_model, survey):
    """An effect or a column that there is not."""
    ran: list[str] = []
    with pytest.raises(BayesSpError, match=r"walks -> mood -> visits \[odds\].*it has walks"):
        prior_grid(small_model, survey, GRID, runner=Counting(ran=(ran,)), target=Target(SERIAL, "odds"))
    assert ran == []
    with pytest.raises(SurveyError):
        prior_grid(small_model, sp.Survey(survey.records.drop(columns="mood"), "file", "clinic.csv"), GRID)
    with pytest.raises(BayesSpError, match="has no path"):
        target_of(small_model, "walks -> visit")


def test_where_no_cell_succeeds_the_reasons_are_an_error(grid_of):
    """There is nothing to put into a table."""
    with pytest.raises(FitError, match="it is bad"):
        grid_of(fails=("",))
