"""Tests, coefficients, effects and chains of a published study, one frozen record for each kind, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import (
    Arithmetic,
    Change,
    Entry,
    Listed,
    Moments,
    Pooled,
    Repeated,
    Sample,
    Scale,
    Table,
    Total,
)


@dataclass(frozen=True)
class Study:
    """A published study: every printed number that can be checked, with its place."""

    source: str  # the file, or the name of a shipped study
    citation: Mapping[str, str]  # keys such as ``title``, ``authors``, ``year`` and ``doi``
    samples: tuple[Sample, ...] = ()
    scales: tuple[Scale, ...] = ()
    tables: tuple[Table, ...] = ()
    changes: tuple[Change, ...] = ()
    totals: tuple[Total, ...] = ()
    arithmetic: tuple[Arithmetic, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    lists: tuple[Listed, ...] = ()
    pooled: tuple[Pooled, ...] = ()
    tests: tuple[Test, ...] = ()
    paired: tuple[Paired, ...] = ()
    two_groups: tuple[TwoGroups, ...] = ()
    sample_sizes: tuple[SampleSize, ...] = ()
    coefficients: tuple[Coefficient, ...] = ()
    effects: tuple[Effect, ...] = ()
    chains: tuple[Chain, ...] = ()

    @property
    def title(self) -> str:
        """Title of the article, or the source where none is given."""
        return self.citation.get("title", "") or self.source

    def scale_of(self, variable: str) -> Scale | None:
        """Return the scale of a variable; None where none is described."""
        return {name: scale for scale in self.scales for name in scale.variables}.get(variable)

    def table_of(self, *variables: str) -> Table | None:
        """Return the first table that holds all these variables; None where there is none."""
        return next((table for table in self.tables if set(variables) <= set(table.names)), None)

    def every_test(self) -> tuple[Test, ...]:
        """Return all tests, those of comparisons included."""
        return (*self.tests, *(item.test for item in self.paired), *(item.test for item in self.two_groups))


USUAL_LEVEL = Figure("0.05")
EFFECT_SIZES = ("partial_eta_squared", "cohens_f", "cohens_d", "cohens_dz", "r_squared")


@dataclass(frozen=True)
class Test(Entry):
    """A test statistic with its degrees of freedom, p value and effect size."""

    label: str
    kind: str  # ``"t"``, ``"f"``, ``"z"``, ``"chi2"`` or ``"r"``
    statistic: Figure
    df: tuple[Figure, ...] = ()  # one or two numbers; for ``"r"`` the number of patients less 2
    p: Figure | None = None
    sides: int = 2
    # Name of an effect size -> as printed; see `EFFECT_SIZES`.
    effects: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Paired(Entry):
    """A comparison of two times in the same patients: a test, and what is printed beside it."""

    label: str
    # before, after: names of the table's variables.
    before: str
    after: str
    test: Test
    beside: tuple[Moments, Moments] = (Moments(), Moments())  # means and SDs printed beside the test, at both times


@dataclass(frozen=True)
class TwoGroups(Entry):
    """A comparison of two groups: a test, and the two groups' sizes, means and SDs; ``missing`` as in `Pooled`."""

    label: str
    test: Test
    groups: tuple[Moments, Moments]
    welch: bool = False
    missing: int = 0
    variable: str = ""


@dataclass(frozen=True)
class SampleSize(Entry):
    """A sample-size calculation."""

    label: str
    test: str  # which test was planned, one of `DESIGNS`
    # effect, size: name of the effect size and its value.
    effect: str
    size: Figure
    power: Figure
    n: int
    alpha: Figure = USUAL_LEVEL
    groups: int = 2
    predictors: int = 1
    effect_of: str = ""  # label of the test whose effect it is said to be, or ``""``


@dataclass(frozen=True)
class Coefficient(Entry):
    """A regression coefficient with what is printed of its uncertainty."""

    response: str
    term: str
    estimate: Figure
    se: Figure | None = None
    t: Figure | None = None
    p: Figure | None = None
    lower: Figure | None = None
    upper: Figure | None = None
    df: tuple[int, int] | None = None
    model: str = ""

    @property
    def label(self) -> str:
        """The coefficient's name, ``response ~ term``, and its model where one is named."""
        return f"{self.response} ~ {self.term}" + (f" (model {self.model})" if self.model else "")


@dataclass(frozen=True)
class Effect(Entry):
    """An effect of the exposure on the outcome by a path, or ``"total"``, with every reading of the printed figure."""

    path: str
    readings: tuple[Figure, ...]
    printed: str = ""
    model: str = ""
    se: Figure | None = None
    t: Figure | None = None
    p: Figure | None = None
    lower: Figure | None = None
    upper: Figure | None = None
    interval: str = "bootstrap"  # ``"bootstrap"`` or ``"t"``
    df: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """The effect's path, and its model where one is named."""
        return f"{self.path} (model {self.model})" if self.model else self.path


@dataclass(frozen=True)
class Chain(Entry):
    """Regressions of a mediation analysis: each later variable on the exposure, earlier mediators and covariates."""

    exposure: str
    mediators: tuple[str, ...]
    outcome: str
    covariates: tuple[str, ...] = ()  # those that the table holds
    unprinted: tuple[str, ...] = ()  # those that were used and are not in the table
    model: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """Exposure, mediators and outcome in order."""
        return self.exposure, *self.mediators, self.outcome
