"""Figures of one fit's effects: forest, densities, dose curve, and the members of a pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_sp.analysis.pooled import Pooled
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import BayesSpError
from bayes_sp.names import ALONE, AVERAGE, DIFFERENCE, TOTAL, distinct, name_parts
from bayes_sp.records.small_counts import ends_shown
from bayes_sp.report.figures.draws import panels
from bayes_sp.report.figures.style import (
    ACCENT,
    BAND,
    INK,
    NEGATIVE,
    QUIET,
    Given,
    canvas,
    figure_of_result,
    plain,
    quiet,
)
from bayes_sp.report.text.assumptions import path_words
from bayes_sp.sensitivity.power.overlap import posterior_density
from bayes_sp.shown import in_sentence, probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_sp.analysis.fit import Fit
    from bayes_sp.model.parts import PracticalRegion
    from bayes_sp.model.path_model import PathModel

INNER = 0.5  # probability of the thick part of an interval
BEYOND = 0.15  # of the range of exposures, which a dose curve goes on on both sides
DOSES = 21


@figure_of_result
def plot_forest(result: Fit, ax: Given = None, *, ci_prob: float = CI_PROB) -> Axes:
    """Draw every path's difference: median, thick its 50 % interval, thin that of ``ci_prob``.

    Parameters
    ----------
    result
        A fit, also of several sets of records.
    ax
        Axes to draw into; a new figure by default.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    Axes
    """
    model, effects = result.model, result.effects()
    tables = {p: _differences(effects.intervals(p)) for p in (ci_prob, INNER)}
    paths = distinct(list(tables[ci_prob].index))
    names = [plain(path_words(model, path), 44) for path in paths]
    tall = np.array([1.0 + 0.55 * name.count("\n") for name in names])
    heights = np.cumsum(tall) - tall / 2.0
    place = canvas(ax, 1, 1, (7.6, 1.6 + 0.36 * float(tall.sum())))
    axes = place.axes[0, 0]
    _null(axes, model.practical)
    for prob, width in ((ci_prob, 1.4), (INNER, 4.0)):
        own = tables[prob].loc[paths]
        axes.hlines(heights, own["lower"], own["upper"], color=ACCENT, linewidth=width, capstyle="butt")
    medians = tables[ci_prob].loc[paths, "median"]
    axes.plot(medians, heights, "o", color="white", markeredgecolor=ACCENT, markeredgewidth=1.6, markersize=6)
    axes.set_yticks(heights, names)
    axes.set_ylim(float(tall.sum()) + 0.1, -0.1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(plain(_difference_words(model), 70), fontsize=9.5)
    quiet(axes)
    note = f"Posterior median, {100 * INNER:g} % (thick) and {100 * ci_prob:g} % (thin) equal-tailed interval."
    place.note(note + _region_words(model), result.survey.mark)
    return place.one


@figure_of_result
def plot_densities(result: Fit, ax: Given = None, *, ci_prob: float = CI_PROB) -> np.ndarray:
    """Draw the density of every path's difference, with its interval and the region that does not matter.

    Parameters
    ----------
    result
        A fit; the region is that of its specification's ``[practical]``, if it has one.
    ax
        Axes to draw into, one for each path; a new figure by default.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    array of Axes
        One for each path.
    """
    model, draws = result.model, result.effects().draws[AVERAGE].sel(scale=DIFFERENCE)
    paths = distinct([str(path) for path in draws["path"].to_numpy()])
    place = panels(ax, len(paths), (3.2, 2.3, 0.7))
    for panel, path in zip(place.axes.ravel(), paths, strict=False):
        values = draws.sel(path=path).transpose("chain", "draw").to_numpy()
        low, middle, high = np.quantile(values, [(1 - ci_prob) / 2, 0.5, (1 + ci_prob) / 2])
        t, density = posterior_density(values)
        _null(panel, model.practical)
        panel.plot(t, density, color=ACCENT, linewidth=1.6)
        inside = (t >= low) & (t <= high)
        panel.fill_between(t[inside], density[inside], color=BAND, linewidth=0)
        panel.vlines(middle, 0, np.interp(middle, t, density), color=ACCENT, linewidth=1.2)
        panel.set_title(plain(_with_region(model, path, values), 34), fontsize=9, color=INK, loc="left")
        panel.set(ylim=(0, None), yticks=[])
        panel.locator_params(axis="x", nbins=5)
        panel.set_xlabel(plain(f"difference ({model.outcome_unit})", 38), fontsize=8.5)
        quiet(panel)
    note = f"Posterior density of each difference; shaded: {100 * ci_prob:g} % equal-tailed interval; line: median."
    place.note(note + _region_words(model), result.survey.mark)
    return place.panels


@figure_of_result
def plot_dose(
    result: Fit, ax: Given = None, *, exposures: Sequence[float] | None = None, path: str = TOTAL,
    ci_prob: float = CI_PROB,
) -> Axes:  # fmt: skip
    """Draw an effect against the value that the exposure is moved to; hatched where hardly any record is.

    Parameters
    ----------
    result
        A fit of one exposure that is a number.
    ax
        Axes to draw into; a new figure by default.
    exposures
        Values, ascending; by default over the exposures of the records and a little beyond.
    path
        The effect's path; the total by default.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    Axes

    Raises
    ------
    BayesSpError
        For a path that the specification does not have.
    """
    model = result.model
    values = result.first.survey.records[model.exposure].dropna().to_numpy(dtype=float)
    low, high = ends_shown(values)
    low, high = (float(values.min()), float(values.max())) if np.isnan(low) else (low, high)
    grid = _doses(model, low, high) if exposures is None else np.asarray(exposures, dtype=float)
    curve = result.dose_curve(grid.tolist())[AVERAGE].sel(scale=DIFFERENCE)
    if path not in curve["path"].to_numpy():
        raise BayesSpError(path, [f"is no path of {model.name}: {', '.join(map(str, curve['path'].to_numpy()))}"])
    own = curve.sel(path=path).transpose("exposure", "chain", "draw").to_numpy().reshape(len(grid), -1)
    lower, median, upper = np.quantile(own, [(1 - ci_prob) / 2, 0.5, (1 + ci_prob) / 2], axis=1)
    place = canvas(ax, 1, 1, (6.6, 4.2))
    axes = place.axes[0, 0]
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=0)
    axes.fill_between(grid, lower, upper, color=BAND, linewidth=0)
    inside = (grid >= low) & (grid <= high)
    axes.plot(grid, median, color=ACCENT, linewidth=1.4, linestyle=(0, (3, 2)))
    axes.plot(grid[inside], median[inside], color=ACCENT, linewidth=2.2)
    beyond = [(a, b) for a, b in ((grid[0], min(low, grid[-1])), (max(high, grid[0]), grid[-1])) if b > a]
    for start, end in beyond:
        axes.axvspan(start, end, facecolor="none", edgecolor=QUIET, hatch="///", linewidth=0, alpha=0.35)
    axes.plot(model.contrast[0], 0.0, "D", color=INK, markersize=5)
    exposure = model.variable(model.exposure)
    unit = f" ({exposure.unit})" if exposure.unit else ""
    axes.set_xlabel(plain(exposure.label + unit, 60), fontsize=9.5)
    axes.set_ylabel(plain(f"{path_words(model, path)}: difference ({model.outcome_unit})", 26), fontsize=9)
    axes.set_xlim(grid[0], grid[-1])
    quiet(axes, left=True)
    note = (
        f"Effect of moving the exposure from {model.words_of(model.exposure, model.contrast[0])} (diamond) to each "
        f"value: posterior median and {100 * ci_prob:g} % equal-tailed interval."
    )
    note += " Hatched, dashed: fewer than 10 patients lie beyond; the model alone speaks there." if beyond else ""
    place.note(note, result.survey.mark)
    return place.one


@figure_of_result
def plot_members(result: Pooled, ax: Given = None, *, path: str = TOTAL, ci_prob: float = CI_PROB) -> Axes:
    """Draw an effect given each set of records alone, and below them given all of them together.

    Parameters
    ----------
    result
        A fit of several sets of records.
    ax
        Axes to draw into; a new figure by default.
    path
        The effect's path; the total by default.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    Axes

    Raises
    ------
    BayesSpError
        For a fit of one set of records, or a path that the specification does not have.
    """
    if not isinstance(result, Pooled):
        raise BayesSpError("plot.members", ["needs a fit of several sets of records"])
    model, table = result.model, result.members(ci_prob)
    own = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE) & (table["path"] == path)]
    if own.empty:
        raise BayesSpError(path, [f"is no path of {model.name}: {', '.join(dict.fromkeys(table['path']))}"])
    members, edges = own[own["member"] > 0].sort_values("median"), own[own["member"] == 0]
    pooled = _differences(result.effects().intervals(ci_prob)).loc[path]
    count = len(own) + 2.5
    place = canvas(ax, 1, 1, (7.2, 1.9 + 0.17 * count))
    axes = place.axes[0, 0]
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    axes.axvspan(pooled["lower"], pooled["upper"], color=BAND, alpha=0.45, linewidth=0, zorder=0)
    for part, colour, marker, start in ((members, QUIET, "o", 0.0), (edges, NEGATIVE, "s", len(members) + 0.5)):
        heights = start + np.arange(len(part))
        axes.hlines(heights, part["lower"], part["upper"], color=colour, linewidth=1.0)
        axes.plot(part["median"], heights, marker, color=colour, markersize=3.5)
    last = len(own) + 1.2
    axes.hlines(last, pooled["lower"], pooled["upper"], color=ACCENT, linewidth=2.6)
    axes.plot(pooled["median"], last, "D", color=ACCENT, markersize=7)
    ticks = [((len(members) - 1) / 2, f"{len(members)} sets of records,\neach alone"), (last, "all together")]
    ticks += [(len(members) + len(edges) / 2, "at the edge of what\nis known")] if len(edges) else []
    axes.set_yticks([tick for tick, _ in ticks], [plain(words) for _, words in ticks])
    axes.set_ylim(count, -1.0)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(plain(f"{path_words(model, path)}: {_difference_words(model)}", 70), fontsize=9.5)
    quiet(axes)
    note = f"Posterior medians and {100 * ci_prob:g} % equal-tailed intervals, by their medians; shaded: the pool's."
    place.note(note, result.survey.mark)
    return place.one


def _doses(model: PathModel, low: float, high: float) -> np.ndarray:
    """Return exposures from a little below the records to a little above them, within the exposure's scale."""
    reach, exposure = BEYOND * (high - low), model.variable(model.exposure)
    ends = [low - reach, high + reach]
    least = -np.inf if exposure.minimum is None else exposure.minimum
    first, last = np.clip(ends, least, np.inf if exposure.maximum is None else exposure.maximum)
    return np.unique([*np.linspace(first, last, DOSES), low, high])


