"""What shown texts are written for: the width of a page, and what the people in the records are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PATIENTS = ("patient", "patients")
_WORD = r"\b([Pp])atient(s?)\b"
WIDTH, NARROWEST = 118, 80  # of a page that is kept, and of the narrowest that is written for
_width: ContextVar[int] = ContextVar("width", default=WIDTH)
_words: ContextVar[Callable[[str], str]] = ContextVar("words", default=str)


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


@contextmanager
def people_called(names: tuple[str, str], own: Iterable[str] = ()) -> Iterator[None]:
    """Let every text that is made to be shown call people by their name: (one of them, several).

    Parameters
    ----------
    names
        Singular and plural.
    own
        Texts of a user's own, such as labels and names of files, in which no word is replaced.
    """
    token = _words.set(renamer(names, own))
    try:
        yield
    finally:
        _words.reset(token)


def renamer(names: tuple[str, str], own: Iterable[str] = ()) -> Callable[[str], str]:
    """Return a function that puts the names of people in place of patients, but not in texts of a user's own."""
    if names == PATIENTS:
        return str
    texts = sorted({text for text in own if re.search(_WORD, text)}, key=len, reverse=True)
    kept = [r"\s+".join(map(re.escape, text.split())) for text in texts]
    pattern = re.compile("|".join([*kept, _WORD]))

    def name_of(found: re.Match[str]) -> str:
        first, several = found.groups()
        if first is None:  # a text of the user's own
            return found.group()
        name = names[1 if several else 0]
        return name[:1].upper() + name[1:] if first == "P" else name

    return lambda text: pattern.sub(name_of, text)
