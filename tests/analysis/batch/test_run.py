"""Many cells: each fitted once, wherever; equal to the last bit; kept as they finish; the rest goes on."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grids
import pandas as pd
import psutil
import pytest

from bayes_sp.analysis.batch import schedule as places
from bayes_sp.analysis.batch.cell import Answer, Failure
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer
from bayes_sp.analysis.fit import fit
from bayes_sp.errors import BayesSpError, RunError

pytestmark = pytest.mark.fixed_seed  # the processes that fit are others, whose seeds are not moved

HERE = Path(__file__).parent
LONGER = replace(grids.TINY, draws=2000)


@pytest.fixture(scope="module")
def serial():
    """Six cells and their answers, one after the other."""
    cells = grids.grid(6)
    return cells, [answer(cell) for cell in cells]


@pytest.fixture
def counted(monkeypatch):
    """Count the fits of this process by cell."""
    count = Counter[str]()

    def counting(cell):
        count[cell.name] += 1
        return answer(cell)

    monkeypatch.setattr(places, "answer", counting)
    return count


@pytest.mark.slow
def test_processes_give_the_answers_of_stand_alone_fits(serial):
    """In the order of the cells, whatever the order in which they finish; the lines count up."""
    cells, expected = serial
    lines = []
    found = Runner(workers=2, progress=lines.append).run(cells)
    assert grids.same(found, expected)
    assert [line.partition(",")[0] for line in lines] == [f"{i} of 6 cells" for i in range(1, 7)]
    for cell, outcome in zip(cells[:2], found[:2], strict=True):
        table = fit(cell.model, cell.survey, seed=cell.seed, options=cell.options).effects().table()
        pd.testing.assert_frame_equal(outcome.table[table.columns], table, check_exact=True)


def test_one_process_gives_the_same(serial, counted):
    """With one worker nothing is started."""
    cells, expected = serial
    assert grids.same(Runner(workers=1).run(cells), expected)
    assert set(counted.values()) == {1}
    assert grids.same(Runner().run(cells[:1]), expected[:1])  # nor for a single cell
    assert counted["slope 0"] == 2


@pytest.mark.slow
def test_given_executors_give_the_same(serial):
    """Threads, and processes of the standard library; two cells at a time, or all of them."""
    cells, expected = serial
    with ThreadPoolExecutor(2) as threads:
        assert grids.same(Runner(threads).run(cells), expected)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert grids.same(Runner(pool, workers=2).run(cells), expected)


def test_equal_cells_are_fitted_once(serial, counted):
    """They share the answer, and count as many."""
    cells, expected = serial
    lines = []
    twice = [cells[0], replace(cells[1], name="again"), cells[0], cells[1]]
    found = Runner(workers=1, progress=lines.append).run(twice)
    assert grids.same(found, [expected[0], expected[1]] * 2)
    assert sum(counted.values()) == 2
    assert lines[-1] == "4 of 4 cells"


def test_only_what_is_missing_is_fitted(serial, counted, tmp_path):
    """A second start reads what the first kept; a damaged file is fitted again."""
    cells, expected = serial
    runner = Runner(workers=1, store=tmp_path / "store")
    runner.run(cells[:4])
    (tmp_path / "store" / f"{cells[0].key}.json").write_text("{", encoding="utf-8")
    counted.clear()
    lines = []
    found = replace(runner, progress=lines.append).run(cells)
    assert grids.same(found, expected)
    assert set(counted) == {"slope 0", "slope 4", "slope 5"}
    assert lines[0] == "3 of 6 cells (3 taken from the store)"
    assert lines[-1] == "6 of 6 cells (3 taken from the store)"


def test_a_cell_that_fails_does_not_sink_the_rest(serial, tmp_path):
    """Its reason and its specification come back; it is not kept."""
    cells, expected = serial
    short = replace(cells[1].survey, records=cells[1].survey.records.drop(columns="visits"))
    bad = replace(cells[1], survey=short, name="no visits")
    lines = []
    mixed = [cells[0], bad, replace(bad, name="same"), cells[2]]
    found = Runner(workers=1, store=tmp_path, progress=lines.append).run(mixed)
    assert grids.same([found[0], found[3]], [expected[0], expected[2]])
    assert [(outcome.name, 'column "visits" is missing' in outcome.reason) for outcome in found[1:3]] == [
        ("no visits", True),
        ("same", True),
    ]
    assert "sigma = 0.15" in found[1].specification
    assert lines[-1] == "4 of 4 cells (2 failed)"
    assert {path.stem for path in tmp_path.iterdir()} == {cells[0].key, cells[2].key}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_fault_is_raised_with_the_cells_name_and_what_is_finished_is_kept(workers, serial, monkeypatch, tmp_path):
    """Nothing of ours that breaks is taken for a failed cell."""
    cells, _ = serial
    faulty = replace(cells[2], name=grids.Faulty("the third"), seed=99)
    if workers == 1:
        monkeypatch.setattr(places, "answer", lambda cell: 1 / 0 if cell.seed == 99 else answer(cell))
    with pytest.raises(ZeroDivisionError) as caught:
        Runner(workers=workers, store=tmp_path).run([cells[0], cells[1], faulty, *cells[3:]])
    assert 'while fitting the cell "the third"' in "".join(caught.value.__notes__)
    kept = {path.stem for path in tmp_path.iterdir()}
    assert kept
    assert kept <= {cell.key for cell in cells}


def test_an_error_at_hand_when_a_run_begins_is_left_alone(serial):
    """A run that goes well says nothing of an error that its caller is handling."""
    try:
        raise KeyError("earlier")
    except KeyError as error:
        assert grids.same(Runner(workers=1).run(serial[0][:1]), serial[1][:1])
        assert not hasattr(error, "__notes__")  # noqa: PT017 - it was raised before


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_replaced():
    """One is killed while cells of a second or so are fitted; the answers are those of an undisturbed run."""
    cells, killed = grids.grid(5, LONGER), []

    def kill(line: str) -> None:
        if not killed:
            killed.append(
                next(c for c in psutil.Process().children() if "bayes_sp.analysis.batch.worker" in str(c.cmdline()))
            )
            killed[0].kill()

    found = Runner(workers=2, progress=kill).run(cells)
    assert len(killed) == 1
    assert grids.same(found, [answer(cell) for cell in cells])


@pytest.mark.slow
def test_a_cell_that_three_workers_died_of_is_given_up(serial, tmp_path):
    """Two deaths are forgiven; the cells beside it go on either way."""
    cells, expected = serial
    twice = grids.Deadly("dies twice", str(tmp_path / "twice"), 2)
    always = grids.Deadly("dies always", str(tmp_path / "always"), 1000)
    found = Runner(workers=2).run([replace(cells[0], name=always), cells[1], replace(cells[2], name=twice), cells[3]])
    assert grids.same(found[1:], expected[1:4])
    assert isinstance(found[0], Failure)
    assert (found[0].name, found[0].reason.partition(" (")[0]) == ("dies always", "its worker died 3 times")
    for marks in ("twice", "always"):  # the third that read "dies twice" fitted it
        assert len((tmp_path / marks).read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.slow
def test_a_broken_executor_of_the_users_is_reported(serial, tmp_path):
    """It cannot be repaired from here; what is finished is kept."""
    cells, _ = serial
    deadly = replace(cells[1], name=grids.Deadly("deadly", str(tmp_path / "marks"), 1))
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context) as pool,
        pytest.raises(BayesSpError, match="the executor: broke down at the cell"),
    ):
        Runner(pool, workers=1, store=tmp_path / "store").run([cells[0], deadly])
    assert [path.stem for path in (tmp_path / "store").iterdir()] == [cells[0].key]


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
print("started")
from grids import grid
from bayes_sp.analysis.batch.runner import Runner
found = Runner(workers=2, store={store!r}, progress=lambda line: print(line, flush=True)).run(grid({count}))
print(len(found), all(outcome.table["mean"].notna().all() for outcome in found))
"""


