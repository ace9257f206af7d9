"""Small grids of cells, and names of cells that kill the process which reads them."""

from __future__ import annotations

import os
import signal
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_sp.analysis.batch.cell import Answer, Cell
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

TINY = SamplerOptions(draws=50, tune=50, chains=2, cores=1)
SPECIFICATION = """
title = "Walks, mood and visits"
question = "Do walks go with fewer visits through mood?"
exposure = "walks"
outcome = "visits"
contrast = [0, 2]
variables.walks = { label = "Walks a week", unit = "walks", kind = "integer", min = 0, max = 7 }
variables.mood = { label = "Mood", unit = "points (0-10)", min = 0, max = 10, center = 5.0 }
variables.visits = { label = "Visits", unit = "visits per person per year", kind = "count" }
equation = [{ response = "mood", family = "normal" }, { response = "visits", family = "negative_binomial" }]
[priors]
intercept = { dist = "normal", mu = 2.0, sigma = 2.0, why = "middle of the scale" }
slope = { dist = "normal", mu = 0.0, sigma = SIGMA, why = "small" }
sigma = { dist = "half_normal", sigma = 2.0, why = "scale is 10 wide" }
phi = { dist = "lognormal", mu = 0.0, sigma = 1.0, why = "near 1" }
"""


def walks(n: int = 60, seed: int = 0) -> Survey:
    """Return made-up records."""
    rng = np.random.default_rng(seed)
    exposure = rng.integers(0, 8, n)
    mood = np.clip(np.round(4 + 0.3 * exposure + rng.normal(0, 1.5, n), 1), 0, 10)
    visits = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(1.2 - 0.12 * mood)))
    frame = pd.DataFrame({"walks": exposure, "mood": mood, "visits": visits})
    return Survey(frame, "simulation", f"a made-up survey (seed {seed})")


def grid(count: int, options: SamplerOptions = TINY, survey: Survey | None = None) -> list[Cell]:
    """Return cells that differ in the spread of one prior."""
    survey = walks() if survey is None else survey
    return [
        Cell(f"slope {i}", load_model(_tables(0.1 + 0.05 * i), name="walks"), survey, seed=1, options=options)
        for i in range(count)
    ]


def _tables(sigma: float) -> dict:
    return tomllib.loads(SPECIFICATION.replace("SIGMA", repr(sigma)))


def same(found: list, expected: list) -> bool:
    """Whether two lists of answers are equal to the last bit; raises where a table differs."""
    assert [type(outcome) for outcome in found] == [type(outcome) for outcome in expected]
    for one, other in zip(found, expected, strict=True):
        if isinstance(one, Answer):
            pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
            assert (one.key, one.trustworthy, one.reasons) == (other.key, other.trustworthy, other.reasons)
    return True


class Deadly(str):
    """A cell's name: the first ``times`` processes that read it are killed, unless spared; each leaves a mark."""

    __slots__ = ("marks", "spared", "times")
    marks: str
    spared: tuple[int, ...]
    times: int

    def __new__(cls, name: str, marks: str, times: int, spared: tuple[int, ...] = ()) -> Deadly:
        found = super().__new__(cls, name)
        found.marks, found.times, found.spared = marks, times, (*spared, os.getpid())
        return found

    def __reduce__(self):
        return _read, (str(self), self.marks, self.times, self.spared)


def _read(name: str, marks: str, times: int, spared: tuple[int, ...]) -> Deadly:
    if os.getpid() not in spared:
        with Path(marks).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        if len(Path(marks).read_text(encoding="utf-8").splitlines()) <= times:
            os.kill(os.getpid(), signal.SIGKILL)
    return Deadly(name, marks, times, spared)


class Faulty(str):
    """A cell's name that raises where it is read in another process: a fault of the program's."""

    __slots__ = ()

    def __reduce__(self):
        return _raise, (str(self),)


def _raise(name: str) -> str:
    raise ZeroDivisionError(f"a fault in {name}")
