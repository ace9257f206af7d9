"""The variables at the head of a fit: all of them where it is printed, nothing of few patients where it is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scripted import chain_records, chain_tables

from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey
from bayes_sp.records.tables.describe import moments_table
from bayes_sp.report.text.survey import moments_lines, variable_lines


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


def test_names_of_groups_have_no_moments_and_large_numbers_all_their_digits():
    """A category of three numbers is a name, as texts are; nothing is written as a power of ten."""
    tables = chain_tables()
    tables["covariates"] = {"sex": {"levels": ["f", "m"]}, "ward": {"levels": [1, 2, 3]}, "pay": {}}
    records = chain_records().assign(sex=["f", "m"] * 100, ward=[1, 2, 3, 1] * 50, pay=[18_190.4, 310.0] * 100)
    lines = variable_lines(load_model(tables), Survey(records, "file", "clinic.csv"), 1)
    found = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert found["sex"] == ["200", "0", "2", "levels"]
    assert found["ward"] == ["200", "0", "3", "levels"]
    assert found["pay"][2:] == ["9250", "8963", "310", "18190"]
    one = moments_lines(moments_table(pd.DataFrame({"site": ["a", "a"]})))
    assert one[1].split() == ["site", "2", "0", "1", "level"]


def test_hardly_any_cell_is_no_count_either():
    """A column of which few cells are there."""
    rare = pd.DataFrame({"x": [1.0, 2.0, *[np.nan] * 98]})
    assert moments_lines(moments_table(rare, least=10), 10)[1].split()[:5] == ["x", "<", "10", ">", "90"]
