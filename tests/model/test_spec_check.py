"""Rules between the keys of a specification, and what a spoiled one can never do."""

from __future__ import annotations

import copy
import datetime
import random
from dataclasses import replace

import pytest

from bayes_sp.errors import SpecificationError
from bayes_sp.model.checks.model import check_model
from bayes_sp.model.path_model import Equation, PathModel
from bayes_sp.model.reading.load import load_model


def problems_of(tables) -> str:
    with pytest.raises(SpecificationError) as caught:
        load_model(tables, name="spoiled")
    return "\n".join(caught.value.problems)


@pytest.fixture
def two_mediators(small_tables):
    """Return the small specification with a second mediator between mood and visits."""
    small_tables["equation"].insert(1, {"response": "sleep", "family": "normal"})
    return small_tables


@pytest.mark.parametrize(
    ("equation", "parents", "problem"),
    [
        (0, ["mood"], 'equation[1].parents: "mood" cannot be its own parent'),
        (0, ["sleep"], 'equation[1].parents: "sleep" comes after "mood"; a parent stands earlier in the chain'),
        (0, ["visits"], 'equation[1].parents: "visits" comes after "mood"'),
        (1, ["walk"], 'equation[2].parents: "walk" is not in the chain; did you mean "walks"?'),
        (1, ["age"], 'equation[2].parents: "age" is not in the chain'),
        (2, ["walks", "walks"], 'equation[3].parents: "walks" stands 2 times'),
        (2, ["sleep", "walks"], "equation[3].parents: must be in the order of the chain: ['walks', 'sleep']"),
        (2, [], 'equation: no path leads from "walks" to "visits"'),
    ],
)
def test_parents_stand_earlier_in_the_chain(two_mediators, equation, parents, problem):
    """A parent that is later, unknown, doubled, out of order, or the response itself is refused: no circle can be."""
    two_mediators["equation"][equation]["parents"] = parents
    assert problem in problems_of(two_mediators)


def test_an_outcome_that_nothing_reaches_is_refused(two_mediators):
    """A chain broken in the middle has no path from the exposure to the outcome."""
    two_mediators["equation"][0]["parents"] = []
    two_mediators["equation"][1]["parents"] = ["mood"]
    two_mediators["equation"][2]["parents"] = ["sleep"]
    assert "no path leads" in problems_of(two_mediators)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda t: t["equation"].append(t["equation"][1]), '"visits" is the response of 2 equations'),
        (lambda t: t.update(exposure="mood"), 'exposure: "mood" is also the response of an equation'),
        (lambda t: t.update(outcome="visit"), 'outcome: no equation has the response "visit"; did you mean "visits"?'),
        (lambda t: t["equation"].reverse(), 'the last equation must be the outcome\'s ("visits"), found "mood"'),
        (lambda t: t["equation"].pop(0), "needs at least one mediator and the outcome, found 1 equation"),
        (lambda t: t.update(equation=[]), "needs at least one mediator and the outcome, found 0 equations"),
        (
            lambda t: t["equation"][0].update(family="zero_inflated_negative_binomial"),
            'equation[1].family: "zero_inflated_negative_binomial" is not available for a mediator',
        ),
        (lambda t: t["covariates"].update(mood={}), "covariates.mood: is already in the chain"),
        (lambda t: t["covariates"].update(walks={}), "covariates.walks: is already in the chain"),
        (lambda t: t["covariates"]["housing"].update(center=1), "covariates.housing: levels go without transform"),
        (
            lambda t: t["covariates"]["housing"].update(levels=[1000001, 1000002]),
            "covariates.housing.levels: must be 2 or more numbers that differ in their first six digits",
        ),
        (lambda t: t["variables"].update(moods={}), "variables.moods: the model has no such variable; did you mean"),
        (lambda t: t["variables"]["mood"].update(min=10), "variables.mood: min (10) must be below max (10)"),
        (lambda t: t["variables"]["visits"].update(min=-1), "variables.visits.min: a count cannot be below 0"),
        (lambda t: t["variables"]["visits"].update(kind="real"), 'variables.visits.kind: must be "count"'),
        (lambda t: t["variables"].update(age={"center": 50}), "variables.age.center: has no effect"),
        (lambda t: t["variables"]["visits"].update(center=3), "variables.visits.center: has no effect"),
        (
            lambda t: t["published"][0].update(path="walks -> visit"),
            'published[1].path: "walks -> visit" is not a path',
        ),
        (lambda t: t["published"][0].pop("upper"), "published[1]: lower and upper must both stand"),
        (lambda t: t["published"][0].update(lower=1), "published[1]: lower and upper must both stand"),
        (lambda t: t["published"][0].update(estimate=[]), "published[1].estimate: must hold at least one number"),
        (lambda t: t["published"][0].update(path="total"), 'published: "total" stands 2 times'),
    ],
)
def test_rules_between_keys(small_tables, spoil, problem):
    """A specification whose parts contradict each other is refused with the key that does."""
    spoil(small_tables)
    assert problem in problems_of(small_tables)


def test_a_twin_of_a_normal_model_is_refused(small_tables):
    """A model with normal equations only is its own twin; naming another would have no effect."""
    small_tables["twin"] = "process6"
    small_tables["equation"][1]["family"] = "normal"
    small_tables["variables"]["visits"]["kind"] = "real"
    del small_tables["priors"]["phi"]
    assert "twin: every equation is normal" in problems_of(small_tables)


