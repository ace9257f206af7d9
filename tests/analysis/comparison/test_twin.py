"""The normal twin: what is set beside a model so that only the likelihood differs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tomli_w

from bayes_sp.errors import SpecificationError
from bayes_sp.model.checks.model import check_model
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.reading.load import load_model


def as_normal(tables) -> None:
    """Turn the small specification into one that could be its own twin."""
    tables["equation"][1]["family"] = "normal"
    del tables["priors"]["phi"], tables["priors"]["visits"]


@pytest.fixture
def pair(tmp_path, small_tables):
    """Return a function that writes a model naming a twin, and the twin after a change, and looks the twin up."""

    def look_up(change=lambda tables: None):
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "count.toml").write_text(tomli_w.dumps({**small_tables, "twin": "plain"}), encoding="utf-8")
        as_normal(small_tables)
        change(small_tables)
        (folder / "plain.toml").write_text(tomli_w.dumps(small_tables), encoding="utf-8")
        return twin_of(load_model(folder / "count.toml"))

    return look_up


def test_a_normal_model_is_its_own_twin():
    """There is nothing else to set beside it."""
    model = load_model("process6")
    assert twin_of(model) is model


def test_the_primary_models_twin_is_the_articles_analysis():
    """The shipped model names the published regressions as its twin."""
    assert twin_of(load_model("primary")) == load_model("process6")


def test_a_twin_is_found_beside_its_model(pair):
    """A user's twin stands in the folder of the user's model."""
    assert pair().name == "plain"


def test_a_model_that_names_no_twin_gets_a_flat_normal_one(small_model):
    """The derived twin differs in families and priors alone: flat, so that its posterior belongs to least squares."""
    twin = twin_of(small_model)
    assert {equation.family for equation in twin.equations} == {"normal"}
    assert [equation.parents for equation in twin.equations] == [e.parents for e in small_model.equations]
    for equation in twin.equations:
        assert {twin.prior(equation.response, term).dist for term in twin.terms(equation)} == {"flat"}
        assert twin.prior(equation.response, "sigma").dist == "half_flat"
    same = replace(twin, name=small_model.name, equations=small_model.equations, priors=small_model.priors)
    assert same == small_model
    assert check_model(twin) == []
    assert twin_of(twin) is twin


def chain(tables):
    tables["equation"].insert(1, {"response": "sleep", "family": "normal"})


def edges(tables):
    tables["equation"][1]["parents"] = ["mood"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (chain, "twin: plain has the chain walks, mood, sleep, visits; it must be walks, mood, visits"),
        (edges, "twin: plain has other paths; its equations must have the parents of count's"),
        (lambda t: t.update(contrast=[0, 1]), "twin: plain has the contrast [0.0, 1.0]; it must be [0.0, 2.0]"),
        (lambda t: t["covariates"].update(weight={}), "twin: plain needs weight; every column must be one of count"),
        (lambda t: t.update(titel="x"), 'plain.toml: titel: unknown key; did you mean "title"?'),
    ],
)
def test_a_twin_that_would_compare_something_else_is_refused(pair, change, problem):
    """Another chain, other edges, another contrast, other columns, or a file with mistakes: the model is named."""
    with pytest.raises(SpecificationError) as caught:
        pair(change)
    assert caught.value.source == "count"
    assert any(problem in found for found in caught.value.problems)


def test_a_twin_with_a_count_family_is_refused(small_tables, tmp_path):
    """A twin has normal equations only."""
    for name in ("count", "other"):
        text = tomli_w.dumps({**small_tables, "twin": "other"})
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecificationError, match='the family of visits is "negative_binomial"; it must be "normal"'):
        twin_of(load_model(tmp_path / "count.toml"))


def test_a_twin_that_is_not_there_is_refused(small_model):
    """The error names the model, the key and the nearest name."""
    with pytest.raises(SpecificationError) as caught:
        twin_of(replace(small_model, twin="proces6"))
    assert caught.value.source == "small"
    assert caught.value.problems[0].startswith('twin: "proces6": is neither a shipped specification')
    assert caught.value.problems[0].endswith('did you mean "process6"?')
