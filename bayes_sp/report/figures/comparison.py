"""The forest of a comparison: published values, bootstraps and posteriors of every path."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.analysis.comparison.table import BOOTSTRAP, POSTERIOR, PUBLISHED, Comparison
from bayes_sp.names import DIFFERENCE, distinct
from bayes_sp.report.figures.style import ACCENT, INK, NEGATIVE, QUIET, Given, canvas, figure_of_result, plain
from bayes_sp.report.text.assumptions import path_words
from bayes_sp.shown import in_sentence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

STYLES = {
    (PUBLISHED, PUBLISHED): (INK, "D", "published"),
    ("normal", BOOTSTRAP): (NEGATIVE, "o", "normal, bootstrap"),
    ("normal", POSTERIOR): (NEGATIVE, "s", "normal, posterior"),
}


@figure_of_result
def plot_comparison(result: Comparison, ax: Given = None, *, unit: str = "") -> Axes:
    """Draw every path's difference as a forest: published, bootstraps and posteriors of each likelihood.

    Parameters
    ----------
    result
        What `Fit.compare` returned.
    ax
        Axes to draw into; a new figure by default.
    unit
        Unit of the horizontal axis; the outcome's by default.

    Returns
    -------
    Axes
    """
    model = result.model
    table = result.table[result.table["scale"] == DIFFERENCE]
    paths = distinct(list(dict.fromkeys(table["path"])))
    table = table[table["path"].isin(paths)]
    kinds = list(dict.fromkeys(zip(table["likelihood"], table["inference"], strict=True)))
    kinds.sort(key=lambda kind: (kind[0] != PUBLISHED, kind[0] != "normal"))
    place = canvas(ax, 1, 1, (9.5, 1.6 + 0.17 * len(paths) * (len(kinds) + 1.5)))
    axes = place.axes[0, 0]
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    step, drawn = 1.0 / (len(kinds) + 1.5), []
    for i, kind in enumerate(kinds):
        likelihood, inference = kind
        other = (ACCENT, "o" if inference == BOOTSTRAP else "s", f"{likelihood.replace('_', ' ')}, {inference}")
        rows = table[(table["likelihood"] == likelihood) & (table["inference"] == inference)]
        heights = [paths.index(path) + (i - (len(kinds) - 1) / 2) * step for path in rows["path"]]
        style = STYLES.get(kind, other)
        _intervals(axes, rows, heights, style)
        drawn.append((rows, heights, style[0]))
    _open_intervals(axes, drawn)
    axes.set_yticks(range(len(paths)), [plain(_lines(path_words(model, path))) for path in paths])
    axes.set_ylim(len(paths) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    u0, u1 = model.contrast
    exposure, outcome = model.variable(model.exposure), model.variable(model.outcome)
    against = "" if model.moves else f" for {in_sentence(exposure.label)} {u0:g} → {u1:g}"
    what = f"{outcome.label}: difference{against}"
    axes.set_xlabel(plain(f"{what}\n({unit or outcome.unit or outcome.label})", 84))
    place.legend("outside upper center")
    place.note("95 % intervals: percentile (bootstrap), equal-tailed (posterior).", result.mark)
    return place.one


def _intervals(axes: Axes, rows: pd.DataFrame, heights: list[float], style: tuple[str, str, str]) -> None:
    colour, marker, label = style
    lower, upper, ys = rows["lower"].to_numpy(float), rows["upper"].to_numpy(float), np.array(heights)
    finite = np.isfinite(lower) & np.isfinite(upper)
    axes.hlines(ys[finite], lower[finite], upper[finite], color=colour, linewidth=1.6)
    face = "white" if label.endswith(BOOTSTRAP) else colour
    axes.plot(rows["estimate"], ys, marker, color=colour, markerfacecolor=face, markersize=5.5, label=label)


def _open_intervals(axes: Axes, drawn: list[tuple[pd.DataFrame, list[float], str]]) -> None:
    """Draw intervals with a limit at infinity to the edge of the axes, with an arrow's head there."""
    edges = axes.get_xlim()
    for rows, heights, colour in drawn:
        for lower, upper, y in zip(rows["lower"], rows["upper"], heights, strict=True):
            if not (np.isinf(lower) or np.isinf(upper)) or np.isnan(lower) or np.isnan(upper):
                continue
            low, high = np.clip([lower, upper], *edges)
            axes.hlines(y, low, high, color=colour, linewidth=1.6)
            if np.isneginf(lower):
                axes.plot(low, y, "<", color=colour, markersize=5, clip_on=False)
            if np.isposinf(upper):
                axes.plot(high, y, ">", color=colour, markersize=5, clip_on=False)
    axes.set_xlim(edges)


def _lines(words: str) -> str:
    """Break the words of a path into lines, a new one for each step."""
    steps = words.replace(", then", ",\nthen").splitlines()
    return "\n".join(line for step in steps for line in textwrap.wrap(step, 44, max_lines=3, placeholder=" ..."))
