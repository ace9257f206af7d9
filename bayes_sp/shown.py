"""How results show themselves: a few rows and columns of their tables, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes_sp.safe_text import one_line, printable

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 12
FIRST = (
    "specification", "effect", "path", "scale", "decomposition", "equation", "term", "name", "response", "statistic",
    "quantity", "exposure", "likelihood", "inference", "case", "row", "estimate", "median", "observed", "replicated",
    "lower", "upper", "prob_negative", "probability", "elpd", "se",
)  # fmt: skip  # what a reader looks for


def short(table: pd.DataFrame, columns: Sequence[str] = FIRST, most: int = 8) -> pd.DataFrame:
    """Return the columns of a table that a reader looks for first, at most eight; those left out are in the table."""
    chosen = [name for name in columns if name in table.columns][:most]
    return table[chosen] if chosen else table.iloc[:, :most]


def repr_of(head: str, table: pd.DataFrame | None = None, notes: Sequence[str] = ()) -> str:
    """Return a head in one line, a table of at most twelve rows, and sentences."""
    lines = [one_line(head)]
    if table is not None:
        shown = table.head(MOST_ROWS)
        lines.append(printable(shown.to_string(index=False, float_format=lambda value: f"{value:.3g}", na_rep="")))
        if len(table) > len(shown):
            lines.append(f"... {len(table) - len(shown)} more rows in .table")
    return "\n".join([*lines, *map(one_line, notes)])
