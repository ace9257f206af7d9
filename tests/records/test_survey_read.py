"""A CSV file is read strictly: every cell that is not plainly a number is named by its column and row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.read import read_survey
from bayes_sp.errors import SurveyError
from bayes_sp.records.groups import HOW_MISSING
from bayes_sp.records.reading.everything import read_everything

HEADER = "walks,mood,visits,age,visits_before,housing"
GOOD = "1,5.5,2,40,3,1"


def read(tmp_path, model, content: str | bytes):
    path = tmp_path / "clinic.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_survey(path, model)


def problems_of(tmp_path, model, content) -> list[str]:
    with pytest.raises(SurveyError) as caught:
        read(tmp_path, model, content)
    assert caught.value.source == str(tmp_path / "clinic.csv")
    return list(caught.value.problems)


def with_cell(column: str, cell: str) -> str:
    """Return three good rows whose second has one other cell, on row 3 of the file."""
    cells = GOOD.split(",")
    cells[HEADER.split(",").index(column)] = cell
    return f"{HEADER}\n{GOOD}\n{','.join(cells)}\n{GOOD}\n"


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("mood", "fine", "column \"mood\": must be a number; found at row 3 ('fine')"),
        ("mood", "nan", f"column \"mood\": must be a number; found at row 3 ('nan'); {HOW_MISSING}"),
        ("mood", "na", f"column \"mood\": must be a number; found at row 3 ('na'); {HOW_MISSING}"),
        ("mood", "-inf", "column \"mood\": must be a number; found at row 3 ('-inf')"),
        ("mood", "1e999", 'column "mood": must be a number; found at row 3 (inf)'),
        ("mood", "0x10", "column \"mood\": must be a number; found at row 3 ('0x10')"),
        ("mood", "1_0", "column \"mood\": must be a number; found at row 3 ('1_0')"),
        ("mood", '"5,5"', "column \"mood\": must be a number; found at row 3 ('5,5')"),
        ("mood", "TRUE", "column \"mood\": must be a number; found at row 3 ('TRUE')"),
        ("mood", "y" * 99, f"column \"mood\": must be a number; found at row 3 ('{'y' * 30}...')"),
        ("mood", "11", 'column "mood": must be on its scale, at most 10; found at row 3 (11)'),
        ("mood", "-0.5", 'column "mood": must be on its scale, at least 0; found at row 3 (-0.5)'),
        ("walks", "2.5", 'column "walks": must be a whole number without a fraction; found at row 3 (2.5)'),
        ("visits", "1.5", 'column "visits": must be a count without a fraction; found at row 3 (1.5)'),
        ("visits", "-1", 'column "visits": must be a count of at least 0; found at row 3 (-1)'),
        ("visits_before", "-1", 'column "visits_before": must be above -1 to enter as log1p; found at row 3 (-1)'),
        ("housing", "4", 'column "housing": must be one of the levels 1, 2, 3; found at row 3 (4)'),
    ],
)
def test_a_wrong_cell_is_named_by_column_and_row(tmp_path, small_model, column, cell, problem):
    """One wrong cell gives one problem that says where it is, what it holds and what it must be."""
    assert problems_of(tmp_path, small_model, with_cell(column, cell)) == [problem]


@pytest.mark.parametrize("cell", ["7", "+7", "7.", "7.0", "70e-1", " 7 ", '"7"', "7E0"])
def test_plain_numbers_are_read_however_they_are_written(tmp_path, small_model, cell):
    """Signs, exponents, blanks and quotes round a number do not matter."""
    survey = read(tmp_path, small_model, with_cell("mood", cell))
    np.testing.assert_array_equal(survey.records["mood"], [5.5, 7, 5.5])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (HEADER, "there is no row of values below the columns' names"),
        (f"{HEADER}\n,,,,,\n\n", "there is no row of values below the columns' names"),
        (b"PK\x03\x04\0\0", "is no text file; its name should end as its format does (.xlsx, .sav, ...)"),
        (f'{HEADER}\n1,5,2,40,3,"1\n', "is not a well-formed CSV table: line 2: unexpected end of data"),
        (
            f"{HEADER}\n{GOOD}\n{GOOD},9\n{GOOD},9,9\n",
            "row 3 has more fields than the 6 that the first row names; a comma in a cell needs quotation marks, "
            "and 1 more",
        ),
        (f"{HEADER}\n{GOOD}\n\n{GOOD}\n", "row 3 is blank"),
        (f"{HEADER}\n{GOOD}\n1,5.5,2,40,3\n", "row 3 has fewer fields than the 6 that the first row names"),
        (f"{HEADER},mood\n{GOOD},5\n", 'column "mood" stands 2 times'),
        (
            f"{HEADER.replace('mood', 'Mood')}\n{GOOD}\n",
            'column "mood" is missing (the specification "small" needs it); did you mean "Mood"?',
        ),
        (
            f"{HEADER.rpartition(',')[0]}\n1,5.5,2,40,3\n",
            'column "housing" is missing (the specification "small" needs it)',
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(tmp_path, small_model, content, problem):
    """Blank or ragged rows and missing columns each have their own message."""
    assert problems_of(tmp_path, small_model, content) == [problem]


def test_what_is_not_a_file_is_refused(tmp_path, small_model):
    """A folder or a missing file is a mistake of the user's, not a crash."""
    with pytest.raises(SurveyError, match=r"cannot be read \(Is a directory\)"):
        read_survey(tmp_path, small_model)
    with pytest.raises(SurveyError, match=r"cannot be read \(No such file or directory\)"):
        read_survey(tmp_path / "nowhere.csv", small_model)


