"""A codebook's words become variables, and what contradicts it is named with its place."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from bayes_sp.design.read import read_survey
from bayes_sp.errors import CodebookError, SurveyError, SurveyWarning
from bayes_sp.records.codebook.load import read_codebook

LIKERT = {"kind": "ordered", "min": 1, "max": 4}


def read(frame, **book):
    return read_survey(frame, codebook=book)


def problems(error, call, *args, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return list(caught.value.problems)


def test_columns_get_the_names_of_variables():
    """Any column name is usable, with line ends and blanks; what is not named is left out."""
    frame = pd.DataFrame({"Q1:\nhow  many?": [1, 2], "Q2": [0, 5], "comment": ["x", "y"]})
    survey = read(
        frame, variables={"walks": {"column": "Q1:\nhow  many?", "label": "Walks"}, "visits": {"column": "Q2"}}
    )
    assert list(survey.records.columns) == ["walks", "visits"]
    assert survey.labels == {"walks": "Walks"}
    assert survey.codebook.described("visits").column == "Q2"


def test_codes_become_missing_with_their_meaning():
    """Codes of all columns and of one, as numbers and as words, counted where they stood."""
    frame = pd.DataFrame({"a": ["1", "-99", "-99.0", "refused"], "b": ["-99", "999", "3", "4"]})
    survey = read(
        frame,
        missing_codes={"-99": "not answered"},
        variables={"a": {"missing_codes": ["refused"]}, "b": {"missing_codes": {"999": "machine"}}},
    )
    assert survey.records["a"].isna().tolist() == [False, True, True, True]
    assert survey.records["b"].isna().tolist() == [True, True, False, False]
    assert set(survey.coded) == {
        ("a", '-99 ("not answered")', 2), ("a", "refused", 1), ("b", '-99 ("not answered")', 1),
        ("b", '999 ("machine")', 1),
    }  # fmt: skip


def test_the_meaning_of_a_code_is_missing_too():
    """As in a file that was exported with its labels; not where it is one of the variable's values."""
    frame = pd.DataFrame({"x": ["1", "Not  answered", "2"], "y": ["Not answered", "NA", "else"]})
    book = {
        "missing_codes": {"-99": "Not answered"},
        "variables": {"x": LIKERT, "y": {"kind": "category", "levels": ["Not answered", "else", "NA"]}},
    }
    survey = read_survey(frame, codebook=book)
    assert survey.records["x"].isna().tolist() == [False, True, False]
    assert survey.records["y"].tolist() == ["Not answered", "NA", "else"]
    assert survey.coded == (("x", '-99 ("Not answered")', 1),)
    clash = {"missing_codes": [2], "variables": {"x": LIKERT | {"labels": {"2": "rarely"}}}}
    assert problems(CodebookError, read_codebook, clash) == ["missing_codes: 2 is also a value of variables.x"]


def test_words_are_read_as_their_numbers_and_it_is_said():
    """A file exported with its labels is the same file."""
    labels = {"1": "never", "2": "some times"}
    words, numbers = pd.DataFrame({"x": ["never", "some  times", "2"]}), pd.DataFrame({"x": [1, 2, 2]})
    book = {"variables": {"x": LIKERT | {"labels": labels}}}
    told = read_survey(words, codebook=book)
    assert told.digest == read_survey(numbers, codebook=book).digest
    assert any("labels are read as their numbers" in line for line in told.read_as)


def test_a_label_of_two_values_is_read_as_neither():
    """An ambiguous word is an error, and only where a cell holds it."""
    book = {"variables": {"x": {"labels": {"1": "some", "2": "some"}}}}
    assert read_survey(pd.DataFrame({"x": [1, 2]}), codebook=book).records["x"].tolist() == [1, 2]
    found = problems(SurveyError, read_survey, pd.DataFrame({"x": ["some", "2"]}), codebook=book)
    assert found[0] == "column \"x\": 'some' is the label of 1 and 2, and can be read as neither"


