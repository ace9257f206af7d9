"""How results show themselves: a sentence, the numbers looked for first and their decimals, a width, people's name."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from bayes_sp.names import distinct, typed_name
from bayes_sp.safe_text import Cells, html, one_line

if TYPE_CHECKING:
    import pandas as pd

type Part = str | Sequence[str] | pd.DataFrame

MOST_ROWS, MOST_COLUMNS = 12, 8
LINE = 100  # letters of a line of text in a console
WRITTEN_OUT = 1e-6  # smaller numbers, and those from 10^9 on, are powers of ten
# What a reader looks for first: what a row is about, then its numbers.
FIRST = (
    "specification", "effect", "case", "population", "kappa", "path", "scale", "size", "decomposition", "equation",
    "term", "variable", "element", "name", "response", "statistic", "quantity", "exposure", "likelihood", "inference",
    "row", "estimate", "mean", "median", "lower", "upper", "prob_negative", "observed", "replicated", "probability",
    "elpd", "se", "e_value", "e_value_limit", "prob_below", "prob_inside", "prob_above", "prob_share",
)  # fmt: skip
# Numbers that have the decimals of their row's interval.
MEASURES = (
    "estimate", "mean", "median", "sd", "lower", "upper", "observed", "replicated", "ml_estimate", "ml_se", "lowest",
    "highest", "lowest_median", "highest_median",
)  # fmt: skip
PATIENTS = ("patient", "patients")
_WORD = r"(?:\b([Aa])\s+)?\b([Pp])atient(s?)\b"
WIDTH, NARROWEST = 120, 80  # of a page that is kept, and of the narrowest that is written for
_width: ContextVar[int] = ContextVar("width", default=WIDTH)
_words: ContextVar[Callable[[str], str]] = ContextVar("words", default=str)
_foreign: ContextVar[bool] = ContextVar("foreign", default=False)


class Shown:
    """A result that shows its numbers; `_shown` says what, `repr` and a notebook show it."""

    def _shown(self) -> tuple[str, list[Part]]:
        """Return a head, and what stands below it: sentences, lists of sentences, tables."""
        raise NotImplementedError

    def __repr__(self) -> str:
        head, parts = self._worded()
        return "\n".join([*in_lines(f"{type(self).__name__}: {head}"), *(line for p in parts for line in _lines(p))])

    def _repr_html_(self) -> str:
        head, parts = self._worded()
        return html(head, *(part if isinstance(part, str | Sequence) else in_cells(part) for part in parts))

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
    """Return the first rows of a table, and of its columns those that a reader looks for first, at most eight.

    Effects have the names that people write; the total indirect one is left out where one path is all of it. The mean
    of draws, which need not exist, is left out beside their median.
    """
    chosen = [name for name in columns if name in table.columns and not (name == "mean" and "median" in table.columns)]
    chosen = chosen[:MOST_COLUMNS] or list(table)[:MOST_COLUMNS]
    found = table[chosen]
    if "path" in found:
        found = found[found["path"].isin(distinct(list(table["path"])))]
        found = found.assign(path=[typed_name(str(name)) for name in found["path"]])
    return found.head(rows)


def in_cells(table: pd.DataFrame) -> Cells:
    """Return a table as texts: words on the left, numbers on the right.

    Estimates have the decimals of their row's interval, other numbers those that their column deserves.
    """
    most = {str(name): _most(column) for name, column in table.items()}
    rows = [[_cell(str(name), value, row, most) for name, value in row.items()] for row in table.to_dict("records")]
    words = [any(isinstance(value, str) for value in column) for _, column in table.items()]
    return Cells([str(name) for name in table.columns], rows, words)


def _cell(name: str, value: object, row: Mapping[Any, Any], most: Mapping[str, int]) -> str:
    """Return a cell as it is shown; ``most`` are the decimals of each column."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if name.startswith("prob") or name == "p_value":
        return probability(value)
    if name in MEASURES and {"lower", "upper"} <= row.keys() and not math.isinf(value):
        decimals = decimals_for(float(row["upper"]) - float(row["lower"]))
        return number(value, decimals) if decimals >= 3 else short_number(value)
    return number(value, max(0, min(decimals_for(abs(value)), most[name])))


def _most(column: pd.Series) -> int:
    """Return the decimals that a column needs at most: none for whole numbers, three or as many as its largest."""
    known = [abs(value) for value in column if isinstance(value, float) and math.isfinite(value)]
    return max(3, decimals_for(max(known))) if any(value != round(value) for value in known) else 0


def in_lines(text: str) -> list[str]:
    """Return a text in lines of a console, of which none is longer than it must be."""
    return textwrap.wrap(one_line(text), LINE, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _lines(part: Part) -> Iterator[str]:
    """Yield a part's lines of text."""
    if isinstance(part, str):
        yield from in_lines(part)
    elif isinstance(part, Sequence):
        yield from (line for item in part for line in in_lines(f"- {item}"))
    elif len(part):
        yield from in_cells(part).lines()


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
    own = list(own)
    token = _words.set(renamer(names, own))
    foreign = _foreign.set(any(sign.isalpha() and not sign.isascii() for text in own for sign in text))
    try:
        yield
    finally:
        _words.reset(token)
        _foreign.reset(foreign)


def in_sentence(label: str) -> str:
    """Return a label as it stands within a sentence.

    Its first letter is small, unless it begins with an abbreviation, or labels are in a language with letters of its
    own, which may write nouns with capitals.
    """
    return label if label[1:2].isupper() or _foreign.get() else label[:1].lower() + label[1:]


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


def decimals_for(narrowest: float) -> int:
    """Return 3 decimals, more for a narrow interval, two digits of which they show, and fewer for one wider than 10.

    Examples
    --------
    >>> [decimals_for(width) for width in (0.0012, 0.5, 40.0, 5000.0, math.nan)]
    [4, 3, 2, 0, 3]
    """
    if not 0 < narrowest < math.inf:
        return 3
    size = math.floor(math.log10(narrowest))
    return min(12, max(3, 1 - size)) if size < 1 else max(0, 3 - size)


def number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals, or in short where it is huge; infinity and none in words."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return f"{value:z.{decimals}f}" if abs(value) < 1e6 else f"{value:.3g}"


def probability(value: float) -> str:
    """Return a posterior probability with three decimals, and no 0 or 1, which draws cannot show."""
    return "<.001" if value < 0.0005 else ">.999" if value > 0.9995 else f"{value:.3f}"


def in_row(row: Mapping[str, Any], decimals: int) -> int:
    """Return a table's decimals for one row: of a wide interval one more than it deserves at most.

    Examples
    --------
    >>> [in_row({"lower": 0.0, "upper": width}, 5) for width in (0.002, 0.5, 180.0)]
    [5, 4, 2]
    """
    return min(decimals, decimals_for(float(row["upper"]) - float(row["lower"])) + 1)


def short_number(value: float) -> str:
    """Return a number with three digits, with all before its point, and with a fourth where three would make 1 of it.

    Examples
    --------
    >>> short_number(0.0123456), short_number(1.00397), short_number(18190.4), short_number(1e12)
    ('0.0123', '1.004', '18190', '1e+12')
    >>> short_number(7.61e-05), short_number(0.0), short_number(1e-9)
    ('0.000076', '0', '1e-09')
    """
    if 999.5 <= abs(value) < 1e9:
        return f"{value:.0f}"
    if WRITTEN_OUT <= abs(value) < 1e-4:
        return f"{value:.6f}"
    text = f"{value:.3g}"
    return f"{value:.4g}" if text in ("1", "-1") else text
