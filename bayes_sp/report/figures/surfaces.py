"""Figures of sensitivity analyses that are surfaces: priors crossed, strengths of a confounder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.patches import Rectangle
from scipy.interpolate import RectBivariateSpline

from bayes_sp.report.figures import style
from bayes_sp.report.figures.sensitivity import published_of, target_words
from bayes_sp.report.figures.style import INK, NEGATIVE, QUIET, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.sensitivity.prior.dials import any_dial
from bayes_sp.shown import signed

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.contour import ContourSet
    from matplotlib.image import AxesImage

    from bayes_sp.arrays import Array
    from bayes_sp.model.path_model import PathModel
    from bayes_sp.sensitivity.confounder.confounding import Confounding
    from bayes_sp.sensitivity.prior.grid import PriorGrid

COLOURS = "RdBu_r"
FINE = 121  # points of a smooth surface's axis


@figure_of_result
def plot_prior_grid(grid: PriorGrid, ax: Given = None) -> Axes:
    """Draw the target under crossed priors: a heat map of two keys, else a curve for one key.

    Cells whose interval includes no effect are in brackets, cells whose fit failed its diagnostics have a star. The
    specification's own priors are framed where they are in the grid, and the cell nearest to the published value is
    marked with a diamond.

    Parameters
    ----------
    grid
        From `bayes_sp.sensitivity.priors`.
    ax
        Axes to draw into; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For a grid with no crossed key, or more than two.
    """
    model = grid.model
    if len(grid.keys) not in (1, 2):
        raise ValueError(f"a figure needs one or two crossed keys, found {len(grid.keys)}")
    at = grid.crossed.sel(path=grid.target.path, scale=grid.target.scale)
    if len(grid.keys) == 1:
        return _curve(grid, at, ax)
    down, across = grid.keys
    at = at.transpose(down, across, ...)
    medians = at["median"].to_numpy()
    place = canvas(ax, 1, 1, (2.4 + 0.95 * at.sizes[across], 2.6 + 0.62 * at.sizes[down]))
    axes = place.axes[0, 0]
    image = axes.imshow(medians, cmap=COLOURS, norm=_around(medians, grid.target.null), aspect="auto")
    held = ((at["lower"] > grid.target.null) | (at["upper"] < grid.target.null)).to_numpy()
    trusted = at["trustworthy"].transpose(down, across).to_numpy()
    for i in range(at.sizes[down]):
        for j in range(at.sizes[across]):
            _cell(axes, i, j, _words(medians[i, j], held[i, j], trusted[i, j]), _shade(medians[i, j], image))
    for axis, key, values in ((axes.yaxis, down, at[down]), (axes.xaxis, across, at[across])):
        axis.set_ticks(range(len(values)), [f"{value:g}" for value in values.to_numpy()])
        axis.set_label_text(plain(_key_words(key), 34), fontsize=9.5)
    framed, marked = _mark_own(axes, model, at, down, across), _mark_published(axes, model, grid, medians)
    place.figure.colorbar(image, ax=axes, label=plain(target_words(model, grid.target), 44), shrink=0.9)
    note = f"Posterior median of each fit; in brackets where the 95 % interval includes {grid.target.null:g}."
    note += " Star: the fit failed its diagnostics." if not trusted[np.isfinite(medians)].all() else ""
    note += " Frame: this specification's own priors." if framed else ""
    note += " Diamond: nearest to the published value." if marked else ""
    place.note(note, str(grid.attrs["data_source"]))
    return place.one


def _key_words(key: str) -> str:
    groups = {
        "paths_to_mediators": "scale of the priors into the mediators (times)",
        "paths_to_outcome": "scale of the priors into the outcome (times)",
        "paths": "scale of the priors of all coefficients on paths (times)",
        "covariates": "scale of the covariates' priors (times)",
        "coefficients": "scale of all coefficients' priors (times)",
    }
    return groups.get(key, key)


def _around(values: np.ndarray, null: float) -> TwoSlopeNorm:
    finite = np.abs(values[np.isfinite(values)] - null)
    reach = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    return TwoSlopeNorm(vcenter=null, vmin=null - reach, vmax=null + reach)


def _words(median: float, held: bool, trusted: bool) -> str:
    text = "failed" if np.isnan(median) else f"{median:z.3f}" if held else f"({median:z.3f})"
    return signed(text if trusted or np.isnan(median) else f"{text}*")


def _shade(median: float, image: AxesImage) -> str:
    """Return the colour of a text that can be read on a cell's own."""
    if np.isnan(median):
        return INK
    red, green, blue, _ = image.to_rgba(np.array([median]))[0]
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.55 else INK


def _cell(axes: Axes, i: int, j: int, text: str, colour: str) -> None:
    axes.text(j, i, text, ha="center", va="center", fontsize=9, color=colour)


