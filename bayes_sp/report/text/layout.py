"""Plain text in lines of one width: tables, paragraphs, numbers with the decimals that they deserve."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping

import pandas as pd

from bayes_sp.shown import decimals_for, in_row, number, page_width, worded

PARAGRAPH = 118  # letters in a line of a paragraph, at most
INTERVAL = "95 % interval"  # the head of a column that belongs to the one before it
FIRST = 0.47  # of a page: the first column, at least, of a table that is too wide


def decimals_of(table: pd.DataFrame) -> int:
    """Return the decimals that a table's narrowest interval deserves (`decimals_for`)."""
    return decimals_for(float((table["upper"] - table["lower"]).min()))


def interval(row: pd.Series | Mapping[str, float], decimals: int) -> str:
    """Return a row's limits in brackets, with the decimals of `in_row`; in words those that are withheld."""
    decimals, limits = in_row(row, decimals), [float(row[name]) for name in ("lower", "upper")]
    if all(map(math.isnan, limits)):
        return "[no limits]"
    lower, upper = ("no limit" if math.isnan(limit) else number(limit, decimals) for limit in limits)
    return f"[{lower}, {upper}]"


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
    for block in _blocks(widths, first, rows[0]):
        table = [[row[0], *(row[i] for i in block)] for row in rows]
        lines += [""] if lines else []
        lines += _lines(table, align[0] + "".join(align[i] for i in block), first - 2)
    return lines


def _blocks(widths: list[int], first: int, heads: list[str]) -> list[list[int]]:
    """Return which columns stand beside the first one, block by block; an interval stands beside its estimate."""
    blocks: list[list[int]] = [[]]
    for i, width in enumerate(widths[1:], start=1):
        needed = width + (widths[i + 1] if heads[i + 1 : i + 2] == [INTERVAL] else 0)
        taken = 1 + first + sum(widths[j] for j in blocks[-1])
        if blocks[-1] and heads[i] != INTERVAL and taken + needed > page_width():
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


def as_published(rows: pd.DataFrame) -> str:
    """Return every reading of a published estimate, as printed, with its interval."""
    estimates = " or ".join(f"{value:g}" for value in rows["estimate"])
    lower, upper = rows["lower"].iloc[0], rows["upper"].iloc[0]
    return estimates if pd.isna(lower) else f"{estimates} [{lower:g}, {upper:g}]"


def wrapped(text: str, first: str = "", rest: str = "", margin: str = "   ") -> list[str]:
    """Return a paragraph as lines, indented as the tables are."""
    width = min(page_width(), PARAGRAPH)
    return textwrap.wrap(worded(text), width, initial_indent=margin + first, subsequent_indent=margin + rest)


def bullets(texts: Iterable[str]) -> list[str]:
    """Return texts as the lines of a list."""
    return [line for text in texts for line in wrapped(text, "- ", "  ")]