def test_all_problems_of_a_file_are_in_one_error(tmp_path, small_model):
    """Different mistakes in different columns are reported together; each cell once."""
    content = f"{HEADER}\n,11,-1,old,3,4\n1.5,5,0.5,40,-1,1\n1,x,2,,2,9\n"
    assert problems_of(tmp_path, small_model, content) == [
        "column \"mood\": must be a number; found at row 4 ('x')",
        "column \"age\": must be a number; found at row 2 ('old')",
        'column "walks": must be a whole number without a fraction; found at row 3 (1.5)',
        'column "mood": must be on its scale, at most 10; found at row 2 (11)',
        'column "visits": must be a count without a fraction; found at row 3 (0.5)',
        'column "visits": must be a count of at least 0; found at row 2 (-1)',
        'column "visits_before": must be above -1 to enter as log1p; found at row 3 (-1)',
        'column "housing": must be one of the levels 1, 2, 3; found at row 2 (4), row 4 (9)',
    ]


def test_a_file_without_names_says_so_and_shows_no_patient(tmp_path, small_model):
    """A first row of values alone is no list of names, to a fit or to whatever else reads the file."""
    found = " ".join(problems_of(tmp_path, small_model, f"{GOOD}\n{GOOD}\n"))
    assert "the first row holds numbers" in found
    assert "5.5" not in found
    with pytest.raises(SurveyError, match="the first row holds numbers"):
        read_everything(tmp_path / "clinic.csv")
    (tmp_path / "items.csv").write_text("1,2,3\n4,4,5\n")
    assert list(read_everything(tmp_path / "items.csv").records) == ["1", "2", "3"]


def test_many_wrong_cells_are_counted_not_listed(tmp_path, small_model):
    """A column that is wrong throughout shows its first cells only, and counts the others."""
    content = HEADER + "\n" + "1,secret,2,40,3,1\n" * 50
    (problem,) = problems_of(tmp_path, small_model, content)
    assert problem.count("secret") == 5
    assert problem.endswith("row 6 ('secret') and 45 more")


def test_a_large_count_is_shown_as_it_stands_with_a_max_that_would_do(tmp_path, small_model):
    """All digits of a whole number, and the line of the specification that says that it is meant."""
    outcome = small_model.outcome
    row = dict.fromkeys(HEADER.split(","), "1") | {outcome: "1189920"}
    (problem,) = problems_of(tmp_path, small_model, f"{HEADER}\n{','.join(row.values())}\n")
    assert "row 2 (1189920)" in problem
    assert f"such as {outcome} = {{ max = 10000000 }} under [variables]" in problem


