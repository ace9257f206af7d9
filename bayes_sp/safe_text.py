"""Text from files and users, made safe to show: in a terminal, in a file, in a notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# C0 and C1 control characters, separators of lines and paragraphs, signs that turn the direction of writing for what
# follows, halves of surrogate pairs. Tabs and ends of lines stay where text has lines.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
IN_TEXT = re.compile(f"[{_CONTROLS}]")
IN_LINE = re.compile(f"[{_CONTROLS}\t\n]")


def printable(text: str) -> str:
    r"""Return a text with its control characters written out, such as ``\x1b``; tabs and ends of lines stay."""
    return IN_TEXT.sub(_code, text)


def one_line(text: str) -> str:
    r"""Return a text with its control characters written out, tabs (``\x09``) and ends of lines (``\x0a``) too."""
    return IN_LINE.sub(_code, text)


def control_problem(text: str) -> str:
    """Return what is wrong with a text that names something, '' where it holds no control character."""
    found = IN_LINE.search(text)
    return f"holds the control character {_code(found)}; take it out" if found else ""


def _code(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def html(head: str, *parts: str | Sequence[str] | pd.DataFrame, strong: str = "") -> str:
    """Return what a notebook shows of a result; nothing of it is taken for HTML.

    Parameters
    ----------
    head
        The first paragraph.
    parts
        What follows: a text as a paragraph, a sequence of texts as a list, a table as a table.
    strong
        What stands before the head, in bold type.
    """
    bold = f"<b>{_escaped(strong)}</b> " if strong else ""
    return "".join([f"<p>{bold}{_escaped(head)}</p>", *map(_part, parts)])


def _part(part: str | Sequence[str] | pd.DataFrame) -> str:
    if isinstance(part, str):
        return f"<p>{_escaped(part)}</p>"
    if isinstance(part, Sequence):
        return "<ul>" + "".join(f"<li>{_escaped(item)}</li>" for item in part) + "</ul>"
    table = part.copy()
    for place, (_, column) in enumerate(part.items()):
        if column.map(lambda cell: isinstance(cell, str)).any():
            shown = [printable(cell) if isinstance(cell, str) else cell for cell in column]
            table.isetitem(place, shown)
    table.columns = [printable(str(name)) for name in part.columns]
    return str(table.to_html(index=False, escape=True, float_format=lambda value: f"{value:.3g}", na_rep=""))


def _escaped(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")
