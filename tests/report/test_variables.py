"""The variables at the head of a fit: all of them where it is printed, nothing of few patients where it is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_sp.records.tables.describe import moments_table
from bayes_sp.report.survey.variables import moments_lines


def test_few_cells_are_not_counted_in_what_is_kept():
    """Nor can they be worked out; ends that ten patients share stay, and names of groups have no moments."""
    answers = pd.DataFrame({"mood": [1.0] * 12 + [3.0] * 60 + [5.0] * 4 + [np.nan] * 4, "site": [1, 2] * 40})
    table = moments_table(answers, labels=["site"], least=10)
    head, mood, site = (line.split() for line in moments_lines(table, 10))
    assert head == ["n", "missing", "mean", "SD", "min", "max"]
    assert mood == ["mood", ">", "70", "<", "10", "2.789", "0.8991", "1"]
    assert site == ["site", "80", "0", "2", "levels"]
    whole = [line.split() for line in moments_lines(moments_table(answers, labels=["site"]))]
    assert whole[1] == ["mood", "76", "4", "2.789", "0.8991", "1", "5"]


def test_hardly_any_cell_is_no_count_either():
    """A column of which few cells are there."""
    rare = pd.DataFrame({"x": [1.0, 2.0, *[np.nan] * 98]})
    assert moments_lines(moments_table(rare, least=10), 10)[1].split()[:5] == ["x", "<", "10", ">", "90"]
