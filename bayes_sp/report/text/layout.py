"""Plain text in lines of one width: tables, paragraphs, numbers with the decimals that they deserve."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import pandas as pd

WIDTH = 118
FIRST = 56  # width of the first column, at least, of a table that is too wide


def decimals_of(table: pd.DataFrame) -> int:
    """Return the decimals that show two digits of the narrowest interval: 3, or more where effects are small."""
    return decimals_for(float((table["upper"] - table["lower"]).min()))


def decimals_for(narrowest: float) -> int:
    """Return the decimals that show two digits of an interval of this width: 3, or more for a narrow one."""
    return 3 if not 0 < narrowest < 0.01 else min(12, 1 - math.floor(math.log10(narrowest)))


def number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals, or in short where it is huge; infinity and none in words."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return f"{value:z.{decimals}f}" if abs(value) < 1e6 else f"{value:.3g}"


def interval(row: pd.Series | Mapping[str, float], decimals: int) -> str:
    """Return a row's limits in brackets."""
    return f"[{number(row['lower'], decimals)}, {number(row['upper'], decimals)}]"


def aligned(rows: list[list[str]], align: str) -> list[str]:
    """Return rows as aligned lines; a row with a first cell only does not widen its column."""
    widths = [max((len(row[i]) for row in rows if any(row[1:])), default=0) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = zip(row, widths, align, strict=False)
        padded = (f"{cell:<{width}}" if side == "l" else f"{cell:>{width}}" for cell, width, side in cells)
        lines.append("   " + "  ".join(padded))
    return lines


def beside(rows: list[list[str]]) -> list[str]:
    """Return rows as aligned lines; columns that do not fit on the page stand below, each block with the first column.

    A row with a first cell only, a heading, does not widen its column.
    """
    widths = [max((len(row[i]) for row in rows if any(row[1:])), default=0) + 2 for i in range(len(rows[0]))]
    blocks: list[list[int]] = [[]]
    for i, width in enumerate(widths[1:], start=1):
        if blocks[-1] and 1 + widths[0] + sum(widths[j] for j in blocks[-1]) + width > WIDTH:
            blocks.append([])
        blocks[-1].append(i)
    lines: list[str] = []
    for block in blocks:
        table = [[row[0], *(row[i] for i in block)] for row in rows]
        lines += ([""] if lines else []) + aligned(table, "l" + "r" * len(block))
    return lines


def within(rows: list[list[str]], align: str) -> list[str]:
    """Return rows as aligned lines that fit the page.

    Columns that do not fit beside each other stand below each other, each block with the first column; its long cells
    are continued on further lines.
    """
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]))]
    if 1 + sum(widths) <= WIDTH:
        return aligned(rows, align)
    first = min(widths[0], max(FIRST, WIDTH - 1 - sum(widths[1:])))
    blocks: list[list[int]] = [[]]
    for i, width in enumerate(widths[1:], start=1):
        if blocks[-1] and 1 + first + sum(widths[j] for j in blocks[-1]) + width > WIDTH:
            blocks.append([])
        blocks[-1].append(i)
    lines: list[str] = []
    for block in blocks:
        table = []
        for row in rows:
            head, *more = textwrap.wrap(row[0], first - 2, subsequent_indent="  ") or [""]
            table.append([head, *(row[i] for i in block)])
            table += [[line, *([""] * len(block))] for line in more]
        lines += (
            ["", *aligned(table, align[0] + "".join(align[i] for i in block))]
            if lines
            else aligned(table, align[0] + "".join(align[i] for i in block))
        )
    return lines


def wrapped(text: str, first: str = "", rest: str = "", margin: str = "   ") -> list[str]:
    """Return a paragraph as lines, indented as the tables are."""
    return textwrap.wrap(text, WIDTH, initial_indent=margin + first, subsequent_indent=margin + rest)
