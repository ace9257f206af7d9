"""A survey's records are its own: what was computed from them holds whatever is done to the tables around them."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pandas as pd
import pytest

from bayes_sp.records.survey import Survey


def test_records_change_with_nothing_outside() -> None:
    """Neither the table that was given nor one that was handed out changes the survey, in this process or another."""
    given = pd.DataFrame({"x": [1.0, 2.0], "m": [3, 4], "site": ["a", "b"]})
    survey = Survey(given, "memory", "a table")
    before, digest = given.copy(), survey.digest
    given.loc[0, "x"] = 9.0
    given["m"] = 0
    handed = survey.records
    handed.loc[1, "site"] = "z"
    with pytest.warns(pd.errors.ChainedAssignmentError):
        survey.records["new"] = 1
    with pytest.raises(ValueError, match="read-only"):
        survey.records["x"].to_numpy()[0] = 7.0
    for same in (survey, pickle.loads(pickle.dumps(survey)), replace(survey, source="it")):  # noqa: S301 - our own
        pd.testing.assert_frame_equal(same.records, before)
        assert same.digest == digest


def test_records_are_a_table_and_must_be_given() -> None:
    """Anything else is a fault of the caller's."""
    with pytest.raises(TypeError, match="records must be a pandas DataFrame, found list"):
        Survey([1], "memory", "a list")  # type: ignore[arg-type] # what is tried here
    with pytest.raises(TypeError, match="records"):
        Survey(origin="memory", source="nothing")  # type: ignore[call-arg] # what is tried here
