"""How strong a confounder must be to take an effect's sign away: along a pair's grid, and in multiples of covariates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from bayes_sp.names import CURVE_COLUMNS, MULTIPLE_COLUMNS
from bayes_sp.sensitivity.confounders import Pair
from bayes_sp.sensitivity.strength_grid import Grid
from bayes_sp.sensitivity.surface import Surface, first_crossing, product_bias
from bayes_sp.sensitivity.target import Estimate

CURVE_POINTS = 24
MOST_REFITS = 5
type Refit = Callable[[Sequence["Multiple"]], list[Estimate | None]]
type Margin = Callable[[Estimate], float]


@dataclass(frozen=True)
class Multiple:
    """How many times as strong as a covariate, in both equations, a confounder takes the sign of an effect away.

    Attributes
    ----------
    first, second
        The earlier and the later response.
    covariate
        Its name.
    first_strength, second_strength
        The covariate's own strengths in the two equations (`benchmark_strengths`).
    sign
        Of the confounder's second strength, its first being positive: the one that works against the effect.
    multiple
        The least factor at which the interval includes no effect; NaN where there is none up to `most`, 0 where the
        interval includes it without a confounder.
    most
        The largest factor tried, at which one of the strengths reaches the end of the grid.
    mcse
        Monte Carlo standard error of the multiple; NaN where it was not refitted.
    refitted
        Number of fits at or near the multiple; 0 for an interpolation.
    """

    first: str
    second: str
    covariate: str
    first_strength: float
    second_strength: float
    sign: int
    multiple: float
    most: float
    mcse: float = float("nan")
    refitted: int = 0

    @property
    def pair(self) -> Pair:
        """Both responses."""
        return self.first, self.second

    def strengths(self, factor: float) -> tuple[float, float]:
        """Return the confounder's strengths at a multiple of the covariate's."""
        return factor * self.first_strength, self.sign * factor * self.second_strength


def tipping_curve(grid: Grid, margin: Surface | None, variance: float | None) -> pd.DataFrame:
    """Return, for strengths of the first response, the least strength of the second that takes the sign away.

    Of both signs of the second the nearer one; NaN where neither does within the grid. ``slope_bias`` is how far such a
    confounder moves the slope between the two (`product_bias`); NaN where the first response is not normal.
    """
    (most, other), rows = grid.most, []
    for s in np.linspace(most / CURVE_POINTS, most, CURVE_POINTS) if margin is not None else ():
        found = [sign * first_crossing(lambda t, s=s, g=sign: margin.at(s, g * t), other) for sign in (-1, 1)]  # type: ignore[union-attr,misc]
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
        most = min(end / own for end, own in zip(grid.most, both, strict=True))
        tried = {sign: _along(margin, both, sign) for sign in (-1, 1)}
        crossings = {sign: first_crossing(along, most) for sign, along in tried.items()}
        reached = {sign: value for sign, value in crossings.items() if not np.isnan(value)}
        low = {sign: float(along(np.array([most]))[0]) for sign, along in tried.items()}
        sign = min(reached, key=lambda key: reached[key]) if reached else min(low, key=lambda key: low[key])
        found.append(Multiple(first, second, covariate, *both, sign, reached.get(sign, float("nan")), most))
    return found


def _along(margin: Surface, both: Sequence[float], sign: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the margin as a function of the multiple."""
    return lambda k: margin.at(k * both[0], sign * k * both[1])


def strongest(multiples: Sequence[Multiple]) -> list[Multiple]:
    """Return, for each pair, the covariate that has to be multiplied least.

    Where none gets there, the one whose two strengths have the largest product, to which the bias is proportional.
    """
    by_pair: dict[Pair, list[Multiple]] = {}
    for multiple in multiples:
        by_pair.setdefault(multiple.pair, []).append(multiple)
    found = []
    for group in by_pair.values():
        reached = [m for m in group if not np.isnan(m.multiple)]
        weight = max(group, key=lambda m: m.first_strength * m.second_strength)
        found.append(min(reached, key=lambda m: m.multiple) if reached else weight)
    return found


def refined(chosen: Sequence[Multiple], plain: float, margin: Margin, error: Margin, refit: Refit) -> list[Multiple]:
    """Return multiples found by fits instead of interpolation, all pairs at once.

    The margin is nearly linear in the square of the multiple, because the bias is proportional to the product of two
    strengths; so each next fit stands where the straight line through the two nearest margins, as a function of the
    square, is 0. It ends where the margin is within the Monte Carlo standard error of the interval's limit, or after five
    fits, with the line's last root.

    Parameters
    ----------
    chosen
        Interpolated multiples; those of 0 are returned as they are, those of NaN are tried at ``most``.
    plain
        Margin without confounding, > 0.
    margin, error
        ``Estimate`` -> margin, and its Monte Carlo standard error.
    refit
        ``multiples -> estimates``, None where the fit failed: fits at ``multiple``, in parallel.
    """
    states = [_Search(m, plain) for m in chosen]
    for _ in range(MOST_REFITS):
        active = [state for state in states if not state.done]
        if not active:
            break
        asked = [replace(state.start, multiple=state.next) for state in active]
        for state, estimate in zip(active, refit(asked), strict=True):
            if estimate is None:
                state.done = True
            else:
                state.take(margin(estimate), error(estimate))
    return [state.result() for state in states]


class _Search:
    """One multiple's search: squares of multiples below and above the root, with their margins."""

    def __init__(self, start: Multiple, plain: float) -> None:
        self.start, self.done = start, start.multiple == 0.0
        self.next = start.most if np.isnan(start.multiple) else start.multiple
        self.below, self.above = (0.0, plain), None  # type: tuple[float, float], tuple[float, float] | None
        self.fits, self.error, self.beyond = 0, float("nan"), False

    def take(self, margin: float, error: float) -> None:
        """Note a margin at the last place, and choose the next."""
        here = self.next**2, margin
        self.fits += 1
        slope = -(margin - self.below[1]) / (here[0] - self.below[0])
        if margin > 0.0:
            self.below, self.beyond = here, self.next >= self.start.most
        else:
            self.above = here
        if self.above is not None:
            slope = (self.below[1] - self.above[1]) / (self.above[0] - self.below[0])
        if slope > 0.0:
            self.error = error / (2.0 * self.next * slope)
        self.done = abs(margin) <= error or (self.beyond and self.above is None)
        if not self.done:
            root = self.below[0] + self.below[1] / slope if slope > 0.0 else np.inf
            self.next = float(min(np.sqrt(root), self.start.most))

    def result(self) -> Multiple:
        if not self.fits:
            return self.start
        found = float("nan") if self.beyond and self.above is None else self.next
        return replace(self.start, multiple=found, mcse=self.error, refitted=self.fits)


def multiples_table(multiples: Sequence[Multiple]) -> pd.DataFrame:
    """Return multiples as a table."""
    return pd.DataFrame([asdict(m) for m in multiples], columns=list(MULTIPLE_COLUMNS))


def with_refined(multiples: Sequence[Multiple], better: Sequence[Multiple]) -> list[Multiple]:
    """Return multiples with some of them replaced."""
    known: Mapping[tuple[Pair, str], Multiple] = {(m.pair, m.covariate): m for m in better}
    return [known.get((m.pair, m.covariate), m) for m in multiples]
