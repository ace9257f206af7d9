"""A published study: every printed number that can be checked, with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayes_sp.records.published.study.parts import (
    Arithmetic,
    Change,
    Listed,
    Pooled,
    Repeated,
    Sample,
    Scale,
    Table,
    Total,
)
from bayes_sp.records.published.study.results import Chain, Coefficient, Effect, Paired, SampleSize, Test, TwoGroups


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
