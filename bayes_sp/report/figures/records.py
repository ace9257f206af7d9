"""The figure of what changed from one wave to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.errors import BayesSpError
from bayes_sp.report.figures.style import ACCENT, QUIET, Given, canvas, figure_of_result, plain, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_sp.design.checks.result import SurveyCheck


@figure_of_result
def plot_change(result: SurveyCheck, ax: Given = None) -> Axes:
    """Draw the mean change of what was asked more than once, in SDs of the first wave.

    Parameters
    ----------
    result
        From `bayes_sp.check`; its ``repeated`` has the numbers.
    ax
        Axes to draw into; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    BayesSpError
        Where nothing was asked twice.
    """
    table = result.repeated
    if table.empty:
        raise BayesSpError(result.source, ["nothing in it was asked in two waves"])
    names = [
        plain(f"{row['variable'].replace('_', ' ')}\n{row['first']} → {row['second']}, n = {row['n']}", 34)
        for row in table.to_dict("records")
    ]
    heights = np.arange(len(table), dtype=float)
    place = canvas(ax, 1, 1, (7.0, 1.6 + 0.5 * len(table)))
    axes = place.axes[0, 0]
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
    scaled = table[["change", "lower", "upper"]].div(table["sd_first"], axis=0)
    axes.hlines(heights, scaled["lower"], scaled["upper"], color=ACCENT, linewidth=1.8)
    axes.plot(scaled["change"], heights, "o", color=ACCENT, markersize=6)
    for row, height in zip(table.to_dict("records"), heights, strict=True):
        means = f"{row['mean_first']:.3g} → {row['mean_second']:.3g}"
        axes.annotate(means, (1.01, height), xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color=QUIET)
    axes.set_yticks(heights, names)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean change, in SDs of the first wave", fontsize=9.5)
    quiet(axes)
    note = "95 % intervals of the mean change (Student's t). Right: means. Those patients who have both values."
    place.note(note, result.source)
    return place.one