@pytest.mark.parametrize(
    ("keys", "cells", "told"),
    [
        ({"kind": "count"}, [1, 2.5, -1], ["must be a whole number", "must be at least 0"]),
        (LIKERT, [1, 5, 0], ["must be at least 1", "must be at most 4"]),
        ({"kind": "bounded", "min": 0, "max": 1}, [0.5, 1.5, 0], ["must be at most 1"]),
        ({"kind": "binary"}, [1, 2, 3], ["must have two values"]),
        ({"kind": "binary", "levels": [1, 2]}, [1, 2, 3], ["must be one of the levels 1, 2"]),
        ({"kind": "category", "levels": ["a", "b"]}, ["a", "b", "c"], ["must be one of the levels 'a', 'b'"]),
        ({"kind": "category", "levels": [1, 2]}, [1, 2, 7], ["must be one of the levels 1, 2"]),
        ({}, ["1", "x", "."], ["found at row 2 (from 0) ('.'); write", "found at row 1"]),
        ({"kind": "continuous"}, ["1e400", "1", "2"], ["must be a finite number"]),
        ({"kind": "count"}, ["9007199254740993", "1", "2"], ["cannot be kept exactly"]),
    ],
)  # fmt: skip
def test_cells_that_a_kind_cannot_hold_are_named(keys, cells, told):
    """Every rule that is broken is one sentence with the column and the row."""
    found = problems(SurveyError, read, pd.DataFrame({"Q9": cells}), variables={"x": {"column": "Q9"} | keys})
    assert all(problem.startswith('column "Q9"') for problem in found)
    assert len(found) == len(told)
    assert all(any(words in problem for problem in found) for words in told)


def test_text_cells_keep_their_meaning():
    """01 is a text in a category and a number, which is said, elsewhere; 1e5 likewise."""
    frame = pd.DataFrame({"site": ["01", "1", "1e5"], "n": ["01", "1", "2"]})
    survey = read(frame, variables={"site": {"kind": "category"}, "n": {"kind": "count"}})
    assert survey.records["site"].tolist() == ["01", "1", "1e5"]
    assert survey.records["n"].tolist() == [1, 1, 2]
    assert survey.read_as == ("n: '01' is read as the number 1",)


def test_none_is_a_level_where_the_codebook_says_so():
    """What programs write for no value is a value where it is listed."""
    frame = pd.DataFrame({"group": ["None", "Some", ""]})
    survey = read(frame, variables={"group": {"kind": "category", "levels": ["None", "Some"]}})
    assert survey.records["group"].fillna("").tolist() == ["None", "Some", ""]


def test_a_long_file_becomes_wide():
    """One row a person and wave, in any order; a person without a wave has empty cells there."""
    rows = [("b", 1, 3.5, 40), ("a", 0, 1.0, 30), ("a", 1, 2.0, ""), ("b", 0, 3.0, 40), ("c", 0, 9.0, 50)]
    book = {
        "id": "who",
        "long": {"wave": "t", "waves": {"0": "t0", "1": "t1"}},
        "variables": {"y": {"kind": "continuous"}, "age": {"kind": "count", "constant": True}},
        "derived": {"change": {"rule": "difference", "later": "y_t1", "earlier": "y_t0"}},
    }
    for order in itertools.permutations(rows):
        frame = pd.DataFrame(order, columns=["who", "t", "y", "age"])
        found = read_survey(frame, codebook=book).records.set_index("who").sort_index()
        assert found["y_t0"].tolist() == [1.0, 3.0, 9.0]
        assert found["change"].tolist()[:2] == [1.0, 0.5]
        assert np.isnan(found["change"].tolist()[2])
        assert found["age"].tolist() == [30, 40, 50]


def test_mistakes_of_a_long_file_are_named():
    """A wave of a person twice, an unknown wave, two values of a constant, a row without a person."""
    frame = pd.DataFrame(
        [("a", 0, 30), ("a", 0, 30), ("b", 2, 40), ("c", 0, 50), ("c", 1, 51), ("", 1, 60)], columns=["who", "t", "age"]
    )
    book = {
        "id": "who",
        "long": {"wave": "t", "waves": {"0": "t0", "1": "t1"}},
        "variables": {"age": {"constant": True}},
    }
    found = problems(SurveyError, read_survey, frame, codebook=book)
    words = (
        "one row a person and wave",
        "must be one of the waves",
        "must be the same in every wave",
        "must name the person",
    )
    assert len(found) == len(words)
    assert all(any(word in problem for problem in found) for word in words)


def test_a_score_is_computed_in_each_wave_of_a_long_file():
    """Items without a wave: the rule holds in each."""
    frame = pd.DataFrame({"who": [1, 1, 2, 2], "t": [0, 1, 0, 1], "a": [1, 2, 3, 4], "b": [4, 4, 1, 2]})
    book = {
        "id": "who", "long": {"wave": "t", "waves": {"0": "before", "1": "after"}},
        "variables": {"a": LIKERT, "b": LIKERT},
        "derived": {"s": {"rule": "sum", "items": ["a", "b"], "reversed": ["b"]}},
    }  # fmt: skip
    found = read_survey(frame, codebook=book).records
    assert found["s_before"].tolist() == [1 + 1, 3 + 4]
    assert found["s_after"].tolist() == [2 + 1, 4 + 3]


