"""A Dask cluster as a place to fit cells. Dask is an optional dependency."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bayes_sp.analysis.batch.cell import made_with
from bayes_sp.analysis.batch.schedule import Place
from bayes_sp.analysis.batch.work import different, receive_records
from bayes_sp.errors import RunnerError
from bayes_sp.records.survey import Survey
from bayes_sp.unneeded import let_in

CONNECTING = 10.0  # seconds
FIRST_WORKER = 30.0  # seconds until the first worker has joined


@contextmanager
def cluster(address: str) -> Iterator[Place]:
    """Connect to a scheduler and yield its cluster; leaving the block takes back what is not finished.

    Each survey is sent once, as a task of its own that the cluster can compute again where the worker that held it has
    gone.

    Raises RunnerError where Dask is not installed, no scheduler answers within 10 s, no worker has joined it within 30
    s, or a worker has no `bayes_sp` or another version of something that draws depend on.
    """
    dask = _dask()
    name = f"the Dask scheduler {address}"
    _check_scheduler(dask, address, name)
    client = dask.Client(address, timeout=CONNECTING, set_as_default=False)
    try:
        _check_workers(client, name)
        executor = client.get_executor(pure=False)
        settings = importlib.import_module("dask.config").set
        tasks: dict[str, Any] = {}

        def send_records(survey: Survey) -> Any:  # noqa: ANN401 - a future of Dask's
            """Send a survey to the cluster once; its cells refer to it."""
            if survey.digest not in tasks:
                with settings({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):  # it is on purpose
                    tasks[survey.digest] = client.submit(receive_records, survey, pure=False)
            return tasks[survey.digest]

        def threads() -> int:
            """Return how many threads the workers have; -1 where the scheduler has gone."""
            try:
                return sum(client.nthreads().values()) if client.status == "running" else -1
            except OSError:
                return -1

        lost = "see to the scheduler and its workers, and start again"
        yield Place(name, executor.submit, threads, lost, send_records)
    finally:
        client.close()


def _dask() -> Any:  # noqa: ANN401 - Dask's package
    let_in("dask")
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        todo = "install Dask (pip install 'bayes_sp[dask]'), or leave the scheduler out"
        raise RunnerError("a Dask scheduler", [f"needs the package {error.name}, which is missing; {todo}"]) from error


def _check_scheduler(dask: Any, address: str, name: str) -> None:  # noqa: ANN401 - dask may not be installed
    """Refuse an address at which no scheduler answers; a `Client` would wait on for whatever else answers there."""

    async def kind() -> str:
        async with asyncio.timeout(CONNECTING):
            security = dask.Security().get_connection_args("client")
            async with dask.rpc(address, connection_args=security) as server:
                return str((await server.identity())["type"])

    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has a loop already
            found = thread.submit(asyncio.run, kind()).result()
    except ValueError as error:
        raise RunnerError(name, [f"is not an address ({error}); give tcp://host:port"]) from error
    except OSError as error:
        todo = "start one with `dask scheduler`, or correct the address"
        raise RunnerError(name, [f"does not answer within {CONNECTING:.0f} s; {todo}"]) from error
    if found != "Scheduler":
        raise RunnerError(name, [f"is a {found.lower()} and not a scheduler; give the address of its scheduler"])


def _check_workers(client: Any, name: str) -> None:  # noqa: ANN401 - dask may not be installed
    """Refuse a cluster without workers, and workers with other versions."""
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER)
    except TimeoutError as error:
        todo = "start some with `dask worker` and its address"
        raise RunnerError(name, [f"has no worker after {FIRST_WORKER:.0f} s; {todo}"]) from error
    try:
        client.run_on_scheduler(made_with)  # it reads what it hands on
    except (ImportError, AttributeError) as error:
        raise RunnerError(name, [_lacks(error)]) from error
    problems = []
    for worker, found in client.run(made_with, on_error="return").items():
        if isinstance(found, ImportError | AttributeError):
            problems.append(f"its worker {worker} {_lacks(found)}")
        elif isinstance(found, dict):
            problems += [f"its worker {worker}: {problem}" for problem in different(found, made_with())]
        elif not isinstance(found, OSError):  # a worker that has just left
            raise found
    if problems:
        raise RunnerError(name, problems)


def _lacks(error: ImportError | AttributeError) -> str:
    return f"cannot import this version of bayes_sp ({error}); install the same there as here"
