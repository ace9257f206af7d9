"""One column of a rebuilt table: scores on their scale whose mean and SD round to the printed ones, or come nearest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bayes_sp.arrays import Array
from bayes_sp.records.published import margins
from bayes_sp.records.published.audit import granular
from bayes_sp.records.published.audit.granular import Grid
from bayes_sp.records.published.audit.rules_moments import grid_of
from bayes_sp.records.published.count_shapes import COUNT_SHAPES, plain
from bayes_sp.records.published.margins import Steps, UnreachableError, Window
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Scale, Table, Variable
from bayes_sp.records.published.study.results import Study

_FINER = 2  # decimals more than the SD's, for measures that are not in steps
_FEW_LEVELS = 8  # up to so many the shape is drawn level by level
_UNEVENNESS = 0.3  # SD of log weights of such levels
_SHARES = (0.35, 0.65)  # of the way to the scale's maximum, for the mean where none is printed
_CONCENTRATION = 5.0  # of the shares of levels where neither mean nor SD is printed
_TAIL = 9.0  # SDs above the mean at which an unbounded count ends
_TRIES = 50


type Options = NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """What is printed of a variable, and the scores that a patient can have."""

    # name, n: of the variable, and of the patients.
    name: str
    n: int
    grid: Grid | None  # None for a measure that is not in steps
    # mean, sd: as printed; None where they are not. Without a mean it is the middle of the scale or 0, without an SD 1.
    mean: Figure | None
    sd: Figure | None
    # Totals in steps that the mean, and a printed total, allow; of a mean that no scores have the nearest; none where
    # the levels are free.
    totals: tuple[int, ...] = ()
    shape: str = ""  # ``"count"`` for a count with a long tail, or a key of ``COUNT_SHAPES``, else ``""``
    aim: float | None = None  # an SD within the printed one's rounding that is wanted; None for any

    @classmethod
    def of(cls, study: Study, table: Table, variable: Variable) -> Measure:
        """Return what a study prints of a variable."""
        scale = study.scale_of(variable.name)
        grid, n = grid_of(scale), table.n
        totals = () if grid is None else _totals(study, variable, n, grid)
        return cls(variable.name, n, grid, variable.mean, variable.sd, totals, _shape(scale))

    def options(self) -> Options:
        """Return every total and sum of squares in steps that is allowed, (k, 2); none where the levels are free."""
        if self.grid is None or not self.totals:
            return np.empty((0, 2), dtype=np.int64)
        found = []
        for total in self.totals:
            low, high = self._squares(total, self.grid)
            squares = np.arange(low, high + 1, 2)
            found.append(np.column_stack([np.full_like(squares, total), squares]))
        return np.concatenate(found)

    def make(self, total: int, squares: int, rng: np.random.Generator) -> Array:
        """Draw scores in the measure's unit with this total and sum of squares in steps, (n,), in no meaningful order.

        Raises UnreachableError if none were found.
        """
        if self.grid is None:
            raise UnreachableError(f"{self.name} has no steps")
        return self._in_units(self._exact(total, squares, rng, self.grid))

    def free(self, rng: np.random.Generator) -> Array:
        """Draw scores of a measure that is not in steps, or whose levels are free."""
        return self._continuous(rng) if self.grid is None else self._in_units(self._levels(rng))

    def exact(self, values: Array) -> Array:
        """Return scores in the measure's unit without what adding steps has left of rounding."""
        if self.grid is None:
            return np.round(values, _FINER + (1 if self.sd is None else self.sd.decimals))
        return self._in_units(np.round((values - float(self.grid.origin)) / float(self.grid.step)).astype(np.int64))

    def limits(self) -> tuple[float, float, float]:
        """Return step, smallest and largest score; a step of 0 where scores must not move."""
        if self.grid is None or self.grid.steps == 1:
            return 0.0, 0.0, 0.0
        step, origin = float(self.grid.step), float(self.grid.origin)
        high = math.inf if self.grid.steps is None else origin + step * self.grid.steps
        return step, origin if self.grid.bounded_below else -math.inf, high

    def _in_units(self, steps: Steps) -> Array:
        """Return scores in the measure's unit from those in steps."""
        if self.grid is None:
            return steps.astype(np.float64)
        step, origin = self.grid.step, self.grid.origin
        common = step.denominator * origin.denominator
        whole = steps * int(step * common) + int(origin * common)
        return np.asarray(whole / common, dtype=np.float64)

    def _continuous(self, rng: np.random.Generator) -> Array:
        """Draw normal scores with exactly the printed mean and SD, with two decimals more than the SD has."""
        mean = 0.0 if self.mean is None else self.mean.value
        sd, decimals = (1.0, _FINER + 1) if self.sd is None else (self.sd.value, self.sd.decimals + _FINER)
        sd = sd if self.aim is None else self.aim
        z = ndtri((np.arange(self.n) + rng.uniform(0.05, 0.95, size=self.n)) / self.n)
        z = (z - z.mean()) / z.std(ddof=1)
        return np.round(mean + sd * rng.permutation(z), decimals)

    def _levels(self, rng: np.random.Generator) -> Steps:
        """Draw scores on a scale without a printed mean: shares of levels that are neither very small nor alike."""
        last = 1 if self.grid is None or self.grid.steps is None else self.grid.steps
        counts = rng.multinomial(self.n, rng.dirichlet(np.full(last + 1, _CONCENTRATION)))
        return np.repeat(np.arange(last + 1), counts)

    def _exact(self, total: int, squares: int, rng: np.random.Generator, grid: Grid) -> Steps:
        """Draw scores in steps with a total and a sum of squares."""
        if grid.steps == 1:
            return (np.arange(self.n) < total).astype(np.int64)
        sd = math.sqrt(max((squares - total * total / self.n) / (self.n - 1), 1e-12))
        window = self._window(total, sd, grid)
        for _ in range(_TRIES):
            try:
                weights = self._weights(window.lattice, total / self.n, sd, rng)
                p = margins.tilt(window.lattice, weights, total / self.n, sd)
                scores = margins.stratified(window.lattice, p, self.n, rng)
                return margins.repair(scores, window, total, (squares, squares), rng)
            except UnreachableError:
                continue
        return self._extreme(total, squares, grid)

    def _extreme(self, total: int, squares: int, grid: Grid) -> Steps:
        """Return the least or most uneven scores, where the sum of squares leaves no choice but these."""
        each, more = divmod(total, self.n)
        even = np.full(self.n, each, dtype=np.int64) + (np.arange(self.n) < more)
        if int((even * even).sum()) == squares:
            return even
        if grid.steps is not None:
            full, rest = divmod(total, grid.steps)
            ends = np.where(np.arange(self.n) < full, grid.steps, 0).astype(np.int64)
            if rest:
                ends[full] = rest
            if int((ends * ends).sum()) == squares:
                return ends
        sums = f"total {total} and sum of squares {squares}, in steps"
        raise UnreachableError(f"{self.name}: no scores of {sums}, were found")

    def _squares(self, total: int, grid: Grid) -> tuple[int, int]:
        """Return the least and largest sum of squares that the printed SD allows, or twice the possible one nearest."""
        if self.sd is not None and (found := granular.squares(total, self.sd, self.n, grid)):
            return found[0], found[-1]
        least = granular.least_squares_sum(total, self.n)
        most = None if grid.steps is None else granular.greatest_squares_sum(total, grid.steps)
        if self.sd is None:
            exact = Fraction(least + self.n if most is None else (least + most) // 2)
        else:
            exact = (self.sd.exact / grid.step) ** 2 * (self.n - 1) + Fraction(total * total, self.n)
        nearest = max(least, int(exact) if most is None else min(int(exact), most))
        nearest += (nearest - total) % 2
        if most is not None and nearest > most:
            nearest -= 2
        return nearest, nearest

    def _window(self, total: int, sd: float, grid: Grid) -> Window:
        """Return the scores between which the column lies, in steps."""
        centre = total / self.n
        low = 0 if grid.bounded_below else math.floor(centre - _TAIL * sd) - 1
        high = grid.steps if grid.steps is not None else math.ceil(centre + _TAIL * sd) + 1
        return Window(self.n, low, high, (total,), sd, sd)

    def _weights(self, lattice: Array, mean: float, sd: float, rng: np.random.Generator) -> Array:
        """Return the shape of the column before its moments are made exact."""
        if self.shape and sd * sd > mean > 0:
            return COUNT_SHAPES.get(self.shape, plain)(lattice, mean, sd, rng)
        if len(lattice) <= _FEW_LEVELS:
            return np.exp(_UNEVENNESS * rng.standard_normal(len(lattice)))
        bounded = self.grid is not None and self.grid.steps is not None
        width = float(lattice[-1] - lattice[0]) + 1.0
        centre = (mean - lattice[0] + 0.5) / width
        if bounded and centre * (1.0 - centre) > 1.2 * (sd / width) ** 2:
            return np.maximum(margins.beta(lattice, mean, sd), 1e-300)
        return np.ones(len(lattice)) if bounded else np.maximum(margins.normal(lattice, mean, sd), 1e-300)


def _shape(scale: Scale | None) -> str:
    """Return the shape of a column: that of its scale."""
    return "" if scale is None else scale.shape


def _totals(study: Study, variable: Variable, n: int, grid: Grid) -> tuple[int, ...]:
    """Return the totals in steps that round to a printed mean; of those a printed total chooses; else the nearest.

    Without a printed mean: those near the middle of a scale of two levels, or of one with a printed SD.
    """
    if variable.mean is None:
        known = grid.steps is not None and (grid.steps == 1 or variable.sd is not None)
        most = n * (grid.steps or 0)
        return tuple(range(math.ceil(_SHARES[0] * most), math.floor(_SHARES[1] * most) + 1)) if known else ()
    allowed = granular.totals(variable.mean, n, grid)
    printed = [item.total for item in study.totals if item.variable == variable.name and item.n in (None, n)]
    exact = [(figure.exact - n * grid.origin) / grid.step for figure in printed if figure.whole or not figure.decimals]
    chosen = tuple(int(t) for t in exact if t.denominator == 1 and (not allowed or int(t) in allowed))
    if chosen:
        return chosen[:1]
    if allowed:
        return tuple(allowed)
    nearest = round((variable.mean.exact - grid.origin) * n / grid.step)
    nearest = max(nearest, 0) if grid.bounded_below else nearest
    return (nearest if grid.steps is None else min(nearest, n * grid.steps),)
