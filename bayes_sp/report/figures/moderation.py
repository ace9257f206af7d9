"""The figure of effects along a moderator: median and band of the interval, one panel for each path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.effects.moderation.curve import EffectCurve
from bayes_sp.effects.paths import RATIOS
from bayes_sp.model.named_effects import scale_words
from bayes_sp.names import DIFFERENCE, distinct
from bayes_sp.report.figures.style import ACCENT, QUIET, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.report.text.assumptions import path_words

if TYPE_CHECKING:
    from bayes_sp.model.path_model import PathModel

COLUMNS = 3


@figure_of_result
def plot_effect_curve(curve: EffectCurve, ax: Given = None, *, scale: str = DIFFERENCE) -> np.ndarray:
    """Draw every path's effect along a moderator: median, 95 % band, and a line where there is no effect.

    Parameters
    ----------
    curve
        From ``fit.effect_curve``.
    ax
        Axes to draw into, one for each path; None for a figure of its own.
    scale
        ``difference``, ``rate_ratio``, ``risk_ratio`` or ``coefficient``, where the effects have it.

    Returns
    -------
    array of Axes
        One for each panel.

    Raises
    ------
    ValueError
        For a scale that the effects do not have.
    """
    model = curve.model
    table = curve.table[curve.table["scale"] == scale]
    if table.empty:
        known = ", ".join(dict.fromkeys(curve.table["scale"]))
        raise ValueError(f'there is no scale "{scale}" here; choose one of {known}')
    paths = distinct(list(dict.fromkeys(table["path"])))
    columns = min(COLUMNS, len(paths))
    rows = -(-len(paths) // columns)
    drawn = canvas(ax, rows, columns, (3.2 * columns, 2.7 * rows + 0.6), sharex=True)
    panels = drawn.axes.ravel()
    for panel, path in zip(panels, paths, strict=False):
        own = table[table["path"] == path].sort_values("value")
        panel.axhline(1.0 if scale in RATIOS else 0.0, color=QUIET, linewidth=0.8, zorder=0)
        panel.fill_between(own["value"], own["lower"], own["upper"], color=ACCENT, alpha=0.16, linewidth=0)
        panel.plot(own["value"], own["median"], color=ACCENT, linewidth=2)
        panel.set_title(plain(path_words(model, path), 34), fontsize=9, loc="left")
        panel.set_xlabel(plain(_with_unit(model, curve), 34), fontsize=8.5)
        quiet(panel, left=True)
    for place in range(len(paths), len(panels)):  # no panel below: the one above says the values
        panels[place].set_visible(False)
        panels[place - columns].tick_params(labelbottom=True)
    unit = f" ({curve.unit})" if scale == DIFFERENCE else ""
    for row in drawn.axes:
        row[0].set_ylabel(plain(f"{scale_words(model, scale)}{unit}", 30), fontsize=8.5)
    where = f" Where {curve.at}." if curve.held else ""
    drawn.note(f"Posterior median and 95 % equal-tailed interval.{where}", curve.mark)
    return drawn.panels


def _with_unit(model: PathModel, curve: EffectCurve) -> str:
    unit = model.variable(curve.moderator).unit
    return f"{curve.label}, {unit}" if unit else curve.label
