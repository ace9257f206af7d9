"""The same effects under other priors: named sets of priors, and constants of priors crossed with each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.provenance import provenance_of
from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.summary import CI_KIND, CI_PROB
from bayes_sp.errors import FitError
from bayes_sp.inference.options import SamplerOptions, usual_options
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.names import AVERAGE
from bayes_sp.records.survey import Survey
from bayes_sp.sensitivity.crossings import Z
from bayes_sp.sensitivity.prior.grid_file import DEFAULT, Grid, read_grid
from bayes_sp.sensitivity.prior.rules import priors_in_words
from bayes_sp.sensitivity.target import Estimate, Finding, Target, run_once, viewed
from bayes_sp.shown import Part, Shown

VALUES = ("mean", "median", "sd", "lower", "upper", "prob_negative", "mcse_lower", "mcse_upper")
CROSSED = "crossed"


@dataclass(frozen=True, eq=False, repr=False)
class PriorGrid(Shown):
    """Every effect under every set of priors.

    Attributes
    ----------
    target
        The effect that the findings are about.
    named
        One row for each named set of priors, path and scale: ``case, why, path, scale``, posterior mean, median, SD,
        equal-tailed interval, P(effect < 0; below 1 for ratios), Monte Carlo standard errors of the limits,
        ``trustworthy``, and the priors of the coefficients on the paths in words. NaN where the fit failed.
    crossed
        One dim for each crossed constant or factor, named as its key and with its values, and ``path``, ``scale``:
        variables as the columns of ``named``; ``trustworthy`` has the dims of the keys alone. Empty where
        nothing was crossed. Effects are averaged over the orders of switching paths.
    failures
        The fits that failed, with the reason and the specification.
    notes
        What of the grid does not apply to the specification.
    attrs
        What everything depends on: specification, seed, options, versions, data digest and mark.
    model
        The specification.
    """

    target: Target
    named: pd.DataFrame
    crossed: xr.Dataset
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    attrs: Mapping[str, Any]
    model: PathModel

    @property
    def keys(self) -> tuple[str, ...]:
        """The crossed keys."""
        return tuple(str(name) for name in self.crossed.dims if name not in ("path", "scale"))

    @property
    def table(self) -> pd.DataFrame:
        """One row for each fit, path and scale, named sets first; crossed keys are columns."""
        named = self.named
        if not self.keys:
            return named
        frame = self.crossed[[*VALUES, "trustworthy"]].to_dataframe(dim_order=[*self.keys, "path", "scale"])
        crossed = frame.reset_index().assign(case=CROSSED)
        columns = ["case", *self.keys, "path", "scale", *VALUES, "trustworthy", "priors"]
        together = {name: [*named.get(name, [np.nan] * len(named)), *crossed.get(name, [""] * len(crossed))]
                    for name in columns}  # fmt: skip
        return pd.DataFrame(together)

    def estimate(self, case: str) -> Estimate | None:
        """Return the target under a named set of priors; None where the fit failed."""
        named = self.named
        chosen = (named["case"] == case) & (named["path"] == self.target.path) & (named["scale"] == self.target.scale)
        return _estimate(named[chosen].iloc[0])

    def findings(self) -> list[Finding]:
        """Return what each named set of priors says about the target, and the least favourable crossing."""
        found = []
        cases = self.named.drop_duplicates("case")
        for case, why in zip(cases["case"], cases["why"], strict=True):
            estimate = self.estimate(str(case))
            reason = next((failure.reason for failure in self.failures if failure.name == case), "")
            note = f"not fitted: {reason}" if estimate is None else str(why)
            found.append(Finding("priors", f"{str(case).replace('_', '-')} priors", estimate, note))
        return [*found, *self._crossed_finding()]

    def _crossed_finding(self) -> Iterator[Finding]:
        """Yield the crossing whose interval is farthest from excluding the null on the side of most medians."""
        if not self.keys:
            return
        cells = self.table[lambda table: table["case"] == CROSSED]
        cells = cells[(cells["path"] == self.target.path) & (cells["scale"] == self.target.scale)]
        fitted = cells[cells["median"].notna()]
        if fitted.empty:
            yield Finding("priors", "crossed priors", None, "no crossing could be fitted")
            return
        null = self.target.null
        sides = np.where(fitted["upper"] < null, -1, np.where(fitted["lower"] > null, 1, 0))
        sign = -1 if float(fitted["median"].median()) < null else 1
        margin = fitted["lower"] - null if sign > 0 else null - fitted["upper"]
        worst = fitted.loc[margin.idxmin()]
        where = ", ".join(f"{key} = {worst[key]:g}" for key in self.keys)
        held = f"the interval excludes {null:g} on one side in {max((sides == -1).sum(), (sides == 1).sum())}"
        note = f"{held} of {len(fitted)} crossings"
        open_still = int((margin.abs() <= Z * fitted["mcse_lower" if sign > 0 else "mcse_upper"]).sum())
        note += f"; in {open_still} its limit is within Monte Carlo error of {null:g}" if open_still else ""
        note += f"; {len(cells) - len(fitted)} could not be fitted" if len(fitted) < len(cells) else ""
        yield Finding("priors", f"the least favourable crossing ({where})", _estimate(worst), note)

    def _shown(self) -> tuple[str, list[Part]]:
        rows = self.named[(self.named["path"] == self.target.path) & (self.named["scale"] == self.target.scale)]
        head = f"{self.attrs['data_source']}. {self.target.path} [{self.target.scale}]"
        return head, [rows[["case", "median", "lower", "upper", "prob_negative", "trustworthy"]]]


def prior_grid(
    model: PathModel | str | Path,
    survey: Survey,
    grid: Grid | str | Path | Mapping[str, Any] | None = None,
    *,
    seed: int = 1,
    options: SamplerOptions | None = None,
    runner: Runner | None = None,
    target: Target | None = None,
    kappa: float = 1.0,
    ci_prob: float = CI_PROB,
) -> PriorGrid:
    """Fit a specification under many priors; for the arguments and errors see `bayes_sp.sensitivity.priors`.

    Each fit is that of a complete specification with the same seed: ``fit(alternative.model, survey, seed=seed)`` gives
    the same draws. Crossings that are the same specification are fitted once.
    """
    model, target = viewed(load_model(model), target)
    design_arrays(model, survey)
    options = options or usual_options()
    grid = grid if isinstance(grid, Grid) else read_grid(model, DEFAULT if grid is None else grid)
    models = [*(found.model for found in grid.alternatives), *grid.crossed(model)]
    names = [*(found.name for found in grid.alternatives), *(found.name for found in models[len(grid.alternatives) :])]
    cells = [Cell(name, m, survey, seed, options, kappa, ci_prob) for name, m in zip(names, models, strict=True)]
    outcomes = run_once(cells, runner or Runner())
    labels = _labels(model, outcomes, survey)
    attrs = {
        **provenance_of(model, survey, seed), "options": json.dumps(options.chosen()),
        "kappa": kappa, "ci_kind": CI_KIND, "ci_prob": ci_prob, "grid": grid.title,
    }  # fmt: skip
    count = len(grid.alternatives)
    failures = {failure.key: failure for failure in outcomes if isinstance(failure, Failure)}
    named, crossed = _named(grid, outcomes[:count], labels), _crossed(grid, outcomes[count:], labels, attrs)
    return PriorGrid(target, named, crossed, tuple(failures.values()), grid.notes, attrs, model)


def _estimate(row: pd.Series) -> Estimate | None:
    median, lower, upper, *errors = (
        float(row[name]) for name in ("median", "lower", "upper", "mcse_lower", "mcse_upper")
    )
    return None if np.isnan(median) else Estimate(median, lower, upper, bool(row["trustworthy"]), *errors)


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["decomposition"].isin(["", AVERAGE])].set_index(["path", "scale"])


def _labels(model: PathModel, outcomes: Sequence[Outcome], survey: Survey) -> list[tuple[str, str]]:
    """Return (path, scale) of every effect, from the first fit that has an answer."""
    answer = next((outcome for outcome in outcomes if isinstance(outcome, Answer)), None)
    if answer is None:
        reasons = dict.fromkeys(f"{o.name}: {o.reason}" for o in outcomes if isinstance(o, Failure))
        raise FitError(survey.source, [f'no fit of "{model.name}" succeeded: {reason}' for reason in reasons])
    return [(str(path), str(scale)) for path, scale in _rows(answer.table).index]


def _values(outcome: Outcome, labels: Sequence[tuple[str, str]]) -> Array:
    """Return an outcome's numbers, (effect, value); NaN for a failure."""
    if isinstance(outcome, Failure):
        return np.full((len(labels), len(VALUES)), np.nan)
    return _rows(outcome.table).loc[list(labels), list(VALUES)].to_numpy(dtype=float)


