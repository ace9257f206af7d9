"""How every figure looks: its place, colours for every kind of sight, texts that wrap, formats of files."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from bayes_sp.arrays import Array
from bayes_sp.errors import BayesSpError
from bayes_sp.model.people import speaking_of
from bayes_sp.shown import signed, worded

INK, QUIET = "#1b1b1b", "#6b6b6b"  # text; what stands behind it
ACCENT, NEGATIVE, BAND = "#1f5a93", "#b3541e", "#bcd3e8"  # blue and vermilion differ for every kind of sight
DPI = 150
FORMATS = ("png", "svg", "pdf")
MADE = {"svg": "Date", "pdf": "CreationDate"}  # where a file says when it was made
LETTERS = 15  # of a note, to an inch of a figure
MOST_LINES = 4  # of a label
FONT: dict[Any, Any] = {"font.family": "DejaVu Sans"}  # ships with matplotlib: the same figure everywhere
# Words stay words in a PDF, and a file holds nothing that changes from day to day.
FILES: dict[Any, Any] = {**FONT, "pdf.fonttype": 42, "svg.hashsalt": "bayes_sp"}
_kept: ContextVar[bool] = ContextVar("kept", default=False)

type Given = Axes | Sequence[Axes] | np.ndarray | None
type Place = tuple[float, float]
type Drawn = Axes | np.ndarray


@contextmanager
def for_pyplot() -> Iterator[None]:
    """Make new figures as `matplotlib.pyplot` does, which shows them in a notebook and with ``plt.show()``."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)


