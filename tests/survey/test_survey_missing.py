"""Missing cells, groups, observation windows and coded responses: what is read, what is refused, what arrays hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.errors import SurveyError
from bayes_sp.spec.load import load_model
from bayes_sp.survey.arrays import complete_cases, design_arrays, equation_matrix, zero_matrix
from bayes_sp.survey.design import Design
from bayes_sp.survey.notes import survey_notes, treatment
from bayes_sp.survey.read import read_survey
from bayes_sp.survey.records import Survey

REAL = {"dist": "normal", "mu": 0.0, "sigma": 1.0, "why": "x"}
POSITIVE = {"dist": "lognormal", "mu": 0.0, "sigma": 1.0, "why": "x"}
TABLES = {
    "title": "Whole",
    "exposure": "x",
    "outcome": "y",
    "variables": {
        "sleep": {"kind": "integer", "min": 1, "max": 4, "center": 2.5},
        "mood": {"min": 0, "max": 10, "center": 5},
        "smoker": {"kind": "binary"},
    },
    "covariates": {"age": {"center": 50, "scale": 10}, "smoker": {}, "site": {"levels": [1, 2, 3]}},
    "equation": [
        {"response": "sleep", "family": "ordered_logit"},
        {"response": "mood", "family": "latent_normal", "reliability": 0.75, "varying": "practice"},
        {
            "response": "y", "family": "hurdle_negative_binomial", "monotonic": ["sleep"], "interactions": ["mood"],
            "covariates": ["site"], "zero": ["sleep", "age"], "offset": "months", "offset_reference": 3,
        },
    ],
    "priors": {
        "intercept": REAL, "slope": REAL, "cutpoint": REAL, "zero_intercept": REAL, "zero_slope": REAL,
        "sigma": POSITIVE, "phi": POSITIVE, "tau": POSITIVE, "simplex": {"dist": "dirichlet", "alpha": 2, "why": "x"},
    },
}  # fmt: skip


@pytest.fixture
def model():
    return load_model(TABLES, name="whole")


@pytest.fixture
def records() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 40
    return pd.DataFrame(
        {
            "x": rng.integers(0, 8, n),
            "sleep": rng.integers(1, 5, n),
            "mood": np.round(rng.uniform(0, 10, n), 1),
            "y": rng.poisson(3, n),
            "age": rng.integers(20, 80, n),
            "smoker": rng.integers(0, 2, n),
            "site": rng.integers(1, 4, n),
            "practice": rng.choice(["North", "South", "West"], n),
            "months": rng.choice([3.0, 6.0], n),
        }
    )


def survey_of(records) -> Survey:
    return Survey(records, "memory", "a frame")


def without(records, **gaps: list[int]) -> pd.DataFrame:
    """Return the records with missing cells in some rows of some columns."""
    return records.assign(
        **{name: records[name].astype(object if name == "practice" else float).where(~records.index.isin(rows))
           for name, rows in gaps.items()}
    )  # fmt: skip


def problems_of(model, records) -> list[str]:
    with pytest.raises(SurveyError) as caught:
        design_arrays(model, survey_of(records))
    return list(caught.value.problems)


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


def test_missing_cells_are_nan_in_every_array(model, records):
    """A missing cell is in the mask of its column, and NaN where it would enter."""
    gaps = {"x": [0], "sleep": [1], "mood": [2], "y": [3], "age": [4], "smoker": [5], "site": [6]}
    design = design_arrays(model, survey_of(without(records, **gaps)))
    assert {name: list(np.flatnonzero(mask)) for name, mask in design.missing.items()} == gaps
    assert not design.complete
    matrix = equation_matrix(model, design, 1)
    terms = model.terms(model.equations[1])
    assert {terms[k]: list(np.flatnonzero(np.isnan(matrix[:, k]))) for k in range(len(terms))} == {
        "intercept": [], "x": [0], "sleep": [1], "age": [4], "smoker": [5], "site[2]": [6], "site[3]": [6],
    }  # fmt: skip
    last = equation_matrix(model, design, 2)
    assert list(np.flatnonzero(np.isnan(last[:, 4]))) == [0, 2]  # exposure times mediator
    assert list(np.flatnonzero(np.isnan(design.coded(2)))) == [3]
    observed = records["mood"].drop(index=2)
    assert design.measurement_sd["mood"] == pytest.approx(observed.std() * 0.5)


def test_the_table_of_missing_cells(records):
    """Columns with missing cells, how many, and which share."""
    table = survey_of(without(records, y=[0, 1], age=[3])).missing
    assert table.to_dict("list") == {"column": ["y", "age"], "missing": [2, 1], "share": [0.05, 0.025]}
    assert survey_of(records).missing.empty


def test_sentences_on_missing_cells_say_what_is_done(model, records):
    """The outcome leaves its likelihood, a number is a parameter, a level is summed over."""
    survey = survey_of(without(records, y=[0, 1], mood=[2], sleep=[3], site=[4]))
    assert survey_notes(model, survey) == (
        "sleep: 1 of 40 values (2 %) are missing; each is summed over its possible values.",
        "mood: 1 of 40 values (2 %) are missing; each is an unknown that is estimated with the rest.",
        "y: 2 of 40 values (5 %) are missing; these patients do not enter the outcome's likelihood, and stay in the "
        "others.",
        "site: 1 of 40 values (2 %) are missing; each is summed over its possible values.",
    )
    assert survey_notes(model, survey_of(records)) == ()
    found = {name: treatment(model, name) for name in ("x", "sleep", "mood", "y", "age", "smoker", "site")}
    assert found == {
        "x": "parameter", "sleep": "summed", "mood": "parameter", "y": "dropped", "age": "parameter",
        "smoker": "summed", "site": "summed",
    }  # fmt: skip


def test_a_level_that_nobody_has_is_named(model, records):
    """It is allowed, and only the prior speaks of it."""
    survey = survey_of(records.assign(sleep=records["sleep"].replace(2, 1)))
    assert design_arrays(model, survey).coding["sleep"].levels == 4
    assert survey_notes(model, survey) == ("sleep: no record has the level 2; the prior alone speaks of it.",)


def test_complete_cases_are_used_where_the_specification_says_so(records):
    """The number left out is said, and no array has a missing cell."""
    model = load_model(TABLES | {"missing": "complete"}, name="whole")
    survey = survey_of(without(records, y=[0, 1], age=[1, 7]))
    design = design_arrays(model, survey)
    assert (design.n, design.dropped, design.complete) == (37, 3, True)
    np.testing.assert_array_equal(design.x, records["x"].drop(index=[0, 1, 7]))
    assert complete_cases(model, survey).mark == "37 records from a frame; 3 more with missing cells left out"
    assert survey_notes(model, survey) == ("3 of 40 records have missing cells and are left out.",)
    assert complete_cases(model, survey_of(records)).mark == "40 records from a frame"


@pytest.mark.parametrize(
    ("gaps", "problem"),
    [
        ({"age": list(range(33))}, 'column "age": 82 % of the cells are missing, and at most 80 % may be'),
        ({"y": list(range(40))}, 'column "y": 100 % of the cells are missing'),
        ({"months": [4]}, 'column "months": must have a value in every row, because it is an observation window; '
                          "found at row 5 (nan)"),
        ({"practice": [4]}, 'column "practice": must have a group in every row; found at row 5 (empty)'),
        ({name: [4] for name in ("x", "sleep", "mood", "y", "age", "smoker", "site")},
         "row 5: every value is missing; leave the row out"),
    ],
)  # fmt: skip
def test_cells_that_may_not_be_missing(model, records, gaps, problem):
    """Nearly empty columns, empty rows, groups and windows."""
    (found,) = problems_of(model, without(records, **gaps))
    assert found.startswith(problem)


def test_as_many_missing_cells_as_are_allowed(model, records):
    """Exactly 80 % of a column may be missing."""
    assert design_arrays(model, survey_of(without(records, age=list(range(32))))).missing["age"].sum() == 32


def test_a_binary_exposure_is_complete(records):
    """Its missing cells have no model; complete cases do without one."""
    tables = TABLES | {"variables": {**TABLES["variables"], "x": {"kind": "binary"}}}
    frame = without(records.assign(x=records["x"] % 2), x=[4])
    (found,) = problems_of(load_model(tables, name="whole"), frame)
    assert found.startswith('column "x": must have a value in every row; a binary exposure goes with missing =')
    assert design_arrays(load_model(tables | {"missing": "complete"}), survey_of(frame)).n == 39


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
    frame = records.assign(mood=records["mood"].where(records.index != 4, 10.0))
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


def test_collinear_columns_are_found_among_complete_records(model, records):
    """A column that follows from others is named although some of its cells are missing."""
    frame = without(records.assign(age=2.0 * records["x"] + 1), age=[0, 1])
    (found,) = problems_of(model, frame)
    assert found.startswith('column "age" follows exactly from x')


@pytest.mark.parametrize("cell", ["", "  ", "NA", '"NA"'])
def test_a_file_has_missing_cells(tmp_path, model, records, cell):
    """Empty cells and NA are missing; other columns keep their whole numbers; groups stay text."""
    lines = records.to_csv(index=False).splitlines()
    fields = lines[3].split(",")
    fields[2] = cell
    lines[3] = ",".join(fields)
    path = tmp_path / "clinic.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    survey = read_survey(path, model)
    assert list(np.flatnonzero(survey.records["mood"].isna())) == [2]
    assert survey.missing["missing"].sum() == 1
    assert survey.records["y"].dtype == records["y"].dtype
    assert list(survey.records["practice"]) == list(records["practice"])
    assert design_arrays(model, survey).missing["mood"].sum() == 1


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("practice", "", 'column "practice": must have a group in every row; found at row 4 (empty)'),
        ("practice", "NA", 'column "practice": must have a group in every row; found at row 4 (empty)'),
        ("months", "", 'column "months": must have a value in every row, because it is an observation window; found at '
                       "row 4 (nan)"),
        ("months", "0", 'column "months": must be above 0; found at row 4 (0)'),
        ("mood", "n/a", "column \"mood\": must be a number; found at row 4 ('n/a')"),
    ],
)  # fmt: skip
def test_a_wrong_cell_of_a_file(tmp_path, model, records, column, cell, problem):
    """Groups and windows are complete; other words for missing are not guessed at."""
    lines = records.to_csv(index=False).splitlines()
    fields = lines[3].split(",")
    fields[list(records.columns).index(column)] = cell
    lines[3] = ",".join(fields)
    path = tmp_path / "clinic.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SurveyError) as caught:
        read_survey(path, model)
    assert list(caught.value.problems) == [problem]
