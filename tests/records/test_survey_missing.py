"""Missing cells: what is read, what is refused, what the arrays hold and what is said of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from survey_whole import TABLES, problems_of, survey_of, whole_records, without

from bayes_sp.design.build import complete_cases, design_arrays, equation_matrix
from bayes_sp.design.notes import survey_notes, treatment
from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model


@pytest.fixture
def model():
    return load_model(TABLES, name="whole")


@pytest.fixture
def records() -> pd.DataFrame:
    return whole_records()


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
        "sleep: fewer than 10 of 40 values are missing; each is summed over its possible values.",
        "mood: fewer than 10 of 40 values are missing; each is an unknown that is estimated with the rest.",
        "y: fewer than 10 of 40 values are missing; these patients do not enter the outcome's likelihood, and stay in "
        "the others; effects are averaged over them too.",
        "site: fewer than 10 of 40 values are missing; each is summed over its possible values.",
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
    assert survey_notes(model, survey) == ("fewer than 10 of 40 records have missing cells and are left out.",)
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


def test_collinear_columns_are_found_among_complete_records(model, records):
    """A column that follows from others is named although some of its cells are missing."""
    frame = without(records.assign(age=2.0 * records["x"] + 1), age=[0, 1])
    (found,) = problems_of(model, frame)
    assert found.startswith('column "age" follows exactly from x')


@pytest.mark.fixed_seed  # other records have no 0, of which a warning is given
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
        ("mood", "n/a", "column \"mood\": must be a number; found at row 4 ('n/a'); write a missing value as an empty "
                        "cell or NA, or name its code in the specification's missing_codes"),
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
