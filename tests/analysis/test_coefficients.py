"""The table of coefficients: its rows, its numbers by other routes, and one for every shipped specification."""

from __future__ import annotations

import warnings
from dataclasses import replace

import arviz as az
import numpy as np
import pytest
from fast_and_slow import some_fast

from bayes_sp.analysis.coefficients import ratio_word
from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.analysis.criticism.diagnostics import diagnose
from bayes_sp.analysis.fit import fit
from bayes_sp.design.build import design_arrays
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.names import COEFFICIENT_COLUMNS
from bayes_sp.records.published.reconstruct import reconstruct
from bayes_sp.report.text.coefficients import coefficient_lines
from bayes_sp.shown import WIDTH

FEW = SamplerOptions(draws=10, tune=20, chains=2, cores=1)


@pytest.fixture
def conditioned(small_model, make_user_survey, make_posterior) -> Conditioned:
    survey = make_user_survey()
    return Conditioned(small_model, survey, make_posterior(small_model, design_arrays(small_model, survey), seed=4))


def test_the_rows_are_every_parameter_in_the_order_of_the_equations(conditioned):
    """Coefficients as the posterior names them, then the equation's other parameters."""
    table = conditioned.coefficients()
    assert tuple(table.columns) == COEFFICIENT_COLUMNS
    terms = ["intercept", "walks", "age", "visits_before", "housing[2]", "housing[3]"]
    mood = [("mood", term) for term in [*terms, "sigma"]]
    visits = [("visits", term) for term in [*terms[:2], "mood", *terms[2:], "phi"]]
    assert list(zip(table["equation"], table["term"], strict=True)) == mood + visits


def test_posterior_columns_are_those_of_arviz(conditioned):
    """Mean, SD, equal-tailed limits, R-hat and ESS as ArviZ has them, and P(< 0) as a share of draws."""
    table = conditioned.coefficients().set_index(["equation", "term"])
    draws = conditioned.posterior["posterior"].to_dataset()
    summary = az.summary(draws, var_names=["mood", "visits"], ci_kind="eti", ci_prob=0.95, round_to="none")
    tails = az.ess(draws, method="tail", prob=(0.05, 0.95))
    names = {"mean": "mean", "sd": "sd", "lower": "eti95_lb", "upper": "eti95_ub", "r_hat": "r_hat"}
    names |= {"ess_bulk": "ess_bulk"}
    for equation, term in (name for name in table.index if name[1] not in ("sigma", "phi")):
        row, place = table.loc[(equation, term)], {f"{equation}_term": term}
        for ours, theirs in names.items():
            expected = summary.loc[f"{equation}[{term}]", theirs]
            assert row[ours] == pytest.approx(expected, rel=1e-6, abs=1e-9), (term, ours)
        assert row["ess_tail"] == pytest.approx(float(tails[equation].sel(place)), rel=1e-6)
        assert row["prob_negative"] == (draws[equation].sel(place).to_numpy() < 0).mean()


def test_numbers_of_the_verdict_are_taken_as_they_are(conditioned):
    """With the verdict's table at hand the result is the same to the last bit."""
    known = diagnose(conditioned.posterior, {}).table
    found = conditioned.coefficients_with_notes(known=known).table
    assert found.equals(conditioned.coefficients())


def test_ratios_are_medians_of_exponentials_of_slopes_alone(conditioned):
    """Of a log link every slope has a ratio; intercept and size have none, and nothing of a normal response has."""
    table = conditioned.coefficients().set_index(["equation", "term"])["ratio"]
    assert table["mood"].isna().all()
    assert set(table["visits"].index[table["visits"].isna()]) == {"intercept", "phi"}
    for term in ("walks", "mood", "housing[3]"):
        draws = conditioned.posterior["posterior"]["visits"].sel(visits_term=term).to_numpy()
        assert table["visits", term] == pytest.approx(np.median(np.exp(draws)))


def test_words_for_ratios():
    """No family has another's word: only counts have rates, only log odds have odds, and identity has nothing."""
    words = {name: ratio_word(family) for name, family in FAMILIES.items()}
    counts = ("poisson", "negative_binomial", "zero_inflated_negative_binomial", "hurdle_negative_binomial")
    assert {name for name, word in words.items() if word == "rate ratio"} == set(counts)
    assert {name for name, word in words.items() if word == "ratio of means"} == {"gamma", "lognormal"}
    assert {name for name, word in words.items() if word == "odds ratio"} == {"bernoulli_logit", "ordered_logit"}
    assert {name for name, word in words.items() if not word} == {
        "normal", "student_t", "latent_normal", "ordered_probit",
    }  # fmt: skip


@pytest.mark.parametrize("name", some_fast(shipped_models()))
def test_every_shipped_specification_has_a_table(name):
    """Every element of the posterior stands in one row, with an estimate, and the printed lines fit the page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few draws cannot be trusted
        fitted = fit(name, reconstruct(seed=1), options=FEW, pointwise=False)
    found = fitted.coefficients_with_notes()
    table = found.table
    assert len(table) == sum(array[0, 0].size for array in fitted.posterior["posterior"].to_dataset().values())
    assert not table.duplicated(["equation", "term"]).any()
    assert table[["mean", "sd", "lower", "upper"]].notna().all().all()
    assert table["ml_estimate"].notna().all()
    assert (table["ml_se"].notna() | bool(found.notes)).all()
    assert max(map(len, coefficient_lines(fitted.model, found))) <= WIDTH


def test_groups_have_a_row_and_no_maximum_likelihood(small_tables, make_user_survey):
    """The SD of groups comes last; the other equation keeps its estimates."""
    small_tables["equation"][1]["varying"] = "clinic"
    small_tables["priors"]["tau"] = {"dist": "half_normal", "sigma": 1.0, "why": "as wide as the slopes"}
    model = load_model(small_tables, name="grouped")
    survey = make_user_survey()
    clinic = np.random.default_rng(2).integers(1, 7, len(survey))
    records = survey.records.assign(clinic=clinic)
    records.loc[:4, "age"] = np.nan
    survey = replace(survey, records=records)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = fit(model, survey, options=FEW, pointwise=False)
    found = fitted.coefficients_with_notes()
    table = found.table.set_index(["equation", "term"])
    assert list(table.loc["visits"].index[-2:]) == ["phi", "tau"]
    assert set(table.index.get_level_values(0)) == {"mood", "visits"}  # not those of incomplete covariates
    assert table.loc["mood", "ml_se"].notna().all()
    assert table.loc["visits", ["ml_estimate", "ml_se"]].isna().all().all()
    text = " ".join(" ".join(coefficient_lines(model, found)).split())
    assert "No maximum-likelihood fit of visits: intercepts by group have no place in it." in text
    assert "more than 110 of 120 records without missing cells, the posterior all of them." in text
