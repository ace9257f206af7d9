"""Broken files are refused in words, or what is read of them fits the specification: never a traceback."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from broken_files import FORMATS, broken, check, on_the_command_line, sound_files
from hypothesis import HealthCheck, Phase, given, settings

from bayes_sp.design.read import read_survey
from bayes_sp.records.reading import everything

ROWS = 24
FEW = 100
QUICK = settings(
    deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    mood = np.round(rng.uniform(1, 9, ROWS), 1)
    mood[3] = np.nan
    columns = {"walks": rng.integers(0, 8, ROWS), "mood": mood, "visits": rng.poisson(2, ROWS)}
    columns |= {"age": rng.integers(20, 90, ROWS), "visits_before": rng.poisson(2, ROWS)}
    return pd.DataFrame(columns | {"housing": np.arange(ROWS) % 3 + 1, "note": ["fine", "well, \u00e4"] * (ROWS // 2)})


@pytest.fixture(scope="module")
def files(frame, tmp_path_factory) -> dict[str, bytes]:
    return sound_files(tmp_path_factory.mktemp("sound"), frame)


def test_the_files_are_read_before_they_break(files, frame, small_model, tmp_path):
    """Each format gives the same records."""
    for suffix, content in files.items():
        (tmp_path / f"a{suffix}").write_bytes(content)
        assert read_survey(tmp_path / f"a{suffix}", small_model).digest == read_survey(frame, small_model).digest
    assert set(files) == set(FORMATS)
    untried = set(everything.FORMATS.values()) - {everything.FORMATS.get(suffix) for suffix in FORMATS}
    assert not untried, "broken_files.py needs a file in sound_files, and its suffix in FORMATS"


def run(examples, files, frame, model, folder, capsys) -> dict[str, int]:
    """Break files; return how many were refused and read."""
    ends = {"refused": 0, "read": 0}

    def said() -> str:
        found = capsys.readouterr()
        return found.err + found.out

    @settings(QUICK, max_examples=examples)
    @given(broken(files))
    def broken_files(case):
        end = check(folder, model, *case, frame)
        ends[end] += 1
        if sum(ends.values()) % 10 == 0:
            on_the_command_line(folder, *case, said)

    broken_files()
    return ends


def test_broken_files(files, frame, small_model, tmp_path, capsys):
    """A hundred: most are refused, and some changes do no harm."""
    ends = run(FEW, files, frame, small_model, tmp_path, capsys)
    assert min(ends.values()) > 0


@pytest.mark.parametrize(
    "many", [pytest.param(500, marks=pytest.mark.slow), pytest.param(10_000, marks=pytest.mark.exhaustive)]
)
def test_very_many_broken_files(many, files, frame, small_model, tmp_path, capsys):
    """Each ends as it should."""
    assert sum(run(many, files, frame, small_model, tmp_path, capsys).values()) == many
