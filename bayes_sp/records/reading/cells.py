"""The cells of a column as text: each distinct one is judged once, however many rows hold it."""

from __future__ import annotations

import math
import operator
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_sp.arrays import Array, Mask
from bayes_sp.records.checks import EXACT, INEXACT

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
NUMERALS = frozenset("0123456789+-.eE")
WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
CELL_WIDTH = 30
MISSING = ("", "NA")  # cells that say that there is no value
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)
PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?", re.ASCII)
POINT_PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
LIKE_A_CODE = re.compile(r"0\d+|\d+[eE]\d+", re.ASCII)  # identifiers as they come out of spreadsheets


class Cells:
    """A column's cells, without white space around them: every text once, and each row's ``place`` among them, (n,)."""

    def __init__(self, text: Sequence[str]) -> None:
        place, found = pd.factorize(np.array(text, dtype=object), use_na_sentinel=False)
        bare = [cell.strip() for cell in found]
        self.place: NDArray[np.intp] = place
        self.distinct: list[str] = bare
        if any(map(operator.is_not, bare, found)):  # a text without white space around it is its own strip
            joined, distinct = pd.factorize(np.array(bare, dtype=object), use_na_sentinel=False)
            self.place, self.distinct = joined[place], list(distinct)

    def rewrite(self, other: Mapping[str, str]) -> None:
        """Put other texts in the place of some."""
        self.distinct = [other.get(cell, cell) for cell in self.distinct]
        self.__dict__.pop("_values", None)

    @cached_property
    def _values(self) -> Array:
        """Of each distinct text the number that it is, NaN for one that is none; numbers are finite or infinite."""
        there = [cell not in MISSING for cell in self.distinct]
        filled = list(compress(self.distinct, there))
        if NUMERALS.issuperset("".join(filled)):  # then float() and `NUMBER` take the same texts
            found = np.full(len(there), math.nan)
            try:
                found[there] = np.fromiter(map(float, filled), dtype=float, count=len(filled))
            except ValueError:  # one such as 1-2
                pass
            else:
                return found
        return np.array([float(cell) if is_number(cell) else math.nan for cell in self.distinct], dtype=float)

    @property
    def is_number(self) -> Mask:
        """Which cells hold a number with a decimal point, (n,)."""
        return ~np.isnan(self._values)[self.place]

    def where_no_number(self, rule: Callable[[str], bool]) -> Mask:
        """Return which cells hold no number, and a rule holds for them, (n,)."""
        found = np.isnan(self._values)
        for k in np.flatnonzero(found):
            found[k] = rule(self.distinct[k])
        return np.asarray(found[self.place])

    def where_number(self, candidate: Callable[[Array], Mask], rule: Callable[[str], bool]) -> Mask:
        """Return which cells a rule holds for, where their numbers make them candidates for it, (n,)."""
        with np.errstate(invalid="ignore"):
            found = candidate(self._values)
        for k in np.flatnonzero(found):
            found[k] = rule(self.distinct[k])
        return np.asarray(found[self.place])

    def where(self, rule: Callable[[str], bool]) -> Mask:
        """Return which cells a rule holds for, (n,)."""
        return np.fromiter(map(rule, self.distinct), dtype=bool, count=len(self.distinct))[self.place]

    def numbers(self, missing: Mask) -> Array:
        """Return the numbers that the cells hold, NaN where one is missing, (n,); every other one is a number."""
        return np.where(missing, math.nan, self._values[self.place])

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
        found = np.array(self.distinct, dtype=object)[self.place]
        found[empty] = None
        return list(found)


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number with a decimal point."""
    return NUMBER.fullmatch(cell) is not None


def with_points(columns: dict[str, Cells]) -> Iterator[str]:
    """Give numbers with decimal commas their points, and say so; nothing changes where any number has a point.

    Three digits behind the comma alone, as in 1,250, could be thousands: those are left as they are, and refused.
    """
    cells = [cell for column in columns.values() for cell in column.distinct if "," in cell]
    commas = {cell: cell.replace(",", ".") for cell in cells if DECIMAL_COMMA.fullmatch(cell)}
    if not commas or all(map(PERHAPS_THOUSANDS.fullmatch, commas)):
        return
    if any(DECIMAL_POINT.fullmatch(cell) for column in columns.values() for cell in column.distinct):
        return
    for column in columns.values():
        column.rewrite(commas)
    yield f"its decimal commas were read as points, as in {min(commas, key=len)!r}"


def like_codes(name: str, cells: Cells) -> Iterator[str]:
    """Yield what is read as a number and may be a code, such as 01 or 1e5, or thousands, such as 1.250 beside 980."""
    found = next(filter(LIKE_A_CODE.fullmatch, cells.distinct), None) or _perhaps_thousands(cells)
    if found is not None:
        yield f"{name}: {found!r} is read as the number {float(found):.15g}"


def _perhaps_thousands(cells: Cells) -> str | None:
    """Return a number with a point that could stand between thousands: all have three digits there, some end in 0."""
    pointed = [cell for cell in cells.distinct if "." in cell]
    whole = any(WHOLE.fullmatch(cell) for cell in cells.distinct if "." not in cell)
    if whole and all(map(POINT_PERHAPS_THOUSANDS.fullmatch, pointed)):
        return next((cell for cell in pointed if cell.endswith("0")), None)
    return None


def changed(cells: Cells) -> Iterator[tuple[str, Mask]]:
    """Yield which numbers would change where they become floats: small ones that become 0, long whole ones."""
    least, vanishes = sys.float_info.min, cells.where_number(lambda x: x == 0, _has_digits)
    yield "is so close to 0 that it would be read as 0; give the column another unit", vanishes
    fades = cells.where_number(lambda x: (np.abs(x) > 0) & (np.abs(x) < least), is_number)
    yield "is so close to 0 that it cannot be kept exactly; give the column another unit", fades
    yield INEXACT, cells.where_number(lambda x: (np.abs(x) >= EXACT) & (np.abs(x) < math.inf), _rounded)


def _has_digits(cell: str) -> bool:
    return any(digit in "123456789" for digit in re.split("[eE]", cell)[0])


def _rounded(cell: str) -> bool:
    return WHOLE.fullmatch(cell) is not None and Decimal(cell) != Decimal(float(cell))
