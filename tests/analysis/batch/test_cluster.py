"""A Dask cluster: a real scheduler and real workers on the loopback interface, some of them killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import distributed
import grids
import pytest

from bayes_sp.analysis.batch import dask as cluster
from bayes_sp.analysis.batch.cell import Failure, made_with
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer
from bayes_sp.errors import BayesSpError

ROOT = Path(__file__).parents[3]
LONGER = replace(grids.TINY, draws=1000)
START = "from dask.__main__ import main; main()"


@dataclass
class Cluster:
    """A scheduler of its own process and the workers that were started for it."""

    folder: Path
    failures: int
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(self.failures),
            "OPENBLAS_NUM_THREADS": "1",
        }
        with (self.folder / f"log-{len(self.processes)}").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", START, *arguments], stdout=log, stderr=log, env=environment, cwd=self.folder
            )
        self.processes.append(process)
        return process

    @property
    def scheduler(self) -> subprocess.Popen[bytes]:
        return self.processes[0]

    def add_worker(self) -> subprocess.Popen[bytes]:
        local = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--local-directory"]
        return self.start("worker", self.address, *local, str(self.folder))

    def wait_for(self, workers: int) -> None:
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)


@contextmanager
def started(folder: Path, failures: int) -> Iterator[Cluster]:
    """Start a scheduler, and end it with all of its workers."""
    found = Cluster(folder, failures)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found.address = f"tcp://127.0.0.1:{port}"
    found.start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    try:
        yield found
    finally:
        for process in found.processes:
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path) -> Iterator[Cluster]:
    with started(tmp_path, failures=0) as found:
        yield found


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_nothing(tmp_path, monkeypatch):
    """No worker, then two with other versions, then two that fit, one of which is killed: answers as in turn."""
    cells, killed = grids.grid(6, LONGER), []
    expected = [answer(cell) for cell in cells]
    with started(tmp_path, failures=3) as dask:
        monkeypatch.setattr(cluster, "FIRST_WORKER", 0.2)
        with pytest.raises(BayesSpError, match="has no worker after 0 s; start some with `dask worker`"):
            Runner(scheduler=dask.address).run(cells)
        workers = [dask.add_worker(), dask.add_worker()]
        dask.wait_for(2)

        here = os.getpid()

        def others() -> dict[str, str]:
            return made_with() | ({"numpy": "1.0"} if os.getpid() == here else {})

        with monkeypatch.context() as patch:
            patch.setattr(cluster, "made_with", others)
            with pytest.raises(BayesSpError, match=r"its worker tcp://.*numpy is [0-9.]+ on the worker and 1\.0 here"):
                Runner(scheduler=dask.address).run(cells)

        def kill(line: str) -> None:
            if not killed:
                killed.append(line)
                workers[0].kill()

        found = Runner(scheduler=dask.address.removeprefix("tcp://"), progress=kill).run(cells)
        assert workers[0].wait(60) == -9
        assert workers[1].poll() is None
        assert grids.same(found, expected)

        with distributed.Client(dask.address, set_as_default=False) as client:  # an executor of the user's own
            assert grids.same(Runner(client.get_executor()).run(cells[:2]), expected[:2])


@pytest.mark.slow
def test_a_cell_that_kills_workers_is_a_failure_and_the_rest_goes_on(dask, tmp_path):
    """Dask gives up what its worker held, here at the first death; the guilty one is found by a try alone."""
    cells = grids.grid(4)
    for _ in range(3):
        dask.add_worker()
    dask.wait_for(3)
    spared = (dask.scheduler.pid,)
    deadly = replace(cells[1], name=grids.Deadly("deadly", str(tmp_path / "marks"), 1000, spared))
    found = Runner(scheduler=dask.address).run([cells[0], deadly, *cells[2:]])
    assert isinstance(found[1], Failure)
    assert found[1].reason.startswith("its workers died of it")
    assert len((tmp_path / "marks").read_text(encoding="utf-8").splitlines()) == 2
    assert grids.same([found[0], *found[2:]], [answer(cell) for cell in (cells[0], *cells[2:])])


@pytest.mark.slow
def test_a_scheduler_that_dies_is_an_error_and_what_is_finished_is_kept(dask, tmp_path):
    """The run ends within seconds, not after a wait for a scheduler that is gone."""
    cells = grids.grid(8, LONGER)
    dask.add_worker()
    dask.wait_for(1)
    began = []

    def kill(line: str) -> None:
        if line.startswith("2 of"):
            began.append(time.monotonic())
            dask.scheduler.kill()

    with pytest.raises(BayesSpError, match=r"(broke down at the cell|was lost).*see to the scheduler"):
        Runner(scheduler=dask.address, store=tmp_path / "store", progress=kill).run(cells)
    assert time.monotonic() - began[0] < 120
    kept = {path.stem for path in (tmp_path / "store").iterdir()}
    assert 2 <= len(kept) < 8
    assert kept <= {cell.key for cell in cells}


def test_an_address_without_a_scheduler_is_an_error_at_once(monkeypatch):
    """Nobody listens; somebody listens who is no scheduler; it is no address."""
    monkeypatch.setattr(cluster, "CONNECTING", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(BayesSpError, match="does not answer within 0 s; start one with `dask scheduler`"):
            Runner(scheduler=f"127.0.0.1:{port}").run(grids.grid(1))
    with pytest.raises(BayesSpError, match="does not answer"):
        Runner(scheduler=f"tcp://127.0.0.1:{port}").run(grids.grid(1))
    for wrong in ("somewhere", "ftp://127.0.0.1:1", "host:port"):
        with pytest.raises(BayesSpError, match="is not an address"):
            Runner(scheduler=wrong).run(grids.grid(1))


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    """Dask is an optional dependency."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BayesSpError, match=r"needs the package distributed.*pip install 'bayes_sp\[dask\]'"):
        Runner(scheduler="127.0.0.1:1").run(grids.grid(1))
