"""A TOML file -> tables: what a text editor does to a file is said in its own words."""

from __future__ import annotations

import os
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bayes_sp.errors import BayesSpError, SpecificationError
from bayes_sp.model.reading.table import read_number

DEEPEST = 20  # tables within tables
AT_MOST = f"at most {DEEPEST} tables or lists may lie in one another"
MOST_WHOLE = 10**1000  # longer whole numbers are not even printed
CURLY = re.compile("[\u2018\u2019\u201a\u201c\u201d\u201e]")
DECIMAL_COMMA = re.compile(r"=\s*[+-]?\d+,\d+\s*(?:#.*)?$", re.ASCII)
PLACE = re.compile(r"at line (\d+), column \d+")


def read_tables(path: str | Path, error: type[BayesSpError] = SpecificationError) -> dict[str, Any]:
    """Read a TOML file, its text in composed letters (NFC).

    Parameters
    ----------
    path
        The file; a leading ``~`` is expanded.
    error
        Raised where the file cannot be read, is not UTF-8 text or not TOML, is nested more than 20 deep, or holds a
        whole number of more than 1,000 digits or a number so close to 0 that it would be read as 0.
    """
    path = Path(os.path.expanduser(path))  # Path.expanduser raises for an unknown user
    try:
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))
        tables = tomllib.loads(text, parse_float=read_number)
    except OSError as found:
        raise error(str(path), [f"cannot be read ({found.strerror})"]) from found
    except UnicodeDecodeError as found:
        raise error(str(path), [f"is not UTF-8 text (byte {found.start}); save it as UTF-8"]) from found
    except RecursionError as found:
        raise error(str(path), [f"is nested too deeply; {AT_MOST}"]) from found
    except ValueError as found:  # a TOMLDecodeError, a whole number of thousands of digits, a path with a NUL
        raise error(str(path), [f"is not valid TOML: {found}{_hint(text_of(path), str(found))}"]) from found
    if problems := table_problems(tables):
        raise error(str(path), problems)
    return tables


def text_of(path: Path) -> str:
    """Return the text of a file as far as it can be read, for a hint on what is wrong in it; '' where it cannot."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ""


def _hint(text: str, message: str) -> str:
    """Return what to do about the line that a message names, where it is a usual mistake; else ''."""
    place, lines = PLACE.search(message), text.splitlines()
    number = int(place[1]) if place else 0
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if CURLY.search(line):
        return '; the line has curly quotation marks, where TOML needs straight ones (")'
    if DECIMAL_COMMA.search(line):
        return "; numbers have a decimal point, not a comma"
    return ""


def table_problems(tables: Mapping[str, Any]) -> list[str]:
    """Return what no specification can hold: tables nested too deeply, whole numbers of more than 1,000 digits."""
    for path, value, depth in _values(tables):
        if depth > DEEPEST:
            return [f"{path[:60]}...: is nested too deeply; {AT_MOST}"]
        if isinstance(value, int) and not -MOST_WHOLE <= value < MOST_WHOLE:
            return [f"{path}: is a whole number of more than 1,000 digits, beyond every number that is taken"]
    return []


def _values(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Yield the key path, value and depth of everything in a table, without recursion."""
    left: list[tuple[str, Any, int]] = [("", tables, 0)]
    while left:
        path, value, depth = left.pop()
        yield path, value, depth
        if depth > DEEPEST:
            return
        if isinstance(value, Mapping):
            left += [(f"{path}.{key}" if path else str(key), item, depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            left += [(f"{path}[{i}]", item, depth + 1) for i, item in enumerate(value, start=1)]
