"""Effects along a moderator's range, and where their intervals begin or cease to hold no effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.effects.moderation.levels import Values, is_category, numbers_in, range_of, value_problems
from bayes_sp.effects.paths import RATIOS, Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import SpecificationError
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, CURVE_EFFECT_COLUMNS, DIFFERENCE, is_total
from bayes_sp.shown import Part, Shown, short


@dataclass(frozen=True, eq=False, repr=False)
class EffectCurve(Shown):
    """Every path effect at values of a moderator between its 5th and 95th percentile.

    Attributes
    ----------
    moderator, label
        Its name, and in words.
    held
        (covariate, value) of what is held at one value beside it.
    table
        One row for each value, path and scale: ``value, path, scale, mean, median, lower, upper, ci_kind, ci_prob``.
    unit, mark
        Of differences; what the records are.
    model
        The specification.
    """

    moderator: str
    label: str
    table: pd.DataFrame
    unit: str
    mark: str
    model: PathModel
    held: tuple[tuple[str, float], ...] = ()

    @property
    def at(self) -> str:
        """What is held beside the moderator, as text; '' for nothing."""
        return ", ".join(f"{name} = {self.model.words_of(name, value)}" for name, value in self.held)

    @property
    def name(self) -> str:
        """Name of its files: ``along_age``, ``along_age_at_gender_2``."""
        return "_".join(["along", self.moderator, *(f"at_{name}_{value:.6g}" for name, value in self.held)])

    def region(self) -> pd.DataFrame:
        """Return where the interval of each effect holds no effect (0, or 1 for a ratio), and where it does not.

        Columns ``path, scale, from, to, holds_no_effect``: stretches of the moderator's range, whose ends are found
        by straight lines between the limits at neighbouring values.
        """
        rows = []
        for (path, scale), own in self.table.groupby(["path", "scale"], sort=False):
            null = 1.0 if scale in RATIOS else 0.0
            for low, high, inside in _stretches(own["value"].to_numpy(), own["lower"] - null, own["upper"] - null):
                rows.append((path, scale, low, high, inside))
        return pd.DataFrame(rows, columns=["path", "scale", "from", "to", "holds_no_effect"])

    def _shown(self) -> tuple[str, list[Part]]:
        low, high = self.table["value"].min(), self.table["value"].max()
        region = self.region().loc[lambda table: table["scale"] == DIFFERENCE].drop(columns="scale")
        where = f" where {self.at}" if self.held else ""
        head = f"{self.mark}. Effects along {self.moderator}, from {low:.3g} to {high:.3g}{where}. Differences; other "
        return f"{head}scales: .region().", [short(region, tuple(region.columns), rows=len(region))]


def effect_curve(
    model: PathModel,
    moderator: str,
    values: Values,
    effects_held: Callable[[dict[str, float]], Effects],
    *,
    at: Mapping[str, float] | None = None,
    points: int = 25,
    ci_prob: float = CI_PROB,
) -> EffectCurve:
    """Compute every path effect with a numeric moderator held at values from its 5th to its 95th percentile.

    ``values`` are those of all covariates in the records; ``effects_held`` takes values of covariates and gives effects
    among patients who all have them; ``at`` has values at which other covariates are held. ``points`` is the number of
    values, evenly spaced, at least 3.

    Raises SpecificationError for what is no covariate, or has categories: its effects are at levels, not along a range;
    and for values in ``at`` that no record has, or that lie beyond them.
    """
    if points < 3:
        raise ValueError(f"a curve needs at least 3 points, found {points}")
    known = [covariate.name for covariate in model.covariates]
    problems = [] if moderator in known else list(value_problems(model, values, moderator, [0.0]))
    if not problems and is_category(model, values, moderator):
        problems = [f"{moderator}: has categories; its effects stand at levels, in conditional_effects"]
    held = at or {}
    problems += [f"{name}: is what effects are along; hold other covariates" for name in held if name == moderator]
    numbers = {name: numbers_in(value) or () for name, value in held.items()}
    problems += [f"{name}: must be one number, found {held[name]!r}" for name, one in numbers.items() if len(one) != 1]
    fixed = {name: one[0] for name, one in numbers.items() if len(one) == 1 and name != moderator}
    problems += [problem for name, one in fixed.items() for problem in value_problems(model, values, name, [one])]
    if problems:
        raise SpecificationError("effect curve", problems)
    parts = []
    for value in np.linspace(*range_of(values, moderator), points):
        found = effects_held({moderator: float(value), **fixed})
        table = found.intervals(ci_prob)
        parts.append(table[(table["decomposition"] != ALONE) | table["path"].map(is_total)].assign(value=value))
    table = pd.concat(parts, ignore_index=True)[list(CURVE_EFFECT_COLUMNS)]
    label, unit = model.variable(moderator).label, model.outcome_unit
    return EffectCurve(moderator, label, table, unit, found.mark, model, tuple(fixed.items()))


def _stretches(x: Array, lower: pd.Series, upper: pd.Series) -> Iterator[tuple[float, float, bool]]:
    """Yield (from, to, whether 0 is in the interval) of the stretches between the places where a limit crosses 0."""
    limits = (lower.to_numpy(), upper.to_numpy())
    cuts = sorted({cut for limit in limits for cut in _crossings(x, limit)})
    edges = [float(x[0]), *cuts, float(x[-1])]
    found: list[tuple[float, float, bool]] = []
    for low, high in pairwise(edges):
        if high <= low:
            continue
        middle = 0.5 * (low + high)
        inside = bool(np.interp(middle, x, limits[0]) <= 0.0 <= np.interp(middle, x, limits[1]))
        if found and found[-1][2] == inside:
            found[-1] = (found[-1][0], high, inside)
        else:
            found.append((low, high, inside))
    yield from found


def _crossings(x: Array, y: Array) -> list[float]:
    """Return where a line through points crosses 0."""
    places = np.flatnonzero(np.sign(y[:-1]) * np.sign(y[1:]) < 0)
    return [float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i])) for i in places]
