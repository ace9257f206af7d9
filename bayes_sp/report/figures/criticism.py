"""Figures of criticism: replicated records, LOO-PIT, influence of single patients, priors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_sp.analysis.criticism.pit import departure, uniform_band
from bayes_sp.analysis.criticism.predictive import ALL
from bayes_sp.inference.options import PARETO_K_LIMIT
from bayes_sp.model.families.registry import FAMILIES
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
from bayes_sp.shown import in_sentence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayes_sp.analysis.criticism.influence import Influence
    from bayes_sp.analysis.criticism.pit import LooPit
    from bayes_sp.analysis.criticism.predictive import PredictiveChecks
    from bayes_sp.analysis.criticism.prior_check import PriorCheck
    from bayes_sp.arrays import Array
    from bayes_sp.model.path_model import PathModel

LEAST_APART = 0.12  # of an axis, between the names of its end and of a value
MOST_SIGNS = 40  # of the names of all bars together
NAMED = 5  # patients whose row stands beside their point


@figure_of_result
def plot_predictive_checks(result: PredictiveChecks, ax: Given = None) -> np.ndarray:
    """Draw how often each value occurs, observed and replicated, and one statistic by level of the exposure.

    Counts stand on a square-root axis (a rootogram), on which the same departure looks the same at every height.

    Parameters
    ----------
    result
        What `Fit.predictive_checks` returned.
    ax
        Axes to draw into: one for each response, then one more for each; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    model, checks = result.model, result if result.least else result.without_patients()
    responses = list(dict.fromkeys(checks.frequencies["response"]))
    place = canvas(ax, 2, len(responses), (4.4 * len(responses), 6.4), height_ratios=(3, 2))
    axes = place.axes
    for column, response in enumerate(responses):
        count = FAMILIES[model.equations[column].family].response == "count"
        _frequencies(axes[0, column], checks.frequencies[checks.frequencies["response"] == response], root=count)
        axes[0, column].set_title(plain(model.variable(response).label, 34), fontsize=10.5, color=INK, loc="left")
        axes[0, column].set_ylabel(plain("patients (square-root axis)" if count else "patients"), fontsize=9)
        rows = checks.table[checks.table["response"] == response]
        _by_exposure(axes[1, column], rows, _telling(rows["statistic"]), model)
    place.legend("outside upper center")
    place.note("", checks.mark)
    return place.panels


def _frequencies(axes: Axes, table: pd.DataFrame, *, root: bool) -> None:
    x, widths = table["center"].to_numpy(), table["width"].to_numpy()
    apart = 2 * np.diff(x) / (widths[1:] + widths[:-1])
    width = float(apart.min()) if len(table) > 1 else 1.0
    table = table.assign(**{name: table[name] / widths for name in ("observed", "replicated", "lower", "upper")})
    axes.bar(x, table["observed"], width=0.86 * width * widths, color="#d9d9d9", edgecolor="none", label="observed")
    axes.vlines(x, table["lower"], table["upper"], color=ACCENT, linewidth=1.4, label="replicated: 95 % interval")
    axes.plot(x, table["replicated"], ".", color=ACCENT, markersize=5, label="replicated: mean")
    if root:
        axes.set_yscale("function", functions=(lambda v: np.sqrt(np.maximum(v, 0)), np.square))
    if sum(map(len, table["bin"])) <= MOST_SIGNS:
        axes.set_xticks(x, table["bin"])
    else:
        _name_ends(axes, x, [str(label) for label in table["bin"]], width)
    quiet(axes, left=True)


def _name_ends(axes: Axes, x: Array, labels: Sequence[str], width: float) -> None:
    """Say which bars hold every smaller, or every larger, value too."""
    first, last = labels[0].startswith("up to "), labels[-1].endswith("+")
    if not first and not last:
        return
    low, high = x[0] + 0.5 * width if first else x[0], x[-1] - 0.5 * width if last else x[-1]
    apart = LEAST_APART * (x[-1] - x[0])  # words of the ends are longer than numbers
    low, high = max(low, x[0] + apart) if first else low, min(high, x[-1] - apart) if last else high
    inside = [tick for tick in axes.get_xticks() if low <= tick <= high]
    ends = [(x[0], labels[0])] * first + [(x[-1], labels[-1])] * last
    places = sorted([*((tick, f"{tick:g}") for tick in inside), *ends])
    axes.set_xticks([place for place, _ in places], [label for _, label in places])


def _telling(statistics: pd.Series) -> str:
    """Return the statistic that is drawn by exposure: zeros of counts, the highest answer, else the mean."""
    names = list(dict.fromkeys(statistics))
    levels = [name for name in names if name.startswith("share of ")]
    return "share of zeros" if "share of zeros" in names else levels[-1] if levels else "mean"


def _by_exposure(axes: Axes, rows: pd.DataFrame, statistic: str, model: PathModel) -> None:
    own = rows[rows["statistic"] == statistic]
    x = np.arange(len(own))
    axes.vlines(x, own["lower"], own["upper"], color=ACCENT, linewidth=1.8)
    axes.plot(x, own["replicated"], ".", color=ACCENT, markersize=7)
    axes.plot(x, own["observed"], "D", color=INK, markersize=5, markerfacecolor="none")
    names = ["all" if name == ALL else name for name in own["exposure"]]
    sizes = ["" if np.isnan(n) else f"\nn = {n:g}" for n in own["patients"]]
    axes.set_xticks(x, [f"{name}{n}" for name, n in zip(names, sizes, strict=True)], fontsize=8.5)
    axes.set_xlim(-0.6, len(own) - 0.4)
    axes.set_ylabel(statistic, fontsize=9)
    exposure = in_sentence(model.variable(model.exposure).label)
    axes.set_xlabel(plain(f"by {exposure} (diamond: observed)", 42), fontsize=8.5)
    quiet(axes, left=True)


