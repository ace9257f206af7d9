"""Answers are kept whole, to the last bit, and believed only where they are sound."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import grids
import numpy as np
import pandas as pd
import pytest

from bayes_sp.analysis.batch.cell import Answer
from bayes_sp.analysis.batch.store import Store
from bayes_sp.analysis.batch.work import answer
from bayes_sp.errors import RunError
from bayes_sp.inference.options import SamplerOptions

EXTREME = [float("nan"), -float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 0.1, 1.7976931348623157e308]


@pytest.fixture
def cells():
    return grids.grid(2)


@pytest.fixture
def made(cells):
    """An answer with every kind of column, of the first cell."""
    table = pd.DataFrame(
        {
            "path": ["a → b", "", "nan", '"', "0.1", "NaN", "inf", "x"],
            "mean": EXTREME,
            "number": np.arange(8) - 2**60,
            "whole": np.arange(8.0),
            "flag": [True, False] * 4,
        }
    )
    return Answer(cells[0].key, table, False, ("bulk ESS below 400", "–"), 0.123)


def test_an_answer_reads_back_to_the_last_bit(cells, made, tmp_path):
    """Numbers that are not finite, signed zeros, whole numbers, truth values and text."""
    Store(tmp_path).put(cells[0], made)
    found = Store(tmp_path).get(cells[0])
    pd.testing.assert_frame_equal(found.table, made.table, check_exact=True)
    bits = [struct.pack("8d", *table["mean"].tolist()) for table in (found.table, made.table)]
    assert bits[0] == bits[1]
    assert [getattr(found, name) for name in ("key", "trustworthy", "reasons", "seconds")] == [
        made.key, False, made.reasons, 0.123
    ]  # fmt: skip


def test_a_fitted_answer_reads_back_to_the_last_bit(tmp_path):
    """With one chain R-hat is not a number, and stays so."""
    (cell,) = grids.grid(1, SamplerOptions(draws=50, tune=50, chains=1, cores=1))
    fitted = answer(cell)
    Store(tmp_path).put(cell, fitted)
    assert fitted.table["r_hat"].isna().all()
    assert grids.same([Store(tmp_path).get(cell)], [fitted])


def test_another_cell_has_no_answer(cells, made, tmp_path):
    """Answers are found by content alone."""
    store = Store(tmp_path / "new" / "folder")
    store.put(cells[0], made)
    assert store.get(cells[1]) is None


DAMAGES = {
    "empty": lambda text: "",
    "truncated": lambda text: text[:-40],
    "one digit": lambda text: text.replace("0.123", "0.124"),
    "another value": lambda text: text.replace("false", "true", 1),
    "foreign": lambda text: json.dumps({"answer": 42}),
    "a list": lambda text: "[1, 2]",
    "deep": lambda text: "[" * 100_000,
    "no JSON": lambda text: "not JSON",
    "another type": lambda text: text.replace('"int64"', '"int65"'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_counts_as_absent_and_is_replaced(damage, cells, made, tmp_path):
    """Nothing of it is believed, and nothing is raised."""
    store = Store(tmp_path)
    store.put(cells[0], made)
    path = store.path(cells[0])
    sound = path.read_text(encoding="utf-8")
    path.write_text(damage(sound), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != sound
    assert store.get(cells[0]) is None
    store.put(cells[0], made)
    assert path.read_text(encoding="utf-8") == sound


def test_bytes_that_are_no_text_count_as_absent(cells, made, tmp_path):
    """A disk may return anything."""
    Store(tmp_path).path(cells[0]).write_bytes(b"\xff\xfe\x00")
    assert Store(tmp_path).get(cells[0]) is None


def test_another_cells_file_under_this_ones_name_counts_as_absent(cells, made, tmp_path):
    """A renamed file is sound, but not this cell's."""
    store = Store(tmp_path)
    store.put(cells[0], made)
    store.path(cells[0]).rename(store.path(cells[1]))
    assert store.get(cells[1]) is None


def test_only_whole_files_are_left(cells, made, tmp_path):
    """Nothing of the writing remains beside the answer."""
    Store(tmp_path).put(cells[0], made)
    assert [path.name for path in tmp_path.iterdir()] == [f"{cells[0].key}.json"]


def test_no_record_of_a_patient_is_kept(tmp_path):
    """The survey's values are in no file."""
    records = grids.walks().records
    survey = replace(grids.walks(), records=records.assign(mood=0.9 * records["mood"] + 0.0123456789))
    (cell,) = grids.grid(1, survey=survey)
    Store(tmp_path).put(cell, answer(cell))
    text = Store(tmp_path).path(cell).read_text(encoding="utf-8")
    assert not [value for value in survey.records["mood"] if repr(float(value)) in text]
    assert "0123456789" not in text


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    """A file stands in its place."""
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(RunError, match="is not a folder that you may write to"):
        Store(tmp_path / "taken")


def test_a_cell_that_cannot_be_kept_is_a_fault(cells, tmp_path):
    """A table of anything but text, numbers and truth values is not written as something else."""
    odd = Answer(cells[0].key, pd.DataFrame({"mean": [1j]}), True, (), 0.1)
    with pytest.raises(TypeError, match="complex"):
        Store(tmp_path).put(cells[0], odd)
