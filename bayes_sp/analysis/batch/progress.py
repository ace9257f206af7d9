"""How far many pieces of work are, in a line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Tally:
    """Cells, or other pieces of work, counted as they are done."""

    # total, taken: number of cells, and how many of them were in the store.
    total: int
    taken: int
    clock: Callable[[], float] = time.perf_counter  # seconds from any origin
    # done, failed: how many were done in this call, and how many of them failed.
    done: int = 0
    failed: int = 0
    # first, begun: how many were done first, and when.
    first: int = 0
    begun: float = 0.0
    what: str = "cells"  # what is counted

    def add(self, cells: int, *, failed: bool = False) -> None:
        """Count cells that have just been done: several where they are the same."""
        self.done += cells
        self.failed += cells * failed
        if not self.first:
            self.first, self.begun = cells, self.clock()

    def counted(self, cells: int) -> str:
        """Count what has just been done, and return the line."""
        self.add(cells)
        return str(self)

    def __str__(self) -> str:
        """``37 of 100 cells (3 taken from the store, 1 failed), about 40 s left``.

        The time is that of this call's cells after the first, which waits for workers to start and for the compiler.
        """
        finished = self.done + self.taken
        counts = [(self.taken, "taken from the store"), (self.failed, "failed")]
        inside = ", ".join(f"{count} {words}" for count, words in counts if count)
        line = f"{finished} of {self.total} {self.what}" + (f" ({inside})" if inside else "")
        timed = self.done - self.first
        if not timed or finished == self.total:
            return line
        left = (self.clock() - self.begun) / timed * (self.total - finished)
        return f"{line}, about {duration(left)} left"


def duration(seconds: float) -> str:
    """Return seconds in the unit that has two digits or so: ``40 s``, ``5 min``, ``3.5 h``."""
    if seconds < 120:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
