"""Where cells are fitted, and the loop that hands them out and takes their outcomes in."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bayes_sp.analysis.batch.cell import Cell, Outcome, made_with, with_cores
from bayes_sp.analysis.batch.work import answer, answer_elsewhere, failure
from bayes_sp.errors import BayesSpError, RunnerError, WorkerDiedError
from bayes_sp.records.survey import Survey

MOST_DEATHS = 3  # of workers, before the cell that they ran is blamed
PATIENCE = 60.0  # seconds without any worker
_KEPT = "finished cells are kept where there is a store"
LOOK = 1.0  # seconds after which the number of workers is looked at again


def identity(survey: Survey) -> Survey:
    """Return the survey, which goes with its cell."""
    return survey


@dataclass(frozen=True)
class Place:
    """Somewhere cells are fitted."""

    name: str  # for messages: ``the executor``
    submit: Callable[..., Future[Any]]  # as an executor's
    # Returns how many cells are handed over at a time: 0 while there is no worker, -1 when the place is lost.
    slots: Callable[[], int]
    lost: str  # what a user should do if the place breaks down
    send_records: Callable[[Survey], Any] = identity  # what is submitted in place of a survey


def fitted_here(cells: Sequence[Cell], cores: int) -> Generator[tuple[Cell, Outcome]]:
    """Yield cells with their outcomes, fitted one after the other in this process, chains on ``cores`` processors."""
    for cell in cells:
        with _named(cell):
            outcome = answer(with_cores(cell, cores))
        yield cell, outcome


@contextmanager
def _named(cell: Cell) -> Iterator[None]:
    """Add the cell's name to whatever goes wrong."""
    well = False
    try:
        yield
        well = True
    finally:
        if not well and (error := sys.exception()) is not None:
            error.add_note(_note(cell))


def _note(cell: Cell) -> str:
    return f'while fitting the cell "{cell.name}" (key {cell.key[:12]})'


def fitted_at(place: Place, cells: Sequence[Cell]) -> Generator[tuple[Cell, Outcome]]:
    """Yield cells with their outcomes as they finish, at most as many at a time as the place has slots.

    A cell whose worker process dies is handed over again, until three have died of it. Dask hands a cell over again by
    itself, and in the end gives up all the cells that a dying worker held; each of those has another try alone.

    Raises RunnerError where the place breaks down, has no worker for a minute, or has other versions; Exception
    whatever else a worker raised, which is a fault of ours, with the cell in its notes; all that had finished by then
    has been yielded.
    """
    suspects: list[Cell] = []
    for cell, outcome in _in_turn(place, cells):
        if outcome is None:
            suspects.append(cell)
        else:
            yield cell, outcome
    for suspect in suspects:
        for cell, outcome in _in_turn(place, [suspect]):
            yield cell, outcome or failure(cell, "its workers died of it, last when it had the cluster to itself")


def _in_turn(place: Place, cells: Sequence[Cell]) -> Generator[tuple[Cell, Outcome | None]]:
    """Yield cells with their outcomes; None for what a cluster has given up."""
    waiting, deaths = deque(cells), Counter[str]()
    running: dict[Future[Any], Cell] = {}
    last_worker_seen = time.monotonic()
    try:
        while waiting or running:
            slots = _slots(place)
            last_worker_seen = time.monotonic() if slots else last_worker_seen
            if time.monotonic() - last_worker_seen > PATIENCE:
                raise RunnerError(place.name, [f"has had no worker for {PATIENCE:.0f} s; {place.lost}"])
            while waiting and len(running) < slots:
                cell = waiting.popleft()
                running[_submitted(place, cell)] = cell
            fault: BaseException | None = None
            for future in _finished(running):
                cell = running.pop(future)
                error = CancelledError() if future.cancelled() else future.exception()
                if error is None:
                    yield cell, future.result()
                elif _is_given_up(error):
                    yield cell, None
                elif not isinstance(error, WorkerDiedError):
                    fault = _fault(error, cell, place)
                elif deaths[cell.key] < MOST_DEATHS - 1:
                    deaths[cell.key] += 1
                    waiting.appendleft(cell)
                else:
                    yield cell, failure(cell, f"its worker died {MOST_DEATHS} times ({error})")
            if fault is not None:
                raise fault
    finally:
        for future in running:
            future.cancel()


def _slots(place: Place) -> int:
    slots = place.slots()
    if slots < 0:
        raise RunnerError(place.name, [f"was lost; {_KEPT}; {place.lost}"])
    return slots


def _submitted(place: Place, cell: Cell) -> Future[Any]:
    try:
        return place.submit(answer_elsewhere, place.send_records(cell.survey), cell.parts, made_with())
    except BrokenExecutor as error:
        raise _fault(error, cell, place) from error


def _finished(running: Mapping[Future[Any], Cell]) -> Collection[Future[Any]]:
    """Wait a second at most for calls that have ended."""
    if not running:
        time.sleep(LOOK)
    return wait(running, timeout=LOOK, return_when=FIRST_COMPLETED).done


def _is_given_up(error: BaseException) -> bool:
    """Whether Dask says that the workers of a task have died too often."""
    dask = sys.modules.get("distributed")  # where the error is one of Dask's, Dask is loaded
    return dask is not None and isinstance(error, dask.scheduler.KilledWorker)


def _fault(error: BaseException, cell: Cell, place: Place) -> BaseException:
    """Return what is raised for an error that ends the whole run."""
    if isinstance(error, BrokenExecutor | CancelledError):
        why = f" ({error})" if str(error) else ""
        problem = f'broke down at the cell "{cell.name}"{why}'
        return RunnerError(place.name, [f"{problem}; {_KEPT}; {place.lost}"])
    if not isinstance(error, BayesSpError):
        error.add_note(_note(cell))
    return error
