"""A drafted specification reads back, fits, and knows nothing of how columns go together."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.design.draft import DRAFTED, draft_with_reasons
from bayes_sp.design.drafting.guesses import guess_contrast, guess_covariate, guess_response, rounded, spread_of
from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model

ROLES = {
    "exposure": "groups", "mediators": ["belonging", "mood"], "outcome": "visits", "covariates": ["age", "sex", "town"],
}  # fmt: skip


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return a survey in which everything goes with everything."""
    rng = np.random.default_rng(7)
    n = 150
    groups = rng.integers(0, 6, n)
    belonging = np.clip(np.round(2.5 + 0.3 * groups + rng.normal(size=n)), 1, 4).astype(int)
    return pd.DataFrame(
        {
            "groups": groups,
            "belonging": belonging,
            "mood": np.round(5 + belonging + rng.normal(size=n), 1),
            "visits": rng.negative_binomial(1, 0.25, n),
            "age": rng.integers(18, 90, n),
            "sex": rng.integers(1, 3, n),
            "town": rng.integers(1, 4, n),
        }
    )


def test_a_draft_never_looks_at_how_columns_go_together(frame):
    """Every column shuffled by itself gives the same text."""
    rng = np.random.default_rng(1)
    shuffled = pd.DataFrame({name: rng.permutation(column) for name, column in frame.items()})
    assert draft_with_reasons(frame, **ROLES).text() == draft_with_reasons(shuffled, **ROLES).text()


def test_codes_for_missing_values_are_taken_out_and_said(frame):
    """Nothing of a draft rests on them, and the specification names them; a codebook's variable is left alone."""
    coded = frame.astype(float)
    coded.loc[[3, 40, 77], "age"] = -99
    coded.loc[[5, 60], "groups"] = 999
    roles = ROLES | {"covariates": ["age", "sex"]}
    blank = frame.astype(float)
    blank.loc[[3, 40, 77], "age"] = np.nan
    blank.loc[[5, 60], "groups"] = np.nan
    found, expected = draft_with_reasons(coded, **roles), sp.draft(blank, **roles)
    assert found.model.variable("age").missing_codes == (-99.0,)
    assert found.model.variable("groups").missing_codes == (999.0,)
    assert found.model.contrast == expected.contrast
    assert found.model.priors == expected.priors
    assert found.model.covariates == expected.covariates
    assert found.reasons["age"].endswith(
        f"-99 in 3 of 150 cells, far from the other values ({blank['age'].min():g} to {blank['age'].max():g}), is "
        "taken as a code for a missing value"
    )


def test_a_title_has_the_names_of_the_file(frame):
    """As they stand there, and apart by semicolons where one has a comma."""
    odd = frame.rename(columns={"mood": "mood, mean of 9"})
    title = sp.draft(odd, exposure="groups", mediators=["mood, mean of 9"], outcome="visits").title
    assert title == "groups; mood, mean of 9 and visits"


@pytest.mark.filterwarnings("ignore:.*do not lie on a line")  # answers are cut off at the scale's ends
def test_the_text_reads_back_to_the_same_model(frame):
    """What is written is what is fitted; names that a specification cannot hold get one that it can."""
    odd = frame.rename(columns={"mood": "Q3: mood?", "age": "3 age"})
    roles = ROLES | {"mediators": ["belonging", "Q3: mood?"], "covariates": ["3 age", "sex"]}
    found = draft_with_reasons(odd, **roles)
    assert load_model(tomllib.loads(found.text()), name="draft") == found.model
    assert found.model.column_of("Q3_mood") == "Q3: mood?"
    assert found.model.column_of("v_3_age") == "3 age"
    assert sp.draft(odd, **roles) == found.model
    reserved = sp.draft(odd.rename(columns={"sex": "phi"}), **roles | {"covariates": ["phi"]})
    assert reserved.column_of("phi_") == "phi"
    assert DRAFTED in found.model.assumptions
    assert len(sp.read_survey(odd, found.model)) == len(odd)


def test_parallel_mediators_have_the_exposure_alone(frame):
    """And the outcome has them all."""
    model = sp.draft(frame, **ROLES, parallel=True)
    parents = [equation.parents for equation in model.equations]
    assert parents == [("groups",), ("groups",), ("groups", "belonging", "mood")]


@pytest.mark.parametrize(
    ("values", "mediator", "family"),
    [
        ([0, 1, 1, 0, 1], False, "bernoulli_logit"),
        ([1, 2, 2, 1, 2], True, "bernoulli_logit"),
        ([1, 2, 3, 4, 2], False, "ordered_logit"),
        ([0, 1, 2, 3, 2], False, "negative_binomial"),
        ([0, 1, 2, 3, 2], True, "ordered_logit"),
        ([0, 12, 2, 30, 2], True, "normal"),
        ([0.1, 0.5, 0.9, 0.3, 0.2], False, "beta"),
        ([0.1, 0.2, 0.3, 0.4, 30.0, 0.5, 0.1], False, "gamma"),
        ([-1.5, 2.0, 3.0, 0.0, 1.0], False, "normal"),
    ],
)
def test_a_response_s_family_is_that_of_its_values(values, mediator, family):
    """Worked by hand."""
    assert guess_response(np.array(values, dtype=float), mediator=mediator, levels=True).family == family


