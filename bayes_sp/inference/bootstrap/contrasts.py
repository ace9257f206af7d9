"""The bootstrap's twin of differences between two effects: from each resample, by the same names as from draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.effects.comparisons.contrasts import Asked, contrasted
from bayes_sp.effects.moderation.levels import Setting, Values, settings_of
from bayes_sp.effects.paths import RATIOS
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.bootstrap.conditional import BootstrapConditional, numbers_of
from bayes_sp.model.named_effects import NamedEffect
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import AVERAGE


class Replicates(Protocol):
    """What is asked of a bootstrap to compare its effects: see `bayes_sp.inference.bootstrap.bootstrap`."""

    @property
    def names(self) -> list[str]:
        """Names of the effects."""

    @property
    def scales(self) -> tuple[str, ...]:
        """Scales of the effects."""

    @property
    def decompositions(self) -> tuple[str, ...]:
        """Of the last axis."""

    @property
    def estimate(self) -> Array:
        """From all patients, (effect, scale, decomposition)."""

    @property
    def values(self) -> Array:
        """From each resample."""

    @property
    def ci_prob(self) -> float:
        """Probability of the intervals."""

    @property
    def conditional(self) -> BootstrapConditional | None:
        """Effects at settings of moderators."""


def with_contrasts(
    model: PathModel, values: Values, settings: tuple[Setting, ...], asked: Sequence[Asked]
) -> tuple[Setting, ...]:
    """Return settings of moderators with those after them that contrasts need beside."""
    found = list(settings)
    for held in dict.fromkeys(effect.held for one in asked for effect in (one.first, one.second) if effect.held):
        if not any(dict(setting.held) == dict(held) for setting in found):
            found += settings_of(model, values, {name: [value] for name, value in held})
    return tuple(found)


def contrast_table(found: Replicates, asked: Sequence[Asked]) -> pd.DataFrame:
    """Return one row for each contrast and scale: estimate, percentile interval and its Monte Carlo error.

    The first effect less the second, of ratios over it; averaged over the orders of switching.

    Raises SpecificationError for an effect at a value for which there are no replicates.
    """
    rows, columns = list[tuple[str, str, str, str]](), list[tuple[Array, Array]]()
    for one in asked:
        both = [_replicates(found, effect) for effect in (one.first, one.second)]
        for scale in (name for name in both[0] if name in both[1]):
            rows.append((one.name, str(one.first), str(one.second), scale))
            columns.append((both[0][scale], both[1][scale]))
    labels = pd.DataFrame(rows, columns=["contrast", "first", "second", "scale"])
    first, second = (
        (np.stack(side, axis=-1) for side in zip(*columns, strict=True)) if columns else [np.empty((1, 0))] * 2
    )
    values = contrasted(first, second, labels["scale"].isin(RATIOS).to_numpy())
    return labels.join(numbers_of(values[-1], values[:-1], found.ci_prob))


def _replicates(found: Replicates, effect: NamedEffect) -> dict[str, Array]:
    """Return replicates of an effect, with its estimate after them, (R + 1,), by scale."""
    average = found.decompositions.index(AVERAGE)
    scales, names, values, estimate = found.scales, found.names, found.values, found.estimate
    if effect.held:
        at = found.conditional
        places = [] if at is None else [k for k, s in enumerate(at.settings) if dict(s.held) == dict(effect.held)]
        if at is None or not places:
            values_at = ", ".join(f"{name!r}: {value:g}" for name, value in effect.held)
            raise SpecificationError(
                "bootstrap", [f"{effect}: has no replicates; ask for them with at={{{values_at}}}"]
            )
        scales, names, values, estimate = at.scales, list(at.names), at.values[:, places[0]], at.estimate[places[0]]
    p = names.index(effect.name)
    return {s: np.append(values[:, p, k, average], estimate[p, k, average]) for k, s in enumerate(scales)}
