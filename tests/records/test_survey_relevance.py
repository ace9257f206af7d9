"""Patients who did not come back: accepted, counted in words, and known to say nothing of the chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from survey_whole import TABLES, problems_of, survey_of, whole_records, without

from bayes_sp.design.build import design_arrays
from bayes_sp.design.notes import survey_notes
from bayes_sp.design.relevance import came_back, counted, informative, relevant
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.reading.load import load_model

RESPONSES = ("sleep", "mood", "y")


@pytest.fixture
def model():
    return load_model(TABLES, name="whole")


def more(count: int, *columns: str) -> pd.DataFrame:
    """The records and ``count`` further patients without any response, nor these columns."""
    records = pd.concat([whole_records(), whole_records().iloc[[*range(count)]]], ignore_index=True)
    return without(records, **dict.fromkeys((*RESPONSES, *columns), range(40, 40 + count)))


def test_a_missing_cell_matters_where_something_after_it_is_observed(model):
    """sleep -> mood -> y, all edges: by pattern of what is missing."""
    gaps = {"sleep": [0, 1, 2, 3], "mood": [1, 2, 4], "y": [2, 3, 4, 5]}
    design = design_arrays(model, survey_of(without(whole_records(), **gaps)))
    # row 0: sleep; 1: sleep, mood; 2: all; 3: sleep, y; 4: mood, y; 5: y
    assert list(relevant(design, "sleep")[:7]) == [True, True, False, True, False, True, True]
    assert list(relevant(design, "mood")[:7]) == [True, True, False, False, False, False, True]
    assert list(relevant(design, "x")[:7]) == [True, True, False, True, True, True, True]
    assert not relevant(design, "y").any()
    assert counted(design)[:7].tolist() == [
        [True, True, True], [True, True, True], [False, False, False], [True, True, False], [True, False, False],
        [True, True, False], [True, True, True],
    ]  # fmt: skip
    assert list(np.flatnonzero(~came_back(design))) == [2]


def test_an_edge_that_is_not_there_carries_nothing(model):
    """Without sleep -> y and mood, a missing sleep matters where mood alone is observed."""
    chain = replace(model, equations=(*model.equations[:2], replace(model.equations[2], parents=("x", "mood"),
                                                                    monotonic=(), zero=("age",))))  # fmt: skip
    design = design_arrays(chain, survey_of(without(whole_records(), sleep=[0, 1], mood=[1], y=[0])))
    assert list(relevant(design, "sleep")[:2]) == [True, True]  # through mood, observed or unknown before y
    apart = replace(design, edges_mediators=np.array([[False, False], [False, False], [False, True]]))
    assert not relevant(apart, "sleep").any()


@pytest.mark.parametrize(
    ("columns", "others", "stay"),
    [
        ((), {}, 0),  # complete covariates and exposures: they say nothing
        (("x",), {}, 0),
        ((), {"x": [3]}, 5),  # another lacks the exposure: theirs inform its equation
        (("x",), {"x": [3]}, 0),
        (("age",), {}, 5),  # a covariate is incomplete: they inform its equation, and are averaged over
        ((), {"site": [3]}, 5),
    ],
)
def test_who_stays_in_the_likelihood(model, columns, others, stay):
    """Of five patients without a response."""
    design = design_arrays(model, survey_of(without(more(5, *columns), **others)))
    found = informative(design, model)
    assert found[:40].all()
    assert found[40:].sum() == stay


def test_non_responders_may_be_most_of_a_file(model):
    """Shares of the chain's cells are of those who came back; 200 others without windows are no reason to refuse."""
    records = pd.concat([more(40, "months", "x")] + [more(40, "months", "x").iloc[40:]] * 4, ignore_index=True)
    design = design_arrays(model, survey_of(records))
    assert (design.n, int(came_back(design).sum())) == (240, 40)
    assert np.isfinite(design.offsets["y"]).all()
    assert problems_of(model, without(records, mood=range(33)))[0].startswith(
        'column "mood": 82 % of the cells are missing'
    )


