"""Draw the diagrams of docs/identification.md and docs/tutorial.md as SVG: ``python docs/diagrams/make.py``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
HALF_WIDTH, HALF_HEIGHT = 62, 24
COLOURS = {"plain": "#1b4965", "assumed absent": "#b3261e", "hidden": "#b3261e"}


@dataclass(frozen=True)
class Diagram:
    """Boxes at places, and arrows between them.

    Attributes
    ----------
    title
        What it shows, for those who cannot see it.
    boxes
        Key -> x and y of the middle in pixels, the label (lines separated by a line break), and ``hidden`` for what
        nobody measured, drawn dashed.
    arrows
        From, to, and ``assumed absent`` for one that must not exist, drawn dashed.
    """

    title: str
    boxes: dict[str, tuple[int, int, str, str]]
    arrows: list[tuple[str, str, str]] = field(default_factory=list)

    def svg(self) -> str:
        """Return the drawing."""
        width = max(x for x, *_ in self.boxes.values()) + HALF_WIDTH + 12
        height = max(y for _, y, *_ in self.boxes.values()) + HALF_HEIGHT + 12
        heads = "".join(
            f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
            for name, colour in (("plain", COLOURS["plain"]), ("red", COLOURS["hidden"]))
        )
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" font-family="sans-serif" font-size="14">',
            f"<title>{escape(self.title)}</title>",
            f"<defs>{heads}</defs>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
            *(self._arrow(*arrow) for arrow in self.arrows),
            *(_box(*box) for box in self.boxes.values()),
            "</svg>\n",
        ])  # fmt: skip

    def _arrow(self, start: str, end: str, kind: str) -> str:
        (x0, y0, *_), (x1, y1, *_) = self.boxes[start], self.boxes[end]
        ax, ay = _edge(x0, y0, x1, y1)
        bx, by = _edge(x1, y1, x0, y0)
        head = "red" if kind == "assumed absent" else "plain"
        dashes = ' stroke-dasharray="6 4"' if kind == "assumed absent" else ""
        return (
            f'<line x1="{ax}" y1="{ay}" x2="{bx}" y2="{by}" stroke="{COLOURS[kind]}" stroke-width="2"{dashes} '
            f'marker-end="url(#{head})"/>'
        )


def _box(x: int, y: int, label: str, kind: str) -> str:
    colour = COLOURS[kind]
    dashes = ' stroke-dasharray="6 4"' if kind == "hidden" else ""
    lines = label.split("\n")
    first = y + 5 - 8.5 * (len(lines) - 1)
    words = "".join(f'<tspan x="{x}" y="{first + 17 * row:g}">{escape(line)}</tspan>' for row, line in enumerate(lines))
    return (
        f'<rect x="{x - HALF_WIDTH}" y="{y - HALF_HEIGHT}" width="{2 * HALF_WIDTH}" height="{2 * HALF_HEIGHT}" rx="6" '
        f'fill="#ffffff" stroke="{colour}" stroke-width="1.5"{dashes}/>'
        f'<text text-anchor="middle" fill="#1a1a1a">{words}</text>'
    )


def _edge(x: int, y: int, to_x: int, to_y: int) -> tuple[float, float]:
    """Return where the line from one middle to another leaves the box, a little outside of it."""
    dx, dy = to_x - x, to_y - y
    share = min(HALF_WIDTH / abs(dx) if dx else math.inf, HALF_HEIGHT / abs(dy) if dy else math.inf)
    gap = share + 4 / math.hypot(dx, dy)
    return round(x + gap * dx, 1), round(y + gap * dy, 1)


X, M, Y = (80, 110, "exposure", "plain"), (290, 40, "mediator", "plain"), (500, 110, "outcome", "plain")
CHAIN = [("x", "m", "plain"), ("m", "y", "plain"), ("x", "y", "plain")]

DIAGRAMS = {
    "tutorial": Diagram(
        "Walks act on sleep and on days off, and sleep acts on days off",
        {
            "x": (80, 110, "walks\na week", "plain"),
            "m": (290, 40, "sleep", "plain"),
            "y": (500, 110, "days off", "plain"),
        },
        CHAIN,
    ),
    "chain": Diagram(
        "The exposure acts on two mediators in a row and on the outcome; covariates act on all of them",
        {
            "x": (80, 110, "exposure", "plain"),
            "m1": (270, 40, "mediator 1", "plain"),
            "m2": (460, 40, "mediator 2", "plain"),
            "y": (650, 110, "outcome", "plain"),
            "w": (365, 190, "covariates", "plain"),
        },
        [
            ("x", "m1", "plain"), ("m1", "m2", "plain"), ("m2", "y", "plain"), ("x", "m2", "plain"),
            ("m1", "y", "plain"), ("x", "y", "plain"), ("w", "x", "plain"), ("w", "m1", "plain"),
            ("w", "m2", "plain"), ("w", "y", "plain"),
        ],
    ),
    "confounding": Diagram(
        "What nobody measured acts on exposure and outcome, and on mediator and outcome",
        {
            "x": (80, 150, "exposure", "plain"), "m": M, "y": (500, 150, "outcome", "plain"),
            "u": (290, 230, "U: exposure\nand outcome", "hidden"),
            "v": (500, 40, "U: mediator\nand outcome", "hidden"),
        },
        [*CHAIN, ("u", "x", "assumed absent"), ("u", "y", "assumed absent"), ("v", "m", "assumed absent"),
         ("v", "y", "assumed absent")],
    ),
    "affected": Diagram(
        "A confounder of mediator and outcome that the exposure itself changes",
        {"x": X, "m": M, "y": Y, "l": (290, 190, "confounder\nL", "hidden")},
        [*CHAIN, ("x", "l", "assumed absent"), ("l", "m", "assumed absent"), ("l", "y", "assumed absent")],
    ),
    "worlds": Diagram(
        "The same patient's first mediator in two worlds, with errors whose correlation is kappa",
        {
            "m": (250, 40, "mediator 1,\nexposed", "plain"),
            "n": (250, 150, "mediator 1,\nunexposed", "plain"),
            "e": (80, 95, "errors:\nkappa", "hidden"),
            "q": (440, 40, "mediator 2", "plain"),
            "y": (630, 95, "outcome", "plain"),
        },
        [("e", "m", "plain"), ("e", "n", "plain"), ("m", "q", "plain"), ("q", "y", "plain"), ("n", "y", "plain")],
    ),
    "returned": Diagram(
        "Whether a patient comes back depends on the covariates, and must not depend on the outcome itself",
        {
            "x": X, "m": M, "y": Y,
            "w": (80, 190, "covariates", "plain"),
            "r": (330, 190, "came back", "plain"),
        },
        [*CHAIN, ("w", "r", "plain"), ("y", "r", "assumed absent")],
    ),
}  # fmt: skip


def main() -> None:
    """Write every drawing beside this file."""
    for name, diagram in DIAGRAMS.items():
        (HERE / f"{name}.svg").write_text(diagram.svg(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
