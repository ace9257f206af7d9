"""How strong a confounder must be to take an effect's sign away: along a grid, and in multiples of covariates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from bayes_sp.names import CURVE_COLUMNS, MULTIPLE_COLUMNS
from bayes_sp.sensitivity.confounder.grid import Grid, Surface, first_crossing, product_bias
from bayes_sp.sensitivity.confounder.pairs import Pair
from bayes_sp.sensitivity.target import Estimate

CURVE_POINTS = 24
MOST_REFITS = 5
type Refit = Callable[[Sequence[Multiple]], Sequence[tuple[float, float] | None]]


@dataclass(frozen=True)
class Multiple:
    """How many times as strong as a covariate, in both equations, a confounder takes the sign of an effect away."""

    # first, second: the earlier and the later response.
    first: str
    second: str
    covariate: str  # its name
    # first_strength, second_strength: the covariate's own strengths in the two equations (`benchmark_strengths`).
    first_strength: float
    second_strength: float
    sign: int  # of the confounder's second strength, its first being positive: the one that works against the effect
    # The least factor at which the interval includes no effect; NaN where there is none up to `most`, 0 where the
    # interval includes it without a confounder.
    multiple: float
    most: float  # the largest factor tried, at which one of the strengths reaches the end of the grid
    mcse: float = float("nan")  # Monte Carlo standard error of the multiple; NaN where it was not refitted
    refitted: int = 0  # number of fits at or near the multiple; 0 for an interpolation

    @property
    def pair(self) -> Pair:
        """Both responses."""
        return self.first, self.second

    def strengths(self, factor: float) -> tuple[float, float]:
        """Return the confounder's strengths at a multiple of the covariate's."""
        return factor * self.first_strength, self.sign * factor * self.second_strength


@dataclass(frozen=True)
class Statement:
    """What a pair's strongest covariate stands for."""

    multiple: Multiple  # how many times as strong a confounder must be
    factor: float  # the multiple of the covariate at which `estimate` was fitted: 1, or `most` where that is less
    # The target under such a confounder, of the sign that works against it; None where the fit failed.
    estimate: Estimate | None


def tipping_curve(grid: Grid, margin: Surface | None, variance: float | None) -> pd.DataFrame:
    """Return, for strengths of the first response, the least strength of the second that takes the sign away.

    Of both signs of the second the nearer one; NaN where neither does within the grid. ``slope_bias`` is how far such a
    confounder moves the slope between the two (`product_bias`); NaN where the first response is not normal.
    """
    (most, other), rows = grid.most, []
    for s in np.linspace(most / CURVE_POINTS, most, CURVE_POINTS) if margin is not None else ():
        found = [sign * first_crossing(lambda t, s=s, g=sign: margin.at(s, g * t), other) for sign in (-1, 1)]  # type: ignore[union-attr,misc]  # the margin is known here
        known = sorted((value for value in found if not np.isnan(value)), key=abs)
        t = known[0] if known else float("nan")
        rows.append((*grid.pair, float(s), t, product_bias(s, t, variance) if variance else float("nan")))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


def multiples_of(grid: Grid, margin: Surface | None, benchmarks: pd.DataFrame) -> list[Multiple]:
    """Return the multiple of every covariate that is in both equations of a pair, by interpolation."""
    strength = benchmarks.set_index(["covariate", "response"])["strength"].to_dict()
    first, second = grid.pair
    found = []
    for covariate in dict.fromkeys(benchmarks["covariate"]):
        both = [strength.get((covariate, response), 0.0) for response in grid.pair]
        if margin is None or min(both) <= 0.0:
            continue
        own_first, own_second = both
        most = min(end / own for end, own in zip(grid.most, both, strict=True))
        tried = {sign: _along(margin, both, sign) for sign in (-1, 1)}
        crossings = {sign: first_crossing(along, most) for sign, along in tried.items()}
        reached = {sign: value for sign, value in crossings.items() if not np.isnan(value)}
        low = {sign: float(along(np.array([most]))[0]) for sign, along in tried.items()}
        sign = min(reached, key=lambda key: reached[key]) if reached else min(low, key=lambda key: low[key])
        least = reached.get(sign, float("nan"))
        found.append(Multiple(first, second, covariate, own_first, own_second, sign, least, most))
    return found


