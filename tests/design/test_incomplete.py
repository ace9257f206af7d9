"""Equations of incomplete covariates and of an incomplete exposure: priors that are stated, and those that are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayes_sp.design.build import design_arrays
from bayes_sp.design.incomplete import incomplete_priors
from bayes_sp.errors import SpecificationError
from bayes_sp.model.reading.load import load_model, parse_model
from bayes_sp.model.reading.write import specification_digest, specification_tables
from bayes_sp.records.published.reconstruct import reconstruct

STATED = {"dist": "normal", "mu": 4.0, "sigma": 0.5, "why": "a register of the town"}


def stated(model, **tables):
    """Return the specification with tables of priors for incomplete variables."""
    whole = specification_tables(model)
    return parse_model(whole | {"priors": whole["priors"] | tables}, name=model.name, source="a test")


@pytest.fixture(scope="module")
def primary():
    """Return the shipped specification."""
    return load_model("primary")


@pytest.fixture(scope="module")
def study_survey():
    """Return the study's records."""
    return reconstruct(seed=1)


@pytest.fixture
def holes(study_survey):
    """Return the study's records with six cells of age, education and the exposure missing."""
    records = study_survey.records.astype(float)
    for k, column in enumerate(("age", "education", "group_change")):
        records.loc[records.index[6 * k : 6 * k + 6], column] = np.nan
    return replace(study_survey, records=records)


def test_defaults_take_the_scale_of_the_observed_cells(primary, holes):
    """Intercept N(mean, 2 SD), residual SD half-normal(1.5 SD), slopes N(0, SD / column's SD), cutpoints N(0, 2)."""
    found = incomplete_priors(primary, design_arrays(primary, holes))
    change = holes.records["group_change"].to_numpy()
    spread, belonging = np.nanstd(change), holes.records["belonging_t0"].std(ddof=0)
    assert found["group_change"]["intercept"].numbers == pytest.approx((np.nanmean(change), 2.0 * spread))
    assert found["group_change"]["sigma"].numbers == pytest.approx((1.5 * spread,))
    assert found["education"]["cutpoint"].numbers == (0.0, 2.0)
    own = next(c for c in primary.covariates if c.name == "belonging_t0")
    slope = found["group_change"]["belonging_t0"].numbers
    assert slope == pytest.approx((0.0, spread / (belonging / own.scale)))


def test_stated_priors_take_their_place(primary, holes):
    """By a term's name, or for all slopes; the others stay, and the specification's digest differs."""
    model = stated(primary, age={"intercept": STATED, "slope": STATED}, education={"cutpoint": STATED})
    before = incomplete_priors(primary, design_arrays(primary, holes))
    found = incomplete_priors(model, design_arrays(model, holes))
    assert found["age"]["sigma"] == before["age"]["sigma"]
    assert {found["age"][name].numbers for name in found["age"] if name != "sigma"} == {(4.0, 0.5)}
    assert found["education"]["cutpoint"].why == STATED["why"]
    assert found["education"]["age"] == before["education"]["age"]
    assert specification_digest(model) != specification_digest(primary)
    assert parse_model(specification_tables(model), name=model.name, source="a test") == model


def test_priors_for_nothing_are_refused(primary):
    """All at once, each with its place."""
    with pytest.raises(SpecificationError) as caught:
        stated(primary, age={"shape": STATED, "sigma": STATED}, group_change={"belonging_t1": STATED})
    assert "priors.age.shape: there is no such parameter" in str(caught.value)
    assert "priors.group_change.belonging_t1: there is no such parameter" in str(caught.value)
    assert "priors.age.sigma.dist: Normal(mu=4, sigma=0.5) is a distribution on the real numbers" in str(caught.value)
