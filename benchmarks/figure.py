"""One measured figure, the spread of its repeats, and ratios of two of them. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

RATIO = "ratio"
LEAST_REPEATS = 3
LONG = 5.0


@dataclass(frozen=True)
class Settings:
    """What a run does.

    Attributes
    ----------
    quick
        Tiny sizes, which only show that everything works.
    full
        Also the sizes that take many minutes.
    folder
        An empty temporary folder for compile caches and runs.
    """

    quick: bool
    full: bool
    folder: Path

    @property
    def mode(self) -> str:
        """``quick``, ``default`` or ``full``."""
        return "quick" if self.quick else "full" if self.full else "default"


@dataclass(frozen=True)
class Figure:
    """A figure of the table.

    Attributes
    ----------
    name
        What was measured.
    value
        The median of the repeats; of a ratio, the ratio of two medians.
    unit
        Such as ``s``, ``MB`` or ``ratio``.
    low, high
        The smallest and largest repeat; of a ratio, what the repeats of both sides allow.
    repeats
        How many there were.
    note
        How to read it.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    repeats: int = 1
    note: str = ""


def figure(name: str, values: Sequence[float] | float, unit: str = "s", note: str = "") -> Figure:
    """Return the median and the range of repeated measurements, or of one."""
    found = [float(values)] if isinstance(values, int | float) else [float(value) for value in values]
    return Figure(name, median(found), unit, min(found), max(found), len(found), note)


def ratio(name: str, above: Figure, below: Figure, note: str = "") -> Figure:
    """Return ``above / below``, with the range that the repeats of both allow."""
    low, high = above.low / below.high, above.high / below.low
    return Figure(name, above.value / below.value, RATIO, low, high, min(above.repeats, below.repeats), note)


def repeat(run: Callable[[], float], least: int = LEAST_REPEATS, limit: float = LONG) -> list[float]:
    """Return the seconds of ``least`` runs, or of one where the first takes longer than ``limit`` seconds."""
    found = [run()]
    while len(found) < least and found[0] < limit:
        found.append(run())
    return found
