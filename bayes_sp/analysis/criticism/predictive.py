"""Posterior predictive checks: do records look like what the model would have produced? Observed and replicated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.criticism.confounding import numbers_at_once
from bayes_sp.analysis.criticism.predictors import Predictor, predictors, thinned
from bayes_sp.analysis.criticism.statistics import (
    ENDS,
    LEAST_GROUP,
    Bins,
    bins_of,
    exposure_levels,
    statistics_of,
)
from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import CHECK_COLUMNS, FREQUENCY_COLUMNS, LEAST_COUNT
from bayes_sp.records.small_counts import hidden_counts, starts_of
from bayes_sp.shown import Part, Shown, short

REPLICATES = 1000
BATCH = 2_000_000  # values at a time
ALL = "all"


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveChecks(Shown):
    """Statistics of the records beside those of records replicated from the posterior.

    Attributes
    ----------
    table
        One row for each response, statistic and group of patients (``exposure``: all, or a level of it): the observed
        value, median and equal-tailed interval over replicates, and the share of replicates at or above the observed
        value (empty where no record can have another value).
    counted
        By response its bins, and how many patients fall into each, observed (b,) and replicated (r, b).
    replicates, seed
        Number of replicated surveys, and seed.
    mark, model
        What the records are, and the specification.
    records
        Their number.
    least
        What says something of fewer patients than these is not in the table; 0 where everything is.
    """

    table: pd.DataFrame
    counted: Mapping[str, tuple[Bins, Array, Array]]
    replicates: int
    seed: int
    mark: str
    model: PathModel
    records: int = 0
    least: int = 0

    @property
    def frequencies(self) -> pd.DataFrame:
        """For each response how many patients fall into each bin, observed, and mean and interval over replicates.

        In each bin 10 patients or more were observed (``least`` of them); ``width`` counts bins of the finest kind.
        """
        prob, least = float(self.table["ci_prob"].iloc[0]), self.least or LEAST_COUNT
        tables = [_frequencies(name, *found, prob, least) for name, found in self.counted.items()]
        return pd.concat(tables, ignore_index=True)

    @property
    def outside(self) -> pd.DataFrame:
        """Rows whose observed value, where it is given, lies outside the interval of the replicates."""
        return self.table[
            (self.table["observed"] < self.table["lower"]) | (self.table["observed"] > self.table["upper"])
        ]

    def without_patients(self, least: int = LEAST_COUNT) -> PredictiveChecks:
        """Return the same without what says something of fewer than ``least`` patients.

        Levels of the exposure with fewer of them are left out, and shares that stand for fewer are empty, each with
        the smallest other from which it could be worked out; and so is the number of patients where fewer than that
        are missing of all records. The observed minimum and maximum, which are the values of single patients, are
        empty, and where they lie among the replicates is rounded to tenths.
        """
        parts = [
            _without_few(rows, self.records or int(self.table["patients"].max()), least)
            for _, rows in self.table.groupby("response", sort=False)
        ]
        table = pd.concat(parts)
        ends = table["statistic"].isin(ENDS)
        table["observed"] = table["observed"].mask(ends)
        table["share_at_or_above"] = table["share_at_or_above"].mask(ends, table["share_at_or_above"].round(1))
        return replace(self, table=table, least=least)

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. {self.replicates} replicated surveys (seed {self.seed}), equal-tailed intervals."
        return head, [short(self.table[self.table["exposure"] == ALL], rows=len(self.table))]


def _without_few(rows: pd.DataFrame, records: int, least: int) -> pd.DataFrame:
    """Return the rows of one response without small groups and shares of few patients."""
    sizes = rows.drop_duplicates("exposure").set_index("exposure")["patients"]
    known, groups = int(sizes[ALL]), sizes.drop(ALL)
    others = [known - int(groups.sum()), records - known]
    hidden = hidden_counts([*groups, *others], least, zeros=False)
    shown = [name for name, gone in zip(groups.index, hidden, strict=False) if not gone]
    rows = rows[rows["exposure"].isin([ALL, *shown])].copy()
    rows["patients"] = rows["patients"].astype(float)
    shares = rows["statistic"].str.startswith("share of ")
    names, columns = list(dict.fromkeys(rows.loc[shares, "statistic"])), [*shown, ALL]
    if names:
        own = rows[shares].pivot_table(index="statistic", columns="exposure", values="observed", sort=False)
        counts = (own.loc[names, columns] * sizes[columns]).round().to_numpy()
        whole = sizes[columns].to_numpy(dtype=float)
        rest = whole - counts.sum(axis=0)
        table = np.vstack([counts, rest]) if rest.any() else counts
        table = np.column_stack([table[:, :-1], table[:, -1] - table[:, :-1].sum(axis=1)])
        table = table if table[:, -1].any() else table[:, :-1]
        small = hidden_counts(table, least)
        for i, name in enumerate(names):
            for k, group in enumerate(columns):
                if small[i, -1 if group == ALL else k]:
                    at = (rows["statistic"] == name) & (rows["exposure"] == group)
                    rows.loc[at, ["observed", "share_at_or_above"]] = np.nan
        for k, group in enumerate(shown):
            rows.loc[(rows["exposure"] == group) & bool(small[-1, k]), "patients"] = np.nan
    if hidden[len(groups) + 1]:
        rows.loc[rows["exposure"] == ALL, "patients"] = np.nan
    return rows


def predictive_checks(
    model: PathModel,
    design: Design,
    parameters: xr.Dataset,
    *,
    seed: int,
    replicates: int = REPLICATES,
    ci_prob: float = CI_PROB,
    mark: str = "",
    records: int = 0,
) -> PredictiveChecks:
    """Replicate every response from its equation, given its observed parents, and set statistics side by side.

    For replicate r of ``replicates`` draws, evenly spaced over the posterior::

        y_rep[r, i] ~ family(eta[r, i], ...),    T_rep[r] = T(y_rep[r, :])

    ``parameters`` are draws (chain, draw, ...) as a posterior names them. There are fewer replicates where a survey is
    so large that they would not fit in memory. Intervals over replicates have the probability ``ci_prob``. ``mark`` and
    ``records``, what the records are and how many, are kept with the result.

    References
    ----------
    Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-807.
    Kleiber & Zeileis (2016), The American Statistician 70(3), 296-303. doi:10.1080/00031305.2016.1173590 (rootogram)
    """
    rng = np.random.default_rng(seed)
    parameters = thinned(parameters, replicates)
    levels = {model.words_of(model.exposure, level): level for level in model.levels(model.exposure)}
    groups = {ALL: np.ones(design.n, dtype=bool), **exposure_levels(design.x, levels)}
    statistics: dict[str, list[dict[tuple[str, str], Array]]] = {}
    counted: dict[str, list[Array]] = {}
    last: dict[str, tuple[Predictor, dict[str, Mask]]] = {}
    for part in _batches(parameters, numbers_at_once(model, design.n)):
        for one in predictors(model, design, part, rng):
            predictor, own = one.among(one.known), {name: mask[one.known] for name, mask in groups.items()}
            y = predictor.replicate(rng)
            statistics.setdefault(one.response, []).append(_statistics(predictor, y, own))
            counted.setdefault(one.response, []).append(_bins(predictor).count(y).astype(np.int32))
            last[one.response] = (predictor, own)
    rows: list[dict[str, object]] = []
    frequencies: dict[str, tuple[Bins, Array, Array]] = {}
    for response, (predictor, own) in last.items():
        observed = _statistics(predictor, predictor.observed, own)
        for key, value in observed.items():
            drawn = np.concatenate([batch[key] for batch in statistics[response]])
            rows.append({"response": response, "patients": int(own[key[1]].sum()), **_row(key, value, drawn, ci_prob)})
        bins = _bins(predictor)
        frequencies[response] = bins, bins.count(predictor.observed), np.concatenate(counted[response])
    table = pd.DataFrame(rows, columns=list(CHECK_COLUMNS))
    return PredictiveChecks(table, frequencies, parameters.sizes["draw"], seed, mark, model, records)


def _batches(parameters: xr.Dataset, numbers: int) -> Iterator[xr.Dataset]:
    """Yield the draws in parts whose replicates fit in memory."""
    size = max(1, BATCH // numbers)
    for start in range(0, parameters.sizes["draw"], size):
        yield parameters.isel(draw=slice(start, start + size))


def _statistics(predictor: Predictor, y: Array, groups: dict[str, Mask]) -> dict[tuple[str, str], Array]:
    """Return each statistic of each group of patients, by (statistic, group), over the leading axis of y."""
    functions = statistics_of(predictor.family, predictor.variable, predictor.observed)
    large = {group: mask for group, mask in groups.items() if mask.sum() >= LEAST_GROUP}
    return {(name, group): f(y[..., mask]) for name, f in functions.items() for group, mask in large.items()}


def _bins(predictor: Predictor) -> Bins:
    return bins_of(predictor.family, predictor.variable, predictor.observed)


def _row(key: tuple[str, str], observed: Array, drawn: Array, ci_prob: float) -> dict[str, object]:
    tail = (1 - ci_prob) / 2
    lower, middle, upper = np.quantile(drawn, [tail, 0.5, 1 - tail])
    statistic, group = key
    impossible = statistic.startswith(("share below", "share above"))  # 0 in every record
    return {
        "statistic": statistic, "exposure": group, "observed": float(observed), "replicated": middle, "lower": lower,
        "upper": upper, "ci_kind": CI_KIND, "ci_prob": ci_prob,
        "share_at_or_above": np.nan if impossible else float((drawn >= observed).mean()),
    }  # fmt: skip


def _frequencies(response: str, bins: Bins, observed: Array, drawn: Array, ci_prob: float, least: int) -> pd.DataFrame:
    """Return the number of patients in each bin: observed, and mean and interval over replicates."""
    starts, tail = starts_of(observed, least), (1 - ci_prob) / 2
    whole, counted = bins.joined(starts), np.add.reduceat(drawn, starts, axis=1)
    lower, upper = np.quantile(counted, [tail, 1 - tail], axis=0)
    columns = {
        "response": response, "bin": whole.labels, "center": whole.centers, "width": whole.widths,
        "observed": np.add.reduceat(observed, starts), "replicated": counted.mean(axis=0), "lower": lower,
        "upper": upper,
    }  # fmt: skip
    return pd.DataFrame(columns)[list(FREQUENCY_COLUMNS)]