def _mark_own(axes: Axes, model: PathModel, at: xr.Dataset, down: str, across: str) -> bool:
    """Frame the cell of the specification itself; False where the grid does not have it."""
    places = [np.flatnonzero(at[key].to_numpy() == any_dial(model, key).start(model)) for key in (across, down)]
    if not all(len(place) for place in places):
        return False
    corner = (places[0][0] - 0.5, places[1][0] - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=INK, linewidth=2.2))
    return True


def _mark_published(axes: Axes, model: PathModel, grid: PriorGrid, medians: np.ndarray) -> bool:
    """Mark the cell whose median is nearest to the published value; False where there is none."""
    effect = published_of(model, grid.target)
    if effect is None or not np.isfinite(medians).any():
        return False
    i, j = np.unravel_index(np.nanargmin(np.abs(medians - effect.estimate[0])), medians.shape)
    axes.plot(j + 0.38, i - 0.34, "D", color=INK, markeredgecolor="white", markersize=6)
    return True


def _curve(grid: PriorGrid, at: xr.Dataset, ax: Given) -> Axes:
    model = grid.model
    (key,) = grid.keys
    at = at.sortby(key)
    x = at[key].to_numpy()
    place = canvas(ax, 1, 1, (7, 4))
    axes = place.axes[0, 0]
    axes.axhline(grid.target.null, color=QUIET, linewidth=0.8)
    axes.fill_between(x, at["lower"], at["upper"], color=NEGATIVE, alpha=0.15, linewidth=0)
    axes.plot(x, at["median"], "o-", color=NEGATIVE)
    effect = published_of(model, grid.target)
    for value in effect.estimate if effect else ():
        axes.axhline(value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel(plain(_key_words(key), 70), fontsize=9.5)
    axes.set_ylabel(plain(target_words(model, grid.target), 44), fontsize=9)
    if (x > 0).all() and x.max() / x.min() >= 8:
        axes.set_xscale("log")
    quiet(axes, left=True)
    note = "Posterior median and 95 % interval."
    trusted = at["trustworthy"].to_numpy()
    if not trusted.all():
        axes.plot(x[~trusted], at["median"][~trusted], "o", color=NEGATIVE, markerfacecolor="white")
        note += " Open: the fit failed its diagnostics."
    start = any_dial(model, key).start(model)
    if start in x:
        axes.axvline(start, color=QUIET, linewidth=1, linestyle=(0, (1, 2)))
        note += " Dotted: this specification's own priors."
    note += " Dashed: published." if effect is not None else ""
    place.note(note, str(grid.attrs["data_source"]))
    return place.one


@figure_of_result
def plot_confounding(found: Confounding, ax: Given = None) -> np.ndarray:
    """Draw the target against the strengths of a confounder of two responses: a panel for each pair.

    Colour: posterior median. Hatched: the interval includes no effect. Cross: no confounder, this
    specification. Dots: a confounder as strong as each covariate, of the sign that works against the effect.
    Dashed line: where the median is the published value.

    Parameters
    ----------
    found
        From `bayes_sp.sensitivity.confounding`.
    ax
        Axes to draw into, one for each pair; a new figure by default.

    Returns
    -------
    array of Axes
        One for each panel.
    """
    pairs = list(found.surfaces)
    place = canvas(ax, 1, len(pairs), (4.3 * len(pairs) + 0.8, 4.6))
    panels, model, target = place.axes[0], found.model, found.target
    slices = {pair: found.surfaces[pair].sel(path=target.path, scale=target.scale) for pair in pairs}
    every = np.concatenate([at["median"].to_numpy().ravel() for at in slices.values()])
    norm = _around(every, target.null)
    image: ContourSet | None = None
    dashed = solid = False
    for panel, pair in zip(panels, pairs, strict=True):
        image = _surface(panel, slices[pair], pair, norm)
        solid = _tipping(panel, found, pair) or solid
        first, second = (model.variable(name).label for name in pair)
        panel.set_xlabel(plain(f"strength on {second}", 40), fontsize=9)
        panel.set_ylabel(plain(f"strength on {first}", 40), fontsize=9)
        _benchmarks(panel, model, found, pair)
        effect = published_of(model, target)
        if effect is not None:
            dashed = _line(panel, slices[pair], pair, effect.estimate[0]) or dashed
    if image is not None:
        label = plain(target_words(model, target), 44)
        place.figure.colorbar(image, ax=list(panels), label=label, shrink=0.9)
    note = (
        "Posterior median, smooth between the fits (points); the axes are what one SD of the confounder adds to a "
        f"linear predictor. Hatched: the 95 % interval includes {target.null:g} (interpolated). Cross: no confounder, "
        "this specification. Circles: as strong as a covariate, of the sign that works against the effect, where "
        "within the axes."
    )
    note += f" Solid: an end of the interval is {target.null:g}." if solid else ""
    note += " Dashed: the median is the published value." if dashed else ""
    failed = any(not at["trustworthy"].all() for at in slices.values())
    note += " Plus: the fit there failed, or failed its diagnostics." if failed else ""
    place.note(note, str(found.attrs["data_source"]))
    return place.panels


def _surface(axes: Axes, at: xr.Dataset, pair: tuple[str, str], norm: TwoSlopeNorm) -> ContourSet:
    """Draw the median, smooth between the fits, and where the fits are."""
    x, y, median = _smooth(at, pair)
    image = axes.contourf(x, y, median, levels=15, cmap=COLOURS, norm=norm)
    first, second = pair
    grid_x, grid_y = np.meshgrid(at[second].to_numpy(), at[first].to_numpy())
    axes.plot(grid_x.ravel(), grid_y.ravel(), ".", color=INK, markersize=3)
    failed = ~at["trustworthy"].transpose(*pair).to_numpy()
    if failed.any():  # an empty line has its extent at the figure's corner
        axes.plot(
            grid_x[failed], grid_y[failed], "P", color=NEGATIVE, markersize=8, markeredgecolor="white", clip_on=False
        )
    axes.plot(0, 0, "x", color=INK, markersize=8, markeredgewidth=2, clip_on=False)
    axes.tick_params(labelsize=8.5)
    return image


def _smooth(at: xr.Dataset, pair: tuple[str, str], what: str = "median") -> tuple[Array, Array, Array]:
    """Return axes and medians, or limits, of a fine grid, by quadratic splines; as it is where a fit failed."""
    first, second = pair
    medians = at[what].transpose(first, second).to_numpy()
    y, x = at[first].to_numpy(), at[second].to_numpy()
    if not np.isfinite(medians).all() or min(medians.shape) < 3:
        return x, y, medians
    spline = RectBivariateSpline(y, x, medians, kx=2, ky=2)
    fine_y, fine_x = np.linspace(y[0], y[-1], FINE), np.linspace(x[0], x[-1], FINE)
    return fine_x, fine_y, spline(fine_y, fine_x)


def _tipping(axes: Axes, found: Confounding, pair: tuple[str, str]) -> bool:
    """Draw the tipping curve, False where there is none, and hatch where the interval includes no effect."""
    at = found.surfaces[pair].sel(path=found.target.path, scale=found.target.scale)
    x, y, lower = _smooth(at, pair, "lower")
    inside = np.minimum(found.target.null - lower, _smooth(at, pair, "upper")[2] - found.target.null)
    if (inside >= 0).any():
        axes.contourf(x, y, inside, levels=[0.0, np.inf], colors="none", hatches=["////"])
    rows = found.tipping[(found.tipping["first"] == pair[0]) & (found.tipping["second"] == pair[1])]
    known, drawn = rows.dropna(subset=["second_strength"]), False
    for sign in (-1.0, 1.0):
        own = known[np.sign(known["second_strength"]) == sign]
        if len(own) > 1:
            axes.plot(own["second_strength"], own["first_strength"], color=INK, linewidth=1.6)
            drawn = True
    return drawn


def _benchmarks(axes: Axes, model: PathModel, found: Confounding, pair: tuple[str, str]) -> None:
    rows = found.multiples[(found.multiples["first"] == pair[0]) & (found.multiples["second"] == pair[1])]
    most = float(found.surfaces[pair][pair[0]].max()), float(found.surfaces[pair][pair[1]].max())
    rows = rows[(rows["first_strength"] <= most[0]) & (rows["second_strength"] <= most[1])]
    shown = rows.to_dict("records")
    at = np.array([(row["sign"] * row["second_strength"], row["first_strength"]) for row in shown])
    for x, y in at:
        axes.plot(x, y, "o", color="white", markeredgecolor=INK, markersize=5, zorder=6)  # no label hides one
    if not shown:
        return
    strongest = max(range(len(shown)), key=lambda k: shown[k]["first_strength"] * shown[k]["second_strength"])
    label = plain(model.variable(shown[strongest]["covariate"]).label, 28)
    side, height = style.free_corner(axes, at, strongest, label)
    box = {"boxstyle": "square,pad=0.15", "facecolor": "white", "alpha": 0.7, "edgecolor": "none"}
    axes.annotate(label, at[strongest], xytext=(6 * side, 5 * height), textcoords="offset points", fontsize=7.5,
                  color=INK, ha="left" if side > 0 else "right", va="bottom" if height > 0 else "top",
                  bbox=box)  # fmt: skip


def _line(axes: Axes, at: xr.Dataset, pair: tuple[str, str], value: float) -> bool:
    """Draw where the median has a value; False where it has it nowhere."""
    x, y, median = _smooth(at, pair)
    somewhere = bool(np.nanmin(median) < value < np.nanmax(median))
    if somewhere:
        axes.contour(x, y, median, levels=[value], colors=INK, linewidths=1, linestyles="dashed")
    return somewhere
