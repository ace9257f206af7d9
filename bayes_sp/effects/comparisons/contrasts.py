r"""Differences between any two effects: of paths, of levels of a moderator, of exposures and pairs of their levels.

From the same draws, first less second on the scales ``difference`` and ``coefficient``, first over second for ratios:

.. math:: \delta_s = a_s - b_s, \qquad P(|a| > |b|) = \frac1S \sum_s [\,|a_s| > |b_s|\,]

with logarithms in the place of ratios. The second is given where both medians have one sign, since a size is compared
then and not a direction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.paths import RATIOS, Effects
from bayes_sp.effects.summary import CI_PROB, convergence, member_of, summarise, variance_factor
from bayes_sp.errors import SpecificationError
from bayes_sp.model.checks.exposures import contrast_problems
from bayes_sp.model.named_effects import NamedEffect, named_effect
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import AVERAGE, CONTRASTED_COLUMNS
from bayes_sp.shown import Part, Shown, short

type Held = tuple[tuple[str, float], ...]
type Pairs = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A contrast by its name: the first effect less the second."""

    name: str
    first: NamedEffect
    second: NamedEffect


def asked_contrasts(model: PathModel, pairs: Pairs | None = None) -> tuple[Asked, ...]:
    """Return contrasts of two effects by name: ``pairs``, or those of the specification.

    Raises SpecificationError with every effect that the model has not.
    """
    if pairs is not None:
        model = replace(model, contrasts=tuple(pairs.items()))
        if problems := list(contrast_problems(model)):
            raise SpecificationError(model.name, problems)
    return tuple(
        Asked(name, named_effect(model, first), named_effect(model, second))
        for name, (first, second) in model.contrasts
    )


@dataclass(frozen=True, eq=False, repr=False)
class Contrasts(Shown):
    """Draws of differences between two effects.

    Attributes
    ----------
    asked
        What is compared.
    rows
        (place in ``asked``, scale) of each row.
    first, second
        Draws of both effects, averaged over the orders of switching, (chain, draw, row).
    source
        Effects whose draws they come from.
    """

    asked: tuple[Asked, ...]
    rows: tuple[tuple[int, str], ...]
    first: Array
    second: Array
    source: Effects

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each contrast and scale: the first effect less the second; of ratios, over the second.

        ``prob_negative`` is ``P(first < second)``, ``prob_larger`` ``P(|first| > |second|)`` where both medians have
        one sign, ``prob_one_sign`` the probability that both effects have one sign.
        """
        if not self.rows:
            return pd.DataFrame(columns=list(CONTRASTED_COLUMNS))
        ratios = np.array([scale in RATIOS for _, scale in self.rows])
        table = summarise(self.values, ci_prob)
        table["prob_negative"] = (self.values < np.where(ratios, 1.0, 0.0)).mean(axis=(0, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            a, b = (
                np.where(ratios, np.log(np.where(ratios, draws, 1.0)), draws) for draws in (self.first, self.second)
            )
        differ = (self.values != np.where(ratios, 1.0, 0.0)).any(axis=(0, 1))
        alike = differ & (np.sign(np.median(a, axis=(0, 1))) * np.sign(np.median(b, axis=(0, 1))) > 0)
        table["prob_larger"] = np.where(alike, (np.abs(a) > np.abs(b)).mean(axis=(0, 1)), np.nan)
        table["prob_one_sign"] = (a * b > 0).mean(axis=(0, 1))
        asked = [self.asked[place] for place, _ in self.rows]
        table["contrast"] = [one.name for one in asked]
        table["first"], table["second"] = [str(one.first) for one in asked], [str(one.second) for one in asked]
        table["scale"] = [scale for _, scale in self.rows]
        factor, member = variance_factor(self.source.draws), member_of(self.source.draws)
        return table.join(convergence(self.values, factor, member))[list(CONTRASTED_COLUMNS)]

    @cached_property
    def values(self) -> Array:
        """Draws of every contrast, (chain, draw, row)."""
        ratios = np.array([scale in RATIOS for _, scale in self.rows], dtype=bool)
        return contrasted(self.first, self.second, ratios)

    def _shown(self) -> tuple[str, list[Part]]:
        shown = ("contrast", "scale", "median", "lower", "upper", "prob_negative", "prob_larger")
        names = [f"{one.name}: {one.first}, less {one.second}" for one in self.asked]
        table = self.table()
        if not self.asked:
            return f"{self.source.mark}. No contrasts: name some, as in contrasts({{'name': ('total', 'direct')}}).", []
        return f"{self.source.mark}. First effect less the second; of ratios, over it.", [
            names, short(table, shown, rows=len(table))
        ]  # fmt: skip


def contrasted(first: Array, second: Array, ratios: Array) -> Array:
    """Return the first less the second, or over it where they are ratios, along the last axis.

    Effects that are equal but for rounding in all draws, (..., row), are equal.
    """
    same = np.isclose(first, second, rtol=1e-12, atol=0.0).reshape(-1, first.shape[-1]).all(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(same, np.where(ratios, 1.0, 0.0), np.where(ratios, first / second, first - second))


def contrasts(asked: Sequence[Asked], effects_at: Callable[[Held], Effects]) -> Contrasts:
    """Return the draws of contrasts on the scales that both of their effects have; ``effects_at`` gives all effects."""
    needed = dict.fromkeys(held for one in asked for held in (one.first.held, one.second.held))
    found = {held: effects_at(held) for held in needed} or {(): effects_at(())}
    rows, columns = list[tuple[int, str]](), list[tuple[Array, Array]]()
    for place, one in enumerate(asked):
        both = [found[effect.held].draws[AVERAGE] for effect in (one.first, one.second)]
        for scale in both[0]["scale"].to_numpy():
            if scale in both[1]["scale"].to_numpy():
                rows.append((place, str(scale)))
                columns.append((_draws(both[0], one.first, scale), _draws(both[1], one.second, scale)))
    stacked = [np.stack(side, axis=-1) for side in zip(*columns, strict=True)] or [np.empty((0, 0, 0))] * 2
    return Contrasts(tuple(asked), tuple(rows), stacked[0], stacked[1], next(iter(found.values())))


def _draws(effects: xr.DataArray, effect: NamedEffect, scale: str) -> Array:
    return effects.sel(path=effect.name, scale=scale).transpose("chain", "draw").to_numpy()
