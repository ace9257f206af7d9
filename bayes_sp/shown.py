"""How results show themselves: a sentence and the numbers looked for first, a page's width, the name of the people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from bayes_sp.safe_text import html, one_line, printable, short_number

if TYPE_CHECKING:
    import pandas as pd

type Part = str | Sequence[str] | pd.DataFrame

MOST_ROWS, MOST_COLUMNS = 12, 8
# What a reader looks for first: what a row is about, then its numbers.
FIRST = (
    "specification", "effect", "case", "population", "kappa", "path", "scale", "size", "decomposition", "equation",
    "term", "variable", "element", "name", "response", "statistic", "quantity", "exposure", "likelihood", "inference",
    "row", "estimate", "mean", "median", "lower", "upper", "prob_negative", "observed", "replicated", "probability",
    "elpd", "se", "e_value", "e_value_limit",
)  # fmt: skip
PATIENTS = ("patient", "patients")
_WORD = r"(?:\b([Aa])\s+)?\b([Pp])atient(s?)\b"
WIDTH, NARROWEST = 120, 80  # of a page that is kept, and of the narrowest that is written for
_width: ContextVar[int] = ContextVar("width", default=WIDTH)
_words: ContextVar[Callable[[str], str]] = ContextVar("words", default=str)


class Shown:
    """A result that shows its numbers; `_shown` says what, `repr` and a notebook show it."""

    def _shown(self) -> tuple[str, list[Part]]:
        """Return a head, and what stands below it: sentences, lists of sentences, tables."""
        raise NotImplementedError

    def __repr__(self) -> str:
        head, parts = self._worded()
        return "\n".join([f"{type(self).__name__}: {one_line(head)}", *(line for p in parts for line in _lines(p))])

    def _repr_html_(self) -> str:
        head, parts = self._worded()
        return html(head, *parts)

    def _worded(self) -> tuple[str, list[Part]]:
        """Return what is shown, in which the people of the result's specification have their name."""
        head, parts = self._shown()
        model = getattr(self, "model", None)
        if getattr(model, "people", PATIENTS) == PATIENTS or model is None:
            return head, parts
        name = renamer(model.people, [*model.own_texts.values(), getattr(self, "mark", "")])
        texts = (part if hasattr(part, "columns") else name(part) if isinstance(part, str) else [*map(name, part)]
                 for part in parts)  # fmt: skip
        return name(head), list(texts)


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
        text = part.to_string(index=False, float_format=short_number, na_rep="", line_width=None)
        yield printable(text)


@contextmanager
def page(width: int) -> Iterator[None]:
    """Write what follows for a page of so many columns, 80 to 118 of which are used."""
    token = _width.set(min(max(width, NARROWEST), WIDTH))
    try:
        yield
    finally:
        _width.reset(token)


def page_width() -> int:
    """Return the columns of the page that is written for."""
    return _width.get()


def worded(text: str) -> str:
    """Return a text of ours with the name of the people that it is about, within `people_called`."""
    return _words.get()(text)


def signed(text: str) -> str:
    """Return a text with a minus sign in its numbers, at which no line breaks, in place of a hyphen."""
    return re.sub(r"(?<![\w.)\]/])-(?=\.?\d)", "\u2212", text)


@contextmanager
def people_called(names: tuple[str, str], own: Iterable[str] = ()) -> Iterator[None]:
    """Let every text that is made to be shown call people by their name: (one of them, several).

    ``names`` are (one of them, several); ``own`` are texts of a user's own, such as labels and names of files, in which
    no word is replaced.
    """
    token = _words.set(renamer(names, own))
    try:
        yield
    finally:
        _words.reset(token)


def renamer(names: tuple[str, str], own: Iterable[str] = ()) -> Callable[[str], str]:
    """Return a function that puts the names of people in place of patients, but not in texts of a user's own.

    What it returns stays as it is when the function meets it again.
    """
    if names == PATIENTS:
        return str
    texts = sorted({text for text in (*own, *names) if re.search(_WORD, text)}, key=len, reverse=True)
    kept = [r"\s+".join(map(re.escape, text.split())) for text in texts]
    pattern = re.compile("|".join([*kept, _WORD]))

    def name_of(found: re.Match[str]) -> str:
        article, first, several = found.groups()
        if first is None:  # a text of the user's own
            return found.group()
        name = names[1 if several else 0]
        name = name[:1].upper() + name[1:] if first == "P" else name
        return name if article is None else f"{article}{'n' if name[:1].lower() in 'aeiou' else ''} {name}"

    return lambda text: pattern.sub(name_of, text)
