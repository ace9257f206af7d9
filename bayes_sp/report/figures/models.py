"""The forest of several specifications."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_sp.analysis.comparison.models import DIRECT, SERIAL, Multiverse
from bayes_sp.names import DIFFERENCE, TOTAL, TOTAL_INDIRECT
from bayes_sp.report.figures.style import ACCENT, INK, QUIET, Given, canvas, figure_of_result, plain

TITLES = {
    SERIAL: "serial: through all mediators", TOTAL_INDIRECT: "indirect: all indirect paths", DIRECT: "direct",
    TOTAL: "total",
}  # fmt: skip


@figure_of_result
def plot_models(result: Multiverse, ax: Given = None) -> np.ndarray:
    """Draw the differences of each specification (`Multiverse.shown`), one row each.

    Filled: the 95 % interval excludes 0. Grey: the fit failed its diagnostics and must not be used.

    Parameters
    ----------
    result
        What `bayes_sp.compare_models` returned.
    ax
        Axes to draw into, one for each of `Multiverse.shown`; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    names = [entry.name for entry in result.entries]
    panels = [(effect, TITLES[effect]) for effect in result.shown]
    layout: dict[str, Any] = {"sharey": True} if ax is None else {}
    place = canvas(ax, 1, len(panels), (2.0 + 3.0 * len(panels), 2.0 + 0.42 * len(names)), **layout)
    axes = place.axes[0]
    for panel, (effect, title) in zip(axes, panels, strict=True):
        panel.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
        rows = result.table[(result.table["effect"] == effect) & (result.table["scale"] == DIFFERENCE)]
        for row in rows.to_dict("records"):
            height = names.index(str(row["specification"]))
            colour = ACCENT if row["trustworthy"] else QUIET
            excludes = row["lower"] > 0 or row["upper"] < 0
            panel.hlines(height, row["lower"], row["upper"], color=colour, linewidth=1.8)
            face = colour if excludes else "white"
            panel.plot(row["median"], height, "o", color=colour, markerfacecolor=face, markersize=6.5)
        drawn = set(rows["specification"])
        for height, entry in enumerate(result.entries):
            if entry.name not in drawn:
                word = "not fitted" if entry.effects is None else "no such path"
                panel.text(0.5, height, word, transform=panel.get_yaxis_transform(), ha="center", va="center",
                           color=QUIET, fontsize=9, style="italic",
                           bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none"})  # fmt: skip
        panel.set_title(title, fontsize=10, color=INK, loc="left")
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.locator_params(axis="x", nbins=5)
    axes[0].set_yticks(np.arange(len(names)), [plain(name, 24) for name in names])
    for panel in axes[:1] if place.own else axes:
        panel.set_ylim(len(names) - 0.4, -0.6)
    units = dict.fromkeys(entry.effects.unit for entry in result.entries if entry.effects is not None)
    note = (
        f"Posterior median and {100 * result.ci_prob:g} % equal-tailed interval of the difference"
        f"{' in ' + ', or '.join(units) if units else ''}. Filled: the interval excludes 0. "
        "Grey: the fit failed its diagnostics."
    )
    marks = dict.fromkeys(entry.effects.mark for entry in result.entries if entry.effects is not None)
    place.note(note, "; ".join(mark for mark in marks if mark))
    return place.panels
