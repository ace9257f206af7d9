"""How results show themselves, in a console and in a notebook: a sentence, and the numbers looked for first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bayes_sp.safe_text import html, one_line, printable

if TYPE_CHECKING:
    import pandas as pd

type Part = str | Sequence[str] | pd.DataFrame

MOST_ROWS, MOST_COLUMNS = 12, 8
# What a reader looks for first: what a row is about, then its numbers.
FIRST = (
    "specification", "effect", "case", "population", "kappa", "path", "scale", "decomposition", "equation", "term",
    "variable", "element", "name", "response", "statistic", "quantity", "exposure", "likelihood", "inference", "row",
    "estimate", "mean", "median", "lower", "upper", "prob_negative", "observed", "replicated", "probability", "elpd",
    "se", "e_value", "e_value_limit",
)  # fmt: skip


class Shown:
    """A result that shows its numbers; `_shown` says what, `repr` and a notebook show it."""

    def _shown(self) -> tuple[str, list[Part]]:
        """Return a head, and what stands below it: sentences, lists of sentences, tables."""
        raise NotImplementedError

    def __repr__(self) -> str:
        head, parts = self._shown()
        return "\n".join([f"{type(self).__name__}: {one_line(head)}", *(line for p in parts for line in _lines(p))])

    def _repr_html_(self) -> str:
        head, parts = self._shown()
        return html(head, *parts)


def short(table: pd.DataFrame, columns: Sequence[str] = FIRST, rows: int = MOST_ROWS) -> pd.DataFrame:
    """Return the first rows of a table, and of its columns those that a reader looks for first, at most eight."""
    chosen = [name for name in columns if name in table.columns][:MOST_COLUMNS]
    return (table[chosen] if chosen else table.iloc[:, :MOST_COLUMNS]).head(rows)


def _lines(part: Part) -> Iterator[str]:
    """Yield a part's lines of text."""
    if isinstance(part, str):
        yield one_line(part)
    elif isinstance(part, Sequence):
        yield from (f"- {one_line(item)}" for item in part)
    elif len(part):
        text = part.to_string(index=False, float_format=lambda value: f"{value:.3g}", na_rep="", line_width=None)
        yield printable(text)
