"""Ways in which missing values can lie elsewhere than the model says: shifts in steps, alone and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayes_sp.arrays import sd_of
from bayes_sp.design.design import Design
from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.shifts import POINTS, shift_problems, shift_scale, shift_words

TOGETHER = "all together"
MULTIPLES = (-1.0, -0.5, 0.0, 0.5, 1.0)

type Shifts = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Curve:
    """One way in which missing values are shifted."""

    name: str  # the response, or ``all together``
    deltas: tuple[tuple[str, tuple[float, ...]], ...]  # response -> its shift at each step, ascending, 0 at one of them

    def at(self, place: int) -> Shifts:
        """Return the shifts at a step (by its place)."""
        return tuple((name, values[place]) for name, values in self.deltas)

    def between(self, position: float) -> Shifts:
        """Return the shifts at a position between places, linearly."""
        return tuple((name, float(np.interp(position, range(len(v)), v))) for name, v in self.deltas)


def curves_of(model: PathModel, design: Design, shifts: Mapping[str, Sequence[float]] | None) -> tuple[Curve, ...]:
    """Return the curves of the responses that have missing cells: each alone, then all together.

    By default each runs over -1, -1/2, 0, 1/2 and 1 SD of its observed values on an identity link, and over the same
    numbers on the scale of the log rate, log mean, log odds or probit otherwise (rate x 0.37 to x 2.7).

    Raises BayesSpError where no response has a missing cell; for an unknown response, one without missing cells,
    numbers that do not ascend or are not finite, and lists that cannot be paired step by step.
    """
    missing = [name for name in design.responses if name in design.missing]
    if not missing:
        problem = "no response has a missing value, so no shift of missing values changes anything"
        raise BayesSpError(model.name, [f"{problem}; give the survey with the rows of those who did not come back"])
    if shifts is None:
        found = {name: tuple(m * _unit(model, design, name) for m in MULTIPLES) for name in missing}
    else:
        found = _checked(model, missing, shifts)
    curves = [Curve(name, ((name, values),)) for name, values in found.items()]
    if len(found) > 1:
        curves.append(Curve(TOGETHER, tuple(found.items())))
    shifted = [replace(model, missing_shift=curve.at(place)) for curve in curves for place in (0, -1)]
    if problems := dict.fromkeys(problem for one in shifted for problem in shift_problems(one)):
        raise BayesSpError(model.name, list(problems))
    return tuple(curves)


def zero_place(curves: Sequence[Curve]) -> int:
    """Return the place of the step without a shift."""
    return curves[0].deltas[0][1].index(0.0)


def words_of(model: PathModel, shifts: Shifts) -> str:
    """Return shifts in words; ``missing at random`` where there are none."""
    moved = [(name, delta) for name, delta in shifts if delta]
    if not moved:
        return "missing at random"
    return "; ".join(f"missing values of {name}: {shift_words(model, name, delta)}" for name, delta in moved)


def _unit(model: PathModel, design: Design, name: str) -> float:
    if shift_scale(model, name)[0] != POINTS:
        return 1.0
    values = design.y[:, design.responses.index(name)]
    return float(sd_of(values[~np.isnan(values)], ddof=1))


def _checked(
    model: PathModel, missing: Sequence[str], shifts: Mapping[str, Sequence[float]]
) -> dict[str, tuple[float, ...]]:
    """Return lists of shifts in the order of the chain, with 0 in each."""
    problems, found = [], {}
    known = [equation.response for equation in model.equations]
    for name, values in shifts.items():
        numbers = sorted({0.0, *map(float, values)})
        if name not in known:
            problems.append(f'shifts: there is no response "{name}"{nearest(name, known)}')
        elif name not in missing:
            problems.append(f"shifts: no value of {name} is missing; missing are values of {', '.join(missing)}")
        elif not np.isfinite(numbers).all() or list(values) != sorted(set(values)) or len(numbers) < 2:
            problems.append(f"shifts: those of {name} must be ascending finite numbers, found {list(values)}")
        else:
            found[name] = tuple(numbers)
    if not problems and not found:
        problems.append("shifts: none is given")
    sides = {name: (values.index(0.0), len(values)) for name, values in found.items()}
    if not problems and len(set(sides.values())) > 1:
        counts = "; ".join(f"{name}: {low} below 0 and {all_ - 1 - low} above" for name, (low, all_) in sides.items())
        problems.append(
            f"shifts: give each response as many on either side of 0, to shift them together; found {counts}"
        )
    if problems:
        raise BayesSpError(model.name, problems)
    return {name: found[name] for name in known if name in found}
