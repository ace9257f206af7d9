"""Products of variables: the engine and the readable PyMC model have one density, whatever is missing."""

from __future__ import annotations

import tomllib

import pytest
from known_truth import with_gaps
from readable import assert_equal

from bayes_sp.design.build import design_arrays
from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model, models_folder

PRODUCTS = {
    0: ["gender:group_change", "education:group_change", "gender:education", "gender:education:group_change"],
    1: ["belonging_t1:group_change", "loneliness_t0:belonging_t1", "gender:belonging_t1", "gender:loneliness_t0",
        "loneliness_t0:gender:belonging_t1"],
    2: ["gender:belonging_t1", "belonging_t1:loneliness_t1", "group_change:loneliness_t1"],
}  # fmt: skip


def moderated(name: str = "primary", **equations: list[str]):
    tables = tomllib.loads((models_folder() / f"{name}.toml").read_text())
    for j, products in PRODUCTS.items():
        tables["equation"][j]["products"] = products
    return load_model(tables, name="moderated")


@pytest.mark.parametrize(
    "gaps",
    [
        {},
        {"gender": range(3), "education": range(2, 5)},
        {"loneliness_t0": range(4)},
        {"loneliness_t1": range(4), "appointments_t1": range(6, 9)},
        {"group_change": range(3)},
    ],
    ids=["complete", "levels of moderators", "numbers of a moderator", "a mediator", "the exposure"],
)
def test_engine_and_readable_model_agree(study_survey, gaps):
    """Values are equal, and the gradient is that of the density."""
    model = moderated()
    assert_equal(model, design_arrays(model, with_gaps(study_survey, **gaps)))


def test_products_of_a_variable_measured_with_error(study_survey):
    """A hidden value times a moderator is a term like the hidden value itself."""
    tables = tomllib.loads((models_folder() / "latent.toml").read_text())
    tables["equation"][2]["products"] = ["gender:loneliness_t1", "group_change:loneliness_t1"]
    model = load_model(tables, name="moderated")
    assert_equal(model, design_arrays(model, study_survey))


def test_two_unknown_values_in_one_product_are_refused(study_survey):
    """A moderator that is missing as a number times a mediator that is missing has no account, which is said."""
    model = moderated()
    survey = with_gaps(study_survey, loneliness_t0=range(3), belonging_t1=range(5, 8))
    with pytest.raises(SurveyError, match=r'loneliness_t0: values are missing.*belonging_t1.*missing = "complete"'):
        assert_equal(model, design_arrays(model, survey))
