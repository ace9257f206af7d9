"""A survey in memory: its digest, its checks against a specification, and the arrays that equations see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.build import design_arrays, equation_matrix
from bayes_sp.errors import SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey


@pytest.fixture
def records(make_user_survey) -> pd.DataFrame:
    return make_user_survey(40).records


def problems_of(model, records) -> list[str]:
    with pytest.raises(SurveyError) as caught:
        design_arrays(model, Survey(records, "memory", "a frame"))
    assert caught.value.source == "a frame"
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("column", "values", "problem"),
    [
        ("age", lambda r: r["age"].astype(str), 'column "age": must hold numbers, found str'),
        ("age", lambda r: r["age"].astype(object), 'column "age": must hold numbers, found object'),
        ("age", lambda r: r["age"].astype("category"), 'column "age": must hold numbers, found category'),
        ("age", lambda r: r["age"] > 40, 'column "age": must hold numbers, found bool'),
        ("age", lambda r: (r["age"] > 40).astype("boolean"), 'column "age": must hold numbers, found boolean'),
        ("age", lambda r: r["age"] + 0j, 'column "age": must hold numbers, found complex128'),
        ("age", lambda r: pd.to_datetime(r["age"]), 'column "age": must hold numbers, found datetime64'),
        (
            "mood",
            lambda r: r["mood"].where(r.index != 0, np.inf),
            'column "mood": must be a number; found at row 1 (inf)',
        ),
        ("visits", lambda r: -1 - r["visits"], 'column "visits": must be a count of at least 0; found at row 1'),
        (
            "housing",
            lambda r: r["housing"] * 0,
            'column "housing": must be one of the levels 1, 2, 3; found at row 1 (0)',
        ),
    ],
)
def test_a_frame_is_checked_as_strictly_as_a_file(small_model, records, column, values, problem):
    """Nothing in memory is coerced: text, objects, truth values and dates are refused with the column's name."""
    (found,) = problems_of(small_model, records.assign(**{column: values(records)}))
    assert found.startswith(problem)


def test_nullable_integers_without_gaps_are_numbers(small_model, records):
    """Pandas' nullable integers are as good as plain ones."""
    design = design_arrays(small_model, Survey(records.astype({"visits": "Int64"}), "memory", "a frame"))
    np.testing.assert_array_equal(design.y[:, 1], records["visits"])


def test_missing_and_doubled_columns_are_named(small_model, records):
    """A column that is not there, and one that is there twice, are reported together."""
    frame = pd.concat([records.drop(columns="housing"), records[["mood"]]], axis=1)
    assert problems_of(small_model, frame) == [
        'column "mood" stands 2 times',
        'column "housing" is missing (the specification "small" needs it)',
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda r: r.assign(age=50), 'column "age" has the same value in every record; leave it out'),
        (
            lambda r: r.assign(walks=3),
            'column "walks" has the same value in every record; nothing can be learned about its effects',
        ),
        (lambda r: r.assign(visits=0), 'column "visits" has the same value in every record; nothing can be learned'),
        (
            lambda r: r.assign(housing=r["housing"].clip(upper=2)),
            'column "housing": no record, or every record, has the level 3; take it out of the levels',
        ),
        (lambda r: r.assign(age=2 * r["walks"] + 1), 'column "age" follows exactly from walks; leave one of them out'),
        (
            lambda r: r.assign(visits_before=np.expm1(r["walks"] / 7 + r["mood"])),
            'column "visits_before" follows exactly from walks, mood; leave one of them out',
        ),
        (lambda r: r.head(8), "8 records are too few for 7 columns; at least 9 are needed"),
        (lambda r: r.head(0), "0 records are too few for 7 columns; at least 9 are needed"),
    ],
)
def test_equations_that_cannot_be_estimated_are_refused(small_model, records, change, problem):
    """Constant columns, exact combinations of others and too few records are named before anything is fitted."""
    (found,) = problems_of(small_model, change(records))
    assert found.startswith(problem)


@pytest.mark.fixed_seed
def test_as_many_records_as_are_needed_are_enough(small_model, make_user_survey):
    """The smallest number that the message asks for is accepted."""
    assert design_arrays(small_model, Survey(make_user_survey(9, seed=5).records, "memory", "a frame")).n == 9


