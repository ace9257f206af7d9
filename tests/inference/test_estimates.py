"""Maximum-likelihood estimates and standard errors against statsmodels, and in the limit on every boundary."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from statsmodels.miscmodels.ordinal_model import OrderedModel

from bayes_sp.design.build import complete_cases, design_arrays, equation_matrix, zero_matrix
from bayes_sp.inference.estimates import Estimates, maximum_likelihood
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

Array = NDArray[np.float64]


def changed(tables: dict[str, Any], outcome: dict[str, Any], *, kind: str = "count", **mood: Any) -> PathModel:
    """Return the small specification with another outcome's equation, and another one of mood."""
    tables = copy.deepcopy(tables)
    tables["equation"][1] |= outcome
    tables["equation"][0] |= mood
    tables["variables"]["visits"]["kind"] = kind
    if kind == "binary":
        tables["variables"]["visits"].pop("unit")
    if mood:
        tables["variables"]["mood"] = {"label": "Mood", "kind": "integer", "min": 1, "max": 4}
    families = {equation["family"] for equation in tables["equation"]}
    zero = any(FAMILIES[family].zero_part for family in families)
    wanted = {"cutpoint": bool(mood), "zero_intercept": zero, "zero_slope": zero}
    wanted["interaction"] = "interactions" in outcome
    for name in (name for name, needed in wanted.items() if needed):
        tables["priors"][name] = {"dist": "normal", "mu": 0.0, "sigma": 2.0, "why": "wide"}
    parameters = {name for family in families for name in FAMILIES[family].parameters}
    for name in {"phi", "sigma"} - parameters:
        tables["priors"].pop(name)
    return load_model(tables, name="changed")


def estimated(model: PathModel, survey: Survey) -> tuple[Estimates, list[Array], Array]:
    """Return estimates, and each equation's columns and the responses of complete records."""
    design = design_arrays(model, survey)
    complete = design_arrays(model, complete_cases(replace(model, missing="complete"), survey))
    columns = [equation_matrix(model, complete, j) for j in range(len(model.equations))]
    return maximum_likelihood(model, survey, design), columns, complete.y


def agrees(found: tuple[Array, Array], values: Array, errors: Array, rtol: float = 1e-5) -> None:
    """Hold estimates to others within a small share of their standard errors, and errors to theirs."""
    assert np.abs(found[0] - values).max() < rtol * np.min(errors)
    np.testing.assert_allclose(found[1], errors, rtol=rtol)


def test_normal_and_negative_binomial_equations_are_those_of_statsmodels(small_model, make_user_survey):
    """OLS with the divisor n, sigma's error sigma / sqrt(2n), and NB2 regression with alpha = 1 / phi."""
    found, (x, z), y = estimated(small_model, make_user_survey())
    ols = sm.OLS(y[:, 0], x).fit()
    sigma = np.sqrt(ols.ssr / len(y))
    agrees(found.values["mood", "mood"], ols.params, ols.bse * np.sqrt(ols.df_resid / len(y)), 1e-8)
    agrees(found.values["mood", "sigma"], np.array([sigma]), np.array([sigma / np.sqrt(2 * len(y))]), 1e-8)
    visits, phi = found.values["visits", "visits"], found.values["visits", "phi"]
    model = sm.NegativeBinomial(y[:, 1], z)
    start = np.append(visits[0] + 0.02, 1.1 / phi[0])
    fit = model.fit(start_params=start, method="newton", disp=0, tol=1e-12, maxiter=200)
    errors = np.sqrt(np.diag(np.linalg.inv(-model.hessian(fit.params))))
    agrees(visits, fit.params[:-1], errors[:-1])
    agrees(phi, 1 / fit.params[-1:], errors[-1:] / fit.params[-1] ** 2)
    assert found.patients == 120
    assert found.notes == ()


def test_poisson_with_windows_is_the_glm_with_an_offset(small_tables, make_user_survey):
    """Of counts with observation windows, log(window / reference) is the GLM's offset."""
    model = changed(small_tables, {"family": "poisson", "offset": "days", "offset_reference": 90})
    survey = make_user_survey()
    days = np.random.default_rng(1).integers(30, 200, len(survey))
    survey = replace(survey, records=survey.records.assign(days=days))
    found, (_, z), y = estimated(model, survey)
    fit = sm.GLM(y[:, 1], z, family=sm.families.Poisson(), offset=np.log(days / 90)).fit(tol=1e-12)
    agrees(found.values["visits", "visits"], fit.params, fit.bse)


@pytest.mark.filterwarnings("ignore:Maximum Likelihood optimization failed")  # a gradient of 1e-8 is much to ask
def test_ordered_answers_and_yes_or_no_are_those_of_statsmodels(small_tables, make_user_survey):
    """Slopes and errors of both, and cutpoints with errors by the delta method from statsmodels' own parameters."""
    model = changed(small_tables, {"family": "bernoulli_logit"}, kind="binary", family="ordered_logit")
    survey = make_user_survey(300)
    records = survey.records
    mood, visits = np.digitize(records["mood"], [4, 5, 6.5]) + 1, (records["visits"] > 2).astype(int)
    found, (x, z), y = estimated(model, replace(survey, records=records.assign(mood=mood, visits=visits)))
    logit = sm.Logit(y[:, 1], z).fit(disp=0, tol=1e-12, method="newton")
    agrees(found.values["visits", "visits"], logit.params, logit.bse)
    ordered = OrderedModel(y[:, 0], x, distr="logit")
    fit = ordered.fit(method="bfgs", disp=0, gtol=1e-8, maxiter=1000)
    p, covariance = x.shape[1], np.asarray(fit.cov_params())
    agrees(found.values["mood", "mood"], fit.params[:p], np.sqrt(np.diag(covariance))[:p], 1e-4)
    widths = np.exp(fit.params[p + 1 :])
    slopes = np.tril(np.ones((3, 3))) * np.array([1.0, *widths])
    errors = np.sqrt(np.diag(slopes @ covariance[p:, p:] @ slopes.T))
    agrees(found.values["mood", "mood_cutpoint"], np.cumsum([fit.params[p], *widths]), errors, 1e-4)