def test_who_did_not_come_back_does_not_make_a_chain_estimable(model):
    """Too few with a response, and a covariate that varies among the others alone."""
    few = pd.concat([whole_records().iloc[:9], more(40).iloc[40:]], ignore_index=True)
    (found,) = problems_of(model, few)
    assert found.startswith("9 records are too few for 8 columns; at least 10 are needed (40 without any response")
    records = more(20)
    records.loc[:39, "age"] = 50
    assert problems_of(model, records) == ['column "age" has the same value in every record; leave it out']


def test_windows_and_binary_exposures_may_be_missing_with_every_response():
    """Both are needed where a response is observed, or where the exposure would need a model."""
    tables = TABLES | {"variables": {**TABLES["variables"], "x": {"kind": "binary"}}}
    model = load_model(tables, name="whole")
    records = more(6, "x", "months").assign(x=lambda frame: frame["x"] % 2)
    assert np.isnan(design_arrays(model, survey_of(records)).x[40:]).all()
    found = problems_of(model, without(records, age=[2]))
    assert [problem.partition(":")[0] for problem in found] == ['column "x"']
    found = problems_of(model, without(records, months=[2, 41]))
    assert found == [
        'column "months": must have a value in every row, because it is an observation window; found at row 3 (nan)'
    ]


def test_sentences_say_how_many_came_back_and_where_missing_values_lie(model):
    """Counts of the chain's cells are among those who came back; covariates' among all."""
    shifted = replace(model, missing_shift=(("mood", -1.5), ("sleep", 0.5), ("y", 0.25)))
    records = without(more(5, "x"), mood=[2], age=[3, 42], y=[7])
    few = "its missing values (fewer than 10) follow its equation shifted"
    assert survey_notes(shifted, survey_of(records)) == (
        "more than 35 of 45 patients have a response of the chain; of the others none (sleep, mood, y) is known. They "
        "say nothing "
        "of the equations of the chain, and effects are averaged over them too; what follows counts the cells of the "
        "chain among those who have one.",
        "mood: fewer than 10 of 40 values are missing; each is an unknown that is estimated with the rest.",
        "y: fewer than 10 of 40 values are missing; these patients do not enter the outcome's likelihood, and stay in "
        "the others; effects are averaged over them too.",
        "age: fewer than 10 of 45 values are missing; each is an unknown that is estimated with the rest.",
        f"mood: {few}: 1.5 lower (missing_shift).",
        f"sleep: {few}: odds of a higher value x 1.65 (log odds +0.5) (missing_shift).",
        f"y: {few}: rate x 1.28 (log rate +0.25) (missing_shift).",
    )
    assert survey_notes(shifted, survey_of(whole_records())) == (
        "mood: no value is missing, so its missing_shift does nothing.",
        "sleep: no value is missing, so its missing_shift does nothing.",
        "y: no value is missing, so its missing_shift does nothing.",
    )


def test_shifts_stand_where_values_are_missing(model):
    """Zero elsewhere; a response without a missing cell has none, and windows are added."""
    shifted = replace(model, missing_shift=(("mood", -1.5), ("sleep", 0.5), ("y", 0.25)))
    design = design_arrays(shifted, survey_of(without(whole_records(), mood=[2], y=[3])))
    assert set(design.shifts) == {"mood", "y"}
    assert {name: list(np.flatnonzero(values)) for name, values in design.shifts.items()} == {"mood": [2], "y": [3]}
    assert design.offset("sleep") is None
    np.testing.assert_array_equal(design.offset("mood"), design.shifts["mood"])
    np.testing.assert_array_equal(design.offset("y"), design.offsets["y"] + 0.25 * (np.arange(40) == 3))
    taken = design.taken(np.array([3, 5]))
    np.testing.assert_array_equal(taken.shifts["y"], [0.25, 0.0])
    assert set(taken.missing) == {"y"}


def test_an_unmeasured_confounder_keeps_every_patient(model):
    """Effects are averaged over every patient's draw of it."""
    confounded = replace(model, unmeasured=(Unmeasured("trait", (("mood", 0.5), ("y", 0.2))),))
    assert informative(design_arrays(confounded, survey_of(more(5))), confounded).all()
