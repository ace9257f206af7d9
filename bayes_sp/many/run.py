"""Run many cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from bayes_sp.many.cells import Cell, Outcome
from bayes_sp.many.work import answer


@dataclass(frozen=True)
class Runner:
    """How many cells are run: where, and where their answers are kept.

    Attributes
    ----------
    executor
        Any executor of `concurrent.futures`; None for processes on this machine.
    scheduler
        Address of a Dask scheduler; '' for none.
    workers
        Processes on this machine; None for one for each processor.
    store
        Folder in which answers are kept by content; None to keep none.
    progress
        Called with a line after each cell.
    """

    executor: Executor | None = None
    scheduler: str = ""
    workers: int | None = None
    store: Path | None = None
    progress: Callable[[str], None] | None = None

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Return each cell's outcome, in the order of the cells."""
        return [answer(cell) for cell in cells]
