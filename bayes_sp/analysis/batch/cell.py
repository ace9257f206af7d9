"""One fit among many, as data: what is fitted, what came back, and the digest that both are kept under."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_sp.effects.summary import CI_PROB
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.versions import versions
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.write import digest, specification_digest
from bayes_sp.records.survey import Survey

FORMAT = 1  # of what is kept; a change makes every kept cell a stranger


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Cell:
    """One specification to be fitted to one survey."""

    name: str  # for messages and tables; not part of the cell's identity
    # model, survey, seed, options: as in `bayes_sp.fit`.
    model: PathModel
    survey: Survey
    seed: int = 1
    options: SamplerOptions = field(default_factory=SamplerOptions)
    kappa: float = 1.0  # coupling of a mediator in two worlds, 0 to 1
    ci_prob: float = CI_PROB  # probability of the intervals in the answer

    @property
    def content(self) -> dict[str, Any]:
        """Everything that the answer depends on, as JSON has it; records and specification as their digests.

        What effects compare, seed, sampler options (but cores, which change no draw), kappa, probability of the
        intervals, `made_with`.
        """
        return {
            "format": FORMAT,
            "specification": specification_digest(self.model),
            "compared": None if self.model.move is None else self.model.move.moved,
            "data": self.survey.digest,
            "origin": self.survey.origin,
            "seed": self.seed,
            "options": {name: value for name, value in self.options.chosen().items() if name != "cores"},
            "kappa": self.kappa,
            "ci_prob": self.ci_prob,
            "versions": made_with(),
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return digest(self.content)

    @property
    def parts(self) -> dict[str, Any]:
        """What a cell is made of, but for its survey, which many cells share."""
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != "survey"}


@dataclass(frozen=True, eq=False)
class Answer:
    """What a cell's fit says."""

    key: str  # the cell's
    # ``effects.csv`` of a stand-alone fit, with the Monte Carlo standard errors of the limits beside it:
    # ``mcse_lower``, ``mcse_upper``.
    table: pd.DataFrame
    # trustworthy, reasons: the verdict on the draws.
    trustworthy: bool
    reasons: tuple[str, ...]
    seconds: float  # of the fit and its effects


@dataclass(frozen=True)
class Failure:
    """Why a cell has no answer, with the specification that failed."""

    key: str
    name: str
    reason: str
    specification: str


type Outcome = Answer | Failure


@functools.cache
def made_with() -> dict[str, str]:
    """Return the versions that draws depend on, and a checksum of the package's source, which changes in between."""
    package = Path(__file__).parents[2]
    sources = b"\0".join(path.read_bytes() for path in sorted(package.rglob("*.py")))
    return {**versions(), "source": hashlib.sha256(sources).hexdigest()[:16]}


def with_cores(cell: Cell, cores: int) -> Cell:
    """Return the cell with another number of cores, which changes no draw."""
    return replace(cell, options=replace(cell.options, cores=cores))
