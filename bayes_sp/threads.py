"""Work shared by threads, and by processes beside this one where a command has started some.

An interrupt stops it at the next piece instead of after the last one.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any, Protocol

from bayes_sp.errors import RunnerError, WorkerDiedError

MOST_SENT = 30_000  # patients whose records go to another process with a call
PAUSE = 0.005  # seconds between two looks at whether a process is ready


class Beside(Protocol):
    """Processes that calls can be sent to; ``count`` of them, each ready or not."""

    count: int

    def ready(self, number: int) -> bool:
        """Return whether so many of them, and one more, have everything imported, and one of these is free."""

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Call a function of a module in one of them."""


_beside: list[Beside] = []


@contextmanager
def sharing(processes: Beside) -> Iterator[None]:
    """Let `shared` and `begun` send calls to processes within the block."""
    _beside.append(processes)
    try:
        yield
    finally:
        _beside.remove(processes)


def has_company() -> bool:
    """Return whether there is a process that calls can be sent to."""
    return bool(_beside)


def in_threads[T](work: Callable[[T, Event], None], tasks: Iterable[T], workers: int) -> None:
    """Run ``work(task, stop)`` for every task in threads, and raise what one of them raises.

    Where one raises, or the caller is interrupted, tasks that have not begun are left out and ``stop`` is set, which
    a long task looks at between its pieces.
    """
    stop = Event()
    pool = ThreadPoolExecutor(workers)
    try:
        for future in [pool.submit(work, task, stop) for task in tasks]:
            future.result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def begun[R](function: Callable[..., R], *arguments: object, queues: bool = True) -> Callable[[], R]:
    """Begin a call in a process beside this one, and return what waits for its result.

    Without such a process, or where it dies, the call is made here when the result is asked for; with ``queues`` False
    also where it has not begun by then, because others come before it.
    """
    here = partial(function, *arguments)
    if not _beside:
        return here
    future = _beside[-1].submit(function, *arguments)

    def result() -> R:
        if not queues and future.cancel():
            return here()
        try:
            found: R = future.result()
        except (WorkerDiedError, RunnerError):
            return here()
        return found

    return result


def mapped[T, R](work: Callable[[T], R], tasks: Sequence[T], workers: int = 0) -> list[R]:
    """Return ``work(task)`` of every task, in their order, in threads; by default as many as there are processors."""
    return _taken([(work, _always)] * (workers or os.cpu_count() or 1), tasks, None)


def shared[T, R](
    work: Callable[[T], R], tasks: Sequence[T], workers: int = 0, *, told: Callable[[], object] | None = None
) -> list[R]:
    """Return what `mapped` returns; within `sharing`, and with several workers, processes take part of the tasks.

    One thread then works here, and each process takes the next task as soon as it is ready. ``work``, tasks and results
    must be such as `pickle` takes. ``told`` is called after each task.
    """
    if not _beside or workers == 1:
        return _taken([(work, _always)] * (workers or os.cpu_count() or 1), tasks, told)
    beside = _beside[-1]

    def there(task: T) -> R:
        return begun(work, task)()

    elsewhere = [(there, partial(beside.ready, number)) for number in range(beside.count)]
    return _taken([(work, _always), *elsewhere], tasks, told)


def _always() -> bool:
    return True


def _taken[T, R](
    places: Sequence[tuple[Callable[[T], R], Callable[[], bool]]],
    tasks: Sequence[T],
    told: Callable[[], object] | None,
) -> list[R]:
    """Return what comes of each task, of which each place takes the next as soon as it is ready and free."""
    left, found = deque(range(len(tasks))), dict[int, R]()

    def takes(place: tuple[Callable[[T], R], Callable[[], bool]], stop: Event) -> None:
        work, ready = place
        while left and not stop.is_set():
            if not ready():
                time.sleep(PAUSE)
                continue
            try:
                number = left.popleft()
            except IndexError:  # another place was faster
                return
            try:
                found[number] = work(tasks[number])
            finally:
                if number not in found:  # it has raised: the rest is not begun
                    left.clear()
            if told is not None:
                told()

    in_threads(takes, places[: len(tasks)], len(places))
    return [found[number] for number in range(len(tasks))]
