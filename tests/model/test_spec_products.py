"""Products in a specification: terms, priors, rules, and text that reads back."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import replace

import pytest

from bayes_sp.errors import SpecificationError
from bayes_sp.model.checks.model import check_model
from bayes_sp.model.normal_twin import twin_of
from bayes_sp.model.reading.load import load_model, models_folder
from bayes_sp.model.reading.write import specification_tables, specification_text

PRIMARY = tomllib.loads((models_folder() / "primary.toml").read_text())


def tables(**products):
    """Return the primary specification with products by the number of the equation, and top-level keys."""
    found = copy.deepcopy(PRIMARY)
    for key, value in products.items():
        if key.startswith("e"):
            found["equation"][int(key[1:])]["products"] = value
        else:
            found[key] = value
    return found


def problems(**products) -> str:
    with pytest.raises(SpecificationError) as error:
        load_model(tables(**products))
    return str(error.value)


def test_a_product_is_one_term_or_one_for_each_level():
    """Texts and lists say the same; covariates with levels give a term for each level but the first."""
    model = load_model(tables(e0=["gender:group_change", ["education", "group_change"]]))
    names = ("gender:group_change", "education[2]:group_change", "education[3]:group_change")
    assert model.terms(model.equations[0])[2:5] == names
    assert model.moderating == ("gender", "education")
    assert model == load_model(tables(e0=[["gender", "group_change"], "education:group_change"]))


def test_products_survive_being_written():
    """Products and moderators read back to an equal specification, and its text has them in one line each."""
    model = load_model(
        tables(e0=["gender:group_change"], e2=["belonging_t1:loneliness_t1"], moderators={"gender": [2]})
    )
    assert load_model(tomllib.loads(specification_text(model)), name=model.name) == model
    assert specification_tables(model)["equation"][0]["products"] == ["gender:group_change"]
    assert specification_tables(load_model(PRIMARY))["equation"][0].keys() == {"response", "family", "parents"}
    twin = twin_of(replace(model, twin=""))
    assert [equation.products for equation in twin.equations] == [equation.products for equation in model.equations]
    assert check_model(twin) == []


def test_the_prior_of_a_product_is_the_most_special_one():
    """The level's own, the product's, ``interaction``, ``slope``; the equation's table before the model's."""
    given = tables(e0=["education:group_change"])
    level, product = "education[2]:group_change", "education:group_change"
    response = "belonging_t1"
    assert load_model(given).prior_place(response, level) == ("", "slope")
    for name in ("interaction", product, level):
        given["priors"][name] = {"dist": "normal", "mu": 0, "sigma": 0.1, "why": "a test"}
        assert load_model(given).prior_place(response, level) == ("", name)
    given["priors"][response] = {product: {"dist": "normal", "mu": 0, "sigma": 0.2, "why": "a test"}}
    assert load_model(given).prior_place(response, level) == (response, product)
    given["priors"]["gender:group_change"] = given["priors"]["interaction"]
    with pytest.raises(SpecificationError, match=r"priors\.gender:group_change"):
        load_model(given)


def test_every_wrong_product_is_named_in_one_error():
    """Unknown names, the response, what comes later, no main effect, twice the same, two covariates."""
    found = problems(
        e0=["gendre:group_change", "belonging_t1:gender", "loneliness_t1:gender", "gender:gender", "gender:age",
            "gender:group_change", "group_change:gender"],
        moderators={"belonging_t1": [1], "relationship": [1], "nobody": [1], "gender": [1, 2]},
    )  # fmt: skip
    for words in (
        'equation[1].products: "gendre:group_change": "gendre" is neither a parent of belonging_t1 nor in [covariates]',
        'did you mean "gender"', '"belonging_t1" is the response itself', '"loneliness_t1" comes after belonging_t1',
        '"gender:gender" has "gender" twice', '"gender:age": both are covariates', "stands twice",
        "moderators.belonging_t1: comes after the exposure, which could change it", "moderators.nobody: is not in",
        "moderators.relationship: stands in no product",
    ):  # fmt: skip
        assert words in found


def test_a_product_of_three_has_a_term_for_each_combination_of_levels():
    """Two moderators with one arrow, beside the products of each two, in any order; and it reads back."""
    written = ["gender:group_change", "group_change:education", "education:gender", "gender:education:group_change"]
    model = load_model(tables(e0=written))
    assert model.terms(model.equations[0])[7:9] == (
        "gender:education[2]:group_change", "gender:education[3]:group_change",
    )  # fmt: skip
    assert model.moderating_together == (("gender", "education"),)
    assert load_model(tomllib.loads(specification_text(model)), name=model.name) == model
    assert model.prior_place("belonging_t1", "gender:education[2]:group_change") == ("", "slope")
    given = tables(e0=written)
    given["priors"]["gender:education:group_change"] = {"dist": "normal", "mu": 0, "sigma": 0.1, "why": "a test"}
    found = load_model(given).prior_place("belonging_t1", "gender:education[2]:group_change")
    assert found == ("", "gender:education:group_change")


@pytest.mark.parametrize(
    ("products", "words"),
    [
        (["gender:age:group_change"],
         'stands without the products of each two of its variables; add "gender:age", "gender:group_change", '
         '"age:group_change"'),
        (["gender:group_change", "age:group_change", "gender:age", "gender:agee:group_change"],
         '"agee" is neither a parent of loneliness_t1 nor in [covariates]; did you mean "age"'),
        (["gender:gender:group_change"], 'has "gender" twice'),
        (["gender:age:education"], "has three covariates; a product of three is of two covariates with the exposure"),
        (["gender:belonging_t1:group_change"], "has the exposure or mediators belonging_t1, group_change"),
        (["gender:age:loneliness_t1"], '"loneliness_t1" is the response itself'),
        (["gender:age:education:group_change"], "must be a list of two or three variables each"),
        (["gender:age"], "both are covariates"),
        (["gender:group_change", "age:group_change", "gender:age", "gender:age:group_change",
          "age:gender:group_change"], "stands twice"),
    ],
)  # fmt: skip
def test_a_wrong_product_of_three_is_named_with_its_place(products, words):
    """Lower products that lack, unknown names, a variable twice, no arrow or two of them, four variables."""
    found = problems(e1=products)
    assert "equation[2].products" in found
    assert words in found


def test_a_product_needs_both_main_effects():
    """A parent that was taken out, and a covariate of other equations, are named with where to add them."""
    given = tables(e2=["belonging_t1:group_change", "gender:loneliness_t1"])
    given["equation"][2] |= {"parents": ["group_change", "loneliness_t1"], "covariates": ["age"]}
    with pytest.raises(SpecificationError) as error:
        load_model(given)
    assert '"belonging_t1" has no main effect here; add it to the parents of appointments_t1' in str(error.value)
    assert '"gender" has no main effect here; add it to the covariates of appointments_t1' in str(error.value)


def test_a_product_of_mediators_stands_where_effects_are_exact():
    """In the outcome's equation of two mediators, neither on a bounded scale nor with heavy tails."""
    given = tables(e2=["belonging_t1:loneliness_t1"])
    assert load_model(given).moderating == ()
    bounded = tomllib.loads((models_folder() / "bounded.toml").read_text())
    bounded["equation"][2]["products"] = ["belonging_t1:loneliness_t1"]
    with pytest.raises(SpecificationError, match='family "beta" of loneliness_t1 is not available in it'):
        load_model(bounded)
    ordinal = tomllib.loads((models_folder() / "ordinal.toml").read_text())
    ordinal["equation"][2]["products"] = ["gender:belonging_t1"]
    with pytest.raises(SpecificationError, match="enters by a monotonic effect, which has no product"):
        load_model(ordinal)


def test_levels_of_a_category_are_known():
    """A value under [moderators] that a covariate's levels do not have is refused."""
    found = problems(e0=["education:group_change"], moderators={"education": [2, 4]})
    assert "moderators.education: 4 is not among the levels 1, 2, 3" in found
