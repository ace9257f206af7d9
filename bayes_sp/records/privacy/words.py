"""Small counts in sentences, and the ends of a column without the values of single patients."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.names import LEAST_COUNT


def count_words(count: int, least: int = LEAST_COUNT) -> str:
    """Return a count, or that it is small."""
    return f"fewer than {least}" if 0 < count < least else f"{count:,}"


def share_words(count: int, total: int, least: int = LEAST_COUNT) -> str:
    """Return how many of all patients; neither those nor the others are named where they are few.

    Examples
    --------
    >>> share_words(4, 200), share_words(196, 200), share_words(5000, 12000)
    ('fewer than 10 of 200', 'more than 190 of 200', '5,000 of 12,000')
    """
    if 0 < count < total <= least:
        return f"some of {total:,}"
    if 0 < total - count < least <= count:
        return f"more than {total - least:,} of {total:,}"
    return f"{count_words(count, least)} of {total:,}"


def ends_shown(values: Array, least: int = LEAST_COUNT) -> tuple[float, float]:
    """Return between what values lie, the smallest and the largest ``least - 1`` of them left out; NaN where too few.

    With at least that many patients at an end, it is the minimum or maximum itself.
    """
    known = np.sort(values[np.isfinite(values)])
    if len(known) < 2 * least:
        return float("nan"), float("nan")
    return float(known[least - 1]), float(known[-least])