def _differences(table: pd.DataFrame) -> pd.DataFrame:
    """Return the differences of a table of effects, averaged over orders, by path."""
    return table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE)].set_index("path")


def _difference_words(model: PathModel) -> str:
    """Return what a difference is of, between which exposures, and in which unit."""
    outcome, exposure = model.variable(model.outcome), model.variable(model.exposure)
    u0, u1 = (model.words_of(model.exposure, value) for value in model.contrast)
    against = "" if model.moves else f" for {in_sentence(exposure.label)} {u0} → {u1}"
    return f"{in_sentence(outcome.label)}: difference{against} ({model.outcome_unit})"


def _null(axes: Axes, region: PracticalRegion | None) -> None:
    """Draw no effect, and the region of differences that do not matter."""
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    if region is not None:
        axes.axvspan(region.lower, region.upper, facecolor=NEGATIVE, alpha=0.13, linewidth=0, zorder=0)


def _with_region(model: PathModel, path: str, values: np.ndarray) -> str:
    """Return a path in words, with the probability that its effect does not matter."""
    words, region = path_words(model, name_parts(path)[0]), model.practical
    words = path_words(model, path) if name_parts(path)[1] else words
    if region is None:
        return words
    inside = float(((values > region.lower) & (values < region.upper)).mean())
    return f"{words}\nP(in the region) = {probability(inside)}".replace("= <", "< ").replace("= >", "> ")


def _region_words(model: PathModel) -> str:
    if model.practical is None:
        return ""
    return f" Orange: differences from {model.practical.lower:g} to {model.practical.upper:g} do not matter."
