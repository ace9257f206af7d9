"""Drafts for data of other studies: they never look at the association, and what they say fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import bayes_sp as sp
from bayes_sp.design.draft import draft_with_reasons
from bayes_sp.errors import SurveyWarning


def randhie() -> pd.DataFrame:
    """Return every tenth record of the RAND health insurance experiment."""
    return sm.datasets.randhie.load_pandas().data.iloc[::10].reset_index(drop=True)


def badhealth() -> pd.DataFrame:
    """Return records with the columns and moments of the German health survey of 1998 (Hilbe 2011)."""
    rng = np.random.default_rng(0)
    age, bad = rng.integers(20, 61, 1127), (rng.random(1127) < 0.1).astype(int)
    visits = rng.negative_binomial(1, 1 / (1 + np.exp(0.5 + 1.1 * bad + 0.005 * (age - 40))))
    return pd.DataFrame({"numvisit": visits, "badh": bad, "age": age})


def fertility() -> pd.DataFrame:
    """Return records with the columns of Angrist and Evans (1998): words for levels, weeks of work from 0 to 52."""
    rng = np.random.default_rng(1)
    first, second = (rng.choice(["male", "female"], 2000) for _ in range(2))
    more = rng.random(2000) < 0.35 + 0.06 * (first == second)
    return pd.DataFrame(
        {
            "morekids": np.where(more, "yes", "no"), "gender1": first, "gender2": second,
            "age": rng.integers(21, 36, 2000), "hispanic": np.where(rng.random(2000) < 0.07, "yes", "no"),
            "work": np.clip(np.round(rng.normal(20 - 6 * more, 22, 2000)), 0, 52).astype(int),
        }
    )  # fmt: skip


def affairs() -> pd.DataFrame:
    """Return every third record of Fair (1978), with whether there was any affair."""
    data = sm.datasets.fair.load_pandas().data.iloc[::3].reset_index(drop=True)
    return data.assign(any=(data["affairs"] > 0).astype(int))


CASES = {
    "randhie": (randhie, ("normal", "negative_binomial"), {
        "exposure": "idp", "mediators": ["disea"], "outcome": "mdvis",
        "covariates": ["lncoins", "fmde", "hlthg", "hlthf"]}),
    "badhealth": (badhealth, ("bernoulli_logit", "negative_binomial"), {
        "exposure": "age", "mediators": ["badh"], "outcome": "numvisit"}),
    "fertility": (fertility, ("bernoulli_logit", "negative_binomial"), {
        "exposure": "gender1", "mediators": ["morekids"], "outcome": "work",
        "covariates": ["age", "hispanic", "gender2"]}),
    "affairs": (affairs, ("ordered_logit", "bernoulli_logit"), {
        "exposure": "yrs_married", "mediators": ["rate_marriage"], "outcome": "any",
        "covariates": ["age", "religious", "educ"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_draft_does_not_change_with_the_association(name):
    """With the outcome permuted against exposure and mediators, or the exposure against all others: the same text."""
    load, families, roles = CASES[name]
    data, rng = load(), np.random.default_rng(3)
    draft = draft_with_reasons(data, **roles)
    assert tuple(equation.family for equation in draft.model.equations) == families
    for column in (roles["outcome"], roles["exposure"], roles["mediators"][0]):
        permuted = data.assign(**{column: data[column].to_numpy()[rng.permutation(len(data))]})
        assert draft_with_reasons(permuted, **roles).text() == draft.text()
    ranked = data.assign(**{c: np.sort(data[c].to_numpy()) for c in (roles["outcome"], roles["exposure"])})
    assert draft_with_reasons(ranked, **roles).text() == draft.text()  # as associated as they can be


@pytest.mark.parametrize("name", CASES)
def test_a_drafted_specification_takes_its_data(name):
    """Every column is read, and no check of the records refuses it."""
    load, _, roles = CASES[name]
    data = load()
    found = sp.check(data, sp.draft(data, **roles))
    assert found.problems == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings(f"ignore::{SurveyWarning.__module__}.{SurveyWarning.__name__}")
def test_a_drafted_specification_is_fitted(name):
    """And the fit passes every check."""
    load, _, roles = CASES[name]
    assert sp.mediate(load(), **roles, seed=1).diagnose().clean
