"""A text file of separated columns -> Table: its encoding, separator and heading are recognised, and said."""

from __future__ import annotations

import csv
import gc
import io
import re
import unicodedata
from itertools import islice
from operator import itemgetter
from pathlib import Path

import numpy as np

from bayes_sp.errors import SurveyError
from bayes_sp.records.reading.heading import Heading, heading_of
from bayes_sp.records.reading.table import Table
from bayes_sp.records.told import RowName
from bayes_sp.safe_text import as_meant

ROWS_AT_ONCE = 10_000  # between which an interrupt is heard
SHARE_NEW = 0.1  # of cells, from which too few texts come again to look for them
ROWS_JUDGED = 200  # by which a separator is chosen
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SEPARATOR_LINE = re.compile(r"\"?sep=(.?)\"?[,;\t|]*", re.IGNORECASE)
WESTERN = "cp1252"
SAMPLE, MOSTLY = 100, 0.8  # characters by which a text without a mark is known, and their share that is Latin
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))  # of no width, and of no meaning in any script


def read_text(path: Path) -> Table:
    """Read a file of separated columns; trailing blank rows are left out.

    Columns are separated by commas, semicolons, tabs or vertical bars: by that of which the rows agree most. A first
    line ``sep=;``, which spreadsheets write and do not show, is no row.

    Raises SurveyError where the file cannot be read, is no text, or no well-formed table.
    """
    content, remarks = _decoded(path)
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    if any(chr(mark) in content for mark in INVISIBLE):
        content = content.translate(INVISIBLE)
    if not content.strip():
        raise SurveyError(str(path), ["is empty"])
    first, _, rest = content.partition("\n")
    mark = SEPARATOR_LINE.fullmatch(first.strip())
    if mark:
        content = rest
    separator = mark[1] if mark and mark[1] in SEPARATORS else _separator(content)
    if separator != ",":
        remarks.append(f"its columns are separated by {SEPARATORS[separator]}")
    rows = _rows(content, separator, path)
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise SurveyError(str(path), ["is empty"])
    heading = heading_of(rows)
    header = [as_meant(unicodedata.normalize("NFC", name.strip())) for name in rows[heading.title]]
    below = rows[heading.first :]
    return Table(
        str(path), path.name, "file", header, len(below),
        lambda k: column_of(below, k, marked="'" in content),
        np.array([not ((row and row[0].strip()) or "".join(row).strip()) for row in below], dtype=bool),
        _row_name(heading), tuple(map(len, below)), read_as=(*remarks, *heading.remarks),
    )  # fmt: skip


def column_of(rows: list[list[str]], k: int, *, marked: bool) -> list[str]:
    """Return the k-th cell of each row, '' where a row has fewer; some hold an apostrophe where ``marked``."""
    try:
        cells = list(map(itemgetter(k), rows))
    except IndexError:
        cells = [row[k] if k < len(row) else "" for row in rows]
    return [as_meant(cell) if cell[:1] == "'" else cell for cell in cells] if marked else cells


def _row_name(heading: Heading) -> RowName:
    """Return how rows are called: as a spreadsheet counts them, the first line being row 1."""
    return lambda row: f"row {row + heading.first + 1}"


def _decoded(path: Path) -> tuple[str, list[str]]:
    """Return a file's text, and how it was encoded where that is not UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SurveyError(str(path), [f"cannot be read ({error.strerror})"]) from error
    except ValueError as error:
        raise SurveyError(repr(str(path)), [f"is no path of a file ({error})"]) from error
    if wide := _wide(content):
        encoding, remark = wide, [f"it is encoded in {wide[:6].upper()}"]
    elif b"\0" in content[:ROWS_AT_ONCE]:
        raise SurveyError(str(path), ["is no text file; its name should end as its format does (.xlsx, .sav, ...)"])
    else:
        encoding, remark = "utf-8-sig", []
    try:
        return content.decode(encoding), remark
    except UnicodeDecodeError as error:
        place = error.start
    if wide:
        raise SurveyError(str(path), [f"is broken: its text in {wide[:6].upper()} ends or fails at byte {place}"])
    try:
        text = content.decode(WESTERN)
    except UnicodeDecodeError:
        raise SurveyError(str(path), [f"is not UTF-8 text (byte {place}); save it as UTF-8"]) from None
    return text, ["it is no UTF-8 text and was read as Windows-1252 (Western European); look at its accents"]


def _wide(content: bytes) -> str:
    """Return the encoding of a text of two or four bytes a character, by its mark or where its zero bytes are."""
    if content[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    start = content[: 2 * SAMPLE]
    if start[1::2].count(0) > MOSTLY * len(start) / 2 and not any(start[::2].count(n) for n in range(9)):
        return "utf-16-le"
    if start[::2].count(0) > MOSTLY * len(start) / 2 and not any(start[1::2].count(n) for n in range(9)):
        return "utf-16-be"
    return ""


def _separator(content: str) -> str:
    """Return the separator under which most rows have as many fields as the most common, and more than one."""
    lines = [f"{line}\n" for line in content.split("\n", ROWS_JUDGED)[:ROWS_JUDGED]]
    best, highest = ",", (0.0, 0)
    for separator in SEPARATORS:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=separator, strict=False) if row]
        except csv.Error:
            continue
        usual = max(set(counts), key=lambda c: (counts.count(c), c), default=1)
        score = (counts.count(usual) / len(counts), usual) if usual > 1 else (0.0, 1)
        if score > highest:
            best, highest = separator, score
    return best


def _rows(content: str, separator: str, path: Path) -> list[list[str]]:
    """Return the rows of cells."""
    reader = csv.reader(io.StringIO(content), delimiter=separator, strict=True)
    rows, collects = list[list[str]](), gc.isenabled()
    once, repeats = dict[str, str](), True  # a text stands in memory once, however many cells hold it
    gc.disable()  # a search for garbage looks at every row that there is, again and again
    try:
        while block := list(islice(reader, ROWS_AT_ONCE)):
            rows += [list(map(once.setdefault, row, row)) for row in block] if repeats else block
            repeats = repeats and len(once) < SHARE_NEW * len(rows) * len(rows[0])
    except csv.Error as error:
        raise SurveyError(str(path), [f"is not a well-formed CSV table: line {reader.line_num}: {error}"]) from error
    finally:
        if collects:
            gc.enable()
    return rows
