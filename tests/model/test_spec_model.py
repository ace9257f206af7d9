"""What a specification says once it is read: its terms, paths and priors, its text and its digest."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import replace

import pytest

from bayes_sp.errors import SpecificationError
from bayes_sp.model.distributions import DISTRIBUTIONS, Prior
from bayes_sp.model.path_model import Equation
from bayes_sp.model.reading.load import load_model, shipped_models
from bayes_sp.model.reading.write import specification_digest, specification_tables, specification_text


def normal(mu: float) -> dict:
    return {"dist": "normal", "mu": mu, "sigma": 1.0, "why": "told apart by mu"}


def test_defaults_are_written_out(small_tables):
    """Parents are every earlier variable, the contrast is 0 to 1, and a count family makes its response a count."""
    del small_tables["contrast"], small_tables["variables"], small_tables["published"]
    model = load_model(small_tables, name="small")
    assert model.equations == (Equation("mood", "normal", ("walks",)),
                               Equation("visits", "negative_binomial", ("walks", "mood")))  # fmt: skip
    assert model.contrast == (0.0, 1.0)
    assert (model.variable("visits").kind, model.variable("mood").kind) == ("count", "real")
    assert model.variable("age").label == "age"


def test_columns_and_terms_follow_the_file(small_model):
    """The survey's columns are the chain and the covariates; an equation's terms are intercept, parents, covariates."""
    assert small_model.columns == ("walks", "mood", "visits", "age", "visits_before", "housing")
    terms = small_model.terms(small_model.equations[1])
    assert terms == ("intercept", "walks", "mood", "age", "visits_before", "housing[2]", "housing[3]")


def test_levels_name_their_terms_as_they_are_written(small_tables):
    """A fractional or negative level keeps its digits in the term's name."""
    small_tables["covariates"]["housing"]["levels"] = [-1, 0.5, 12]
    assert load_model(small_tables).covariate_terms[-2:] == ("housing[0.5]", "housing[12]")


@pytest.mark.parametrize("mediators", [1, 2, 3])
def test_a_full_chain_has_every_increasing_path(small_tables, mediators):
    """K mediators give 2^K paths: the direct one first, then by length, then in the order of the chain."""
    small_tables["equation"][:1] = [{"response": f"m{k}", "family": "normal"} for k in range(mediators)]
    del small_tables["variables"]["mood"], small_tables["published"]
    paths = load_model(small_tables).named_paths()
    assert len(set(paths)) == 2**mediators
    assert paths[0] == ("walks", "visits")
    assert paths[1] == ("walks", "m0", "visits")
    assert paths[-1] == ("walks", *(f"m{k}" for k in range(mediators)), "visits")
    assert [len(path) for path in paths] == sorted(len(path) for path in paths)


def test_a_removed_edge_removes_its_paths(small_tables):
    """Without the exposure among the outcome's parents there is no direct path."""
    small_tables["equation"][1]["parents"] = ["mood"]
    del small_tables["priors"]["visits"]
    assert load_model(small_tables).named_paths() == (("walks", "mood", "visits"),)


def test_the_most_specific_prior_is_used(small_tables):
    """A term's own prior comes before its covariate's, 'covariate', 'slope'; an equation's before the model's."""
    small_tables["priors"] = {
        "intercept": normal(1), "slope": normal(2), "covariate": normal(3), "housing": normal(4),
        "housing[3]": normal(5),
        "sigma": small_tables["priors"]["sigma"], "phi": small_tables["priors"]["phi"],
        "visits": {"intercept": normal(11), "slope": normal(12), "covariate": normal(13), "housing": normal(14),
                   "mood": normal(16)},
    }  # fmt: skip
    model = load_model(small_tables)

    def mu(response, term):
        return model.prior(response, term).values["mu"]

    found = {term: mu("mood", term) for term in model.terms(model.equations[0])}
    assert found == {"intercept": 1, "walks": 2, "age": 3, "visits_before": 3, "housing[2]": 4, "housing[3]": 5}
    found = {term: mu("visits", term) for term in model.terms(model.equations[1])}
    # the equation's prior of the covariate comes before the whole model's of the term itself
    assert found == {
        "intercept": 11,
        "walks": 12,
        "mood": 16,
        "age": 13,
        "visits_before": 13,
        "housing[2]": 14,
        "housing[3]": 14,
    }
    assert model.prior("mood", "phi").dist == "lognormal"
    assert replace(model, priors=()).prior("mood", "walks") is None


