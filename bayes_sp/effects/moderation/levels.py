"""Values at which covariates are held: categories, percentiles, or a user's own, checked against the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.errors import SpecificationError, nearest
from bayes_sp.model.checks.products import no_moderator
from bayes_sp.model.path_model import PathModel

PERCENTILES = (16.0, 50.0, 84.0)
RANGE = (5.0, 95.0)  # percentiles between which an effect is drawn as a curve
CATEGORIES = 2  # values of a number that are each a category

type Values = Mapping[str, Array]  # of each covariate in its own unit, NaN where missing
type Asked = Mapping[str, float | Sequence[float]]


@dataclass(frozen=True)
class Setting:
    """Covariates held at values for every patient.

    Attributes
    ----------
    held
        (covariate, value in its own unit).
    why
        What each value is: ``category``, ``16th percentile`` or ``given``.
    """

    held: tuple[tuple[str, float], ...]
    why: tuple[str, ...]

    @property
    def moderator(self) -> str:
        """Names of the covariates."""
        return ", ".join(name for name, _ in self.held)

    @property
    def at(self) -> str:
        """Their values, as text."""
        return ", ".join(f"{value:.6g}" for _, value in self.held)

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value:.6g}" for name, value in self.held)


def settings_of(model: PathModel, values: Values, asked: Asked | None = None) -> tuple[Setting, ...]:
    """Return the settings for which effects are computed.

    Without ``asked`` each moderator in turn, the others as observed: at the values that the specification gives, else
    at each category, else at the 16th, 50th and 84th percentile. Two moderators that stand in one product are held
    together, at every combination of theirs. With ``asked`` every combination of the values.

    Raises SpecificationError with everything that is wrong with ``asked`` or with the specification's values for these
    records.
    """
    given = dict(model.moderators)
    if asked is not None:
        if not asked:
            raise SpecificationError("conditional effects", ["at: name a covariate and its values"])
        numbers = {name: numbers_in(at) for name, at in asked.items()}
        problems = [f"{n}: must be a number or numbers, found {asked[n]!r}" for n, at in numbers.items() if at is None]
        own = {name: at for name, at in numbers.items() if at is not None}
        problems += [p for name, at in own.items() for p in value_problems(model, values, name, at)]
        _refuse("conditional effects", problems)
        return tuple(
            Setting(tuple(zip(own, chosen, strict=True)), ("given",) * len(own)) for chosen in product(*own.values())
        )
    problems = [p for name, at in given.items() for p in value_problems(model, values, name, at)]
    _refuse(model.name, [f"moderators.{problem}" for problem in problems])
    alone = [(n,) for n in model.moderating if not any(n in pair for pair in model.moderating_together)]
    usual = {n: [(v, "given") for v in given[n]] if n in given else _usual(model, values, n) for n in model.moderating}
    return tuple(
        Setting(
            tuple((name, value) for name, (value, _) in zip(names, chosen, strict=True)), tuple(w for _, w in chosen)
        )
        for names in (*alone, *model.moderating_together)
        for chosen in product(*(usual[name] for name in names))
    )


def is_category(model: PathModel, values: Values, name: str) -> bool:
    """Whether a covariate has named levels, or two values only."""
    covariate = next(covariate for covariate in model.covariates if covariate.name == name)
    return bool(covariate.levels) or len(_known(values, name)) <= CATEGORIES


def range_of(values: Values, name: str) -> tuple[float, float]:
    """Return the 5th and 95th percentile of a covariate."""
    low, high = np.nanpercentile(values[name], RANGE)
    return float(low), float(high)


def value_problems(model: PathModel, values: Values, name: str, at: Sequence[float]) -> Iterator[str]:
    """Yield what is wrong with holding a covariate at values: unknown, changed by the exposure, not in the records."""
    known = {covariate.name: covariate for covariate in model.covariates}
    if reason := no_moderator(model, name):
        yield f"{name}: {reason}"
        return
    if name not in known:
        yield f"{name}: is not in [covariates]{nearest(name, known) if known else ''}"
        return
    seen = _known(values, name)
    if not at:
        yield f"{name}: no value is given"
    if len(set(at)) < len(at):
        yield f"{name}: holds a value twice: {list(at)}"
    for value in at:
        if is_category(model, values, name):
            if value not in seen:
                found = ", ".join(f"{level:g}" for level in seen)
                yield f"{name}: no record has {value:g}; the records have {found}"
        elif not seen[0] <= value <= seen[-1]:
            yield f"{name}: {value:g} is beyond the records, which have {seen[0]:g} to {seen[-1]:g}"


def _usual(model: PathModel, values: Values, name: str) -> list[tuple[float, str]]:
    if is_category(model, values, name):
        return [(float(value), "category") for value in _known(values, name)]
    found: dict[float, str] = {}
    for percent in PERCENTILES:
        found.setdefault(float(np.nanpercentile(values[name], percent)), f"{percent:.0f}th percentile")
    return list(found.items())


def numbers_in(at: object) -> tuple[float, ...] | None:
    """Return a value or several as numbers; None for what is none."""
    found = np.atleast_1d(np.asarray(at))
    return tuple(map(float, found)) if found.ndim == 1 and (found.dtype.kind in "iuf" or not found.size) else None


def _known(values: Values, name: str) -> Array:
    return np.unique(values[name][np.isfinite(values[name])])


def _refuse(source: str, problems: list[str]) -> None:
    if problems:
        raise SpecificationError(source, problems)
