"""A codebook's kinds, limits, units and scores reach the draft."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.design.draft import draft_with_reasons
from bayes_sp.errors import SurveyError
from bayes_sp.records.scoring.reliability import reliability

ROLES = {"exposure": "walks", "mediators": ["mood"], "outcome": "visits", "covariates": ["site", "town"]}


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 120
    trait = rng.normal(size=n)
    items = {f"i{k}": np.clip(np.round(2.5 + trait + 0.6 * rng.normal(size=n)), 1, 4) for k in (1, 2, 3)}
    items["i2"] = 5 - items["i2"]
    return pd.DataFrame(
        items | {
            "walks": rng.integers(0, 5, n), "visits": rng.poisson(2, n), "site": rng.integers(1, 7, n),
            "town": rng.integers(1, 4, n), "answer": rng.integers(2, 4, n), "sex": rng.integers(0, 2, n),
        }
    )  # fmt: skip


def book(**changed) -> dict:
    """Return a codebook of the frame, with other tables for some of its variables."""
    variables = {f"i{k}": {"kind": "ordered", "min": 1, "max": 4} for k in (1, 2, 3)} | {
        "walks": {"kind": "count", "unit": "walks"}, "visits": {"kind": "count", "label": "Visits", "unit": "visits"},
        "site": {"kind": "category"}, "town": {"kind": "ordered", "min": 1, "max": 3},
        "answer": {"kind": "ordered", "min": 1, "max": 5}, "sex": {"kind": "binary"},
    }  # fmt: skip
    score = {"rule": "mean", "items": ["i1", "i2", "i3"], "reversed": ["i2"], "answers": [1, 4], "unit": "points"}
    return {"variables": variables | changed, "derived": {"mood": score}}


def test_kinds_are_taken_and_not_guessed(frame):
    """A category of six has levels, an ordered covariate of three has none; limits, labels and units are written."""
    survey = sp.read_survey(frame, codebook=book())
    model = sp.draft(survey, **ROLES)
    site, town = model.covariates
    assert site.levels == (1, 2, 3, 4, 5, 6)
    assert town.levels == ()
    mood, visits = model.variable("mood"), model.variable("visits")
    assert (mood.minimum, mood.maximum, mood.unit) == (1, 4, "points")
    assert (visits.label, visits.unit, visits.kind) == ("Visits", "visits", "count")
    assert [equation.family for equation in model.equations] == ["normal", "negative_binomial"]


@pytest.mark.parametrize(
    ("keys", "family"),
    [
        ({"kind": "ordered", "min": 1, "max": 5}, "ordered_logit"),  # levels that nobody has are levels
        ({"kind": "ordered", "min": 1, "max": 20}, "normal"),
        ({"kind": "binary"}, "bernoulli_logit"),
        ({"kind": "continuous"}, "normal"),
        ({"kind": "count"}, "negative_binomial"),
        ({"kind": "bounded", "min": 0, "max": 10}, "beta"),
        ({"kind": "bounded", "min": 2, "max": 10}, "normal"),
    ],
)
def test_a_response_has_the_family_of_its_kind(frame, keys, family):
    """Of the same numbers, 2 and 3."""
    survey = sp.read_survey(frame, codebook=book(answer=keys))
    model = sp.draft(survey, exposure="walks", mediators=["mood"], outcome="answer")
    assert model.outcome_family.name == family
    if family == "ordered_logit":
        assert model.levels("answer") == (1, 2, 3, 4, 5)


def test_categories_are_refused_where_an_order_is_needed(frame):
    """As a response, and text anywhere; each says what to do. An exposure needs none."""
    survey = sp.read_survey(frame, codebook=book())
    with pytest.raises(SurveyError, match='column "site": is a category in the codebook, and a response needs'):
        sp.draft(survey, exposure="walks", mediators=["mood"], outcome="site")
    drafted = sp.draft(survey, exposure="site", mediators=["mood"], outcome="visits")
    assert drafted.categories == ("site",)  # each level against the first
    words = [("f", "m", "x")[k % 3] for k in range(len(frame))]
    text = sp.read_survey(frame.assign(sex=words), codebook=book(sex={"kind": "category"}))
    assert sp.draft(text, **ROLES | {"covariates": ["sex"]}).covariate_terms == ("sex[m]", "sex[x]")
    with pytest.raises(SurveyError, match="labels = "):
        sp.draft(text, exposure="walks", mediators=["mood"], outcome="sex")


def test_the_alpha_of_a_score_is_carried_into_the_model(frame):
    """From the items as the rule turns them, rounded to two digits; or as it is given."""
    survey = sp.read_survey(frame, codebook=book())
    found = draft_with_reasons(survey, **ROLES, latent=["mood"])
    items = frame[["i1", "i2", "i3"]].assign(i2=5 - frame["i2"]).to_numpy()
    said = reliability(items)
    assert said.alpha > 0.7
    (mood, _) = found.model.equations
    assert (mood.family, mood.reliability) == ("latent_normal", round(said.alpha, 2))
    assert said.sentence() in found.reasons["mood"]
    assert said.sentence() in draft_with_reasons(survey, **ROLES).reasons["mood"]
    assert sp.draft(survey, **ROLES, latent={"mood": 0.6}).equations[0].reliability == 0.6


@pytest.mark.parametrize(
    ("latent", "told"),
    [
        (["visits"], '"visits" is none of the mediators'),
        ({"mood": 1.5}, "above 0 and at most 1, found 1.5"),
        ({"mood": float("nan")}, "above 0 and at most 1, found nan"),
    ],
)
def test_scores_without_a_reliability_are_named(frame, latent, told):
    """No mediator, no reliability."""
    with pytest.raises(SurveyError, match=told):
        sp.draft(sp.read_survey(frame, codebook=book()), **ROLES, latent=latent)


def test_a_column_that_is_no_score_needs_its_reliability(frame):
    """Without a codebook nothing is known of the items."""
    with pytest.raises(SurveyError, match=r"give it, as in answer=0\.87"):
        sp.draft(frame, exposure="walks", mediators=["answer"], outcome="visits", latent=["answer"])