def test_an_error_shows_no_cell_but_the_wrong_ones(tmp_path, small_model):
    """What else stands in the row of a wrong cell, or in columns that are not needed, stays out of the message."""
    content = f"name,{HEADER}\nSmith,1,77,2,43.25,3,1\n"
    (problem,) = problems_of(tmp_path, small_model, content)
    assert "77" in problem
    assert "Smith" not in problem
    assert "43.25" not in problem


def test_records_are_those_that_were_written(tmp_path, make_user_survey, small_model):
    """A survey that pandas wrote reads back with the same values, whole columns as integers, and the same digest."""
    survey = make_user_survey(60, seed=3)
    path = tmp_path / "clinic.csv"
    survey.records.to_csv(path, index=False)
    read_back = read_survey(str(path), small_model)
    pd.testing.assert_frame_equal(read_back.records, survey.records, check_exact=True)
    assert (read_back.origin, read_back.source, read_back.mark) == ("file", "clinic.csv", "60 records from clinic.csv")
    assert read_back.digest == survey.digest


def test_layout_does_not_matter(tmp_path, small_model):
    """A byte-order mark, any line ends, quotes, blanks in names and blank rows at the end change nothing."""
    plain = read(tmp_path, small_model, f"{HEADER}\n{GOOD}\n{GOOD}\n")
    quoted = ",".join(f'" {name}"' for name in HEADER.split(","))
    for content in (
        f"\ufeff{HEADER}\n{GOOD}\n{GOOD}\n",
        f"{HEADER}\r\n{GOOD}\r\n{GOOD}",
        f"{HEADER}\r{GOOD}\r{GOOD}\r",
        f"{quoted}\n{GOOD}\n{GOOD}\n\n \n,,,,,\n",
        f"{HEADER},,\n{GOOD},,\n{GOOD},,\n",
    ):
        assert read(tmp_path, small_model, content).digest == plain.digest


def test_columns_that_are_not_needed_are_ignored(tmp_path, small_model):
    """Names, comments with commas and line breaks, and doubled columns that the model does not use are left out."""
    content = f'name,{HEADER},note,note\n"O\'Neil, J",{GOOD},"two\nlines",\n,{GOOD},,x\n'
    survey = read(tmp_path, small_model, content)
    assert list(survey.records.columns) == HEADER.split(",")
    assert len(survey) == 2


def test_a_number_too_large_for_an_integer_is_kept_as_it_is(tmp_path, small_model):
    """A covariate of 1e300 passes the reader without overflowing."""
    survey = read(tmp_path, small_model, with_cell("visits_before", "1e300"))
    assert survey.records["visits_before"][1] == 1e300


@pytest.mark.parametrize(
    ("marks", "origin"),
    [
        (["reconstructed from published moments (seed 2)"] * 2, "reconstruction"),
        (["reconstructed from published moments (seed 2)", "ward 3"], "file"),
        (["ward 3", "ward 3"], "file"),
    ],
)
def test_reconstructed_records_keep_their_mark_in_a_file(tmp_path, small_model, marks, origin):
    """A file whose every row says that it was reconstructed is not taken for patients, and no other file is marked."""
    survey = read(tmp_path, small_model, f"origin,{HEADER}\n" + "".join(f"{mark},{GOOD}\n" for mark in marks))
    assert survey.origin == origin
    assert survey.reconstructed == (origin == "reconstruction")
    assert survey.source == (marks[0] if survey.reconstructed else "clinic.csv")


def test_a_model_can_be_named(tmp_path, make_survey):
    """The specification may be given by its shipped name."""
    path = tmp_path / "records.csv"
    make_survey(40).records.to_csv(path, index=False)
    assert len(read_survey(path, "process4")) == 40
