"""One column of a rebuilt table: scores on their scale whose mean and SD round to the printed ones, or come nearest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import ndtri

from bayes_sp.arrays import Array
from bayes_sp.records.published import margins
from bayes_sp.records.published.audit import granular
from bayes_sp.records.published.audit.granular import Grid
from bayes_sp.records.published.audit.rules_moments import grid_of
from bayes_sp.records.published.margins import Steps, UnreachableError, Window
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.form import Study
from bayes_sp.records.published.study.parts import Scale, Table, Variable

_FINER = 2  # decimals more than the SD's, for measures that are not in steps
_FEW_LEVELS = 8  # up to so many the shape is drawn level by level
_UNEVENNESS = 0.3  # SD of log weights of such levels
_SHARES = (0.35, 0.65)  # of the upper of two levels where no mean is printed
_CONCENTRATION = 5.0  # of the shares of more levels where no mean is printed
_TAIL = 9.0  # SDs above the mean at which an unbounded count ends
_TRIES = 50


@dataclass(frozen=True)
class Measure:
    """What is printed of a variable, and the scores that a patient can have.

    Attributes
    ----------
    name, n
        Of the variable, and of the patients.
    grid
        None for a measure that is not in steps.
    mean, sd
        As printed; None where they are not. Without a mean it is the middle of the scale or 0, without an SD 1.
    totals
        Totals in steps that the mean, and a printed total, allow; of a mean that no scores have the nearest.
    shape
        ``"count"`` for a count with a long tail, else ``""``.
    aim
        An SD within the printed one's rounding that is wanted; None for any.
    """

    name: str
    n: int
    grid: Grid | None
    mean: Figure | None
    sd: Figure | None
    totals: tuple[int, ...] = ()
    shape: str = ""
    aim: float | None = None

    @classmethod
    def of(cls, study: Study, table: Table, variable: Variable) -> Measure:
        """Return what a study prints of a variable."""
        scale = study.scale_of(variable.name)
        grid, n = grid_of(scale), table.n
        totals = _totals(study, variable, n, grid) if grid is not None and variable.mean is not None else ()
        return cls(variable.name, n, grid, variable.mean, variable.sd, totals, _shape(scale))

    def draw(self, rng: np.random.Generator) -> Array:
        """Draw scores in the measure's unit, (n,), in no meaningful order.

        Raises
        ------
        UnreachableError
            If no scores come near to what is printed.
        """
        if self.grid is None:
            return self._continuous(rng)
        steps = self._levels(rng) if self.mean is None else self._printed(rng, self.grid)
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
        if last == 1:
            upper = round(rng.uniform(*_SHARES) * self.n)
            return (np.arange(self.n) < upper).astype(np.int64)
        counts = rng.multinomial(self.n, rng.dirichlet(np.full(last + 1, _CONCENTRATION)))
        return np.repeat(np.arange(last + 1), counts)

    def _printed(self, rng: np.random.Generator, grid: Grid) -> Steps:
        """Draw scores in steps with a total and a sum of squares that the printed mean and SD allow, or the nearest."""
        reason = UnreachableError(f"{self.name}: no scores have this mean")
        for _ in range(_TRIES):
            total = int(rng.choice(self.totals))
            if self.sd is None and grid.steps == 1:
                return (np.arange(self.n) < total).astype(np.int64)
            limits = self._squares(total, grid)
            sd = math.sqrt(max((0.5 * sum(limits) - total * total / self.n) / (self.n - 1), 1e-12))
            window = self._window(total, sd, grid)
            lattice = window.lattice
            try:
                weights = self._weights(lattice, total / self.n, sd, rng)
                p = margins.tilt(lattice, weights, total / self.n, sd)
                return margins.repair(margins.stratified(lattice, p, self.n, rng), window, total, limits, rng)
            except UnreachableError as found:
                reason = found
        return self._extreme(reason, grid)

    def _extreme(self, reason: UnreachableError, grid: Grid) -> Steps:
        """Return the most or least uneven scores, where the printed SD leaves no choice but these."""
        total = self.totals[len(self.totals) // 2]
        limits = self._squares(total, grid)
        each, more = divmod(total, self.n)
        even = np.full(self.n, each, dtype=np.int64) + (np.arange(self.n) < more)
        if limits[0] <= int((even * even).sum()) <= limits[1]:
            return even
        if grid.steps is not None:
            full, rest = divmod(total, grid.steps)
            ends = np.where(np.arange(self.n) < full, grid.steps, 0).astype(np.int64)
            if rest:
                ends[full] = rest
            if limits[0] <= int((ends * ends).sum()) <= limits[1]:
                return ends
        raise reason

    def _squares(self, total: int, grid: Grid) -> tuple[int, int]:
        """Return the least and largest sum of squares that the printed SD allows, or twice the possible one nearest."""
        if self.sd is not None and (found := granular.squares(total, self.sd, self.n, grid)):
            if self.aim is None:
                return found[0], found[-1]
            wanted = (self.aim / float(grid.step)) ** 2 * (self.n - 1) + total * total / self.n
            nearest = min(max(round((wanted - found[0]) / 2), 0), len(found) - 1)
            return found[nearest], found[nearest]
        least = granular.least_squares_sum(total, self.n)
        most = None if grid.steps is None else granular.greatest_squares_sum(total, self.n, grid.steps)
        if self.sd is None:
            middle = least + 1 if most is None else (least + most) // 2
            exact = Fraction(middle)
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
        if self.shape == "count" and sd * sd > mean > 0:
            return margins.negative_binomial(lattice, mean, sd)
        if len(lattice) <= _FEW_LEVELS:
            return np.exp(_UNEVENNESS * rng.standard_normal(len(lattice)))
        bounded = self.grid is not None and self.grid.steps is not None
        width = float(lattice[-1] - lattice[0]) + 1.0
        centre = (mean - lattice[0] + 0.5) / width
        if bounded and centre * (1.0 - centre) > 1.2 * (sd / width) ** 2:
            return np.maximum(margins.beta(lattice, mean, sd), 1e-300)
        return np.ones(len(lattice)) if bounded else np.maximum(margins.normal(lattice, mean, sd), 1e-300)


def reachable(first: Measure, a: Array, second: Measure, b: Array, low: float, high: float) -> bool:
    """Whether some arrangement of two columns can have a correlation in an interval, as far as whole numbers go.

    The sum of products of scores in steps is a whole number: a correlation moves by 1 / (norm of a x norm of b).
    """
    if first.grid is None or second.grid is None:
        return True
    u, v = ((x - float(g.origin)) / float(g.step) for x, g in ((a, first.grid), (b, second.grid)))
    norm = math.sqrt(float(((u - u.mean()) ** 2).sum() * ((v - v.mean()) ** 2).sum()))
    free = float(u.sum() * v.sum()) / len(u)
    return math.floor(high * norm + free + 1e-9) >= math.ceil(low * norm + free - 1e-9)


def _shape(scale: Scale | None) -> str:
    """Return the shape of a column: that of its scale."""
    return "" if scale is None else scale.shape


def _totals(study: Study, variable: Variable, n: int, grid: Grid) -> tuple[int, ...]:
    """Return the totals in steps that round to a printed mean; of those a printed total chooses; else the nearest."""
    if variable.mean is None:
        return ()
    allowed = granular.totals(variable.mean, n, grid)
    printed = [item.total for item in study.totals if item.variable == variable.name and item.n in (None, n)]
    exact = [(figure.exact - n * grid.origin) / grid.step for figure in printed if figure.whole or not figure.decimals]
    chosen = tuple(int(t) for t in exact if t.denominator == 1 and (not allowed or int(t) in allowed))
    if chosen:
        return chosen[:1]
    if allowed:
        return tuple(allowed)
    nearest = round((variable.mean.exact - grid.origin) * n / grid.step)
    least, most = (0 if grid.bounded_below else nearest), (nearest if grid.steps is None else n * grid.steps)
    return (min(max(nearest, least), most),)
