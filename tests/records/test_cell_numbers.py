"""Cells of a column as numbers, on the short way for columns of nothing else and on the long one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bayes_sp.records.reading.cells import Cells, is_number

LETTERS = "07+-.eE"
SHORT = ["".join(letters) for size in range(1, 6) for letters in product(LETTERS, repeat=size)]


def test_a_column_of_numerals_is_read_as_each_of_its_cells_alone():
    """Every text of up to five such characters is a number by the rule where it is one by itself, and by none else."""
    numbers = [text for text in SHORT if is_number(text)]
    rows = [*numbers, "", "NA", *numbers[::-1]]
    together = Cells(rows)
    expected = np.array([float(text) if is_number(text) else np.nan for text in rows])
    np.testing.assert_array_equal(together.numbers(np.zeros(len(rows), dtype=bool)), expected)
    for text in SHORT:
        try:
            float(text)
        except ValueError:
            assert not is_number(text)
        else:
            assert is_number(text)


@pytest.mark.parametrize("other", ["1-2", "1_000", "inf", "nan", "\u0663", "1e", "."])
def test_one_cell_that_is_no_number_leaves_the_others_as_they_are(other):
    """Whatever float() makes of it."""
    found = Cells(["1", "2.5", other, "NA"]).numbers(np.zeros(4, dtype=bool))
    np.testing.assert_array_equal(found, [1.0, 2.5, np.nan, np.nan])
