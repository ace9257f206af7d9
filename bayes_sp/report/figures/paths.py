"""The path diagram: exposure left, outcome right, mediators between, moderators below, a coefficient at each arrow."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.text import Text

from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.terms import predictors_of, products_of
from bayes_sp.report.figures.style import INK, QUIET, Given, Place, canvas, figure_of_result, part_texts, plain
from bayes_sp.report.text.assumptions import product_scale
from bayes_sp.shown import signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_sp.analysis.fit import Fit
    from bayes_sp.arrays import Array
    from bayes_sp.model.parts import Equation
    from bayes_sp.model.path_model import Covariate, PathModel

MOST_LEVELS = 3  # of a category, less its reference, that have room at an arrow
INCHES = 2.7  # of width for each step of the chain
BELOW = 1.25  # from the lowest variable of the chain to its moderators

SHARES = (0.5, 0.6, 0.4, 0.68, 0.32, 0.75, 0.25)  # of an arrow, where its label may stand
OFF = (0.0, 0.22, -0.22, 0.33, -0.33)  # above or below it


@figure_of_result
def plot_paths(result: Fit, ax: Given = None, *, ci_prob: float = 0.95) -> Axes:
    """Draw the chain as a path diagram with the posterior median and interval on each arrow.

    Arrows whose interval excludes 0 are dark, the others grey. Coefficients are on the scale of the equation they
    belong to: the response's unit, or log rate for a log link. Mediators without an arrow between them stand above each
    other; a moderator points at the arrows that depend on it, dashed, with the coefficient of the product. A second
    one points at such a dashed arrow where the product of both stands in the equation.

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
    Axes
    """
    model = result.model
    places = {**_places(model), **_moderator_places(model)}
    xs, ys = np.array(list(places.values())).T
    tall = float(ys.max() - ys.min())
    drawn = canvas(ax, 1, 1, (max(8.0, INCHES * (float(xs.max() - xs.min()) + 1)), 2.3 + 1.55 * max(tall, 1.6)))
    axes = drawn.axes[0, 0]
    axes.set(xlim=(xs.min() - 0.5, xs.max() + 0.5), ylim=(ys.min() - 0.35, ys.max() + 0.35))
    axes.axis("off")
    boxes = {
        name: _box(axes, place, model.variable(name).label, moderator=name not in model.chain)
        for name, place in places.items()
    }
    arrows = {
        (equation.response, parent): _arrow(
            axes, boxes[parent], boxes[equation.response], *_found(result, equation, parent, ci_prob)
        )
        for equation in model.equations
        for parent in equation.parents
    }
    movable = [(a.label, [_along(a.tail, a.head, share, a.above + off) for off in OFF for share in SHARES])
               for a in arrows.values()]  # fmt: skip
    part_texts(drawn.figure, list(boxes.values()), movable)
    pointed: dict[str, int] = {}
    for equation in model.equations:
        for moderator, parent in _products(model, equation):
            share = (0.26, 0.44, 0.35)[pointed.setdefault(moderator, 0) % 3]  # so that labels are not behind each other
            pointed[moderator] += 1
            own = _product_terms(model, equation, (moderator, parent))
            end = arrows[equation.response, parent].label.get_position()
            _pointer(axes, boxes[moderator], end, *_words(None, _limits(result, equation, own, ci_prob)), share)
        for first, second, parent in _three(equation):
            tail, head = boxes[first].get_position(), arrows[equation.response, parent].label.get_position()
            own = _product_terms(model, equation, (first, second, parent))
            end = _along(np.array(tail), np.array(head), 0.7, 0.0)
            _pointer(axes, boxes[second], end, *_words(None, _limits(result, equation, own, ci_prob)), 0.6)
    title = plain(model.title, int(drawn.figure.get_figwidth() * 9))
    if drawn.own:
        drawn.figure.suptitle(title, fontsize=12, color=INK)
    else:
        axes.set_title(title, fontsize=10, color=INK)
    dashed = " Dashed: what one more unit adds to the coefficient of the arrow." if _moderated(model) else ""
    note = (
        f"Posterior median [{100 * ci_prob:g} % equal-tailed interval] of each coefficient{_scales(model)}. Dark: "
        f"interval excludes 0.{dashed} Other covariates are not drawn{_left_out(model)}."
    )
    note = note if dashed else note.replace("Other covariates", "Covariates")
    drawn.note(note, result.survey.mark, size=8)
    return drawn.one


@dataclass(frozen=True)
class _Arrow:
    """Both ends of an arrow, and its label, which is so much above it."""

    tail: Array
    head: Array
    label: Text
    above: float


def _found(fit: Fit, equation: Equation, parent: str, ci_prob: float) -> tuple[str, str]:
    """Return the label and the colour of an arrow."""
    coded = fit.model.coded_exposure if parent == fit.model.exposure else None
    terms = coded.terms if coded is not None else (parent,)
    return _words(coded, _limits(fit, equation, terms, ci_prob))


def _limits(fit: Fit, equation: Equation, terms: tuple[str, ...], ci_prob: float) -> Array:
    """Return lower limit, median and upper limit of some coefficients of an equation."""
    tail = (1 - ci_prob) / 2
    draws = fit.posterior["posterior"][equation.response].sel({f"{equation.response}_term": list(terms)})
    return np.quantile(draws.transpose(..., "chain", "draw").to_numpy(), [tail, 0.5, 1 - tail], axis=(1, 2)).T


def _words(coded: Covariate | None, limits: Array) -> tuple[str, str]:
    """Return the label of coefficients, and the colour that says whether an interval is without 0."""
    dark = any(low > 0 or high < 0 for low, _, high in limits)
    return _arrow_label(coded, limits), INK if dark else QUIET


def _along(tail: Array, head: Array, share: float, above: float) -> Place:
    x, y = ((1 - share) * tail + share * head).tolist()
    return x, y + above


def _products(model: PathModel, equation: Equation) -> list[tuple[str, str]]:
    """Return (moderator, parent whose arrow depends on it) of an equation, those that a diagram can show."""
    found = []
    for first, second in (names for names in products_of(model, equation) if len(names) == 2):
        moderator, parent = (second, first) if second not in equation.parents else (first, second)
        if parent in equation.parents and moderator != parent:
            found.append((moderator, parent))
    return found


def _three(equation: Equation) -> list[tuple[str, str, str]]:
    """Return (moderator, other moderator, parent whose arrow depends on their product) of an equation."""
    found = [sorted(names, key=equation.parents.__contains__) for names in equation.products if len(names) > 2]
    return [(one, other, parent) for one, other, parent in found if parent in equation.parents]


def _product_terms(model: PathModel, equation: Equation, pair: tuple[str, ...]) -> tuple[str, ...]:
    terms = (term for term in predictors_of(model, equation)[0].terms if term.product)
    return tuple(term.name for term in terms if set(term.variables) == set(pair))


def _moderated(model: PathModel) -> bool:
    return any(_products(model, equation) for equation in model.equations)


def _places(model: PathModel) -> dict[str, Place]:
    """Return where the variables of the chain stand.

    Each is to the right of its parents. One behind the other, mediators stand on an arc above, so that no arrow passes
    behind a box; beside each other, above and below the direct arrow.
    """
    step = {model.exposure: 0}
    for equation in model.equations[:-1]:
        step[equation.response] = 1 + max((step[parent] for parent in equation.parents), default=0)
    last = 1 + max(step.values())
    step[model.outcome] = last
    found = {}
    for name, place in step.items():
        beside = [other for other in model.mediators if step[other] == place]
        across = float(place) * (1.25 if last == 2 and len(beside) > 1 else 1.0)
        height = 1.6 * math.sin(math.pi * place / last)
        if len(beside) > 1:
            height = _heights(len(beside))[beside.index(name)]
        found[name] = (across, height if name in model.mediators else 0.0)
    return {name: found[name] for name in model.chain}


def _heights(count: int) -> list[float]:
    """Return heights of variables that stand above each other, none of them on the direct arrow at 0."""
    above = -(-count // 2)
    return [1.1 * (above - i) for i in range(above)] + [-1.1 * (i + 1) for i in range(count - above)]


def _moderator_places(model: PathModel) -> dict[str, Place]:
    """Return where moderators stand that are no part of the chain: in a row below it."""
    chain = _places(model)
    arrows: dict[str, list[float]] = {}
    for equation in model.equations:
        for moderator, parent in _products(model, equation):
            if moderator not in chain:
                middle = (chain[parent][0] + chain[equation.response][0]) / 2
                arrows.setdefault(moderator, []).append(middle)
    low, high = min(y for _, y in chain.values()), max(x for x, _ in chain.values())
    order = sorted(arrows, key=lambda name: float(np.mean(arrows[name])))
    places = {name: float(np.mean(arrows[name])) for name in order}
    if len(order) > 1:
        places = {name: high * (i + 0.5) / len(order) for i, name in enumerate(order)}
    return {name: (x, low - BELOW) for name, x in places.items()}


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
    if any(len(products_of(model, equation)) > len(_products(model, equation)) for equation in model.equations):
        found.append("further interactions")
    if any(model.zero_terms(equation) for equation in model.equations):
        found.append("the zero part")
    if len(model.exposures) > 1:
        found.append("the other exposures")
    found += [f"{confounder.name}, which is assumed, not measured" for confounder in model.confounders]
    return f", nor {' and '.join(found)}" if found else ""


def _box(axes: Axes, place: Place, label: str, *, moderator: bool = False) -> Text:
    edge = {"edgecolor": QUIET, "linestyle": (0, (3, 2))} if moderator else {"edgecolor": INK}
    return axes.text(
        *place, plain(_folded(label)), ha="center", va="center", fontsize=9 if moderator else 10, color=INK, zorder=1,
        bbox={"boxstyle": "round,pad=0.6", "facecolor": "white", **edge},
    )  # fmt: skip


def _label(low: float, middle: float, high: float) -> str:
    """Return median and interval with the decimals that show two digits of the interval's width."""
    width = high - low
    decimals = 2 if not 0 < width < 0.1 else min(12, 1 - math.floor(math.log10(width)))
    return signed(f"{middle:z.{decimals}f} [{low:z.{decimals}f}, {high:z.{decimals}f}]")


