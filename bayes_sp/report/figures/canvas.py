"""Where a figure is drawn: a figure of its own, or the axes that a user gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from bayes_sp.errors import BayesSpError

QUIET = "#8a8a8a"

type Given = Axes | Sequence[Axes] | np.ndarray | None


@dataclass(frozen=True, eq=False)
class Canvas:
    """Axes to draw into.

    Attributes
    ----------
    figure
        The figure that holds them.
    axes
        The panels, (rows, columns).
    own
        Whether the figure was made for them, so that a title and a note may stand beside them.
    """

    figure: Figure
    axes: np.ndarray
    own: bool

    def note(self, text: str, size: float = 8.5) -> None:
        """Write below the panels how to read them and what the records are."""
        if self.own:
            self.figure.supxlabel(text, fontsize=size, color=QUIET)
        elif text:
            self.axes[-1, 0].annotate(
                text, (0.0, 0.0), xycoords="axes fraction", xytext=(0.0, -40.0), textcoords="offset points", va="top",
                fontsize=size - 1.5, color=QUIET,
            )  # fmt: skip

    def legend(self, place: Literal["outside upper center", "outside lower center"], columns: int = 3) -> None:
        """Explain the marks of the first panel: outside a figure of our own, else within the panel."""
        handles, labels = self.axes[0, 0].get_legend_handles_labels()
        if self.own:
            self.figure.legend(handles, labels, loc=place, ncols=columns, frameon=False, fontsize=9)
        else:
            self.axes[0, 0].legend(handles, labels, frameon=False, fontsize=8, loc="best")


def canvas(ax: Given, rows: int, columns: int, size: tuple[float, float], **layout: Any) -> Canvas:  # noqa: ANN401
    """Return panels to draw into.

    Parameters
    ----------
    ax
        Axes of a user's own figure, row by row; None for a new figure.
    rows, columns
        How many panels there are.
    size
        Of a new figure, in inches.
    layout
        As in `matplotlib.figure.Figure.subplots`.

    Raises
    ------
    BayesSpError
        Where the axes are more or fewer than the panels.
    """
    if ax is None:
        figure = Figure(figsize=size, layout="constrained")
        return Canvas(figure, figure.subplots(rows, columns, squeeze=False, **layout), own=True)
    given = np.array([ax], dtype=object) if isinstance(ax, Axes) else np.array(ax, dtype=object).ravel()
    if given.size != rows * columns:
        raise BayesSpError("ax", [f"{rows * columns} axes are needed, row by row, found {given.size}"])
    holder = given[0].figure
    while isinstance(holder, SubFigure):
        holder = holder.figure
    return Canvas(holder, given.reshape(rows, columns), own=False)
