"""What a worker does with a cell is what `bayes_sp.fit` does."""

from __future__ import annotations

from dataclasses import replace

import grids
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayes_sp.analysis.batch.cell import Cell, Failure, made_with
from bayes_sp.analysis.batch.work import answer, answer_elsewhere, answer_table, check_versions
from bayes_sp.analysis.fit import fit
from bayes_sp.effects.paths import Effects
from bayes_sp.errors import BayesSpError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.published.reconstruct import reconstruct


def test_an_answer_is_that_of_a_stand_alone_fit():
    """Table and verdict are equal to the last bit, and the pointwise log-likelihoods are all that is left out."""
    (cell,) = grids.grid(1)
    cell = replace(cell, kappa=0.5, ci_prob=0.9, seed=3)
    found, alone = answer(cell), fit(cell.model, cell.survey, seed=3, options=cell.options)
    expected = alone.effects(kappa=0.5).table(0.9)
    pd.testing.assert_frame_equal(found.table[expected.columns], expected, check_exact=True)
    at_one = answer(replace(cell, kappa=1.0))  # as a fit is diagnosed; R-hat moves with a draw's last bit at a median
    assert (at_one.trustworthy, at_one.reasons) == (alone.diagnose().trustworthy, alone.diagnose().reasons)
    short = fit(cell.model, cell.survey, seed=3, options=cell.options, pointwise=False)
    assert set(alone.posterior.children) - set(short.posterior.children) == {"log_likelihood"}
    xr.testing.assert_identical(short.posterior["posterior"].to_dataset(), alone.posterior["posterior"].to_dataset())


def test_the_study_s_cell_fitted_on_one_core_is_the_fit_on_two():
    """The primary specification, by the way that a worker takes."""
    model, survey, options = load_model("primary"), reconstruct(), SamplerOptions(draws=100, tune=100, cores=2)
    cell = Cell("primary", model, survey, seed=4, options=options)
    found = answer_elsewhere(survey, cell.parts, made_with())
    expected = fit("primary", survey, seed=4, options=options).effects().table()
    pd.testing.assert_frame_equal(found.table[expected.columns], expected, check_exact=True)
    assert found.key == cell.key


def test_a_fit_without_log_likelihoods_computes_them_when_asked():
    """Leave-one-out cross-validation is the same."""
    (cell,) = grids.grid(1, replace(grids.TINY, draws=200))
    long, short = (fit(cell.model, cell.survey, options=cell.options, pointwise=kept) for kept in (True, False))
    one, other = short.loo().elpd, long.loo().elpd
    assert list(one) == list(other) == ["mood", "visits", "all equations"]
    assert all((one[name] == other[name]).all() for name in one)


def test_a_mistake_is_a_failure_that_names_it():
    """Records without a column that the specification needs."""
    (cell,) = grids.grid(1)
    survey = replace(cell.survey, records=cell.survey.records.drop(columns="mood"))
    found = answer(replace(cell, survey=survey, name="no mood"))
    assert isinstance(found, Failure)
    assert found.name == "no mood"
    assert 'column "mood" is missing' in found.reason
    assert 'response = "mood"' in found.specification


def test_a_worker_with_other_versions_refuses():
    """It says which, on both sides; with the same versions it works."""
    (cell,) = grids.grid(1)
    with pytest.raises(BayesSpError, match=r"numpy is [0-9.]+ on the worker and 1\.0 here; install the same"):
        answer_elsewhere(cell.survey, cell.parts, {**made_with(), "numpy": "1.0"})
    check_versions(made_with())


def test_the_errors_of_limits_are_those_of_quantiles():
    r"""Of independent normal draws: SD of the sample quantile, :math:`\sqrt{p (1 - p) / n} / f(q)`."""
    shape, p = (4, 2500, 60, 1), 0.1
    values = np.random.default_rng(5).standard_normal(shape)
    draws = xr.Dataset(
        dict.fromkeys(("alone", "average"), (("chain", "draw", "path", "scale"), values)),
        coords={"path": [f"path {i}" for i in range(60)], "scale": ["difference"]},
    )
    table = answer_table(Effects(draws, (0.0, 1.0), 1.0, "", "", ordered=False), 1 - 2 * p)
    expected = np.sqrt(p * (1 - p) / 10_000) / stats.norm.pdf(stats.norm.ppf(p))
    assert table[["mcse_lower", "mcse_upper"]].mean().to_numpy() == pytest.approx([expected] * 2, rel=0.1)