def test_constants_are_round_numbers():
    """To two digits of the SD; a rare binary parent's slope is scaled as that of even groups."""
    assert rounded(55.748, 13.8) == 56.0
    assert rounded(2.4183, 0.71) == 2.42
    assert spread_of(np.array([0.0] * 99 + [1.0])) == 0.5
    assert guess_contrast(np.array([0.0, 1.0, 1.0]))[0] == [0.0, 1.0]
    assert guess_contrast(np.array([1.0, 2.0, 4.0, 9.0, 3.0]))[0] == [3.0, 4.0]
    assert guess_covariate(np.array([1.0, 2.0, 2.0, 1.0]))[0] == {"center": 1.5}
    assert guess_covariate(np.array([1.0, 2.0, 3.0, 1.0]))[0] == {"levels": [1.0, 2.0, 3.0]}
    skewed = np.array([0, 0, 1, 1, 1, 2, 3, 4, 9, 40], dtype=float)
    assert guess_covariate(skewed)[0]["transform"] == "log1p"


def test_all_that_cannot_be_used_is_said_at_once(frame):
    """Missing, text, constant and doubled columns."""
    bad = frame.assign(sex="f", town=1)
    with pytest.raises(SurveyError) as caught:
        sp.draft(bad, exposure="group", mediators=["mood", "mood"], outcome="visits", covariates=["sex", "town"])
    assert len(caught.value.problems) == 4
    with pytest.raises(SurveyError, match="lists of names"):
        sp.draft(bad, exposure="groups", mediators="mood", outcome="visits")


def test_a_draft_is_fitted_in_one_call(frame):
    """By `mediate`, as by `draft` and `fit`, and passes the verdict."""
    options = sp.SamplerOptions(draws=1000, tune=500, chains=4)
    roles = ROLES | {"mediators": ["mood"]}
    fit = sp.mediate(frame, **roles, seed=2, options=options)
    again = sp.fit(sp.draft(frame, **roles), frame, seed=2, options=options)
    pd.testing.assert_frame_equal(fit.effects().table(), again.effects().table())
    assert fit.diagnose().clean


def test_an_exposure_of_texts_is_drafted_as_a_category():
    """Each level against the most frequent, one prior for all of its indicators; moderators go with it."""
    rng = np.random.default_rng(3)
    kind = rng.permutation(np.repeat(["alone", "choir", "sport"], [24, 18, 18]))
    frame = pd.DataFrame({"kind": kind, "age": rng.normal(50, 9, 60), "mood": rng.normal(5, 1, 60)})
    frame["visits"] = rng.poisson(3, 60)
    moderators = {"age": ["kind -> mood"]}
    model = sp.draft(frame, exposure="kind", mediators=["mood"], outcome="visits", moderators=moderators)
    assert model.terms(model.equations[0]) == (
        "intercept", "kind[choir]", "kind[sport]", "age:kind[choir]", "age:kind[sport]", "age",
    )  # fmt: skip
    assert [move.label for move in model.moves] == ["choir against alone", "sport against alone"]
    assert sp.check(frame, model).passed


@pytest.mark.parametrize("role", ["exposure", "covariate", "further"])
def test_the_most_frequent_level_is_the_reference(role, frame):
    """Not the first of the alphabet, which may be rare; the draft says how many have it."""
    kinds = np.repeat(["choir", "none", "sport"], [12, len(frame) - 52, 40])
    frame = frame.assign(activity=np.random.default_rng(1).permutation(kinds))
    roles = {
        "exposure": {**ROLES, "exposure": "activity"}, "covariate": {**ROLES, "covariates": ["activity"]},
        "further": {**ROLES, "exposure": ["groups", "activity"]},
    }[role]  # fmt: skip
    found = draft_with_reasons(frame, **roles)
    own = next(covariate for covariate in found.model.covariates if covariate.name == "activity")
    assert own.level_names == ("none", "choir", "sport")
    assert f"the most frequent ({len(frame) - 52} of {len(frame)})" in found.reasons["activity"]


def test_several_exposures_each_have_effects_of_their_own(frame):
    """Categories by levels, numbers by one contrast, whichever comes first; one name stays what it was."""
    frame = frame.assign(activity=np.repeat(["choir", "none", "sport"], [70, 40, 40]))
    roles = {**ROLES, "covariates": ["age"]}
    model = sp.draft(frame, **{**roles, "exposure": ["groups", "activity", "sex"]})
    assert model.exposure == "groups"
    low, high = model.contrast
    assert high == low + 1
    assert [move.label for move in model.moves] == [
        f"groups: {high:g} against {low:g}", "activity: none against choir", "activity: sport against choir",
        "sex: 2 against 1",
    ]  # fmt: skip
    first = sp.draft(frame, **{**roles, "exposure": ["activity", "groups"]})
    assert [exposure.name for exposure in first.exposures] == ["activity", "groups"]
    assert first.terms(first.equations[0]) == (
        "activity[none]", "activity[sport]", "groups", "age"
    )  # fmt: skip
    assert sp.draft(frame, **{**roles, "exposure": ["groups"]}) == sp.draft(frame, **roles)
