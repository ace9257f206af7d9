"""Samples, scales, tables and sums of a published study: one frozen record for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bayes_sp.records.published.study.figures import Figure


@dataclass(frozen=True)
class Entry:
    """What every kind of entry has."""

    place: str = field(default="", kw_only=True)  # where in the article the numbers stand
    # How a contradiction here would bear on the article's conclusion, in the words of whoever described the study.
    bearing: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Moments(Entry):
    """Number of patients, mean and SD of one group or time; what is not printed is None."""

    name: str = ""
    n: int | None = None
    mean: Figure | None = None
    sd: Figure | None = None


@dataclass(frozen=True)
class Sample(Entry):
    """Patients at one step of the sample's flow, and the parts that must add up to them."""

    name: str
    n: int
    label: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)
    moments: Mapping[str, Moments] = field(default_factory=dict)


@dataclass(frozen=True)
class Scale(Entry):
    """Range of a measure and the step between two possible scores of one patient."""

    variables: tuple[str, ...]  # names of the table's variables that are measured on it
    name: str = ""
    # minimum, maximum: None where there is no bound.
    minimum: Figure | None = None
    maximum: Figure | None = None
    step: Figure | None = None  # None for a measure that is not in steps
    items: int = 1
    shape: str = ""  # for a reconstruction: ``"count"`` for a count with a long tail, else ``""``


@dataclass(frozen=True)
class Correlation:
    """A printed correlation between two variables, with its significance mark; ``r`` is None where none is printed."""

    row: str
    column: str
    r: Figure | None
    mark: str = ""


@dataclass(frozen=True)
class Variable(Entry):
    """A row of a table of means, SDs and correlations."""

    name: str
    label: str = ""
    n: int | None = None
    mean: Figure | None = None
    sd: Figure | None = None
    minimum: Figure | None = None
    maximum: Figure | None = None
    alpha: Figure | None = None


@dataclass(frozen=True)
class Table(Entry):
    """A table of means, SDs and correlations."""

    name: str
    n: int
    variables: tuple[Variable, ...]
    marks: Mapping[str, Figure] = field(default_factory=dict)  # significance mark -> p below which the table uses it
    correlations: tuple[Correlation, ...] = ()  # below the diagonal, row by row

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables in the table's order."""
        return tuple(variable.name for variable in self.variables)

    def variable(self, name: str) -> Variable:
        """Return a row by its name; KeyError if there is none."""
        return {variable.name: variable for variable in self.variables}[name]

    def r(self, first: str, second: str) -> Figure | None:
        """Return the printed correlation of two variables; None where none is printed."""
        found = [c.r for c in self.correlations if {c.row, c.column} == {first, second}]
        return found[0] if found else None


@dataclass(frozen=True)
class Change(Entry):
    """A variable that is the difference of two others in every patient."""

    score: str
    before: str
    after: str


@dataclass(frozen=True)
class Total(Entry):
    """A sum over all patients of a variable."""

    variable: str
    total: Figure
    n: int | None = None


@dataclass(frozen=True)
class Arithmetic(Entry):
    """A printed number that follows from others by a formula."""

    label: str
    result: Figure
    formula: str
    values: Mapping[str, Figure | int]


@dataclass(frozen=True)
class Repeated(Entry):
    """One quantity that is printed at several places."""

    label: str
    values: tuple[tuple[Figure, str], ...]


@dataclass(frozen=True)
class Listed(Entry):
    """A list whose length is stated."""

    label: str
    stated: int
    listed: tuple[str, ...]


@dataclass(frozen=True)
class Pooled(Entry):
    """Mean and SD of a whole and of its parts; up to ``missing`` patients may lack the value."""

    label: str
    whole: Moments
    parts: tuple[Moments, ...]
    missing: int = 0
