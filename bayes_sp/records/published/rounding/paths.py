"""The paths of a published mediation analysis from its printed table, over every table that rounds to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError
from bayes_sp.names import ARROW, TOTAL
from bayes_sp.records.published.rounding.feasible import Box
from bayes_sp.records.published.rounding.regressions import Quantity, Slope, slopes_of
from bayes_sp.records.published.rounding.sample import inner_point, sample_box
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Table
from bayes_sp.records.published.study.results import Chain, Study
from bayes_sp.shown import Part, Shown

if TYPE_CHECKING:
    import pandas as pd

_DRAWS = 2000


@dataclass(frozen=True, repr=False)
class PathRange(Shown):
    """A coefficient or effect over all tables that round to the printed one.

    Attributes
    ----------
    name
        ``response ~ term``, the name of a path, or ``total``.
    printed
        As the article prints it; None where it does not.
    middle
        From the printed numbers as they stand.
    low, high
        The range found: both ends are attained by some table.
    surely_low, surely_high
        No table gives a value outside.
    draws
        Values of a uniform sample of the tables.
    """

    name: str
    printed: tuple[Figure, ...]
    middle: float
    low: float
    high: float
    surely_low: float
    surely_high: float
    draws: Array

    @property
    def share(self) -> float:
        """Share of the sample that rounds to a printed figure; NaN where none is printed."""
        if not self.printed:
            return float("nan")
        return float(np.mean(np.any([(self.draws >= f.low) & (self.draws <= f.high) for f in self.printed], axis=0)))

    def _shown(self) -> tuple[str, list[Part]]:
        printed = f"printed {' or '.join(map(str, self.printed))}; " if self.printed else ""
        head = f"{self.name}: {printed}{self.middle:.3g} from the printed table"
        return head, [f"{self.low:.3g} to {self.high:.3g} over all tables that round to it."]


@dataclass(frozen=True, repr=False)
class RoundedPaths(Shown):
    """Every coefficient and effect of a chain, over all tables that round to the printed one."""

    chain: Chain
    table: Table
    ranges: tuple[PathRange, ...]

    def __getitem__(self, name: str) -> PathRange:
        """Return the range of a coefficient or effect; KeyError if there is none."""
        return {item.name: item for item in self.ranges}[name]

    def frame(self) -> pd.DataFrame:
        """Return one row for each coefficient and effect."""
        import pandas as pd

        rows = [
            {
                "name": item.name,
                "printed": " or ".join(map(str, item.printed)),
                "as printed table": item.middle,
                "low": item.low,
                "high": item.high,
                "surely above": item.surely_low,
                "surely below": item.surely_high,
                "5 %": float(np.quantile(item.draws, 0.05)),
                "median": float(np.median(item.draws)),
                "95 %": float(np.quantile(item.draws, 0.95)),
                "share that rounds to the printed": item.share,
            }
            for item in self.ranges
        ]
        return pd.DataFrame(rows).set_index("name")

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{ARROW.join(self.chain.variables)} by least squares of every table that rounds to {self.table.name}"
        without = f"Without {', '.join(self.chain.unprinted)}, which the table does not hold."
        parts: list[Part] = [self.frame().iloc[:, :4].reset_index()]
        return head, [*parts, without] if self.chain.unprinted else parts


def rounded_paths(study: Study, chain: Chain | None = None, *, draws: int = _DRAWS, seed: int = 1) -> RoundedPaths:
    """Compute a chain's paths by least squares over all tables that round to the printed one.

    Correlations lie anywhere in their roundings as long as they are those of some data together, SDs anywhere in
    theirs. Where a variable of the chain has no printed SD its effects are in units of that SD.

    Raises SurveyError if the study has no chain, no table holds all its variables and their correlations, or no
    positive definite matrix rounds to the printed one.

    By default the chain is the study's first; ``draws`` and ``seed`` are of the uniform sample.
    """
    chain = chain or next(iter(study.chains), None)
    if chain is None:
        raise SurveyError(study.source, ["describes no [[chain]] of regressions"])
    names = (*chain.variables, *chain.covariates)
    table = study.table_of(*names)
    if table is None:
        raise SurveyError(study.source, [f"no table holds all of {', '.join(names)}"])
    missing = [f"{a} with {b}" for a, b in combinations(names, 2) if table.r(a, b) is None]
    if missing:
        raise SurveyError(study.source, [f"{table.name} does not print the correlation of {', '.join(missing)}"])
    if flat := [name for name in chain.variables if (sd := table.variable(name).sd) is not None and sd.low <= 0]:
        raise SurveyError(study.source, [f"{table.name} prints an SD of {', '.join(flat)} that may be 0"])
    box, rng = Box.of(table, names), np.random.default_rng(seed)
    inside = inner_point(box)
    matrices = sample_box(box, draws, rng)
    sds = [_sd(table, name) for name in names]
    sampled = [rng.uniform(*ends, size=draws) for ends in sds]
    found = []
    for quantity in quantities(chain):
        y, x = quantity.unit
        scale = sds[y][0] / sds[x][1], sds[y][1] / sds[x][0]
        middle = float(quantity.values(box.middle)) * sum(sds[y]) / sum(sds[x])
        low, high = _scaled(quantity.attained(box, inside), scale)
        surely = _scaled(quantity.enclosure(box), scale)
        values = quantity.values(matrices) * sampled[y] / sampled[x]
        printed = _printed(study, chain, quantity.name)
        found.append(PathRange(quantity.name, printed, middle, low, high, *surely, values))
    return RoundedPaths(chain, table, tuple(found))


def _sd(table: Table, name: str) -> tuple[float, float]:
    """Return the SDs that round to a printed one; 1 where none is printed."""
    sd = table.variable(name).sd
    return (1.0, 1.0) if sd is None else sd.interval


def _scaled(ends: tuple[float, float], scale: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of a product with a positive factor."""
    corners = [end * factor for end in ends for factor in scale]
    return min(corners), max(corners)


def _printed(study: Study, chain: Chain, name: str) -> tuple[Figure, ...]:
    """Return the printed figures of a coefficient or effect."""
    coefficients = [c for c in study.coefficients if c.model in ("", chain.model)]
    own = [c.estimate for c in coefficients if f"{c.response} ~ {c.term}" == name]
    effects = [e.readings for e in study.effects if e.path == name and e.model == chain.model]
    return tuple(own[:1]) or (effects[0] if effects else ())


def quantities(chain: Chain) -> tuple[Quantity, ...]:
    """Return every coefficient along the chain, every path's effect and the total, in places of its variables."""
    variables, count = chain.variables, len(chain.variables)
    extra = tuple(range(count, count + len(chain.covariates)))
    slopes: dict[tuple[int, int], Slope] = {}
    for response in range(1, count):
        found = slopes_of(response, (*range(response), *extra))
        slopes |= {(response, term): found[term] for term in range(response)}
    single = [
        Quantity(f"{variables[y]} ~ {variables[x]}", ((slope,),), (y, x)) for (y, x), slope in slopes.items()
    ]  # fmt: skip
    last = count - 1
    routes = [(0, *via, last) for size in range(count - 1) for via in combinations(range(1, last), size)]
    products = [tuple(slopes[b, a] for a, b in pairwise(route)) for route in routes]
    paths = [
        Quantity(ARROW.join(variables[k] for k in route), (product,), (last, 0))
        for route, product in zip(routes, products, strict=True)
    ]
    # The sum over all paths is the slope of the exposure without the mediators: an identity of least squares.
    total = slopes_of(last, (0, *extra))[0]
    return (*single, *paths, Quantity(TOTAL, ((total,),), (last, 0)))
