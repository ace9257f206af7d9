r"""Counts of few patients in tables: which cells are hidden so that none of them can be worked out from the others.

A table holds counts :math:`a_{ij}` of patients, its rows' and columns' totals, and the total of all. A reader knows the
cells that are shown, that counts are whole numbers of 0 or more, and that rows and columns add up. Hidden is every
count below a threshold, a total too. Then, for each such cell in turn, the cells are hidden besides that let it be as
large as the threshold: the least-cost set

.. math::

    \min \sum_{c \text{ shown}} w_c y_c \quad\text{subject to}\quad M d = 0, \; a + d \ge 0, \;
    |d_c| \le u \, y_c, \; d_{cell} \ge \max(1, \text{least} - a_{cell}),

where d is the difference of another table from this one, M says that rows and columns add up, and a cell that is hidden
already has no cost. Every hidden cell then has another value in a table that the reader cannot tell from this
one: the constraints are those of a network, whose solutions are whole numbers.

References
----------
Fischetti & Salazar (2001). Solving the cell suppression problem on tabular data with linear constraints. Management
Science 47, 1008-1027. doi:10.1287/mnsc.47.7.1008.9805
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bayes_sp.arrays import Array, Mask
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


TOTAL_COST = 1000.0  # times that of a cell: totals are hidden where nothing else will do


def hidden_counts(counts: ArrayLike, least: int = LEAST_COUNT, *, zeros: bool = True) -> Mask:
    """Return which cells of a table are hidden, and which of its totals.

    ``counts`` are a row (k,) or a table (r, c) without totals, each patient in one cell. Returns (k + 1,), the last for
    the total; or (r + 1, c + 1), the last row and column for the totals. ``least`` is the smallest count that is shown;
    ``zeros`` are hidden as other small counts are, because that nobody of a group gave an answer says something of all
    of them, unless 0 says nothing of anybody, as of missing cells.

    Raises ValueError where the counts are no such table.

    Examples
    --------
    >>> hidden_counts([40, 3, 25, 60]).tolist()
    [False, True, True, False, False]
    """
    inner = np.asarray(counts, dtype=float)
    if inner.ndim not in (1, 2) or not inner.size or (inner < 0).any() or (inner != np.round(inner)).any():
        raise ValueError("counts must be whole numbers of 0 or more in one row, or in rows and columns")
    table = _with_totals(inner if inner.ndim == 2 else inner[None, :])
    if inner.ndim == 1:
        table = table[:1]
    sums = _sums(inner.ndim == 1, table.shape)
    values = table.ravel()
    small = (values < least) & ((values > 0) | zeros)
    hidden = small.copy()
    weight = np.ones(table.shape)
    weight[:, -1] = TOTAL_COST
    weight[-1 if inner.ndim == 2 else len(table) :] *= TOTAL_COST
    cost = (weight.ravel() + 1.0) * (values + 1.0)
    for cell in sorted(np.flatnonzero(small), key=lambda c: (values[c], c)):
        hidden |= _needed(sums, values, hidden, cost, int(cell), least)
    return hidden.reshape(table.shape)[0] if inner.ndim == 1 else hidden.reshape(table.shape)


def starts_of(counts: Array, least: int) -> list[int]:
    """Return where bins begin that hold ``least`` patients or more each; one bin where all are fewer."""
    starts, held = [0], 0.0
    for k, count in enumerate(counts[:-1], start=1):
        held += count
        if held >= least:
            starts.append(k)
            held = 0.0
    if held + counts[-1] < least and len(starts) > 1:
        starts.pop()
    return starts


def _with_totals(inner: Array) -> Array:
    columns = np.vstack([inner, inner.sum(axis=0)])
    return np.column_stack([columns, columns.sum(axis=1)])


def _sums(one_row: bool, shape: tuple[int, ...]) -> Array:
    """Return the matrix that is 0 times a table's cells: each row and column less its total."""
    place = np.arange(shape[0] * shape[1]).reshape(shape)
    lines = [*place] if one_row else [*place, *place.T]
    matrix = np.zeros((len(lines), place.size))
    for k, line in enumerate(lines):
        matrix[k, line[:-1]], matrix[k, line[-1]] = 1.0, -1.0
    return matrix


def _needed(sums: Array, values: Array, hidden: Mask, cost: Array, cell: int, least: int) -> Mask:
    """Return the cells to hide so that one of them may be larger, the cheapest set."""
    from scipy import sparse  # half a second, with the next, that tables without small counts do without
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, large = len(values), float(values.max() + 2 * least + 1)
    up = max(1.0, least - values[cell])
    shown = np.flatnonzero(~hidden)
    pick = sparse.csr_array((np.ones(len(shown)), (np.arange(len(shown)), shown)), shape=(len(shown), n))
    switch = large * sparse.eye_array(len(shown))
    adding_up = LinearConstraint(sparse.hstack([sums, sparse.csr_array((sums.shape[0], len(shown)))]), 0.0, 0.0)
    at_most = LinearConstraint(sparse.hstack([pick, -switch]), -np.inf, 0.0)
    at_least = LinearConstraint(sparse.hstack([pick, switch]), 0.0, np.inf)
    low = np.concatenate([-values, np.zeros(len(shown))])
    low[cell] = up
    found = milp(
        np.concatenate([np.zeros(n), cost[shown]]),
        constraints=[adding_up, at_most, at_least],
        bounds=Bounds(low, np.concatenate([np.full(n, large), np.ones(len(shown))])),
        integrality=np.concatenate([np.zeros(n), np.ones(len(shown))]),
    )
    if found.x is None:
        raise RuntimeError(f"no set of cells was found that hides a count: {found.message}")
    needed = hidden.copy()
    needed[shown] = found.x[n:] > 0.5
    return needed
