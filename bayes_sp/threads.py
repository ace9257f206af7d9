"""Work shared by threads, which an interrupt stops at the next piece instead of after the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
