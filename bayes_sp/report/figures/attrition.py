"""The figure of those who did not come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.names import ARROW
from bayes_sp.report.figures.sensitivity import published_of, target_words
from bayes_sp.report.figures.style import ACCENT, INK, NEGATIVE, QUIET, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.sensitivity.missing.departures import TOGETHER, unit_of

if TYPE_CHECKING:
    from bayes_sp.model.path_model import PathModel
    from bayes_sp.sensitivity.missing.attrition import Attrition


@figure_of_result
def plot_attrition(found: Attrition, ax: Given = None) -> np.ndarray:
    """Draw the target over everyone against every way in which those who did not come back may differ.

    Parameters
    ----------
    found
        From `bayes_sp.sensitivity.attrition`.
    ax
        Axes to draw into, one for each way; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    model = found.model
    at = found.curves.sel(path=found.target.path, scale=found.target.scale, population="all")
    names = [str(name) for name in at["shifted"].to_numpy()]
    across = min(4, len(names))
    down = -(-len(names) // across)
    if ax is not None:
        down, across = 1, len(names)
    place = canvas(ax, down, across, (3.0 * across, 2.9 * down + 0.7), sharey="row")
    panels, effect = place.axes, published_of(model, found.target)
    for panel in panels.ravel()[len(names) :]:
        panel.axis("off")
    for panel, name, tip in zip(panels.ravel(), names, found.tipping, strict=False):
        own = at.sel(shifted=name)
        x = own["delta"].to_numpy()
        panel.axhline(found.target.null, color=QUIET, linewidth=0.8)
        panel.fill_between(x, own["lower"], own["upper"], color=ACCENT, alpha=0.16, linewidth=0)
        panel.plot(x, own["median"], color=ACCENT, linewidth=2)
        here = np.interp(0.0, *_ascending(x, own["median"].to_numpy()))
        panel.plot(0.0, here, "o", color=ACCENT, markersize=6)
        for value in effect.estimate if effect else ():
            panel.axhline(value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        for delta in tip.deltas:
            panel.axvline(delta, color=NEGATIVE, linewidth=1.4)
        panel.set_title(plain(_words(model, name), 32), fontsize=9, color=INK, loc="left")
        panel.set_xlabel(plain(_unit(model, name), 38), fontsize=8.5)
        quiet(panel, left=True)
    for row in panels:
        row[0].set_ylabel(plain(target_words(model, found.target), 34), fontsize=8.5)
    note = (
        "The effect over everyone who was asked, where delta is added to the level or the slope among those who did "
        "not come back. Point: missing at random (delta = 0). Median and 95 % interval."
    )
    note += " Vertical: where the interval first changes sides." if any(tip.deltas for tip in found.tipping) else ""
    note += " Dashed: published." if effect is not None else ""
    place.note(note, str(found.curves.attrs["data_source"]))
    return place.panels


def _ascending(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(x)
    return x[order], y[order]


def _unit(model: PathModel, name: str) -> str:
    """Return what a departure's delta is measured in."""
    head, _, rest = name.partition(" of ")
    if head == "level":
        return f"delta, {unit_of(model, rest)}"
    return "share of the way to the ends of all levels" if name == TOGETHER else "delta"


def _words(model: PathModel, name: str) -> str:
    """Return a departure's name with labels in place of columns."""
    head, _, rest = name.partition(" ")
    if head == "level":
        return f"level of {model.variable(rest.removeprefix('of ')).label}"
    if head == "slope":
        return "slope from " + " to ".join(model.variable(part).label for part in rest.split(ARROW))
    return name
