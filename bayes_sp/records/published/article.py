"""Typed access to every number of the published study; the numbers themselves are in ``kellezi2019.toml``."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.records.published import printed, tables
from bayes_sp.shown import Part, Shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class PublishedStudy(Shown):
    """The published study's numbers, each with its place in the article.

    Attributes
    ----------
    n
        Patients surveyed at both times, on whom Table 2 rests.
    variables
        Rows of Table 2, in its order.
    correlation_table
        The 78 correlations of Table 2, row by row below the diagonal.
    marks
        Significance mark and the p below which Table 2 uses it.
    change_heading
        How Table 2 heads the change score; its correlations have the signs of T1 - T0.
    """

    citation: printed.Citation
    n: int
    samples: tuple[printed.Sample, ...]
    abstract: printed.Abstract
    timing: printed.Timing
    groups_list: printed.GroupsList
    scales: tuple[printed.Scale, ...]
    variables: tuple[printed.Variable, ...]
    correlation_table: tuple[printed.Correlation, ...]
    marks: Mapping[str, printed.Printed]
    change_heading: str
    appointments: printed.AppointmentTotals
    anovas: tuple[printed.Anova, ...]
    t_tests: tuple[printed.TTest, ...]
    power: printed.Power
    bootstrap: printed.BootstrapSettings
    covariates: printed.Covariates
    coefficients: tuple[printed.Coefficient, ...]
    effects: tuple[printed.Effect, ...]

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the variables of Table 2, in its order."""
        return tuple(variable.name for variable in self.variables)

    @functools.cached_property
    def means(self) -> Array:
        """Printed means in the order of ``names``, (13,); NaN where Table 2 prints none."""
        return _read_only([np.nan if v.mean is None else v.mean.value for v in self.variables])

    @functools.cached_property
    def sds(self) -> Array:
        """Printed standard deviations in the order of ``names``, (13,); NaN where Table 2 prints none."""
        return _read_only([np.nan if v.sd is None else v.sd.value for v in self.variables])

    @functools.cached_property
    def correlations(self) -> Array:
        """Printed correlations in the order of ``names``, (13, 13), symmetric with ones on the diagonal."""
        return self._square([c.r.value for c in self.correlation_table], diagonal=1.0)

    @functools.cached_property
    def correlation_half_units(self) -> Array:
        """Half of each correlation's last printed digit, (13, 13), zeros on the diagonal."""
        return self._square([c.r.half_unit for c in self.correlation_table], diagonal=0.0)

    @property
    def correlation_decimals(self) -> NDArray[np.int64]:
        """Decimals to which each correlation is printed, (13, 13); the diagonal is not printed and holds 0."""
        return self._square([c.r.decimals for c in self.correlation_table], diagonal=0.0).astype(np.int64)

    def _square(self, below: list[float] | list[int], diagonal: float) -> Array:
        """Symmetric matrix from the entries below its diagonal, row by row."""
        matrix = np.zeros((len(self.variables),) * 2)
        matrix[np.tril_indices(len(self.variables), -1)] = below
        return _read_only(matrix + matrix.T + diagonal * np.eye(len(self.variables)))

    def _shown(self) -> tuple[str, list[Part]]:
        effects = [f"{e.path} (PROCESS model {e.model}): {e.printed} [{e.lower}, {e.upper}]" for e in self.effects]
        return f"{self.citation}; {self.n} patients", [effects, self.table2()[["label", "mean", "sd"]]]

    def variable(self, name: str) -> printed.Variable:
        """Return the row of Table 2 with this name; KeyError if there is none."""
        return {v.name: v for v in self.variables}[name]

    def sample(self, name: str) -> printed.Sample:
        """Return ``"baseline"`` (T0) or ``"follow_up"`` (T1); KeyError for any other name."""
        return {s.name: s for s in self.samples}[name]

    def coefficient(self, response: str, term: str) -> printed.Coefficient:
        """Return the coefficient of a term in a response's equation; KeyError if it is not published."""
        return {(c.response, c.term): c for c in self.coefficients}[response, term]

    def effect(self, path: str, model: int = 6) -> printed.Effect:
        """Return the effect of a path in a PROCESS model; KeyError if it is not published."""
        return {(e.path, e.model): e for e in self.effects}[path, model]

    def table2(self) -> pd.DataFrame:
        """Table 2 as printed, one row for each variable; what the article leaves blank is an empty string.

        Returns
        -------
        pandas.DataFrame
            Index ``variable``; columns ``label``, ``mean``, ``sd``, ``minimum``, ``maximum``, ``alpha``, then one for
            each variable with the correlations below the diagonal, significance marks included.
        """
        import pandas as pd  # reading the numbers alone should not cost it

        described = ("mean", "sd", "minimum", "maximum", "alpha")
        below = {(c.row, c.column): f"{c.r}{c.mark}" for c in self.correlation_table}
        rows = [
            {"variable": v.name, "label": v.label}
            | {key: str(getattr(v, key) or "") for key in described}
            | {name: below.get((v.name, name), "") for name in self.names}
            for v in self.variables
        ]
        return pd.DataFrame(rows).set_index("variable")

    def all_numbers(self) -> Iterator[tuple[str, str, str]]:
        """Yield every number as (key path, figure as printed, place in the article); the citation is left out."""
        for item in dataclasses.fields(self):
            if item.name not in ("citation", "marks"):
                yield from _numbers(getattr(self, item.name), item.name, "Table 2")
        for mark, threshold in self.marks.items():
            yield f"marks[{mark}]", threshold.text, "Table 2"


