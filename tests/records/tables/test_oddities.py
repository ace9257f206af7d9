"""What is odd in a survey is found with its rows, and chance is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_sp.records.tables.oddities import alike_rows, close_columns, column_oddities, row_oddities
from bayes_sp.records.tables.waves import waves_of


def row_name(row: int) -> str:
    return f"row {row + 2}"


def told(records, **more):
    return {(t.column, t.cells[0] if t.cells else None): str(t) for t in column_oddities(records, row_name, **more)}


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return a survey in which nothing is odd."""
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "id": np.arange(100, 300),
            "age": rng.integers(18, 90, 200),
            "mood_t0": rng.integers(1, 6, 200),
            "mood_t1": rng.integers(1, 6, 200).astype(float),
            "walks": rng.poisson(2, 200).astype(float),
            "score": rng.permutation(np.linspace(20.0, 79.7, 200)).round(1),  # no two alike
        }
    )


def test_nothing_odd_is_not_told(frame):
    """Neither of rows nor of columns."""
    assert list(row_oddities(frame, waves_of(list(frame)), row_name)) == []
    assert list(column_oddities(frame, row_name)) == []
    assert list(close_columns(frame, list(frame))) == []


@pytest.mark.parametrize("seed", range(8))
def test_alike_by_chance_is_not_alike(seed):
    """Few columns of few levels repeat rows, dependent ones too, and rows of which nothing is known are left out."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 5, 300)
    answers = pd.DataFrame({f"a{k}": np.where(rng.random(300) < 0.8, first, rng.integers(0, 5, 300)) for k in range(6)})
    answers["sum"] = answers.sum(axis=1)
    assert answers.duplicated().sum() > 20
    assert alike_rows(answers) == []
    nothing = pd.DataFrame({"x": rng.normal(size=30), "y": rng.normal(size=30)})
    nothing.loc[20:] = np.nan
    assert alike_rows(nothing) == []


def test_a_patient_entered_twice_is_named(frame):
    """With another number, in rows that are named; a number that stands twice is named by itself."""
    twice = pd.concat([frame, frame.iloc[[3, 9, 9]]], ignore_index=True)
    twice["id"] = np.arange(len(twice))
    assert alike_rows(twice.drop(columns="id")) == [(3, 200), (9, 201, 202)]
    (found,) = row_oddities(twice, waves_of(list(twice)), row_name)
    assert "row 5 and row 202; row 11 and row 203 and row 204" in found
    frame.loc[7, "id"] = frame.loc[2, "id"]
    (found,) = row_oddities(frame, waves_of(list(frame)), row_name)
    assert found.column == "id"
    assert found.cells == (("row 9", "repeated"),)


def test_a_later_wave_without_the_first_is_named(frame):
    """Whole patients, and single columns of the others."""
    waves = frame.rename(columns={"walks": "walks_t0"}).assign(walks_t1=1)
    waves[["mood_t0", "walks_t0"]] = waves[["mood_t0", "walks_t0"]].astype(float)
    waves.loc[4, ["mood_t0", "walks_t0"]] = np.nan
    waves.loc[6, "mood_t0"] = np.nan
    rows, column = row_oddities(waves, waves_of(list(waves)), row_name)
    assert rows.startswith("rows have values of t1 and none of the first wave, t0")
    assert rows.cells == (("row 6", ""),)
    assert (column.column, column.cells) == ("mood_t0", (("row 8", "empty"),))


def test_odd_cells_are_named(frame):
    """Codes, a fraction among whole numbers, a value without a label, one value only."""
    frame.loc[[5, 8], "walks"] = -99
    frame["age"] = frame["age"].astype(float)
    frame.loc[10, "age"] = 45.5
    frame.loc[12, "mood_t1"] = 7
    frame["country"] = "here"
    labels = {"mood_t1": {1.0: "never", 2.0: "rarely", 3.0: "now and then", 4.0: "often", 5.0: "always"}}
    found = told(frame, value_labels=labels)
    assert set(found) == {
        ("walks", ("row 7", "-99")), ("age", ("row 12", "45.5")), ("mood_t1", ("row 14", "7")), ("country", None),
    }  # fmt: skip
    assert "far from the other values (0 to" in found["walks", ("row 7", "-99")]
    assert told(frame, known=["walks", "age", "mood_t1", "country"]) == {}


def test_columns_that_hold_the_same_are_named(frame):
    """By their correlation, with n."""
    frame["months"] = 12 * frame["age"] + np.arange(200) % 12
    (found,) = close_columns(frame, list(frame))
    assert found.startswith('columns "age" and "months" hold nearly the same: r = 1.000 (n = 200)')


def test_many_incomplete_first_columns_are_told_in_one_sentence():
    """With how many rows each."""
    rng = np.random.default_rng(2)
    records = pd.DataFrame({f"{what}_t{wave}": rng.normal(size=50) for what in "abcde" for wave in (0, 1)})
    for place, what in enumerate("abcd"):
        records.loc[place : 2 * place, f"{what}_t0"] = np.nan
    (told,) = row_oddities(records, waves_of(list(records)), row_name)
    assert told.endswith("a_t0 (1), b_t0 (2), c_t0 (3), d_t0 (4)")