def _folded(label: str) -> str:
    """Break a long label into lines: two where they are not too wide, else at most four, the rest left out."""
    if len(label) <= 16:
        return label
    lines = textwrap.wrap(label, max(16, min(24, len(label) // 2 + 3)), max_lines=4, placeholder=" ...")
    return "\n".join(lines)


def _pointer(axes: Axes, start: Text, end: Place, label: str, colour: str, share: float) -> None:
    """Draw a dashed arrow from a box to a place on another arrow, its label at this share of the way."""
    axes.annotate(
        "", xy=end, xytext=start.get_position(), zorder=2,
        arrowprops={
            "arrowstyle": "-|>", "color": colour, "linewidth": 1.0, "linestyle": (0, (4, 3)), "shrinkA": 0,
            "shrinkB": 9, "patchA": start.get_bbox_patch(),
        },
    )  # fmt: skip
    x, y = (share * np.array(end) + (1 - share) * np.array(start.get_position())).tolist()
    axes.text(
        x, y, label, ha="center", va="center", fontsize=8, color=colour, zorder=3,
        bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def _arrow(axes: Axes, start: Text, end: Text, label: str, colour: str) -> _Arrow:
    """Draw an arrow from the edge of one box to the edge of another, and its label."""
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
    share, above = 0.5 if level else 0.55 if head[1] > tail[1] else 0.42, 0.11 if level else 0.0
    text = axes.text(
        *_along(tail, head, share, above), label, ha="center", va="center", fontsize=7 if "\n" in label else 9,
        color=colour, zorder=3, bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip
    return _Arrow(tail, head, text, above)
