"""``[exposures]``, ``[joint]`` and ``[contrasts]``: what they mean, and every mistake with its place."""

from __future__ import annotations

import tomllib

import pytest

from bayes_sp.errors import BayesSpError, SpecificationError
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_text
from bayes_sp.sensitivity.prior.terms import along
from bayes_sp.sensitivity.target import Target, target_of, viewed

PRIORS = {
    "intercept": {"dist": "normal", "mu": 0, "sigma": 10, "why": "wide"},
    "slope": {"dist": "normal", "mu": 0, "sigma": 5, "why": "wide"},
    "sigma": {"dist": "half_normal", "sigma": 5, "why": "wide"},
}


def tables(**more):
    return {
        "title": "Activity, sleep and days off",
        "exposure": "activity",
        "outcome": "days_off",
        "exposures": {"activity": {"levels": ["none", "sport", "choir"]}},
        "equation": [{"response": name, "family": "normal"} for name in ("sleep", "days_off")],
        "priors": PRIORS,
    } | more


def problems(**more) -> str:
    with pytest.raises(SpecificationError) as error:
        load_model(tables(**more))
    return str(error.value)


def test_a_category_enters_by_its_indicators():
    """Of every level but the reference, which is compared with each other level, under one prior."""
    own = {"dist": "normal", "mu": 0, "sigma": 1, "why": "one for all levels"}
    exposures = {"activity": {"levels": ["sport", "none", "choir"], "reference": "none"}}
    model = load_model(tables(exposures=exposures, priors={**PRIORS, "activity": own}))
    assert model.terms(model.equations[1]) == ("intercept", "activity[sport]", "activity[choir]", "sleep")
    assert [move.label for move in model.moves] == ["sport against none", "choir against none"]
    assert {model.prior("sleep", f"activity[{level}]").why for level in ("sport", "choir")} == {"one for all levels"}
    assert model.prior_place("sleep", "activity[sport]") == ("", "activity")
    assert model.effect_names[0] == "activity -> days_off [sport against none]"


def test_what_is_written_is_read_back():
    """Levels, pairs, further exposures, the joint contrast and contrasts."""
    exposures = {
        "activity": {"levels": [3, 1, 2], "pairs": [[3, 1], [1, 2]]},
        "walks": {"contrast": [1, 4]},
        "shift": {"levels": ["day", "night"]},
    }
    model = load_model(
        tables(
            exposures=exposures,
            covariates={"walks": {"transform": "log1p"}, "age": {"center": 40}},
            joint={"activity": [3, 2], "shift": ["day", "night"]},
            contrasts={"mine": ["total [together]", "direct [walks: 4 against 1] at age = 50"]},
        )
    )
    again = load_model(tomllib.loads(specification_text(model)), name=model.name)
    assert again == model
    assert [move.label for move in model.moves] == [
        "activity: 1 against 3", "activity: 2 against 1", "walks: 4 against 1", "shift: night against day", "together",
    ]  # fmt: skip
    assert model.contrast == (3.0, 1.0)


def test_every_mistake_stands_in_one_error():
    """Each with its key path, what was found and the nearest known name."""
    category = {"levels": ["none", "sport"], "reference": "nothing", "pairs": [["none", "sprot"], ["sport", "sport"]]}
    text = problems(exposures={"activity": category, "walks": {}}, contrast=[0, 1], joint={"wlks": [0, 1]})
    for words in (
        "exposures.activity.reference: must be one of the levels, found 'nothing'; the levels are none, sport",
        "exposures.activity.pairs: 'sprot' is no level of activity; did you mean \"sport\"",
        "exposures.walks.contrast: is missing",
        "contrast: is for an exposure that is a number",
        'joint.wlks: is not in [exposures]; did you mean "walks"',
    ):
        assert words in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"exposures": {"activity": {"levels": [1, 2], "pairs": [[1, 3]]}}}, "activity.pairs: 3 is not among"),
        ({"exposures": {"activity": {"levels": [1, 2], "pairs": [[2, 2]]}}}, "[2, 2] compares a value with itself"),
        ({"exposures": {"activity": {"levels": [1, 2], "pairs": [[1, 2], [1, 2]]}}}, "[1, 2] stands 2 times"),
        ({"exposures": {"activity": {"levels": [1, 2], "pairs": [[1]]}}}, "pairs: must be two values [from, to]"),
        ({"exposures": {"activity": {"pairs": [[0, 1]], "contrast": [0, 1]}}}, "pairs: goes without contrast"),
        ({"exposures": {"sleep": {"contrast": [0, 1]}}}, "exposures.sleep: comes after the exposure"),
        ({"joint": {"activity": ["none", "sport"]}}, "joint: must name two exposures or more"),
        ({"joint": {"activity": ["none", "sport"]}, "exposures": {}}, "joint.activity: is not in [exposures]"),
        ({"covariates": {"activity": {}}}, "exposures.activity: stands in [covariates] too"),
        ({"moderators": {"walks": [1]}, "exposures": {"walks": {"contrast": [0, 1]}}}, "walks: is an exposure"),
        ({"contrasts": {"a": ["total", "direct"]}}, 'contrasts.a: "total": add what is compared: [sport against none]'),
        ({"contrasts": {"a": ["total [sport against none]"]}}, "contrasts.a: must be two effects"),
        (
            {"exposures": {"walks": {"contrast": [0, 1]}},
             "equation": [{"response": "sleep", "family": "normal", "covariates": []},
                          {"response": "days_off", "family": "normal", "covariates": []}]},
            "exposures.walks: no path leads from it",
        ),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place(more, words):
    """One each."""
    assert words in problems(**more)


def test_analyses_of_one_effect_say_what_they_compare():
    """By the effect's name; a view of the specification compares that alone, with the coefficients that it moves."""
    model = load_model(tables())
    view, target = viewed(model, Target("total [choir against none]"))
    assert (target.path, view.ends, view.effect_names[-1]) == ("total", ({"activity": (0.0, 2.0)}, (0.0, 1.0)), "total")
    own = {("sleep", "activity[sport]"), ("sleep", "activity[choir]"), ("days_off", "sleep")}
    assert set(along(view, "activity -> sleep -> days_off")) == own
    assert viewed(view, target) == (view, target)
    assert target_of(model).path == "activity -> sleep -> days_off [sport against none]"
    with pytest.raises(BayesSpError, match=r'has no path "total \[sport\]"'):
        target_of(model, "total [sport]")


def test_an_outcome_without_an_equation_is_all_that_is_wrong():
    """Paths to it are not looked for."""
    assert "days_ill" in problems(outcome="days_ill")


def test_a_monotonic_parent_of_an_unknown_family_is_named():
    """By its family; nothing is made of its levels."""
    equations = [
        {"response": "sleep", "family": "ranks"},
        {"response": "days_off", "family": "normal", "monotonic": ["sleep"]},
    ]
    assert "equation[1].family: unknown family 'ranks'" in problems(equation=equations)