def start(folder: Path, count: int) -> subprocess.Popen[str]:
    """Start a user's script, which does not ask whether it is the main module."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(here=str(HERE), store=str(folder / "store"), count=count), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    return subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        env=environment,
    )  # fmt: skip


@pytest.mark.slow
def test_a_plain_script_needs_no_main_guard(tmp_path):
    """The script runs once, not again in each worker."""
    printed, _ = start(tmp_path, 3).communicate(timeout=300)
    lines = printed.splitlines()
    assert lines.count("started") == 1
    assert lines[-1] == "3 True"


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(serial, counted, tmp_path):
    """SIGKILL after some cell: no worker is left, no finished cell is fitted again, and the result is the same."""
    cells, expected = grids.grid(12), serial[1]
    after = 1 + int(grids.np.random.default_rng(1).integers(8))
    process = start(tmp_path, len(cells))
    for line in process.stdout:
        if line.startswith(f"{after} of 12"):
            break
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert (len(workers), left) == (2, [])
    kept = {path.stem for path in (tmp_path / "store").glob("[!.]*.json")}
    assert after <= len(kept) < 12
    found = Runner(workers=1, store=tmp_path / "store").run(cells)
    assert grids.same(found[:6], expected)
    assert set(counted) == {cell.name for cell in cells if cell.key not in kept}
    assert all(isinstance(outcome, Answer) for outcome in found)


def test_a_store_that_cannot_be_written_is_reported_before_anything_is_fitted(serial, counted, tmp_path):
    """A file is in the way."""
    (tmp_path / "store").write_text("x", encoding="utf-8")
    with pytest.raises(RunError, match="is not a folder that you may write to"):
        Runner(workers=1, store=tmp_path / "store").run(serial[0])
    assert not counted


def test_no_cells_have_no_outcomes():
    """Nothing is started for nothing."""
    assert Runner().run([]) == []
    assert Runner(scheduler="127.0.0.1:1").run([]) == []


def test_a_runner_is_one_thing_and_says_what():
    """Mistakes in its options are named."""
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="not both"):
            Runner(pool, scheduler="127.0.0.1:1")
        assert repr(Runner(pool)) == "Runner(a ThreadPoolExecutor; answers are not kept)"
    for workers in (0, True, 1.5, -2):
        with pytest.raises(ValueError, match="at least 1"):
            Runner(workers=workers)
    assert repr(Runner(workers=3, store="kept")) == "Runner(3 workers on this machine; answers kept in kept)"
    assert repr(Runner(workers=1)) == "Runner(in turn; answers are not kept)"
    assert "the Dask cluster of host:1;" in repr(Runner(scheduler="host:1"))


def test_a_place_without_workers_is_given_up(serial, monkeypatch):
    """Nobody waits for ever for workers that do not come."""
    monkeypatch.setattr(places, "PATIENCE", 0.2)
    monkeypatch.setattr(places, "LOOK", 0.05)
    place = places.Place("the cluster", lambda *_: pytest.fail("submitted"), lambda: 0, "start some")
    with pytest.raises(BayesSpError, match="the cluster: has had no worker for 0 s; start some"):
        list(places.fitted_at(place, serial[0]))
