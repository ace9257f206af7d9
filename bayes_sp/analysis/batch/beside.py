"""Processes beside a command: they import what it will need while it does so itself, and then share its work."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from bayes_sp.analysis.batch.processes import Processes, usable_processors
from bayes_sp.threads import sharing
from bayes_sp.unneeded import staying

MOST = 3  # processes: each imports everything for itself


class Helpers:
    """Processes that begin at once to import some modules."""

    def __init__(self, processes: Processes, modules: Sequence[str]) -> None:
        self.count, self._processes = processes.count, processes
        self._imports = [processes.submit(import_all, tuple(modules)) for _ in range(processes.count)]
        self._calls = set[Future[Any]]()  # that are not answered yet

    def ready(self, number: int) -> bool:
        """Return whether so many of them, and one more, have everything imported, and one of these is free."""
        imported = sum(one.done() and one.exception() is None for one in self._imports)
        return imported > max(number, len(self._calls))

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Call a function of a module in one of them, as soon as one is free."""
        call = self._processes.submit(function, *arguments)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call


def import_all(modules: Sequence[str]) -> None:
    """Import modules, and return nothing of them."""
    with staying():
        for name in modules:
            importlib.import_module(name)


@contextmanager
def helpers(most: int, modules: Sequence[str]) -> Iterator[None]:
    """Share the work of the block with processes: at most so many, none on a machine with one processor."""
    count = min(most, MOST, usable_processors() - 1)
    if count < 1:
        yield
        return
    with Processes(count) as processes, sharing(Helpers(processes, modules)):
        yield