def test_interactions_and_missing_cells(small_tables, make_user_survey):
    """With missing cells estimates are those of the complete records, in the posterior's coding, and a note says so."""
    model = changed(small_tables, {"family": "normal", "interactions": ["mood"]}, kind="real")
    survey = make_user_survey()
    records = survey.records.astype(float)
    records.loc[:9, "age"], records.loc[5:14, "visits"] = np.nan, np.nan
    found, (_, z), y = estimated(model, replace(survey, records=records))
    assert model.terms(model.equations[1])[3] == "walks:mood"
    kept = records.iloc[15:]
    np.testing.assert_allclose(z[:, 3], kept["walks"] * (kept["mood"] - 5.0))
    fit = sm.OLS(y[:, 1], z).fit()
    agrees(found.values["visits", "visits"], fit.params, fit.bse * np.sqrt(fit.df_resid / 105), 1e-8)
    assert found.patients == 105
    (note,) = found.notes
    assert "105 of 120 records without missing cells, the posterior all of them" in note


def test_a_group_without_events_is_left_out_of_the_fit(small_model, make_user_survey):
    """Its coefficient and the intercept go to infinity; the others have the estimates of the other patients."""
    survey = make_user_survey(300)
    records = survey.records.assign(visits=survey.records["visits"].where(survey.records["housing"] != 3, 0))
    found, (_, z), y = estimated(small_model, replace(survey, records=records))
    values, errors = found.values["visits", "visits"]
    terms = small_model.terms(small_model.equations[1])
    assert terms[-2:] == ("housing[2]", "housing[3]")
    infinite = [0, len(terms) - 1]  # an intercept that is an average over the levels goes with the level
    assert np.isnan([values[infinite], errors[infinite]]).all()
    others = (records["housing"] != 3).to_numpy()
    x = np.column_stack([z[others, :-2], (records["housing"] == 2)[others]])
    model = sm.NegativeBinomial(y[others, 1], x)
    poisson = sm.GLM(y[others, 1], x, family=sm.families.Poisson()).fit()
    start = np.append(poisson.params, 1 / found.values["visits", "phi"][0])
    fit = model.fit(start_params=start, method="newton", disp=0, tol=1e-12, maxiter=200)
    expected = np.sqrt(np.diag(np.linalg.inv(-model.hessian(fit.params))))
    agrees((values[1:-1], errors[1:-1]), fit.params[1:-1], expected[1:-1], 1e-3)
    (note,) = found.notes
    assert "visits lies on a boundary" in note


def test_without_overdispersion_the_coefficients_are_those_of_the_poisson_fit(small_model, make_user_survey):
    """The size has no estimate, and the rest estimates and errors of the Poisson regression."""
    survey = make_user_survey(300)
    visits = np.random.default_rng(5).binomial(5, 0.4, 300)
    found, (_, z), y = estimated(small_model, replace(survey, records=survey.records.assign(visits=visits)))
    fit = sm.GLM(y[:, 1], z, family=sm.families.Poisson()).fit(tol=1e-12)
    agrees(found.values["visits", "visits"], fit.params, fit.bse, 1e-3)
    assert np.isnan(found.values["visits", "phi"]).all()
    assert "no overdispersion" in found.notes[0]


def test_the_zero_part_of_a_hurdle_is_a_logistic_regression(small_tables, make_user_survey):
    """Of whether there is no event, with estimates and errors as statsmodels has them."""
    model = changed(small_tables, {"family": "hurdle_negative_binomial"})
    survey = make_user_survey(300)
    found, _, y = estimated(model, survey)
    z = zero_matrix(model, design_arrays(model, survey), 1)
    fit = sm.Logit(y[:, 1] == 0, z).fit(disp=0, tol=1e-12, method="newton")
    agrees(found.values["visits", "visits_zero"], fit.params, fit.bse)


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.derivatives])
def test_derivatives_written_out_are_those_of_the_value(family):
    """First and second derivatives against differences, by the predictor and by the logarithm of the parameter."""
    rng = np.random.default_rng(3)
    y, eta, t = rng.poisson(3, 8) + 1.0, rng.normal(1.0, 0.5, (1, 8)), np.array([[0.3]])
    written = FAMILIES[family].derivatives
    _, first, second = written(y, eta, t)
    moves = [(1e-5, 0.0), (0.0, 1e-5)][: len(first)]
    for k, (a, b) in enumerate(moves):
        up, down = written(y, eta + a, t + b), written(y, eta - a, t - b)
        np.testing.assert_allclose(first[k], (up[0] - down[0]) / 2e-5, rtol=1e-6, atol=1e-8)
        for m in range(len(first)):
            expected = np.broadcast_to((up[1][m] - down[1][m]) / 2e-5, eta.shape)
            np.testing.assert_allclose(np.broadcast_to(second[k][m], eta.shape), expected, rtol=1e-6, atol=1e-8)
