"""Work shared by threads, which an interrupt stops at the next piece instead of after the last one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event


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


def mapped[T, R](work: Callable[[T], R], tasks: Sequence[T], workers: int = 0) -> list[R]:
    """Return ``work(task)`` of every task, in their order, in threads; by default as many as there are processors."""
    found: dict[int, R] = {}

    def one(place: int, _: Event) -> None:
        found[place] = work(tasks[place])

    in_threads(one, range(len(tasks)), workers or os.cpu_count() or 1)
    return [found[place] for place in range(len(tasks))]
