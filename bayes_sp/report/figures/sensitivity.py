"""Figures of sensitivity analyses that are lines and intervals: priors, kappa, those who did not come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes_sp.model.named_effects import scale_words
from bayes_sp.names import ARROW, AVERAGE
from bayes_sp.report.figures.style import ACCENT, INK, NEGATIVE, QUIET, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.report.text.assumptions import path_words
from bayes_sp.sensitivity.missing.departures import TOGETHER, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_sp.model.parts import PublishedEffect
    from bayes_sp.model.path_model import PathModel
    from bayes_sp.sensitivity.coupling import KappaCurve
    from bayes_sp.sensitivity.missing.attrition import Attrition
    from bayes_sp.sensitivity.target import Estimate, Target


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


LABEL = 46  # letters of a row's label in one line


def target_words(model: PathModel, target: Target) -> str:
    """Return a target as an axis names it: path, scale and unit."""
    unit = f" ({model.outcome_unit})" if target.scale == "difference" else ""
    return f"{path_words(model, target.path)}: {scale_words(model, target.scale)}{unit}"


def published_of(model: PathModel, target: Target) -> PublishedEffect | None:
    """Return what the specification says was published of a target; published values are differences."""
    found = [effect for effect in model.published if effect.path == target.path]
    return found[0] if found and target.scale == "difference" else None


def plot_estimates(
    model: PathModel,
    target: Target,
    rows: Sequence[tuple[str, Estimate | None]],
    base: Estimate,
    mark: str,
    note: str,
    ax: Given = None,
) -> Axes:
    """Draw the target in one case a row, below the published value and the specification's own result.

    Filled: the interval excludes no effect's value (0; 1 for ratios). Grey: the fit failed its diagnostics.

    ``rows`` are (words, estimate), None where the case has none; ``base`` is the specification's own estimate.
    """
    published = published_of(model, target)
    names = [*(["published"] if published else []), "this specification", *(name for name, _ in rows)]
    labels = [plain(name, LABEL) for name in names]
    tall = np.array([1.0 + 0.55 * label.count("\n") for label in labels])
    heights = np.cumsum(tall) - tall / 2.0  # a row is as tall as its label
    place = canvas(ax, 1, 1, (8.6, 1.7 + 0.3 * tall.sum()))
    axes = place.axes[0, 0]
    axes.axvline(target.null, color=QUIET, linewidth=0.8, zorder=0)
    if published:
        if published.lower is not None and published.upper is not None:
            axes.hlines(heights[0], published.lower, published.upper, color=INK, linewidth=1.8)
        axes.plot(published.estimate, [heights[0]] * len(published.estimate), "D", color=INK, markersize=5.5)
    first = len(names) - len(rows)
    _row(axes, heights[first - 1], base, target, ACCENT)
    axes.axvspan(base.lower, base.upper, color=ACCENT, alpha=0.08, linewidth=0, zorder=0)
    for height, (_, estimate) in zip(heights[first:], rows, strict=True):
        if estimate is None:
            axes.text(0.5, height, "no result", transform=axes.get_yaxis_transform(), ha="center", va="center",
                      color=QUIET, fontsize=9, style="italic")  # fmt: skip
        else:
            _row(axes, height, estimate, target, NEGATIVE if estimate.trustworthy else QUIET)
    axes.set_yticks(heights, labels)
    axes.set_ylim(tall.sum() + 0.1, -0.1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(plain(target_words(model, target), 60), fontsize=9.5)
    quiet(axes)
    text = f"Median and 95 % equal-tailed interval. Filled: the interval excludes {target.null:g}."
    if any(estimate is not None and not estimate.trustworthy for _, estimate in rows):
        text += " Grey: the fit failed its diagnostics."
    place.note(f"{text} {note}", mark)
    return place.one


def _row(axes: Axes, height: float, estimate: Estimate, target: Target, colour: str) -> None:
    axes.hlines(height, estimate.lower, estimate.upper, color=colour, linewidth=1.8)
    face = colour if estimate.sign(target.null) else "white"
    axes.plot(estimate.median, height, "o", color=colour, markerfacecolor=face, markersize=6.5)


@figure_of_result
def plot_kappa(curve: KappaCurve, ax: Given = None) -> np.ndarray:
    """Draw every path's effect, averaged over orders, against kappa: median and band of the interval.

    Parameters
    ----------
    curve
        From `bayes_sp.sensitivity.kappa`.
    ax
        Axes to draw into, one for each path; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    model, table = curve.model, curve.table[curve.table["scale"] == curve.target.scale]
    table = table[table["decomposition"].isin(["", AVERAGE])]
    paths = [path for path in dict.fromkeys(table["path"]) if ARROW in path]
    place = canvas(ax, 1, len(paths), (3.1 * len(paths), 3.6))
    panels = place.axes[0]
    published = False
    for panel, path in zip(panels, paths, strict=True):
        own = table[table["path"] == path].sort_values("kappa")
        panel.fill_between(own["kappa"], own["lower"], own["upper"], color=ACCENT, alpha=0.16, linewidth=0)
        panel.plot(own["kappa"], own["median"], color=ACCENT, linewidth=2)
        panel.axhline(curve.target.null, color=QUIET, linewidth=0.8)
        effect = published_of(model, type(curve.target)(path, curve.target.scale))
        published = published or effect is not None
        for value in effect.estimate if effect else ():
            panel.axhline(value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        one = own[own["kappa"] == 1.0]
        panel.plot(one["kappa"], one["median"], "o", color=ACCENT, markersize=6, clip_on=False)
        title = plain(path_words(model, path), 30)
        panel.set_title(title, fontsize=9.5, color=INK, loc="left")
        panel.set_xlabel(r"$\kappa$", fontsize=10)
        quiet(panel, left=True)
    panels[0].set_ylabel(plain(f"{scale_words(model, curve.target.scale)}, {model.outcome_unit}", 34), fontsize=9)
    place.note(
        "Posterior median and 95 % equal-tailed interval, means over the orders in which paths can be counted. "
        "Point: this specification "
        f"(kappa = 1). {'Dashed: published. ' if published else ''}Scales of the panels differ.",
        str(curve.attrs["data_source"]),
    )
    return place.panels