def _along(margin: Surface, both: Sequence[float], sign: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the margin as a function of the multiple."""
    return lambda k: margin.at(k * both[0], sign * k * both[1])


def strongest(multiples: Sequence[Multiple]) -> list[Multiple]:
    """Return, for each pair, the covariate that has to be multiplied least.

    Where none gets there, the one that was tried furthest: the largest product of strengths at ``most``, to which the
    bias is proportional.
    """
    by_pair: dict[Pair, list[Multiple]] = {}
    for multiple in multiples:
        by_pair.setdefault(multiple.pair, []).append(multiple)
    found = []
    for group in by_pair.values():
        reached = [m for m in group if not np.isnan(m.multiple)]
        weight = max(group, key=lambda m: m.most**2 * m.first_strength * m.second_strength)
        found.append(min(reached, key=lambda m: m.multiple) if reached else weight)
    return found


def refined(chosen: Sequence[Multiple], plain: float, margins: Refit) -> list[Multiple]:
    r"""Return multiples found by fits instead of interpolation, for all pairs at once.

    The margin is nearly linear in the square of the multiple, because the bias is proportional to the product of two
    strengths. So with margin m0 without confounding and m at the multiple k, the next place is
    :math:`k \sqrt{m_0 / (m_0 - m)}`. The search ends where m is within two Monte Carlo standard errors of 0, or after
    five fits, with the next place as the result, whose error is that of m over the line's slope.

    ``chosen`` are interpolated multiples; those of 0 are returned as they are, those of NaN are tried at ``most``.
    ``plain`` is m0, and ``margins`` gives (margin, its Monte Carlo standard error) of a fit at each multiple, None
    where it failed.
    """
    searches = [_Search(m, m.most if np.isnan(m.multiple) else m.multiple, done=m.multiple == 0.0) for m in chosen]
    for _ in range(MOST_REFITS):
        active = [i for i, search in enumerate(searches) if not search.done]
        if not active:
            break
        asked = [replace(searches[i].start, multiple=searches[i].place) for i in active]
        for i, found in zip(active, margins(asked), strict=True):
            searches[i] = searches[i].after(plain, *found) if found is not None else replace(searches[i], done=True)
    return [search.result() for search in searches]


@dataclass(frozen=True)
class _Search:
    """One multiple's search: where it stands, NaN where the largest multiple leaves the interval clear."""

    start: Multiple
    place: float
    mcse: float = float("nan")
    fits: int = 0
    done: bool = False

    def after(self, plain: float, margin: float, error: float) -> _Search:
        """Return the search after a fit at its place."""
        k, most = self.place, self.start.most
        if margin > 2.0 * error and k >= most:
            return replace(self, place=float("nan"), mcse=float("nan"), fits=self.fits + 1, done=True)
        drop = plain - margin
        root = k * math.sqrt(plain / drop) if drop > 0.0 else most
        mcse = error * k / (2.0 * drop) if drop > 0.0 else float("nan")
        return _Search(self.start, min(root, most), mcse, self.fits + 1, done=abs(margin) <= 2.0 * error)

    def result(self) -> Multiple:
        """Return the multiple with what the fits say."""
        if not self.fits:
            return self.start
        return replace(self.start, multiple=self.place, mcse=self.mcse, refitted=self.fits)


def multiples_table(multiples: Sequence[Multiple]) -> pd.DataFrame:
    """Return multiples as a table."""
    return pd.DataFrame([asdict(m) for m in multiples], columns=list(MULTIPLE_COLUMNS))


def with_refined(multiples: Sequence[Multiple], better: Sequence[Multiple]) -> list[Multiple]:
    """Return multiples with some of them replaced."""
    known = {(m.pair, m.covariate): m for m in better}
    return [known.get((m.pair, m.covariate), m) for m in multiples]
