"""What a column of numbers is likely to be, from its own values alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.model.checks.model import reserved

MOST_LEVELS = 7  # of an ordered response
WIDEST = 10  # of a scale whose values have labels, as from 0 to 10
SKEWED = 1.5  # skewness from which a positive measurement is drafted as gamma, and a count as its logarithm
LEAST_VALUES = 5  # of a column, to say anything about it
NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class KindGuess:
    """A kind of a codebook, its keys, and the reason in words."""

    kind: str
    reason: str
    keys: dict[str, Any] = field(default_factory=dict)


def guess_kind(values: Array, labels: Mapping[float, str]) -> KindGuess:
    """Return the kind of a column whose values (n,) are known, with the words that the file has for them."""
    if not len(values):
        return KindGuess("continuous", "no cell holds a value, so that its kind cannot be told")
    found = np.unique(values)
    low, high = float(found[0]), float(found[-1])
    seen = f"from {low:g} to {high:g}" if len(found) > 1 else f"{low:g} only"
    if len(found) == 1 and len(labels) < 2:
        return KindGuess("continuous", f"one value only, {low:g}, so that its kind cannot be told")
    if not whole(values):
        if 0 < low and high < 1:
            return KindGuess("bounded", f"fractions {seen}", {"min": 0.0, "max": 1.0})
        return KindGuess("continuous", f"numbers {seen}")
    ends = sorted({*labels, low, high})
    words = "whole numbers with labels" if labels else "whole numbers"
    if len({*labels, *found}) == 2:
        return KindGuess("binary", f"two values, {ends[0]:g} and {ends[-1]:g}", {"levels": ends})
    inside = labels and min(labels) <= low and high <= max(labels) and len(labels) > 1
    if inside and ends[-1] - ends[0] <= WIDEST and whole(np.array(ends)):
        reason = f"{words} {seen}: answers with an order, or a category where they have none"
        return KindGuess("ordered", reason, {"min": ends[0], "max": ends[-1]})
    if low >= 1 and high - low < MOST_LEVELS and len(found) <= MOST_LEVELS:
        reason = f"{words} {seen}: answers with an order, or a category where they have none"
        return KindGuess("ordered", reason, {"min": low, "max": high})
    if low >= 0 and (low == 0 or skewness(values) > SKEWED):
        return KindGuess("count", f"{words} {seen}: counts")
    return KindGuess("continuous", f"{words} {seen}: a measurement")


def plain_names(columns: Sequence[str]) -> dict[str, str]:
    """Return names for columns in codebooks and specifications: their own, or without blanks and signs."""
    names: dict[str, str] = {}
    for column in columns:
        plain = column if NAME.fullmatch(column) else "_".join(re.findall(r"\w+", column)) or "column"
        plain = plain if NAME.fullmatch(plain) else f"v_{plain}"
        while plain in names.values() or plain in reserved():
            plain += "_"
        names[column] = plain
    return names


def rounded(value: float, spread: float) -> float:
    """Return a value to two digits of what it varies by: 55.7 and not 55.7482 where the SD is 13.8."""
    if not spread > 0 or not math.isfinite(spread):
        return float(f"{value:.2g}")
    digits = 1 - math.floor(math.log10(spread))
    return float(round(value, digits))


def whole(values: Array) -> bool:
    """Return whether all values are whole numbers."""
    return bool(np.all(values == np.round(values)))


def skewness(values: Array) -> float:
    """Return the third standardised moment."""
    deviations = values - values.mean()
    return float(np.mean(deviations**3) / np.mean(deviations**2) ** 1.5)
