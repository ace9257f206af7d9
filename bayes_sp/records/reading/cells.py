"""The cells of a column as text: each distinct one is judged once, however many rows hold it."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_sp.arrays import Array, Mask
from bayes_sp.records.checks import EXACT, INEXACT

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
CELL_WIDTH = 30
MISSING = ("", "NA")  # cells that say that there is no value
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)
PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?", re.ASCII)
LIKE_A_CODE = re.compile(r"0\d+|\d+[eE]\d+", re.ASCII)  # identifiers as they come out of spreadsheets


class Cells:
    """A column's cells, without white space around them.

    Attributes
    ----------
    distinct
        Every text once, in the order of its first row.
    place
        Of each row's cell among them, (n,).
    """

    def __init__(self, text: Sequence[str]) -> None:
        place, found = pd.factorize(np.array(text, dtype=object), use_na_sentinel=False)
        bare = np.array([cell.strip() for cell in found], dtype=object)
        joined, distinct = pd.factorize(bare, use_na_sentinel=False)
        self.place: NDArray[np.intp] = joined[place]
        self.distinct: list[str] = list(distinct)

    def where(self, rule: Callable[[str], bool]) -> Mask:
        """Return which cells a rule holds for, (n,)."""
        return np.fromiter(map(rule, self.distinct), dtype=bool, count=len(self.distinct))[self.place]

    def numbers(self, missing: Mask) -> Array:
        """Return the numbers that the cells hold, NaN where one is missing, (n,); every other one is a number."""
        known = np.zeros(len(self.distinct), dtype=bool)
        known[self.place[~missing]] = True
        values = [float(cell) if there else math.nan for cell, there in zip(self.distinct, known, strict=True)]
        return np.array(values, dtype=float)[self.place]

    def text(self) -> list[str]:
        """Return the cells as they are, (n,)."""
        return [self.distinct[place] for place in self.place.tolist()]

    def count(self, text: str) -> int:
        """Return how many cells hold exactly this text."""
        return int(self.where(lambda cell: cell == text).sum())

    def quoted(self, row: int) -> str:
        """Return the start of a row's cell in quotation marks."""
        cell = self.distinct[self.place[row]]
        return repr(cell if len(cell) <= CELL_WIDTH else f"{cell[:CELL_WIDTH]}...")

    def labels(self, empty: Mask) -> list[str | None]:
        """Return the cells as they are, None where one is empty."""
        return [
            None if blank else self.distinct[place] for place, blank in zip(self.place.tolist(), empty, strict=True)
        ]


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number with a decimal point."""
    return NUMBER.fullmatch(cell) is not None


def with_points(columns: dict[str, Cells]) -> Iterator[str]:
    """Give numbers with decimal commas their points, and say so; nothing changes where any number has a point.

    Three digits behind the comma alone, as in 1,250, could be thousands: those are left as they are, and refused.
    """
    cells = {cell for column in columns.values() for cell in column.distinct}
    commas = {cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)}
    if not commas or any(map(DECIMAL_POINT.fullmatch, cells)) or all(map(PERHAPS_THOUSANDS.fullmatch, commas)):
        return
    for column in columns.values():
        column.distinct = [cell.replace(",", ".") if cell in commas else cell for cell in column.distinct]
    yield f"its decimal commas were read as points, as in {min(commas, key=len)!r}"


def like_codes(name: str, cells: Cells) -> Iterator[str]:
    """Yield what is read as a number and may be a code, such as 01 or 1e5."""
    found = [cell for cell in cells.distinct if LIKE_A_CODE.fullmatch(cell)]
    if found:
        yield f"{name}: {found[0]!r} is read as the number {float(found[0]):.15g}"


def changed(cells: Cells) -> Iterator[tuple[str, Mask]]:
    """Yield which numbers would change where they become floats: small ones that become 0, long whole ones."""
    yield "is so close to 0 that it would be read as 0; give the column another unit", cells.where(_vanishes)
    yield "is so close to 0 that it cannot be kept exactly; give the column another unit", cells.where(_fades)
    yield INEXACT, cells.where(_rounded)


def _vanishes(cell: str) -> bool:
    return is_number(cell) and float(cell) == 0 and any(digit in "123456789" for digit in re.split("[eE]", cell)[0])


def _fades(cell: str) -> bool:
    return is_number(cell) and 0 < abs(float(cell)) < sys.float_info.min


def _rounded(cell: str) -> bool:
    if not WHOLE.fullmatch(cell):
        return False
    value = float(cell)
    return EXACT <= abs(value) < math.inf and Decimal(cell) != Decimal(value)
