"""Posterior predictive checks: do records look like what the model would have produced? Observed and replicated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.criticism.confounding import numbers_at_once
from bayes_sp.analysis.criticism.predictors import Predictor, predictors, thinned
from bayes_sp.analysis.criticism.statistics import ENDS, LEAST_GROUP, Bins, bins_of, exposure_levels, statistics_of
from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import CHECK_COLUMNS, FREQUENCY_COLUMNS
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
    frequencies
        For each response how many patients fall into each bin, observed and replicated.
    replicates, seed
        Number of replicated surveys, and seed.
    mark, model
        What the records are, and the specification.
    """

    table: pd.DataFrame
    frequencies: pd.DataFrame
    replicates: int
    seed: int
    mark: str
    model: PathModel

    @property
    def outside(self) -> pd.DataFrame:
        """Rows whose observed value, where it is given, lies outside the interval of the replicates."""
        return self.table[
            (self.table["observed"] < self.table["lower"]) | (self.table["observed"] > self.table["upper"])
        ]

    def without_ends(self) -> PredictiveChecks:
        """Return the same without the observed minimum and maximum, which are the values of single patients.

        Where they lie among the replicates stays in ``share_at_or_above``.
        """
        ends = self.table["statistic"].isin(ENDS)
        return replace(self, table=self.table.assign(observed=self.table["observed"].mask(ends)))

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. {self.replicates} replicated surveys (seed {self.seed}), equal-tailed intervals."
        return head, [short(self.table[self.table["exposure"] == ALL], rows=len(self.table))]


def predictive_checks(
    model: PathModel,
    design: Design,
    parameters: xr.Dataset,
    *,
    seed: int,
    replicates: int = REPLICATES,
    ci_prob: float = CI_PROB,
    mark: str = "",
) -> PredictiveChecks:
    """Replicate every response from its equation, given its observed parents, and set statistics side by side.

    For replicate r of ``replicates`` draws, evenly spaced over the posterior::

        y_rep[r, i] ~ family(eta[r, i], ...),    T_rep[r] = T(y_rep[r, :])

    Parameters
    ----------
    model, design
        The specification and the records' arrays.
    parameters
        Draws (chain, draw, ...) as a posterior names them.
    seed, replicates
        Seed, and number of replicated surveys; fewer where the survey is so large that they would not fit in memory.
    ci_prob
        Probability of the intervals over replicates.
    mark
        What the records are, kept with the result.

    References
    ----------
    Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-807.
    Kleiber & Zeileis (2016), The American Statistician 70(3), 296-303. doi:10.1080/00031305.2016.1173590 (rootogram)
    """
    rng = np.random.default_rng(seed)
    parameters = thinned(parameters, replicates)
    groups = {ALL: np.ones(design.n, dtype=bool), **exposure_levels(design.x)}
    statistics: dict[str, list[dict[tuple[str, str], Array]]] = {}
    counted: dict[str, list[Array]] = {}
    last: dict[str, tuple[Predictor, dict[str, Mask]]] = {}
    for part in _batches(parameters, numbers_at_once(model, design.n)):
        for one in predictors(model, design, part, rng):
            predictor, own = one.among(one.known), {name: mask[one.known] for name, mask in groups.items()}
            y = predictor.replicate(rng)
            statistics.setdefault(one.response, []).append(_statistics(predictor, y, own))
            counted.setdefault(one.response, []).append(_bins(predictor).count(y))
            last[one.response] = (predictor, own)
    rows: list[dict[str, object]] = []
    frequencies: list[pd.DataFrame] = []
    for response, (predictor, own) in last.items():
        observed = _statistics(predictor, predictor.observed, own)
        for key, value in observed.items():
            drawn = np.concatenate([batch[key] for batch in statistics[response]])
            rows.append({"response": response, "patients": int(own[key[1]].sum()), **_row(key, value, drawn, ci_prob)})
        frequencies.append(_frequencies(predictor, np.concatenate(counted[response]), ci_prob))
    table = pd.DataFrame(rows, columns=list(CHECK_COLUMNS))
    return PredictiveChecks(
        table, pd.concat(frequencies, ignore_index=True), parameters.sizes["draw"], seed, mark, model
    )


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


def _frequencies(predictor: Predictor, counted: Array, ci_prob: float) -> pd.DataFrame:
    """Return the number of patients in each bin: observed, and mean and interval over replicates."""
    bins, tail = _bins(predictor), (1 - ci_prob) / 2
    lower, upper = np.quantile(counted, [tail, 1 - tail], axis=0)
    columns = {
        "response": predictor.response, "bin": bins.labels, "center": bins.centers,
        "observed": bins.count(predictor.observed), "replicated": counted.mean(axis=0), "lower": lower, "upper": upper,
    }  # fmt: skip
    return pd.DataFrame(columns)[list(FREQUENCY_COLUMNS)]
