"""Bayes and bootstrap, like for like: {normal, the model's family} x {bootstrap, posterior}, and published values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.inference.bootstrap.bootstrap import BootstrapResult
from bayes_sp.inference.bootstrap.conditional import BootstrapConditional
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import (
    AVERAGE,
    BOOTSTRAP_COLUMNS,
    COEFFICIENT,
    COMPARISON_COLUMNS,
    DIFFERENCE,
)
from bayes_sp.shown import Part, Shown, short

PUBLISHED, BOOTSTRAP, POSTERIOR = "published", "bootstrap", "posterior"


@dataclass(frozen=True, eq=False)
class Fitted:
    """One likelihood's two inferences."""

    model: PathModel
    effects: Effects  # from the posterior
    # Percentile bootstrap of the maximum-likelihood fit; None where none was asked for.
    bootstrap: BootstrapResult | None
    patients: int | None = None  # how many records the posterior rests on; None where that is not known

    @property
    def likelihood(self) -> str:
        """Family of the outcome."""
        return self.model.equations[-1].family


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """The comparison as tables.

    Attributes
    ----------
    table
        One row for each path, scale, likelihood and inference, beside published values. Posteriors: median and
        equal-tailed interval. Bootstraps: maximum-likelihood estimate and percentile interval. Differences and rate
        ratios are averaged over the orders of switching, so that paths add up to the total.
    bootstrap
        Every bootstrap interval with the Monte Carlo standard error of its limits, the reasons of failures, and how
        many resamples lie on which boundary of the likelihood.
    mark
        What the records are.
    model
        The specification.
    missing
        Why a column of the comparison is not there or must not be used, one sentence each.
    conditional
        Likelihood -> the bootstrap of effects at levels of moderators, where there are any.
    rubin
        Of several sets of records: the bootstraps pooled by Rubin's rules (`rubin_table`); None for one.
    contrasts
        Likelihood -> the bootstrap of the specification's contrasts, where there are any.
    """

    table: pd.DataFrame
    bootstrap: pd.DataFrame
    mark: str
    model: PathModel
    missing: tuple[str, ...] = ()
    conditional: Mapping[str, BootstrapConditional] = field(default_factory=dict)
    rubin: pd.DataFrame | None = None
    contrasts: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. Posterior: median, equal-tailed interval. Bootstrap: estimate, percentile interval."
        rows = self.table[self.table["scale"] == DIFFERENCE]
        return f"{head} Differences; other scales: .table.", [
            short(rows.drop(columns="scale"), rows=len(rows)),
            list(self.missing),
        ]


def compare(model: PathModel, fits: list[Fitted], mark: str, ci_prob: float = CI_PROB) -> Comparison:
    """Set published values, bootstraps and posteriors of each likelihood side by side.

    ``fits`` has the normal twin first; one entry where the model is its own twin.
    """
    paths = list(model.effect_names)
    rows = [*_published_rows(model), *(row for fitted in fits for row in _rows(fitted, paths, ci_prob))]
    table = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    scales = list(dict.fromkeys(table["scale"]))
    order = {name: i for i, name in enumerate(paths)} | {name: i for i, name in enumerate(sorted(scales))}
    table = table.sort_values(["scale", "path"], key=lambda column: column.map(order), kind="stable", ignore_index=True)
    for name in ("replicates", "failed", "boundary", "patients"):
        table[name] = table[name].astype("Int64")
    made = [fitted.bootstrap.table for fitted in fits if fitted.bootstrap is not None]
    intervals = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=list(BOOTSTRAP_COLUMNS))
    at_levels = {
        fitted.likelihood: fitted.bootstrap.conditional
        for fitted in fits
        if fitted.bootstrap is not None and fitted.bootstrap.conditional is not None
    }
    between = {
        fitted.likelihood: fitted.bootstrap.contrasts()
        for fitted in fits
        if fitted.bootstrap is not None and model.contrasts and fitted.model.contrasts == model.contrasts
    }
    return Comparison(table, intervals, mark, model, conditional=at_levels, contrasts=between)


def _published_rows(model: PathModel) -> Iterator[dict[str, Any]]:
    """Yield published effects, by least squares: per unit of exposure, and for the contrast in the outcome's unit."""
    width = model.contrast[1] - model.contrast[0]
    for effect in model.published:
        for scale, factor in ((COEFFICIENT, 1.0), (DIFFERENCE, width)):
            limits = [None if limit is None else limit * factor for limit in (effect.lower, effect.upper)]
            lower, upper = limits if factor > 0 else limits[::-1]
            for estimate in effect.estimate:
                yield {
                    "path": effect.path, "scale": scale, "likelihood": PUBLISHED, "inference": PUBLISHED,
                    "estimate": estimate * factor, "lower": lower, "upper": upper, "ci_kind": "as published",
                }  # fmt: skip


def _rows(fitted: Fitted, paths: list[str], ci_prob: float) -> Iterator[dict[str, Any]]:
    result, table = fitted.bootstrap, fitted.effects.intervals(ci_prob)
    table = table[table["decomposition"].isin(["", AVERAGE])]
    for row in table.itertuples():
        common = {"path": row.path, "scale": row.scale, "likelihood": fitted.likelihood, "ci_prob": ci_prob}
        if result is not None:
            place = (paths.index(str(row.path)), result.scales.index(row.scale), result.decompositions.index(AVERAGE))
            yield {
                **common, "inference": BOOTSTRAP, "estimate": result.estimate[place], "lower": result.lower[place],
                "upper": result.upper[place], "ci_kind": result.ci_kind, "replicates": result.replicates,
                "failed": result.undefined[place], "boundary": result.at_boundary, "patients": result.patients,
            }  # fmt: skip
        yield {
            **common, "inference": POSTERIOR, "estimate": row.median, "lower": row.lower, "upper": row.upper,
            "ci_kind": CI_KIND, "patients": fitted.patients,
        }  # fmt: skip
