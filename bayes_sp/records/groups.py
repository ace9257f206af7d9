"""Names of groups and of persons: what is never one, names that look alike, persons with more than one row."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd

from bayes_sp.arrays import Mask

PERSON = r"id|pid|sid|uid|patient|person|participant|subject|respondent|proband|case|client|caseid|personid|patientid"
NUMBERED = r"id|ids|nr|no|num|number|code|key"
IDENTIFIER = re.compile(rf"(?:{PERSON})(?:[_. -]?(?:{NUMBERED}))?|(?:study|record|survey|user)[_. -]?(?:{NUMBERED})")
MOST_ROWS = 20  # of one person, on average; with more, a column names groups
LEAST_PERSONS = 3
SHOWN = 5


def repeated(name: str, cells: Sequence[str], row_name: Callable[[int], str]) -> list[str]:
    """Return what is wrong with the cells of a column that must differ in every row: empty or repeated ones."""
    empty = [i for i, cell in enumerate(cells) if not cell]
    first: dict[str, int] = {}
    again = [i for i, cell in enumerate(cells) if cell and first.setdefault(cell, i) != i]
    problems = []
    for rows, rule in ((empty, "must name the person in every row, because it is the id"),
                       (again, "must differ in every row, because it is the id")):  # fmt: skip
        if rows:
            shown = ", ".join(row_name(i) for i in rows[:SHOWN])
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            extra = "; one row a person is analysed" if rows is again else ""
            found = "repeated" if rows is again else "empty"
            problems.append(f'column "{name}": {rule}; {found} at {shown}{more}{extra}')
    return problems


def long_columns(columns: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Yield a sentence on each column that looks like an identifier of persons and has repeats."""
    for name, cells in columns:
        if not IDENTIFIER.fullmatch(name.strip().casefold()):
            continue
        counts = Counter(cell for cell in cells if cell)
        rows, persons = sum(counts.values()), len(counts)
        if LEAST_PERSONS <= persons < rows <= MOST_ROWS * persons:
            yield (
                f'column "{name}" has {persons} values in {rows} rows: one row a person is assumed, and rows of one '
                f'person are taken as independent. Where it names the person, keep one row of each; id = "{name}" in '
                "the specification refuses repeats."
            )


NO_VALUE = frozenset(
    [
        *("nan", "none", "null", "na", "n/a", "n.a.", "<na>", "nat", "nil", "missing", "k.a.", "n.d.", "n/d"),
        *("(null)", "<null>", "$null$", "\\n", "(blank)", "(missing)", "nan(ind)", "-nan", "1.#qnan", "-1.#ind"),
        *("#n/a", "#na", "#nv", "#null!", "#value!", "#wert!", "#ref!", "#num!", "#div/0!", "#name?"),
        *(".", "..", "...", "-", "--", "---", "?", "*", *(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")),
    ]
)  # how programs write that there is no value, in small letters
NO_NUMBER = frozenset(
    [
        *("unknown", "unk", "don't know", "dont know", "dk", "refused", "no answer", "not applicable", "not available"),
        *("keine angabe", "wei\u00df nicht", "weiss nicht", "empty", "blank", "void", "not answered", "not asked"),
        *("/", "**", "nd", "ka", "n.a", "k. a.", "n. a."),
    ]
)  # how people write the same; each can name a group
NO_ANSWER = (
    *("refuse", "missing", "don't know", "dont know", "no answer", "not answered", "prefer not", "not applicable"),
    *("did not answer", "not asked", "not stated", "no response", "keine angabe", "weiß nicht", "weiss nicht"),
)  # parts of labels with which files name answers that are none
HOW_MISSING = "write a missing value as an empty cell or NA, or name its code in the specification's missing_codes"
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.IGNORECASE)
PLAIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})


def says_nothing(cell: object) -> bool:
    """Return whether a cell is what programs write where there is no value."""
    return isinstance(cell, str) and folded(cell) in NO_VALUE


def may_say_nothing(cell: str) -> bool:
    """Return whether a cell of a column of numbers is a word or sign with which people write that there is no value."""
    return says_nothing(cell) or folded(cell) in NO_NUMBER


def says_no_answer(label: str) -> bool:
    """Return whether the label of a value says that there is none."""
    words = folded(label)
    return may_say_nothing(label) or any(part in words for part in NO_ANSWER)


def no_groups(column: pd.Series) -> Mask:
    """Return which cells of a grouping column cannot be a group's name because they say that there is none, (n,)."""
    return np.array([says_nothing(cell) for cell in column], dtype=bool)


def folded(label: str) -> str:
    """Return a label as a reader sees it: composed letters, plain spaces, dashes and quotation marks, small letters.

    Invisible signs are left out.
    """
    if label.isascii():
        return " ".join(label.casefold().split())
    text = unicodedata.normalize("NFKC", label).translate(PLAIN)
    kinds = [(sign, unicodedata.category(sign)) for sign in text]
    text = "".join("-" if kind == "Pd" or sign == "\u2212" else sign for sign, kind in kinds if kind != "Cf")
    return " ".join(text.casefold().split())


def look_alikes(labels: list[str]) -> list[list[str]]:
    """Return the sets of different labels that look like one: 1, 1.0 and 01; other spaces, cases or accents."""
    alike: dict[object, list[str]] = {}
    for label in dict.fromkeys(labels):
        text = folded(label)
        alike.setdefault(_number(text) if NUMBER.fullmatch(text) else text, []).append(label)
    return [found for found in alike.values() if len(found) > 1]


def _number(text: str) -> tuple[bool, str, int]:
    """Return a number's sign, digits and power of ten, the same however it is written."""
    sign, digits, power = Decimal(text).as_tuple()
    written = "".join(map(str, digits)).lstrip("0")
    short = written.rstrip("0")
    return (bool(sign and short), short, int(power) + len(written) - len(short) if short else 0)
