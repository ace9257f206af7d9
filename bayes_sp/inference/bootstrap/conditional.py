"""The bootstrap's twin of effects at levels of moderators: replicates, intervals, differences, the index."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.moderation.levels import Setting
from bayes_sp.effects.paths import RATIOS
from bayes_sp.inference.bootstrap.percentile import percentile_interval
from bayes_sp.names import ALONE, AVERAGE, COEFFICIENT, DIFFERENCE, is_total
from bayes_sp.shown import Part, Shown, short

ALL = ("estimate", "lower", "upper", "lower_mcse", "upper_mcse", "ci_kind", "ci_prob", "replicates", "undefined")


@dataclass(frozen=True, eq=False)
class IndexRows:
    """What each row of an index is about, in the order of its draws."""

    moderator: tuple[str, ...]
    unit: tuple[str, ...]
    path: tuple[str, ...]
    scale: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapConditional(Shown):
    """Effects at every setting of the moderators, from all patients and from each resample.

    Settings are those of all patients, not of each resample.

    Attributes
    ----------
    settings
        Moderators and their values, L of them.
    names, scales, decompositions
        Of the axes *effect*, *scale* and *decomposition*.
    estimate, values
        From all patients, (L, effect, scale, decomposition), and from each resample (leading axis replicates).
    index_rows, index_estimate, index_values
        Index of moderated mediation: what its rows are, (row,) and (replicates, row).
    ci_kind, ci_prob
        Equal-tailed percentile intervals, and their nominal probability.
    """

    settings: tuple[Setting, ...]
    names: tuple[str, ...]
    scales: tuple[str, ...]
    decompositions: tuple[str, ...]
    estimate: Array
    values: Array
    index_rows: IndexRows
    index_estimate: Array
    index_values: Array
    ci_kind: Literal["percentile"]
    ci_prob: float

    @property
    def table(self) -> pd.DataFrame:
        """One row for each setting, path, scale and decomposition."""
        rows, places = list[tuple[str, ...]](), list[tuple[int, ...]]()
        for place in np.ndindex(*self.estimate.shape):
            setting, path, scale = self.settings[place[0]], self.names[place[1]], self.scales[place[2]]
            decomposition = self.decompositions[place[3]]
            if scale == COEFFICIENT or is_total(path):  # where alone and average are the same
                if decomposition != AVERAGE:
                    continue
                decomposition = ""
            rows.append((setting.moderator, setting.at, ", ".join(setting.why), path, scale, decomposition))
            places.append(place)
        chosen = tuple(np.array(places).T)
        labels = pd.DataFrame(rows, columns=["moderator", "at", "level", "path", "scale", "decomposition"])
        return labels.join(numbers_of(self.estimate[chosen], self.values[(slice(None), *chosen)], self.ci_prob))

    def differences(self) -> pd.DataFrame:
        """Return how effects differ between every two settings of the same moderators: second less first, or divided.

        Of the decompositions the average over all orders.
        """
        average = self.decompositions.index(AVERAGE)
        rows, estimates, values = list[tuple[str, ...]](), list[Array](), list[Array]()
        for (i, first), (j, second) in combinations(enumerate(self.settings), 2):
            if first.moderator != second.moderator:
                continue
            for p, path in enumerate(self.names):
                for s, scale in enumerate(self.scales):
                    one, other = (np.append(self.values[:, k, p, s, average], self.estimate[k, p, s, average])
                                  for k in (i, j))  # fmt: skip
                    with np.errstate(invalid="ignore", divide="ignore"):
                        both = other / one if scale in RATIOS else other - one
                    rows.append((first.moderator, first.at, second.at, path, scale))
                    estimates.append(both[-1])
                    values.append(both[:-1])
        labels = pd.DataFrame(rows, columns=["moderator", "from", "to", "path", "scale"])
        if not rows:
            return labels.reindex(columns=[*labels.columns, *ALL])
        return labels.join(numbers_of(np.array(estimates), np.stack(values, axis=1), self.ci_prob))

    def index(self) -> pd.DataFrame:
        """Return the index of moderated mediation, one row for each moderator, path and scale."""
        rows = self.index_rows
        labels = pd.DataFrame({"moderator": rows.moderator, "unit": rows.unit, "path": rows.path, "scale": rows.scale})
        if not len(labels):
            return labels.reindex(columns=[*labels.columns, *ALL])
        return labels.join(numbers_of(self.index_estimate, self.index_values, self.ci_prob))

    def _shown(self) -> tuple[str, list[Part]]:
        table = self.table
        table = table[(table["decomposition"] != ALONE) & (table["scale"] == DIFFERENCE)]
        shown = ("moderator", "at", "path", "estimate", "lower", "upper")
        return f"{len(self.values)} resamples. Differences; other scales: .table.", [
            short(table, shown, rows=len(table))
        ]


def numbers_of(estimate: Array, values: Array, ci_prob: float) -> pd.DataFrame:
    """Return the columns `ALL` of estimates (row,) and their replicates (replicates, row)."""
    lower, upper, lower_mcse, upper_mcse = percentile_interval(values, ci_prob)
    columns = (estimate, lower, upper, lower_mcse, upper_mcse, "percentile", ci_prob, len(values))
    return pd.DataFrame(dict(zip(ALL, (*columns, np.isnan(values).sum(axis=0)), strict=True)))


def index_rows(draws: xr.DataArray) -> IndexRows:
    """Return what the rows of an index are from the coordinates of its draws."""
    names = ("moderator", "unit", "path", "scale")
    return IndexRows(*(tuple(str(value) for value in draws[name].to_numpy()) for name in names))
