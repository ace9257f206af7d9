"""What an interval says about a null or a region, and where along a dial that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bayes_sp.sensitivity.target import Estimate
from bayes_sp.shown import Part, Shown

type Region = tuple[float, float]
State = Literal["above", "below", "inside", "across"]

Z = 1.959963984540054  # 95 % of a normal


@dataclass(frozen=True)
class Crossing:
    """A dial value at which the interval leaves the state that it has at the start."""

    value: float  # the tipping value
    # low, high: the dial values that the Monte Carlo error of the interval's limit leaves open (95 %); where that error
    # is not known, the last bracket.
    low: float
    high: float
    after: State  # the interval's state just beyond: ``above``, ``below``, ``inside`` or ``across`` the null or region


@dataclass(frozen=True, repr=False)
class Tipping(Shown):
    """Where a conclusion changes as a dial is turned away from its start.

    Attributes
    ----------
    start, low, high
        Where the dial stands in the analysis as planned, and the values searched.
    before
        The interval's state at the start.
    crossings
        The first crossing on each side of the start, the nearest one first; empty where there is none.
    region
        The null twice, or the region of practical equivalence.
    evaluations
        (dial value, estimate) in the order of the dial; None where there is no answer.
    note
        What the reader must know: why there is no crossing, or what was not searched.
    """

    start: float
    low: float
    high: float
    before: State
    crossings: tuple[Crossing, ...]
    region: Region
    evaluations: tuple[tuple[float, Estimate | None], ...]
    note: str = ""

    @property
    def first(self) -> Crossing | None:
        """The crossing nearest to the start."""
        return self.crossings[0] if self.crossings else None

    @property
    def table(self) -> pd.DataFrame:
        """One row for each value of the dial: median, interval, Monte Carlo errors of its limits, verdict, state."""
        columns = ["dial", "median", "lower", "upper", "mcse_lower", "mcse_upper", "trustworthy", "state"]
        rows: list[tuple[object, ...]] = []
        for value, found in self.evaluations:
            if found is None:
                rows.append((value, *[np.nan] * 5, False, ""))
            else:
                numbers = (found.median, found.lower, found.upper, found.mcse_lower, found.mcse_upper)
                rows.append((value, *numbers, found.trustworthy, state_of(found, self.region)))
        return pd.DataFrame(rows, columns=columns)

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.before} at the start, {self.start:g}; searched from {self.low:g} to {self.high:g}"
        found = [f"{c.after} from {c.value:.3g} on ({c.low:.3g} to {c.high:.3g})" for c in self.crossings]
        return head, [found or "No crossing.", *filter(None, [self.note]), self.table]


def state_of(estimate: Estimate, region: Region) -> State:
    """Return where an interval lies: above, below or across a null (given twice), or also inside a region."""
    low, high = region
    if estimate.lower > high:
        return "above"
    if estimate.upper < low:
        return "below"
    return "inside" if low < high and estimate.lower >= low and estimate.upper <= high else "across"


def margin_of(estimate: Estimate, region: Region, before: State) -> tuple[float, float]:
    """Return how far an interval is from leaving a state, positive while in it, and that limit's Monte Carlo error."""
    found = _margins(estimate, region)
    if before == "across":
        margin, error = max(found.values())
        return -margin, error
    return found[before]


def state_beyond(estimate: Estimate, region: Region, before: State) -> State:
    """Return the state of an interval that has left one, also where its limit lies exactly on the edge."""
    state = state_of(estimate, region)
    if state != before:
        return state
    found = _margins(estimate, region)
    return max(found, key=lambda name: found[name]) if before == "across" else "across"


def _margins(estimate: Estimate, region: Region) -> dict[State, tuple[float, float]]:
    """Return how far inside each state other than ``across`` an interval lies, negative where it does not."""
    low, high = region
    found: dict[State, tuple[float, float]] = {
        "above": (estimate.lower - high, estimate.mcse_lower),
        "below": (low - estimate.upper, estimate.mcse_upper),
    }
    if low < high:
        ends = (estimate.lower - low, estimate.mcse_lower), (high - estimate.upper, estimate.mcse_upper)
        found["inside"] = min(ends)
    return found