@pytest.mark.parametrize(
    "name",
    ["sigma", "phi", "intercept", "slope", "covariate", "patient", "chain", "draw", "dist", "sigma_response",
     "two words", "1st", "a-b", "walks -> mood"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["exposure", "response", "covariate"])
def test_a_name_with_a_meaning_of_its_own_is_refused(small_tables, name, place):
    """Names of parameters and of a posterior's dimensions, and names that are no identifiers, name no variable."""
    if place == "exposure":
        small_tables["exposure"] = name
    elif place == "response":
        small_tables["equation"][0]["response"] = name
    else:
        small_tables["covariates"][name] = {}
    assert f'"{name}" cannot name a variable' in problems_of(small_tables)


@pytest.mark.parametrize("ending", ["term", "x", "y", "observed"])
def test_responses_whose_names_would_collide_are_refused(two_mediators, ending):
    """What is stored for ``mood`` is named mood_term, mood_x, mood_y and mood_observed: no other response may be."""
    two_mediators["equation"][1]["response"] = f"mood_{ending}"
    assert f'"mood" and "mood_{ending}" cannot stand in one model' in problems_of(two_mediators)


@pytest.mark.parametrize(
    ("prior", "problem"),
    [
        (
            {"dist": "half_normal", "sigma": 1, "why": "x"},
            "priors.slope.dist: HalfNormal(sigma=1) is a distribution on ",
        ),
        ({"dist": "gamma", "alpha": 1, "beta": 1, "why": "x"}, "on the positive numbers; slope needs a real one"),
    ],
)
def test_a_prior_on_the_wrong_support_is_refused(small_tables, prior, problem):
    """A coefficient needs a prior on all real numbers."""
    small_tables["priors"]["slope"] = prior
    assert problem in problems_of(small_tables)


@pytest.mark.parametrize("parameter", ["sigma", "phi"])
def test_a_positive_parameter_needs_a_positive_prior(small_tables, parameter):
    """A residual SD or a dispersion cannot have a normal prior."""
    small_tables["priors"][parameter] = {"dist": "normal", "mu": 0, "sigma": 1, "why": "x"}
    assert f"Normal(mu=0, sigma=1) is a distribution on the real numbers; {parameter} needs" in problems_of(
        small_tables
    )


@pytest.mark.parametrize(
    ("where", "name", "hint"),
    [
        (None, "visits", 'did you mean "visits_before"?'),
        ("visits", "sigma", "known: "),
        ("mood", "phi", "known: "),
        ("mood", "visits", 'did you mean "visits_before"?'),
        ("visits", "mod", 'did you mean "mood"?'),
        ("visits", "housing[1]", 'did you mean "housing[3]"?'),
    ],
)
def test_a_prior_of_no_parameter_is_refused(small_tables, where, name, hint):
    """A prior that nothing would use is a mistake: the outcome is no parent, and the first level has no coefficient."""
    prior = {"dist": "normal", "mu": 0, "sigma": 1, "why": "x"}
    small_tables["priors"].pop("visits")
    (small_tables["priors"].setdefault(where, {}) if where else small_tables["priors"])[name] = prior
    found = problems_of(small_tables)
    assert "there is no such parameter" in found
    assert hint in found


@pytest.mark.parametrize("parameter", ["intercept", "slope", "sigma", "phi"])
def test_every_parameter_needs_a_prior(small_tables, parameter):
    """There is no default prior that nobody has thought about."""
    del small_tables["priors"][parameter]
    assert f"priors.{parameter}: is missing" in problems_of(small_tables)


def test_a_path_model_made_in_code_obeys_the_same_rules(small_model):
    """Rules speak of the path model, wherever it comes from."""
    assert check_model(small_model) == []
    spoiled = replace(small_model, equations=(Equation("mood", "poison", ("walks",)), small_model.equations[1]))
    assert check_model(spoiled) == ['equation[1].family: unknown family "poison"; did you mean "poisson"?']


# --- mutations -------------------------------------------------------------------------------------------------------

TEXTS = (
    "",
    "x",
    "walks",
    "mood",
    "visits",
    "age",
    "total",
    "normal",
    "flat",
    "__import__('os').getcwd()",
    "\n",
    "é" * 50,
)
VALUES: tuple[object, ...] = (
    None, True, 0, -1, 3, 1e308, 10**400, float("nan"), [], [[]], [None], {}, {"dist": "flat"}, {"": 1},
    datetime.date(2019, 11, 14),
)  # fmt: skip


def places(node, path=()):
    """Yield the path of every key and item below a node."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def mutate(tables, rng: random.Random) -> None:
    """Delete, replace or add one thing somewhere in a specification."""
    *above, last = rng.choice(list(places(tables)))
    parent = tables
    for key in above:
        parent = parent[key]
    action = rng.choice(("delete", "text", "value", "add", "copy"))
    if action == "delete":
        del parent[last]
    elif action == "text":
        parent[last] = rng.choice(TEXTS)
    elif action == "value":
        parent[last] = copy.deepcopy(rng.choice(VALUES))
    elif action == "add" and isinstance(parent, dict):
        parent[rng.choice(TEXTS)] = copy.deepcopy(rng.choice((*VALUES, *TEXTS)))
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[last]))


def outcome_of(tables) -> PathModel | SpecificationError:
    try:
        return load_model(tables, name="mutated")
    except SpecificationError as error:
        return error


@pytest.mark.parametrize("seed", range(4))
def test_a_spoiled_specification_is_read_or_refused_but_never_crashes(small_tables, seed):
    """Hundreds of random mutations give a sound path model or a SpecificationError, and nothing else."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    read = refused = 0
    for _ in range(150):
        tables = copy.deepcopy(small_tables)
        for _ in range(rng.randint(1, 3)):
            mutate(tables, rng)
        found = outcome_of(tables)
        if isinstance(found, PathModel):
            assert check_model(found) == []
            read += 1
        else:
            assert found.problems
            assert str(found).startswith("mutated: ")
            refused += 1
    assert read > 5
    assert refused > 50
