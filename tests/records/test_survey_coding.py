"""Columns, groups, observation windows and coded responses of every family."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from survey_whole import POSITIVE, REAL, TABLES, problems_of, survey_of, whole_records

from bayes_sp.design.build import design_arrays, equation_matrix, zero_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.reading.load import load_model


@pytest.fixture
def model():
    return load_model(TABLES, name="whole")


@pytest.fixture
def records() -> pd.DataFrame:
    return whole_records()


def test_columns_of_an_equation_with_every_part(model, records):
    """By hand: levels from 0, no intercept for ordered answers, exposure times centred mediator, own covariates."""
    design = design_arrays(model, survey_of(records))
    site = np.column_stack([(records["site"] == 2) - 1 / 3, (records["site"] == 3) - 1 / 3])
    age, ones = (records["age"] - 50) / 10, np.ones(40)
    first = np.column_stack([records["x"], age, records["smoker"], site])
    np.testing.assert_allclose(equation_matrix(model, design, 0), first)
    second = np.column_stack([ones, records["x"], records["sleep"] - 2.5, age, records["smoker"], site])
    np.testing.assert_allclose(equation_matrix(model, design, 1), second)
    mood = records["mood"] - 5
    last = np.column_stack([ones, records["x"], records["sleep"] - 1, mood, records["x"] * mood, site])
    np.testing.assert_allclose(equation_matrix(model, design, 2), last)
    np.testing.assert_allclose(zero_matrix(model, design, 2), np.column_stack([ones, records["sleep"] - 2.5, age]))
    assert zero_matrix(model, design, 0).shape == (40, 0)
    for j, equation in enumerate(model.equations):
        assert equation_matrix(model, design, j).shape[1] == len(model.terms(equation))


def test_what_else_a_design_holds(model, records):
    """Coded responses, groups with their labels in order, log windows, the SD of measurement error."""
    design = design_arrays(model, survey_of(records))
    np.testing.assert_array_equal(design.coded(0), records["sleep"] - 1)
    np.testing.assert_array_equal(design.y[:, 0], records["sleep"])
    codes, labels = design.groups["practice"]
    assert labels == ("North", "South", "West")
    assert [labels[code] for code in codes] == list(records["practice"])
    np.testing.assert_allclose(design.offsets["y"], np.log(records["months"] / 3))
    assert design.measurement_sd == {"mood": pytest.approx(records["mood"].std() * 0.5)}
    assert design.complete
    assert (design.missing, design.dropped) == ({}, 0)


def test_a_bounded_response_is_coded_between_its_ends():
    """Half a step beyond the scale, so that answers at its ends lie inside."""
    model = load_model("bounded")
    design = Design(
        exposure="x", mediators=("loneliness_t1",), outcome="y", families=(), x=np.zeros(3),
        y=np.column_stack([[1.0, 3.0, 5.0], [0.0, 1.0, 2.0]]), w=np.empty((3, 0)), covariate_terms=(),
        edges_exposure=np.array([True]), edges_mediators=np.array([[True]]), contrast=(0.0, 1.0),
        coding={"loneliness_t1": model.coding("loneliness_t1")},
    )  # fmt: skip
    np.testing.assert_allclose(design.coded(0), [0.0625 / 4.125, 0.5, 1 - 0.0625 / 4.125])
    np.testing.assert_array_equal(design.coded(1), [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        ([10, 9, 2], ("2", "9", "10")),
        (["b", "a", " c "], ("a", "b", "c")),
        (["10", "9", "x"], ("10", "9", "x")),
        ([1.0, 2.0, 3.0], ("1", "2", "3")),
    ],
)
def test_groups_are_in_the_order_of_their_labels(model, records, labels, known):
    """As numbers where all are whole numbers, else as text; a fraction of .0 is none."""
    practice = [labels[i % 3] for i in range(len(records))]
    codes, found = design_arrays(model, survey_of(records.assign(practice=practice))).groups["practice"]
    assert found == known
    assert np.bincount(codes).sum() == len(records)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"months": 0}, 'column "months": must be above 0; found at row 5 (0)'),
        ({"months": -3}, 'column "months": must be above 0; found at row 5 (-3)'),
        ({"sleep": 5}, 'column "sleep": must be on its scale, at most 4; found at row 5 (5)'),
        ({"sleep": 2.5}, 'column "sleep": must be a whole number without a fraction; found at row 5 (2.5)'),
        ({"smoker": 2}, 'column "smoker": must be one of its two values, 0 and 1; found at row 5 (2)'),
        (
            {"practice": 3.5},
            'column "practice": must be text or a whole number, because it names a group; found at row 5',
        ),
        ({"practice": " "}, 'column "practice": must have a group in every row; found at row 5 (empty)'),
    ],
)
def test_a_wrong_cell_of_the_new_kinds_is_named(model, records, change, problem):
    """By column and row, with no more than the cell."""
    ((name, value),) = change.items()
    column = records[name].astype(object if name == "practice" else float)
    column[4] = value
    (found,) = problems_of(model, records.assign(**{name: column}))
    assert found.startswith(problem)
    assert "North" not in found


@pytest.mark.parametrize("labels", [["one"] * 40, [1] * 40])
def test_a_single_group_is_refused(model, records, labels):
    """There is no variation between one group."""
    (found,) = problems_of(model, records.assign(practice=labels))
    assert found == 'column "practice": must have at least two groups; leave varying out where there is one'


@pytest.mark.parametrize(("step", "refused"), [({}, True), ({"step": 0.5}, False)])
def test_an_answer_at_the_end_of_a_bounded_scale_needs_a_step(records, step, refused):
    """Without a step the likelihood has no mass at the ends."""
    tables = {
        **TABLES,
        "variables": {"mood": {"min": 0, "max": 10, **step}},
        "covariates": {},
        "equation": [{"response": "mood", "family": "beta"}, {"response": "y", "family": "poisson"}],
        "priors": {"intercept": REAL, "slope": REAL, "precision": POSITIVE},
    }
    steps = (2 * records["mood"]).round() / 2  # answers on the steps of the scale
    frame = records.assign(mood=steps.clip(0.5, 9.5).where(records.index != 4, 10.0))
    model = load_model(tables, name="bounded")
    if refused:
        (found,) = problems_of(model, frame)
        assert found.startswith('column "mood": must be inside its scale')
        assert found.endswith("found at row 5 (10)")
    else:
        coded = design_arrays(model, survey_of(frame)).coded(0)
        assert 0 < coded.min() < coded.max() < 1


@pytest.mark.parametrize("value", [0, -1.5])
def test_a_positive_response_is_above_zero(records, value):
    """Zero costs have no density under a gamma likelihood."""
    tables = {
        **TABLES,
        "variables": {},
        "covariates": {},
        "equation": [{"response": "mood", "family": "normal"}, {"response": "y", "family": "gamma"}],
        "priors": {"intercept": REAL, "slope": REAL, "sigma": POSITIVE, "shape": POSITIVE},
    }
    frame = records.assign(y=(records["y"] + 0.5).where(records.index != 4, value))
    (found,) = problems_of(load_model(tables, name="costs"), frame)
    assert found == f'column "y": must be above 0; found at row 5 ({value:g})'
