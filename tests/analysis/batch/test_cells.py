"""A cell's key stands for everything that its answer depends on, and for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import grids
import pytest

from bayes_sp.analysis.batch import cell as cells
from bayes_sp.analysis.batch.cell import Cell, with_cores


@pytest.fixture
def cell() -> Cell:
    return grids.grid(1)[0]


def test_the_name_and_the_cores_are_not_in_the_key(cell):
    """They change no draw."""
    assert replace(cell, name="another").key == with_cores(cell, 2).key == cell.key


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 2},
        {"kappa": 0.5},
        {"ci_prob": 0.9},
        {"options": replace(grids.TINY, draws=60)},
        {"survey": grids.walks(seed=1)},
        {"survey": replace(grids.walks(), origin="memory")},
        {"model": grids.grid(2)[1].model},
    ],
)
def test_whatever_changes_an_answer_changes_the_key(cell, changes):
    """Seed, options, records, their origin and the specification."""
    assert replace(cell, **changes).key != cell.key


@pytest.mark.parametrize("name", ["numpy", "source"])
def test_other_versions_have_other_keys(cell, name, monkeypatch):
    """An answer of another library, or of another state of the package, is not taken for this one's."""
    before, made = cell.key, cells.made_with()
    monkeypatch.setattr(cells, "made_with", lambda: {**made, name: "other"})
    assert replace(cell).key != before


def test_the_content_is_what_json_holds_and_no_record(cell):
    """The records are there as their digest alone."""
    assert json.loads(json.dumps(cell.content)) == cell.content
    assert cell.content["data"] == cell.survey.digest
    assert set(cell.parts) | {"survey"} == {"name", "model", "survey", "seed", "options", "kappa", "ci_prob"}