def test_the_arrays_are_those_of_the_specification(small_tables):
    """Each covariate enters by its own transform with the fixed constants, worked by hand."""
    records = pd.DataFrame(
        {
            "walks": [0, 1, 2, 3, 4, 5, 6, 7, 0],
            "mood": [5.0, 6.5, 4, 3, 8, 9, 1, 2, 7],
            "visits": [0, 1, 2, 3, 9, 1, 0, 2, 5],
            "age": [50, 60, 45, 20, 30, 40, 51, 33, 81],
            "visits_before": [0, 1, 3, 0, 2, 5, 7, 1, 1],
            "housing": [1, 2, 3, 1, 2, 3, 1, 1, 2],
        }
    )
    small_tables["equation"][1]["parents"] = ["mood"]
    del small_tables["priors"]["visits"]
    design = design_arrays(load_model(small_tables), Survey(records, "memory", "by hand"))
    third = 1 / 3
    np.testing.assert_allclose(
        design.w[:3],
        [
            [0.0, 0.0 - 1, -third, -third],
            [1.0, np.log(2) - 1, 1 - third, -third],
            [-0.5, np.log(4) - 1, -third, 1 - third],
        ],
    )
    np.testing.assert_array_equal(design.x, records["walks"])
    np.testing.assert_array_equal(design.y, records[["mood", "visits"]])
    assert design.covariate_terms == ("age", "visits_before", "housing[2]", "housing[3]")
    assert design.edges_exposure.tolist() == [True, False]
    assert design.edges_mediators.tolist() == [[False], [True]]
    assert (design.contrast, design.families) == ((0.0, 2.0), ("normal", "negative_binomial"))


def test_an_equations_matrix_has_its_terms_in_order(small_model, make_user_survey):
    """Columns are 1, parents less their fixed centres, covariates: one for each term."""
    survey = make_user_survey(30)
    design = design_arrays(small_model, survey)
    matrix = equation_matrix(small_model, design, 1)
    assert matrix.shape[1] == len(small_model.terms(small_model.equations[1]))
    np.testing.assert_array_equal(matrix[:, 0], 1)
    np.testing.assert_array_equal(matrix[:, 1], survey.records["walks"])
    np.testing.assert_allclose(matrix[:, 2], survey.records["mood"] - 5.0)
    np.testing.assert_array_equal(matrix[:, 3:], design.w)


def test_a_model_without_covariates_has_empty_arrays(small_tables, make_user_survey):
    """No covariates are no columns, not an error."""
    del small_tables["covariates"]
    design = design_arrays(load_model(small_tables), make_user_survey(30))
    assert design.w.shape == (30, 0)


def test_the_digest_is_of_the_values(records):
    """The order of columns and the integers' type do not matter; the order of rows, names and values do."""
    digest = Survey(records, "memory", "a").digest
    assert Survey(records[records.columns[::-1]].astype(float), "file", "b").digest == digest
    assert Survey(records.iloc[::-1], "memory", "a").digest != digest
    assert Survey(records.rename(columns={"age": "years"}), "memory", "a").digest != digest
    assert Survey(records.assign(mood=records["mood"] + 1e-9), "memory", "a").digest != digest


def test_columns_that_no_model_can_use_do_not_break_a_survey(small_model, records):
    """A column of names may stand in a frame: it is in the digest, and in the way of nothing."""
    named = records.assign(name=[f"patient {i}" for i in range(len(records))])
    survey = Survey(named, "memory", "a frame")
    assert design_arrays(small_model, survey).n == len(records)
    assert survey.digest != Survey(named.assign(name="x"), "memory", "a frame").digest


def test_a_survey_shows_no_records(records):
    """Neither form of a survey's description holds a patient's values."""
    survey = Survey(records.assign(age=98765.25), "memory", "<b>a frame</b>")
    assert "98765.25" not in repr(survey) + survey._repr_html_()
    assert "40 records from <b>a frame</b>; 6 variables" in repr(survey)
    assert "&lt;b&gt;a frame" in survey._repr_html_()


def test_only_a_reconstruction_is_marked_as_one(records):
    """The mark speaks of published moments only where the origin does."""
    made = Survey(records, "reconstruction", "reconstructed from published moments (seed 1)")
    assert made.reconstructed
    assert made.mark == "40 records reconstructed from published moments (seed 1)"
    own = Survey(records, "file", "clinic.csv")
    assert not own.reconstructed
    assert own.mark == "40 records from clinic.csv"


def test_a_survey_needs_a_frame_and_a_known_origin(records):
    """A mistyped origin would lose the mark of a reconstruction, so it is refused."""
    with pytest.raises(ValueError, match="origin must be one of"):
        Survey(records, "reconstructed", "x")
    with pytest.raises(TypeError, match="must be a pandas DataFrame, found dict"):
        Survey({"x": [1]}, "memory", "x")
