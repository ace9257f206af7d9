"""The Laplace approximation with importance resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_truth import TRUTH, without_scales

import bayes_sp as sp
from bayes_sp.errors import FitError
from bayes_sp.model import sample
from bayes_sp.model.laplace import _propose, _smoothed
from bayes_sp.model.simulate import simulate_survey

LAPLACE = sp.SamplerOptions(method="laplace", draws=8000)


def _largest_difference(first: sp.Fit, second: sp.Fit) -> float:
    """Largest difference of posterior means in posterior SDs, over all parameters."""
    one, two = (fit.posterior["posterior"].to_dataset() for fit in (first, second))
    dims = ("chain", "draw")
    return max(float((abs(one[v].mean(dims) - two[v].mean(dims)) / one[v].std(dims)).max()) for v in one.data_vars)


def test_it_agrees_with_nuts_on_the_study(primary_fit, study_survey):
    """At 178 patients posterior means are within 0.05 posterior SDs of NUTS (and its Monte Carlo error)."""
    long = sp.fit("primary", study_survey, seed=2, options=sp.SamplerOptions(draws=4000))
    laplace = sp.fit("primary", study_survey, seed=2, options=replace(LAPLACE, draws=40000))
    assert laplace.posterior.attrs["pareto_k"] < 0.7
    assert _largest_difference(long, laplace) < 0.05


@pytest.mark.slow
def test_it_agrees_with_nuts_at_two_thousand_patients(study_survey):
    """At 2000 simulated patients posterior means are within 0.05 posterior SDs of NUTS."""
    model = without_scales(sp.load_model("primary"))
    survey = simulate_survey(model, study_survey, TRUTH, n=2000, seed=3)
    nuts = sp.fit(model, survey, seed=1, options=sp.SamplerOptions(draws=2500))
    assert _largest_difference(nuts, sp.fit(model, survey, seed=1, options=replace(LAPLACE, draws=20000))) < 0.05


def test_the_verdict_speaks_of_pareto_k(study_survey):
    """A Laplace fit has Pareto k and importance ESS in place of divergences and E-BFMI."""
    fit = sp.fit("primary", study_survey, options=LAPLACE)
    verdict = fit.diagnose()
    assert verdict.trustworthy, verdict.reasons
    assert {"pareto_k", "importance_ess"} <= set(verdict.numbers)
    assert "Pareto k" in str(verdict)
    assert fit.posterior["posterior"].sizes["chain"] * fit.posterior["posterior"].sizes["draw"] == 8000


def test_draws_do_not_depend_on_the_number_of_cores(study_survey):
    """The same seed gives the same draws on one thread and on three."""
    one, three = (sp.fit("primary", study_survey, options=replace(LAPLACE, draws=1000, cores=c)) for c in (1, 3))
    assert one.posterior["posterior"].to_dataset().identical(three.posterior["posterior"].to_dataset())


def test_a_poor_approximation_is_refused(study_survey, monkeypatch):
    """With a Pareto k above the limit there is no result, and the message says what to do."""
    monkeypatch.setattr(sample, "PARETO_K_LIMIT", -2.0)
    with pytest.raises(FitError, match=r"Pareto k .* use --method nuts"):
        sp.fit("primary", study_survey, options=LAPLACE)


@pytest.mark.parametrize("tailed", [3, 1])
def test_proposals_have_the_density_that_weights_divide_by(tailed):
    """Weighing the proposals to a normal gives back its mean and variance within 5 standard errors."""
    points, log_q = _propose(np.random.default_rng(1), 100_000, 3, tailed)
    weight, pareto_k = _smoothed(-0.5 * (points**2).sum(axis=1) - log_q)
    assert pareto_k < 0.3
    error = 5 * np.sqrt((weight**2).sum())
    np.testing.assert_allclose(weight @ points, 0.0, atol=error)
    np.testing.assert_allclose(weight @ points**2, 1.0, atol=1.5 * error)


def test_an_unknown_method_is_refused():
    """Only the two methods exist."""
    with pytest.raises(ValueError, match="method"):
        sp.SamplerOptions(method="vi")


def test_patients_beyond_the_parameters_are_counted_by_equation(small_tables, make_user_survey):
    """Coefficients, residual SD or phi, against the responses that are known; the least of them is kept."""
    survey = make_user_survey(30)
    records = survey.records.astype(float)
    records.loc[:4, "visits"] = np.nan
    model = sp.load_model(small_tables, name="small")
    found = sp.fit(model, replace(survey, records=records), options=replace(LAPLACE, draws=1000)).posterior
    parameters = found["posterior"]["visits"].sizes["visits_term"] + 1  # phi
    assert (found.attrs["least_known"], found.attrs["beyond"]) == ("visits", 25 - parameters)
