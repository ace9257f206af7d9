"""Many fits: alternative priors of the primary specification, over processes and over a Dask cluster."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.figure import Figure, Settings, figure, ratio
from benchmarks.process import call

WORKERS = 2
DASK = [sys.executable, "-c", "from dask.__main__ import main; main()"]
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")


def figures(settings: Settings) -> list[Figure]:
    """Time a grid in one process, over two, and over one and two Dask workers, with machine code at hand."""
    count, draws = (4, 50) if settings.quick else (100, 1000)
    cache = settings.folder / "grid-cache"
    call("grid:loop", cache=cache, count=1, draws=draws)  # compiles
    plain = figure(f"{count} cells in a plain loop", call("grid:loop", cache=cache, count=count, draws=draws),
                   note=f"sp.fit and its effects in one process, chains on {WORKERS} cores")  # fmt: skip
    seconds = call("grid:processes", cache=cache, count=count, draws=draws)
    runner = figure(f"{count} cells, {WORKERS} processes", seconds, note="Runner(workers=2).run, start of workers too")
    listed = [plain, runner, figure("of it each cell", seconds / count, note="seconds of the whole by cells")]
    listed.append(ratio("plain loop / processes", plain, runner))
    one, two = (
        figure(f"{count} cells, Dask with {n} worker{'s' * (n > 1)}",
               call("grid:cluster", cache=cache, count=count, draws=draws, workers=n),
               note="workers warm, one thread each")
        for n in (1, WORKERS)
    )  # fmt: skip
    return [*listed, one, two, ratio("Dask: one worker / two workers", one, two)]


def loop(count: int, draws: int) -> float:
    """Return the seconds of a grid in a loop as one would write it."""
    from bayes_sp.analysis.fit import fit

    cells = _cells(count, draws)
    fit(cells[0].model, cells[0].survey, seed=1, options=cells[0].options)  # the engine is read
    started = time.perf_counter()
    for cell in cells:
        fit(cell.model, cell.survey, seed=cell.seed, options=cell.options).effects().table()
    return time.perf_counter() - started


def processes(count: int, draws: int) -> float:
    """Return the seconds of a grid over worker processes, with their start."""
    from bayes_sp.analysis.batch.runner import Runner

    cells = _cells(count, draws)
    started = time.perf_counter()
    found = Runner(workers=WORKERS).run(cells)
    seconds = time.perf_counter() - started
    _check(found)
    return seconds


def cluster(count: int, draws: int, workers: int) -> float:
    """Return the seconds of a grid over Dask workers that have fitted before."""
    from bayes_sp.analysis.batch.runner import Runner

    cells = _cells(count + 4 * workers, draws)
    with _started(workers) as address:
        _check(Runner(scheduler=address).run(cells[count:]))
        started = time.perf_counter()
        found = Runner(scheduler=address).run(cells[:count])
        seconds = time.perf_counter() - started
    _check(found)
    return seconds


def _check(outcomes: list) -> None:
    from bayes_sp.analysis.batch.cell import Answer

    if not all(isinstance(outcome, Answer) for outcome in outcomes):
        raise RuntimeError("a cell of the grid failed")


def _cells(count: int, draws: int) -> list:
    """Return cells with standard deviations of the slopes' prior from 0.1 to 2, evenly on a logarithmic scale."""
    from bayes_sp.analysis.batch.cell import Cell
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.model.reading.write import specification_tables
    from bayes_sp.records.published.reconstruct import reconstruct

    survey, tables = reconstruct(), specification_tables(load_model("primary"))
    cells = []
    for i in range(count):
        tables["priors"]["slope"] = {"dist": "normal", "mu": 0.0, "sigma": 0.1 * 20 ** (i / max(count - 1, 1)),
                                     "why": "one of a grid"}  # fmt: skip
        options = SamplerOptions(draws=draws, cores=WORKERS)
        cells.append(Cell(f"slope {i}", load_model(tables, name="primary"), survey, options=options))
    return cells


@contextlib.contextmanager
def _started(workers: int) -> Iterator[str]:
    """Start a scheduler and its workers on the loopback interface, and yield its address when all have joined."""
    from distributed import Client

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    commands = [["scheduler", "--port", port, *LOCAL]]
    commands += [["worker", address, "--nthreads", "1", "--no-nanny", *LOCAL]] * workers
    running = [
        subprocess.Popen([*DASK, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()