@pytest.mark.parametrize("dist", DISTRIBUTIONS)
def test_a_prior_prints_as_it_would_be_written(small_tables, dist):
    """Every distribution is read with exactly its constants and prints with them."""
    known = DISTRIBUTIONS[dist]
    if known.support in ("simplex", "correlation"):
        prior = Prior(dist, tuple((name, 2.0) for name in known.arguments), "x")
        assert str(prior) == f"{known.display}({', '.join(f'{name}=2' for name in known.arguments)})"
        return
    where = "slope" if known.support == "real" else "sigma"
    small_tables["priors"][where] = {"dist": dist, "why": "x", **dict.fromkeys(known.arguments, 2)}
    prior = load_model(small_tables).prior("mood", "walks" if where == "slope" else "sigma")
    assert str(prior) == f"{known.display}({', '.join(f'{name}=2' for name in known.arguments)})"


@pytest.mark.parametrize("code", ["__import__('os').system('touch hacked')", "1/0", "Normal(0, 1)"])
def test_a_prior_is_never_evaluated_as_code(small_tables, in_folder, code):
    """Text where a number or a distribution belongs is a mistake, whatever it says."""
    small_tables["priors"]["slope"]["sigma"] = code
    small_tables["priors"]["sigma"]["dist"] = code
    with pytest.raises(SpecificationError) as caught:
        load_model(small_tables)
    first, second = caught.value.problems
    assert first == f"priors.slope.sigma: must be a finite number, found {code!r}"
    assert second.startswith(f"priors.sigma.dist: unknown dist {code!r}; ")
    assert list(in_folder.iterdir()) == []


@pytest.mark.parametrize("name", [*shipped_models(), "small"])
def test_a_specification_survives_being_written_and_read(small_model, name):
    """Text written from a path model reads back to an equal path model with the same digest."""
    model = small_model if name == "small" else load_model(name)
    again = load_model(tomllib.loads(specification_text(model)), name=name)
    assert again == model
    assert specification_text(again) == specification_text(model)
    assert specification_digest(again) == specification_digest(model)


def test_the_digest_ignores_the_order_of_keys_and_the_files_name(small_tables):
    """The same content in another layout has the same digest."""
    turned = {key: small_tables[key] for key in reversed(small_tables)}
    turned["priors"] = dict(reversed(turned["priors"].items()))
    turned["variables"] = dict(reversed(turned["variables"].items()))
    turned["contrast"] = [0.0, 2.0]
    assert specification_digest(load_model(turned, name="b")) == specification_digest(
        load_model(small_tables, name="a")
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(contrast=[0, 1]),
        lambda t: t["priors"]["slope"].update(sigma=0.51),
        lambda t: t["covariates"]["age"].update(center=51),
        lambda t: t["equation"][1].update(parents=["mood"], family="negative_binomial"),
        lambda t: t["variables"]["mood"].update(center=4),
        lambda t: t["assumptions"].append("More."),
        lambda t: t["published"].pop(),
    ],
)
def test_the_digest_changes_with_the_content(small_tables, change):
    """Whatever a result or a report depends on is in the digest."""
    before = specification_digest(load_model(copy.deepcopy(small_tables)))
    change(small_tables)
    if small_tables["equation"][1].get("parents") == ["mood"]:
        small_tables["priors"].pop("visits")
    assert specification_digest(load_model(small_tables)) != before


def test_tables_hold_nothing_that_is_empty(small_model):
    """Keys without content are left out of the written form."""
    tables = specification_tables(replace(small_model, question="", assumptions=(), published=()))
    assert not {"question", "assumptions", "published", "twin"} & set(tables)