def _trusted(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and outcome.trustworthy


def _named(grid: Grid, outcomes: Sequence[Outcome], labels: Sequence[tuple[str, str]]) -> pd.DataFrame:
    rows = []
    for found, outcome in zip(grid.alternatives, outcomes, strict=True):
        words = priors_in_words(found.model)
        for (path, scale), values in zip(labels, _values(outcome, labels), strict=True):
            rows.append((found.name, found.why, path, scale, *values, _trusted(outcome), words))
    return pd.DataFrame(rows, columns=["case", "why", "path", "scale", *VALUES, "trustworthy", "priors"])


def _crossed(
    grid: Grid, outcomes: Sequence[Outcome], labels: Sequence[tuple[str, str]], attrs: dict[str, Any]
) -> xr.Dataset:
    if not outcomes:
        return xr.Dataset(attrs=attrs)
    keys = [dial.key for dial, _ in grid.dials]
    shape = [len(values) for _, values in grid.dials]
    paths, scales = (list(dict.fromkeys(column)) for column in zip(*labels, strict=True))
    place = [labels.index(label) for label in product(paths, scales)]
    values = np.stack([_values(outcome, labels)[place] for outcome in outcomes])
    values = values.reshape(*shape, len(paths), len(scales), len(VALUES))
    data: dict[str, Any] = {name: ([*keys, "path", "scale"], values[..., i]) for i, name in enumerate(VALUES)}
    data["trustworthy"] = (keys, np.reshape([_trusted(outcome) for outcome in outcomes], shape))
    coords: dict[str, Any] = {dial.key: (dial.key, list(v), {"long_name": dial.words}) for dial, v in grid.dials}
    return xr.Dataset(data, coords={**coords, "path": paths, "scale": scales}, attrs=attrs)