def _read_only(values: list[float] | Array) -> Array:
    """Array that callers of a cached study cannot change."""
    array = np.asarray(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _key(node: object, position: int) -> str:
    """Name of an item in a sequence: what tells it from its neighbours, or its position."""
    if isinstance(node, printed.Correlation):
        return f"{node.row}, {node.column}"
    if isinstance(node, printed.Coefficient):
        return f"{node.response}, {node.term}"
    if isinstance(node, printed.Effect):
        return f"{node.path}, model {node.model}"
    return str(getattr(node, "name", getattr(node, "variable", position)))


def _numbers(node: object, path: str, place: str) -> Iterator[tuple[str, str, str]]:
    """Numbers of a part of the study, depth first."""
    if isinstance(node, printed.Printed | int):
        yield path, str(node), place
    elif isinstance(node, tuple):
        for position, item in enumerate(node):
            yield from _numbers(item, f"{path}[{_key(item, position)}]", place)
    elif dataclasses.is_dataclass(node):
        place = getattr(node, "place", place)
        for item in dataclasses.fields(node):
            value = getattr(node, item.name)
            if item.metadata.get("number"):
                yield f"{path}.{item.name}", value, place
            elif not (item.name == "readings" and len(value) == 1):  # a single reading repeats the printed figure
                yield from _numbers(value, f"{path}.{item.name}", place)


@functools.cache
def published() -> PublishedStudy:
    """Return the published study's numbers, read once from the package's own ``kellezi2019.toml``.

    Returns
    -------
    PublishedStudy
        Frozen; every number carries its printed decimals and its place in the article.

    References
    ----------
    Kellezi et al. (2019). BMJ Open 9(11): e033137. https://doi.org/10.1136/bmjopen-2019-033137

    Examples
    --------
    >>> import bayes_sp as sp
    >>> sp.published().n
    178
    """
    text = (
        importlib.resources.files("bayes_sp.records.published").joinpath("kellezi2019.toml").read_text(encoding="utf-8")
    )
    toml = tomllib.loads(text)
    (table,), (groups_list,), (size,), context = toml["table"], toml["list"], toml["sample_size"], toml["context"]
    variables, correlations = tables.table2(table)
    return PublishedStudy(
        n=table["n"],
        variables=variables,
        correlation_table=correlations,
        marks=types.MappingProxyType({mark: printed.Printed(p) for mark, p in table["marks"].items()}),
        change_heading=context["table2"]["change_heading"],
        citation=tables.build(printed.Citation, toml["citation"]),
        abstract=tables.build(printed.Abstract, context["abstract"]),
        timing=tables.build(printed.Timing, context["timing"]),
        groups_list=tables.build(printed.GroupsList, tables.without(groups_list, "label", "bearing")),
        appointments=tables.totals(toml),
        power=tables.power(size),
        bootstrap=tables.build(printed.BootstrapSettings, context["bootstrap"]),
        covariates=tables.build(printed.Covariates, context["covariates"]),
        samples=tuple(map(tables.sample, toml["sample"])),
        scales=tuple(tables.scale(row) for row in toml["scale"] if "items" in row),
        anovas=tuple(map(tables.anova, toml["paired"])),
        t_tests=tuple(map(tables.t_test, toml["two_groups"])),
        coefficients=tuple(tables.build(printed.Coefficient, row) for row in toml["coefficient"]),
        effects=tuple(tables.build(printed.Effect, row) for row in toml["effect"]),
    )