def figure_of_result[**P, R](draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function of a result call people as the result's specification does, in every text that it writes."""

    @functools.wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> R:
        result: Any = arguments[0] if arguments else next(iter(options.values()))
        model, mark = getattr(result, "model", None), getattr(result, "mark", "")
        if model is None:
            return draw(*arguments, **options)
        source = result.survey.source if hasattr(result, "survey") else mark
        with speaking_of(model, [source]):
            return draw(*arguments, **options)

    return drawn


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of a size in inches."""
    if not _kept.get():
        return Figure(figsize=size, layout="constrained")
    import matplotlib.pyplot as plt

    return plt.figure(figsize=size, layout="constrained")


@dataclass(frozen=True, eq=False)
class Canvas:
    """Axes to draw into."""

    figure: Figure
    axes: np.ndarray  # the panels, (rows, columns)
    own: bool  # whether the figure was made for them, so that a title and a note may stand beside them

    @property
    def one(self) -> Axes:
        """The only panel."""
        return self.axes[0, 0]

    @property
    def panels(self) -> np.ndarray:
        """The panels, row by row."""
        return self.axes.ravel()

    def note(self, text: str, mark: str = "", size: float = 8.2) -> None:
        """Write below the panels how to read them, and what the records are."""
        texts = [part for part in (text, f"{mark[:1].upper()}{mark[1:]}." if mark else "") if part]
        width = int(self.figure.get_figwidth() * LETTERS)
        lines = [line for part in texts for line in textwrap.wrap(signed(worded(part)), width)]
        if self.own:
            self.figure.supxlabel(escaped("\n".join(lines)), fontsize=size, color=QUIET)
        elif lines:
            self.axes[-1, 0].annotate(
                escaped("\n".join(lines)), (0.0, 0.0), xycoords="axes fraction", xytext=(0.0, -40.0),
                textcoords="offset points", va="top", fontsize=size - 1.5, color=QUIET,
            )  # fmt: skip

    def legend(self, place: Literal["outside upper center", "outside lower center"], columns: int = 3) -> None:
        """Explain the marks of the first panel: outside a figure of our own, else within the panel."""
        handles, labels = self.axes[0, 0].get_legend_handles_labels()
        if self.own:
            self.figure.legend(handles, labels, loc=place, ncols=columns, frameon=False, fontsize=9)
        else:
            self.axes[0, 0].legend(handles, labels, frameon=False, fontsize=8, loc="best")


def canvas(ax: Given, rows: int, columns: int, size: tuple[float, float], **layout: Any) -> Canvas:  # noqa: ANN401 - Matplotlib's
    """Return panels to draw into.

    ``ax`` are axes of a user's own figure, row by row, and ``layout`` is as in `matplotlib.figure.Figure.subplots`.

    Raises BayesSpError where the axes are more or fewer than the panels.
    """
    if ax is None:
        figure = new_figure(size)
        return Canvas(figure, figure.subplots(rows, columns, squeeze=False, **layout), own=True)
    given = np.array([ax], dtype=object) if isinstance(ax, Axes) else np.array(ax, dtype=object).ravel()
    if given.size != rows * columns:
        raise BayesSpError("ax", [f"{rows * columns} axes are needed, row by row, found {given.size}"])
    return Canvas(figure_of(given), given.reshape(rows, columns), own=False)


def figure_of(drawn: Drawn | Figure) -> Figure:
    """Return the figure that holds what a function of this room drew."""
    if isinstance(drawn, Figure):
        return drawn
    holder = (drawn if isinstance(drawn, Axes) else drawn.ravel()[0]).figure
    while isinstance(holder, SubFigure):
        holder = holder.figure
    return holder


def escaped(text: str) -> str:
    """Return a text in which dollar signs are dollar signs, not marks of a formula."""
    return text.replace("$", r"\$")


def plain(text: str, width: int = 0) -> str:
    """Return a text as it stands in a figure: the people's name in it, no formula, in lines of a width if one is given.

    What stands in lines already stays in them; of what is longer than `MOST_LINES` the rest is left out.
    """
    text = signed(worded(text))
    if width:
        each = (textwrap.fill(line, width, max_lines=MOST_LINES, placeholder=" ...") for line in text.splitlines())
        text = "\n".join(each)
    return escaped(text)


def quiet(axes: Axes, *, left: bool = False) -> None:
    """Take away the lines that say nothing; the one on the left stays where values are read on it."""
    axes.spines[["top", "right"] if left else ["top", "right", "left"]].set_visible(False)
    axes.tick_params(labelsize=8.5)


def part_texts(
    figure: Figure, boxes: Sequence[Text], texts: Sequence[tuple[Text, Sequence[tuple[float, float]]]]
) -> None:
    """Move texts, each to the first of its places, or stay, where it covers no box and no text before it.

    Where all places are taken, the one where it covers least.
    """
    figure.draw_without_rendering()
    taken = [patch.get_window_extent() for box in boxes if (patch := box.get_bbox_patch()) is not None]
    for text, places in texts:
        covered: list[tuple[float, int, Place]] = []
        for place in (text.get_position(), *places):
            text.set_position(place)
            covered.append((sum(_common(text.get_window_extent(), other) for other in taken), len(covered), place))
            if not covered[-1][0]:
                break
        text.set_position(min(covered)[2])
        taken.append(text.get_window_extent())


def _common(one: Bbox, other: Bbox) -> float:
    """Return the area that two boxes have in common."""
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else float(both.width * both.height)


def write_figures(drawn: Drawn | Figure, place: Callable[[str], Path], name: str, formats: Sequence[str]) -> None:
    """Write a figure in several formats, each where ``place`` says for its file's name."""
    for ending in formats:
        write_figure(drawn, place(f"{name}.{ending}"))


def write_figure(drawn: Drawn | Figure, path: Path | IO[bytes], ending: str = "") -> None:
    """Write a figure in the format that a file's name ends with, ``.png``, ``.svg`` or ``.pdf``; PNG for another."""
    figure, ending = figure_of(drawn), (ending or str(getattr(path, "suffix", ""))).lower().lstrip(".")
    with mpl.rc_context(FILES):
        if ending not in MADE:  # as `Figure.savefig`, which would draw it twice
            figure.set_dpi(DPI)
            canvas = FigureCanvasAgg(figure)
            canvas.print_png(path, pil_kwargs={"compress_level": 2})  # type: ignore[no-untyped-call]  # matplotlib annotates it in part
        else:
            figure.savefig(path, format=ending, metadata={MADE[ending]: None})


def free_corner(axes: Axes, at: Array, own: int, label: str) -> tuple[int, int]:
    """Return the side (-1 or 1) and height of a circle on which the fewest others are behind its label.

    Letters of 7.5 points take 4.5 points each, lines 9; towards the middle and above where nothing is in the way.
    """
    lines = label.splitlines()
    width, height = 10.0 + 4.5 * max(map(len, lines)), 9.0 + 9.0 * len(lines)
    points = (axes.transData.transform(at) - axes.transData.transform(at[own])) * 72.0 / axes.figure.dpi
    inward = -1 if at[own, 0] > 0 else 1

    def hidden(corner: tuple[int, int]) -> int:
        across, up = points[:, 0] * corner[0], points[:, 1] * corner[1]
        return int(((across > 1.0) & (across < width) & (up > -1.0) & (up < height)).sum())

    return min([(inward, 1), (-inward, 1), (inward, -1), (-inward, -1)], key=hidden)