def test_all_mistakes_of_a_codebook_come_at_once():
    """Each with its key, the nearest known word and what to do."""
    found = problems(CodebookError, read_codebook, {
        "variables": {
            "a": {"kind": "cuont", "min": 3, "max": 1}, "b c": {}, "c": {"labels": {"x": "y"}, "colunm": "Q"},
            "d": {"kind": "bounded"}, "e": {"missing_codes": {"-9": {"5": "x"}}}, "f": {"column": "a"},
        },
        "derived": {
            "s": {"rule": "mean", "items": ["a", "a", "nobody"], "reversed": ["c"]},
            "u": {"scale": "uls9", "rule": "sum", "items": ["a"], "answers": [4, 1]},
            "v": {"rule": "exec", "items": ["a"]},
            "w": {"scale": "uls8", "items": ["a", "c"], "answered": 9},
        },
        "idd": "x",
    })  # fmt: skip
    for words in (
        'variables.a.kind: unknown kind \'cuont\'; did you mean "count"?', "variables.a.min: must not be above max",
        "variables.b c: must be letters", "variables.c.labels.x: must be a number on the left",
        'variables.c.colunm: unknown key; did you mean "column"?', "variables.d: a bounded variable needs min and max",
        "needs quotation marks", 'the column "a" is given to 2 variables', 'derived.s.items: "a" stands 2 times',
        'derived.s.items: "nobody" is no variable', 'derived.s.reversed: "c" is none of its items',
        "derived.u.scale: unknown scale 'uls9'", "derived.u.answers: must be the lowest and the highest",
        "derived.v.rule: unknown rule 'exec'", "derived.w.items: must be the 8 items of uls8", "derived.w.answered",
        'idd: unknown key; did you mean "id"?',
    ):  # fmt: skip
        assert any(words in problem for problem in found), words


def test_missing_columns_and_rows_are_named_with_the_key():
    """The codebook's key, its file, and the nearest column there is."""
    frame = pd.DataFrame({"Q1_mod": [1], "Q2": [2]})
    found = problems(SurveyError, read, frame, variables={"mood": {"column": "Q1_mood"}}, id="person")
    assert found == [
        'column "Q1_mood" is missing (variables.mood in the codebook); did you mean "Q1_mod"?',
        'column "person" is missing (id in the codebook); known: Q1_mod, Q2',
    ]


def test_repeated_and_empty_identifiers_are_named():
    """01 and 1 are different persons, and a blank is none."""
    frame = pd.DataFrame({"id": ["01", "1", "", "1"], "x": [1, 2, 3, 4]})
    found = problems(SurveyError, read, frame, id="id", variables={"x": {}})
    assert [problem.split(";")[1] for problem in found] == [" empty at row 2 (from 0)", " repeated at row 3 (from 0)"]


def test_rows_that_are_no_rows_are_named(tmp_path):
    """A decimal comma that makes one field more, a field less, a blank row: before any cell is believed."""
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\n1,2,3\n1,5,2,3\n1,2\n,,\n4,5,6\n", encoding="utf-8")
    found = problems(SurveyError, read_survey, path, codebook={"variables": {"a": {}, "b": {}, "c": {}}})
    assert [told.split(" ")[1] for told in found] == ["3", "5", "4"]
    assert "has more fields than the 3" in found[0]


def test_items_that_go_against_the_others_are_pointed_at():
    """An item that was turned round in the file is turned round again by the rule."""
    rng = np.random.default_rng(3)
    trait = rng.normal(size=120)
    items = {f"i{k}": np.clip(np.round(2.5 + trait + 0.7 * rng.normal(size=120)), 1, 4) for k in range(1, 5)}
    book = {"variables": dict.fromkeys(items, LIKERT)}
    rule = {"rule": "mean", "items": list(items), "reversed": ["i2"]}
    with pytest.warns(SurveyWarning, match="s: i2 goes against the other items"):
        read_survey(pd.DataFrame(items), codebook=book | {"derived": {"s": rule}})
    assert not read_survey(pd.DataFrame(items), codebook=book | {"derived": {"s": rule | {"reversed": []}}}).remarks
