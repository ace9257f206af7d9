"""Figures of an analysis: the path diagram and the forest of the comparison."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.text import Text

from bayes_sp.analysis.comparison.table import BOOTSTRAP, POSTERIOR, PUBLISHED, Comparison
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.terms import products_of
from bayes_sp.names import DIFFERENCE
from bayes_sp.report.figures.style import ACCENT, INK, NEGATIVE, QUIET, Drawn, Given, canvas, plain
from bayes_sp.report.text.assumptions import distinct, in_sentence, path_words, product_scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayes_sp.analysis.fit import Fit
    from bayes_sp.arrays import Array
    from bayes_sp.model.path_model import Covariate, PathModel

MOST_LEVELS = 3  # of a category, less its reference, that have room at an arrow
STYLES = {
    (PUBLISHED, PUBLISHED): (INK, "D", "published"),
    ("normal", BOOTSTRAP): (NEGATIVE, "o", "normal, bootstrap"),
    ("normal", POSTERIOR): (NEGATIVE, "s", "normal, posterior"),
}


def plot_paths(result: Fit, ax: Given = None, *, ci_prob: float = 0.95) -> Drawn:
    """Draw the chain as a path diagram with the posterior median and interval on each arrow.

    Arrows whose interval excludes 0 are dark, the others grey. Coefficients are on the scale of the equation they
    belong to: the response's unit, or log rate for a log link.

    Parameters
    ----------
    result
        A fit.
    ax
        Axes to draw into; a new figure by default.
    ci_prob
        Probability of the intervals.

    Returns
    -------
    Axes, or an array of them
        One for each panel.
    """
    model = result.model
    places = _places(len(model.chain))
    drawn = canvas(ax, 1, 1, (max(8.0, 2.7 * len(model.chain)), 4.8))
    figure, axes = drawn.figure, drawn.axes[0, 0]
    boxes = {
        name: _box(axes, place, model.variable(name).label) for name, place in zip(model.chain, places, strict=True)
    }
    tail = (1 - ci_prob) / 2
    for equation in model.equations:
        draws = result.posterior["posterior"][equation.response]
        for parent in equation.parents:
            coded = model.coded_exposure if parent == model.exposure else None
            terms = coded.terms if coded is not None else (parent,)
            values = draws.sel({f"{equation.response}_term": list(terms)}).transpose(..., "chain", "draw").to_numpy()
            limits = np.quantile(values, [tail, 0.5, 1 - tail], axis=(1, 2)).T
            colour = INK if any(low > 0 or high < 0 for low, _, high in limits) else QUIET
            _arrow(axes, boxes[parent], boxes[equation.response], _arrow_label(coded, limits), colour)
    xs, ys = np.array(places).T
    axes.set(xlim=(xs.min() - 0.5, xs.max() + 0.5), ylim=(ys.min() - 0.3, ys.max() + 0.3))
    axes.axis("off")
    title = plain(model.title, int(figure.get_figwidth() * 9))
    if drawn.own:
        figure.suptitle(title, fontsize=12, color=INK)
    else:
        axes.set_title(title, fontsize=10, color=INK)
    note = (
        f"Posterior median [{ci_prob:.0%} equal-tailed interval] of each coefficient{_scales(model)}. Dark: interval "
        f"excludes 0. Covariates are not drawn{_left_out(model)}."
    )
    drawn.note(note, result.survey.mark)
    return drawn.drawn


def _arrow_label(coded: Covariate | None, limits: Array) -> str:
    """Return what stands at an arrow: its coefficient, or a category's, a line for each level; how many, if many."""
    if len(limits) > MOST_LEVELS:
        return f"{len(limits)} coefficients"
    levels = coded.level_names[1:] if coded is not None and coded.levels else ("",) * len(limits)
    return "\n".join(
        f"{name}: {_label(*own)}" if name else _label(*own) for name, own in zip(levels, limits, strict=True)
    )


def _scales(model: PathModel) -> str:
    """Say into which variables arrows are on another scale than the variable's own unit."""
    scales = [(model.variable(e.response).label, product_scale(FAMILIES[e.family])) for e in model.equations]
    return "".join(f"; arrows into {label} are {scale}" for label, scale in scales if scale)


def _left_out(model: PathModel) -> str:
    """Name what else of a specification the arrows do not show."""
    found = []
    if any(products_of(model, equation) for equation in model.equations):
        found.append("interactions")
    if any(model.zero_terms(equation) for equation in model.equations):
        found.append("the zero part")
    if len(model.exposures) > 1:
        found.append("the other exposures")
    found += [f"{confounder.name}, which is assumed, not measured" for confounder in model.confounders]
    return f", nor {' and '.join(found)}" if found else ""


def plot_comparison(result: Comparison, ax: Given = None, *, unit: str = "") -> Drawn:
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
    Axes, or an array of them
        One for each panel.
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
    return place.drawn


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


def _places(count: int) -> list[tuple[float, float]]:
    """Exposure left, outcome right, mediators on an arc above, so that no arrow passes behind a box."""
    steps = np.linspace(0.0, 1.0, count)
    return [(float((count - 1) * step), float(1.6 * np.sin(np.pi * step))) for step in steps]


def _box(axes: Axes, place: tuple[float, float], label: str) -> Text:
    return axes.text(
        *place, plain(_folded(label)), ha="center", va="center", fontsize=10, color=INK, zorder=1,
        bbox={"boxstyle": "round,pad=0.6", "facecolor": "white", "edgecolor": INK},
    )  # fmt: skip


def _label(low: float, middle: float, high: float) -> str:
    """Return median and interval with the decimals that show two digits of the interval's width."""
    width = high - low
    decimals = 2 if not 0 < width < 0.1 else min(12, 1 - math.floor(math.log10(width)))
    return f"{middle:z.{decimals}f} [{low:z.{decimals}f}, {high:z.{decimals}f}]"


def _folded(label: str) -> str:
    """Break a long label into lines: two where they are not too wide, else at most four, the rest left out."""
    if len(label) <= 16:
        return label
    lines = textwrap.wrap(label, max(16, min(24, len(label) // 2 + 3)), max_lines=4, placeholder=" ...")
    return "\n".join(lines)


def _arrow(axes: Axes, start: Text, end: Text, label: str, colour: str) -> None:
    """Draw an arrow from the edge of one box to the edge of another, after both boxes (their edges are known then)."""
    tail, head = np.array(start.get_position()), np.array(end.get_position())
    axes.annotate(
        "", xy=end.get_position(), xytext=start.get_position(), zorder=2,
        arrowprops={
            "arrowstyle": "-|>", "color": colour, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 1,
            "patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch(),
        },
    )  # fmt: skip
    # off the middle, where arrows cross; above a level arrow, which a label would hide
    level = abs(head[1] - tail[1]) < 0.05
    share = 0.5 if level else 0.55 if head[1] > tail[1] else 0.42
    x, y = ((1 - share) * tail + share * head).tolist()
    y += 0.11 if level else 0.0
    axes.text(
        x, y, label, ha="center", va="center", fontsize=7 if "\n" in label else 9, color=colour, zorder=3,
        bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def _lines(words: str) -> str:
    """Break the words of a path into lines, a new one for each step."""
    steps = words.replace(", then", ",\nthen").splitlines()
    return "\n".join(line for step in steps for line in textwrap.wrap(step, 44, max_lines=3, placeholder=" ..."))