@figure_of_result
def plot_loo_pit(result: LooPit, ax: Given = None) -> np.ndarray:
    """Draw the distribution function of each response's LOO-PIT less the uniform one, with its 95 % band.

    Parameters
    ----------
    result
        What `Fit.loo_pit` returned.
    ax
        Axes to draw into, one for each response; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    model, pit = result.model, result
    layout: dict[str, Any] = {"sharey": True} if ax is None else {}
    place = canvas(ax, 1, len(pit.values), (3.9 * len(pit.values), 3.5), **layout)
    axes = place.axes[0]
    for panel, (response, values) in zip(axes, pit.values.items(), strict=True):
        u = values[np.isfinite(values)]
        grid, lower, upper = uniform_band(len(u))
        panel.fill_between(grid, lower, upper, color=BAND, linewidth=0)
        panel.axhline(0, color=QUIET, linewidth=0.8)
        panel.step(grid, departure(u, grid), color=INK, linewidth=1.4, where="mid")
        panel.set_title(plain(model.variable(response).label, 34), fontsize=10.5, color=INK, loc="left")
        panel.set_xlabel("LOO-PIT: place of the response in its prediction", fontsize=8.5)
        panel.set_xlim(0, 1)
        quiet(panel, left=True)
    axes[0].set_ylabel(plain("share of patients below,\nless the share expected"), fontsize=9)
    note = "Each patient predicted from the others. Calibrated predictions stay in the band (95 %)."
    place.note(note, pit.mark)
    return place.panels


@figure_of_result
def plot_influence(result: Influence, ax: Given = None) -> Axes:
    """Draw how far each patient's removal moves an effect, in posterior SDs, by row of the file.

    Parameters
    ----------
    result
        What `Fit.influence` returned.
    ax
        Axes to draw into; a new figure by default.

    Returns
    -------
    Axes
    """
    found, place = result, canvas(ax, 1, 1, (9, 3.6))
    axes = place.axes[0, 0]
    high = found.table[(found.table["pareto_k"] > PARETO_K_LIMIT) & (found.table["method"] == "weights")]
    axes.axhline(0, color=QUIET, linewidth=0.8)
    axes.vlines(found.table["row"], 0, found.table["shift_sd"], color=ACCENT, linewidth=0.9)
    axes.plot(found.table["row"], found.table["shift_sd"], ".", color=ACCENT, markersize=4)
    if not high.empty:
        axes.plot(high["row"], high["shift_sd"], "o", color=NEGATIVE, markersize=5, label="not reliable (k > 0.7)")
        axes.legend(frameon=False, fontsize=9, loc="best")
    for row in found.table.head(NAMED).to_dict("records"):
        below = row["shift_sd"] < 0
        axes.annotate(f"row {row['row']}", (row["row"], row["shift_sd"]), textcoords="offset points",
                      xytext=(0, -11 if below else 5), ha="center", fontsize=8.5, color=INK)  # fmt: skip
    axes.margins(y=0.16)
    axes.set_xlabel("row of the file")
    axes.set_ylabel(plain("shift without the patient\n(posterior SDs)"), fontsize=9)
    words = found.path if found.model is None else path_words(found.model, found.path)
    whole = f"{found.median:.2g} {found.unit} with all patients"
    axes.set_title(plain(f"{words[:1].upper()}{words[1:]}\n{whole}", 90), fontsize=10, color=INK, loc="left")
    quiet(axes, left=True)
    place.note("", found.mark)
    return place.one


@figure_of_result
def plot_prior_check(result: PriorCheck, ax: Given = None) -> np.ndarray:
    """Draw what the priors say of each response's mean over patients, with the ends of its scale.

    Parameters
    ----------
    result
        What `PriorPredictive.check` returned.
    ax
        Axes to draw into, one for each response; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    model, found = result.model, result
    place = canvas(ax, 1, len(found.means), (4.2 * len(found.means), 3.5))
    axes = place.axes[0]
    for panel, (response, means) in zip(axes, found.means.items(), strict=True):
        variable = model.variable(response)
        _histogram(panel, means, [variable.minimum, variable.maximum])
        panel.axvline(found.observed[response], color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
        panel.set_title(plain(variable.label, 38), fontsize=10.5, color=INK, loc="left")
        panel.set_xlabel(plain(variable.unit or variable.label, 44), fontsize=9)
        panel.set_yticks([])
        quiet(panel, left=True)
        panel.spines["left"].set_visible(False)
    axes[0].set_ylabel(plain("prior of the mean over patients"), fontsize=9)
    note = "Dashed: observed mean. Dark lines: ends of the scale, if it has any. Grey: beyond them."
    place.note(note, found.mark)
    return place.panels


def _histogram(axes: Axes, means: np.ndarray, ends: Sequence[float | None]) -> None:
    """Draw the central 99 % of draws; a logarithmic axis where they span more than two orders of magnitude."""
    low, high = np.quantile(means, [0.005, 0.995])
    logarithmic = low > 0 and high / low > 100
    edges = np.geomspace(low, high, 41) if logarithmic else np.linspace(low, high, 41)
    counts, edges = np.histogram(means, edges)
    beyond = np.zeros(len(counts), dtype=bool)
    for end, sign in zip(ends, (-1, 1), strict=True):
        if end is not None and low < end < high:
            beyond |= sign * (edges[:-1] + np.diff(edges) / 2 - end) > 0
            axes.axvline(end, color=INK, linewidth=1.2)
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=np.where(beyond, "#c9c9c9", ACCENT), linewidth=0)
    if logarithmic:
        axes.set_xscale("log")
