"""Whole rows of a table: blank ones, and those with more or fewer fields than its first row names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayes_sp.arrays import Mask
from bayes_sp.records.reading.table import Table
from bayes_sp.records.told import RowName


def named_columns(table: Table) -> int:
    """Return how many columns the header names, trailing nameless ones left out."""
    return max((k for k, name in enumerate(table.header, start=1) if name), default=0)


def check_rows(table: Table, width: int) -> tuple[list[str], Mask]:
    """Return the problems of whole rows, and which rows are blank or lack fields of the first ``width`` columns."""
    nothing, row_name = table.blank, table.row_name
    longer = shorter = np.zeros(table.length, dtype=bool)
    named = named_columns(table)
    if table.fields:
        fields = np.array(table.fields)
        longer = fields > len(table.header)
        for at in map(int, np.flatnonzero((fields > named) & ~longer)):
            longer[at] = any(table.column(k)[at].strip() for k in range(named, len(table.header)))
        shorter = (fields < width) & ~nothing
    what = f"has more fields than the {named} that the first row names; a comma in a cell needs quotation marks"
    problems = list(describe_rows(longer, what, row_name))
    problems += describe_rows(nothing & ~longer, "is blank", row_name)
    problems += describe_rows(shorter, f"has fewer fields than the {named} that the first row names", row_name)
    return problems, nothing | shorter


def describe_rows(mask: Mask, what: str, row_name: RowName) -> Iterator[str]:
    """Yield one sentence on the rows that something is wrong with."""
    if mask.any():
        first, more = int(np.argmax(mask)), int(mask.sum()) - 1
        yield f"{row_name(first)} {what}" + (f", and {more} more" if more else "")
