"""Plain text in lines of one width: tables, paragraphs, numbers with the decimals that they deserve."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import pandas as pd

from bayes_sp.shown import page_width, worded

PARAGRAPH = 118  # letters in a line of a paragraph, at most
FIRST = 0.47  # of a page: the first column, at least, of a table that is too wide


def decimals_of(table: pd.DataFrame) -> int:
    """Return the decimals that a table's narrowest interval deserves (`decimals_for`)."""
    return decimals_for(float((table["upper"] - table["lower"]).min()))


def decimals_for(narrowest: float) -> int:
    """Return 3 decimals, more for a narrow interval, two digits of which they show, and fewer for one wider than 10.

    Examples
    --------
    >>> [decimals_for(width) for width in (0.0012, 0.5, 40.0, 5000.0, math.nan)]
    [4, 3, 2, 0, 3]
    """
    if not 0 < narrowest < math.inf:
        return 3
    size = math.floor(math.log10(narrowest))
    return min(12, max(3, 1 - size)) if size < 1 else max(0, 3 - size)


def number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals, or in short where it is huge; infinity and none in words."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return f"{value:z.{decimals}f}" if abs(value) < 1e6 else f"{value:.3g}"


def probability(value: float) -> str:
    """Return a posterior probability with three decimals, and no 0 or 1, which draws cannot show."""
    return "<.001" if value < 0.0005 else ">.999" if value > 0.9995 else f"{value:.3f}"


def in_row(row: pd.Series | Mapping[str, float], decimals: int) -> int:
    """Return a table's decimals for one row: of a wide interval one more than it deserves at most.

    Examples
    --------
    >>> [in_row({"lower": 0.0, "upper": width}, 5) for width in (0.002, 0.5, 180.0)]
    [5, 4, 2]
    """
    return min(decimals, decimals_for(float(row["upper"]) - float(row["lower"])) + 1)


def interval(row: pd.Series | Mapping[str, float], decimals: int) -> str:
    """Return a row's limits in brackets, with the decimals of `in_row`."""
    decimals = in_row(row, decimals)
    return f"[{number(row['lower'], decimals)}, {number(row['upper'], decimals)}]"


def size_words(median: float, lower: float, upper: float) -> str:
    """Return a median with its limits in brackets, in the decimals that their distance deserves."""
    decimals = decimals_for(float(upper) - float(lower))
    return f"{number(median, decimals)} [{number(lower, decimals)}, {number(upper, decimals)}]"


def aligned(rows: list[list[str]], align: str) -> list[str]:
    """Return rows as aligned lines that fit the page.

    Columns that do not fit beside each other stand below each other, each block with the first column; its long cells
    are continued on further lines. A row with a first cell only, a heading, does not widen its column.
    """
    rows = [[worded(cell) for cell in row] for row in rows]
    widths = [max((len(row[i]) for row in rows if any(row[1:])), default=0) + 2 for i in range(len(rows[0]))]
    if 1 + sum(widths) <= page_width():
        return _lines(rows, align, page_width() - 3)
    first = min(widths[0], max(round(FIRST * page_width()), page_width() - 1 - sum(widths[1:])))
    lines: list[str] = []
    for block in _blocks(widths, first):
        table = [[row[0], *(row[i] for i in block)] for row in rows]
        lines += [""] if lines else []
        lines += _lines(table, align[0] + "".join(align[i] for i in block), first - 2)
    return lines


def _blocks(widths: list[int], first: int) -> list[list[int]]:
    """Return which columns stand beside the first one, block by block."""
    blocks: list[list[int]] = [[]]
    for i, width in enumerate(widths[1:], start=1):
        if blocks[-1] and 1 + first + sum(widths[j] for j in blocks[-1]) + width > page_width():
            blocks.append([])
        blocks[-1].append(i)
    return blocks


def _lines(rows: list[list[str]], align: str, first: int) -> list[str]:
    """Return aligned rows whose first cells have at most ``first`` letters in a line."""
    table: list[list[str]] = []
    for row in rows:
        room = first if any(row[1:]) else page_width() - 3
        lead = row[0][: len(row[0]) - len(row[0].lstrip())]
        head, *more = textwrap.wrap(row[0], room, subsequent_indent=f"{lead}  ", break_long_words=False) or [""]
        table += [[head, *row[1:]], *([line, *[""] * (len(row) - 1)] for line in more)]
    widths = [max((len(row[i]) for row in table if any(row[1:])), default=0) for i in range(len(table[0]))]
    return [
        "   " + "  ".join(
            f"{cell:<{width}}" if side == "l" else f"{cell:>{width}}"
            for cell, width, side in zip(row, widths, align, strict=False)
        )
        for row in table
    ]  # fmt: skip


def estimated(row: pd.Series | Mapping[str, float], value: str, decimals: int) -> str:
    """Return a row's estimate, of the column ``value``, with its interval."""
    return f"{number(row[value], in_row(row, decimals))} {interval(row, decimals)}"


def wrapped(text: str, first: str = "", rest: str = "", margin: str = "   ") -> list[str]:
    """Return a paragraph as lines, indented as the tables are."""
    width = min(page_width(), PARAGRAPH)
    return textwrap.wrap(worded(text), width, initial_indent=margin + first, subsequent_indent=margin + rest)
