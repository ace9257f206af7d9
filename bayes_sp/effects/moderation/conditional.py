r"""Effects with moderators held at levels, how they differ between levels, and the index of moderated mediation.

The effect at v* is that of a population in which the moderator v is v* for every patient and the other covariates are
as observed,

.. math:: \frac1n \sum_i E[Y(\text{world}) \mid v = v^*, w_i],

so its chain of equations is one for all patients, and everything is exact given a draw. Under an identity link an
effect that no product with v is part of is the same at every level; under a log link differences in the outcome's unit
differ with the level of v even then, while ratios do not.

References
----------
Hayes (2015), Multivariate Behavioral Research 50, 1-22. doi:10.1080/00273171.2014.962683 (the index)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.moderation.index import INDEX_COLUMNS, indexes
from bayes_sp.effects.moderation.levels import Setting
from bayes_sp.effects.paths import RATIOS, Effects
from bayes_sp.effects.summary import CI_PROB, converged, summarise
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, CONDITIONAL_COLUMNS, CONTRAST_COLUMNS, DIFFERENCE
from bayes_sp.shown import Part, Shown, short


@dataclass(frozen=True, eq=False, repr=False)
class ConditionalEffects(Shown):
    """Draws of every path effect at every setting of the moderators.

    Attributes
    ----------
    settings
        Moderators and their values, one after the other.
    each
        Effects at each setting.
    index_draws
        Draws of the index of moderated mediation, (chain, draw, row), with coordinates ``moderator``, ``path``,
        ``scale`` and ``unit`` of a row; no rows where no index exists (`indexes`).
    without_index
        Sentences on the paths that have no single index.
    """

    settings: tuple[Setting, ...]
    each: tuple[Effects, ...]
    index_draws: xr.DataArray
    without_index: tuple[str, ...]

    @property
    def unit(self) -> str:
        """Unit of differences."""
        return self.each[0].unit

    @property
    def mark(self) -> str:
        """What the records are."""
        return self.each[0].mark

    @property
    def draws(self) -> xr.Dataset:
        """Draws of all settings: ``alone`` and ``average`` with dims (setting, chain, draw, path, scale)."""
        found = xr.concat([one.draws for one in self.each], "setting", join="override", combine_attrs="override")
        places = {"setting": [str(setting) for setting in self.settings]}
        named = {"moderator": ("setting", [s.moderator for s in self.settings])}
        return found.assign_coords(places | named | {"at": ("setting", [s.at for s in self.settings])})

    def table(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return one row for each setting, path, scale and decomposition; columns as `Effects.table`, after its own."""
        parts = [
            one.table(ci_prob).assign(moderator=setting.moderator, at=setting.at, level=", ".join(setting.why))
            for setting, one in zip(self.settings, self.each, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)[list(CONDITIONAL_COLUMNS)]

    def differences(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return how effects differ between every two settings of the same moderators: second less first.

        Ratios are divided instead, and ``prob_negative`` is then the probability that their ratio is below 1. Of the
        decompositions the average over all orders.
        """
        labels, values = self._contrasts
        rows = pd.DataFrame(labels, columns=["moderator", "from", "to", "path", "scale"])
        return self._summary(rows, values, ci_prob, CONTRAST_COLUMNS)

    def index(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return the index of moderated mediation, one row for each moderator, path and scale (`indexes`)."""
        values = self.index_draws.transpose("chain", "draw", "row").to_numpy()
        names = ("moderator", "unit", "path", "scale")
        rows = pd.DataFrame({name: self.index_draws[name].to_numpy() for name in names})
        return self._summary(rows, values, ci_prob, INDEX_COLUMNS)

    def _summary(self, rows: pd.DataFrame, values: Array, ci_prob: float, columns: Sequence[str]) -> pd.DataFrame:
        """Return a table of draws (chain, draw, row) that are described by rows; ratios are compared with 1."""
        if rows.empty:
            return pd.DataFrame(columns=list(columns))
        table = summarise(values, ci_prob).join(rows)
        ratios = table["scale"].isin(RATIOS)
        table.loc[ratios, "prob_negative"] = (values < 1).mean(axis=(0, 1))[ratios]
        return table.join(converged(values, self.each[0].draws))[list(columns)]

    def quantities(self) -> dict[str, Array]:
        """Return the draws (chain, draw) of every effect at every setting by name, for diagnostics."""
        return {
            f"{name} at {setting}": values
            for setting, one in zip(self.settings, self.each, strict=True)
            for name, values in one.quantities().items()
        }

    @cached_property
    def _contrasts(self) -> tuple[list[tuple[str, str, str, str, str]], Array]:
        """(moderator, from, to, path, scale) of each contrast, and their draws (chain, draw, row)."""
        labels, columns = [], []
        for (first, one), (second, other) in combinations(zip(self.settings, self.each, strict=True), 2):
            if first.moderator != second.moderator:
                continue
            below, above = one.average_draws(), other.average_draws()
            for i, path in enumerate(one.draws["path"].to_numpy()):
                for j, scale in enumerate(one.draws["scale"].to_numpy()):
                    a, b = below[..., i, j], above[..., i, j]
                    labels.append((first.moderator, first.at, second.at, str(path), str(scale)))
                    columns.append(_exact(b / a) if scale in RATIOS else b - a)
        return labels, np.stack(columns, axis=-1) if columns else np.empty((0, 0, 0))

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. Effects of {self.each[0].moved}; differences in {self.unit}. Other scales: .table()."
        parts = [
            one.intervals().assign(moderator=setting.moderator, at=setting.at)
            for setting, one in zip(self.settings, self.each, strict=True)
        ]
        table = pd.concat(parts, ignore_index=True)
        table = table[(table["decomposition"] != ALONE) & (table["scale"] == DIFFERENCE)]
        shown = ("moderator", "at", "path", "median", "lower", "upper", "prob_negative")
        return head, [short(table, shown, rows=len(table)), list(self.without_index)]


def conditional_effects(
    model: PathModel, posterior: xr.Dataset, settings: Sequence[Setting], each: Sequence[Effects], *, kappa: float = 1.0
) -> ConditionalEffects:
    """Return path effects at every setting of the moderators with the index of moderated mediation.

    ``each`` holds the effects at each setting of `settings_of`, among patients who all have its values.
    """
    found, without = indexes(model, posterior, settings, kappa=kappa)
    return ConditionalEffects(tuple(settings), tuple(each), found, without)


def _exact(values: Array) -> Array:
    """Return ratios that are 1 but for rounding as 1: no product with the moderator is part of them."""
    return np.ones_like(values) if np.allclose(values, 1.0, rtol=1e-12, atol=0.0) else values
