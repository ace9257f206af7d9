"""Text from files and users, made safe to show: in a terminal, in a notebook, in a table for a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# C0 and C1 control characters, separators of lines and paragraphs, signs that turn the direction of writing for what
# follows, halves of surrogate pairs. Tabs and ends of lines stay where text has lines.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
IN_TEXT = re.compile(f"[{_CONTROLS}]")
IN_LINE = re.compile(f"[{_CONTROLS}\t\n]")
FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]", re.DOTALL)  # and what was made harmless before
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf", re.ASCII)


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


@dataclass(frozen=True)
class Cells:
    """A table of texts: heads, rows, and which of its columns are words, which stand on the left."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[bool]

    def lines(self) -> list[str]:
        """Return the table in lines of a console."""
        table = [[one_line(cell) for cell in row] for row in (self.heads, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return [
            "  ".join(
                f"{cell:<{width}}" if words else f"{cell:>{width}}"
                for cell, width, words in zip(row, widths, self.words, strict=True)
            ).rstrip()
            for row in table
        ]

    def html(self) -> str:
        """Return the table for a notebook."""
        sides = [f' style="text-align: {"left" if words else "right"}"' for words in self.words]
        head, *body = (
            "".join(f"<{tag}{side}>{_escaped(cell)}</{tag}>" for cell, side in zip(row, sides, strict=True))
            for tag, row in [("th", self.heads), *(("td", row) for row in self.rows)]
        )
        rows = "".join(f"<tr>{row}</tr>" for row in body)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def html(head: str, *parts: str | Sequence[str] | Cells, strong: str = "") -> str:
    """Return what a notebook shows of a result; nothing of it is taken for HTML.

    What follows the head: a text as a paragraph, a sequence of texts as a list, cells as a table. ``strong`` stands
    before the head, in bold type.
    """
    bold = f"<b>{_escaped(strong)}</b> " if strong else ""
    return "".join([f"<p>{bold}{_escaped(head)}</p>", *map(_part, parts)])


def _part(part: str | Sequence[str] | Cells) -> str:
    if isinstance(part, Cells):
        return part.html()
    if isinstance(part, str):
        return f"<p>{_escaped(part)}</p>"
    return f"<ul>{''.join(f'<li>{_escaped(item)}</li>' for item in part)}</ul>" if part else ""


def _escaped(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")


def harmless(cell: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would compute it; numbers stay.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-1.5"), harmless("Elm Street")
    ("'=1+1", '-1.5', 'Elm Street')
    """
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell


def as_meant(cell: str) -> str:
    """Return a text without the apostrophe that `harmless` puts before it."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell


def csv_text(table: pd.DataFrame, *, index: bool = False) -> str:
    """Return a table as CSV text; texts in names and cells that a spreadsheet would compute get an apostrophe."""
    table = table.reset_index() if index else table
    changed = _texts(table, harmless)
    table = table.assign(**changed) if all(isinstance(name, str) for name in changed) else table
    names = [harmless(name) if isinstance(name, str) else name for name in table.columns]
    table = table.set_axis(names, axis=1)
    texts = [*names, *(cell for cells in changed.values() for cell in cells)]
    # Before Python 3.13 a carriage return alone is not quoted, and would end the row.
    broken = any(isinstance(text, str) and "\r" in text for text in texts)
    quoting = csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL
    return str(table.to_csv(index=False, lineterminator="\n", quoting=quoting))


def _texts(table: pd.DataFrame, change: Callable[[str], str]) -> dict[str, list[object]]:
    """Return the columns that can hold texts, in which these are changed."""
    return {
        name: [change(cell) if isinstance(cell, str) else cell for cell in column]
        for name, column in table.items()
        if column.dtype.kind not in "biufc"
    }


def write_csv(table: pd.DataFrame, path: Path, *, index: bool = False) -> None:
    """Write a table as UTF-8 CSV text; see `csv_text`."""
    path.write_bytes(csv_text(table, index=index).encode("utf-8", "surrogatepass"))


def restored(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it was before `csv_text`: its texts without their apostrophes."""
    names = [as_meant(name) if isinstance(name, str) else name for name in table.columns]
    return table.assign(**_texts(table, as_meant)).set_axis(names, axis=1)
