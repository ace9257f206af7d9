"""A TOML file -> tables: what a text editor does to a file is said in its own words."""

from __future__ import annotations

import os
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bayes_sp.errors import BayesSpError, SpecificationError
from bayes_sp.model.reading.table import read_number
from bayes_sp.model.reading.toml_mistakes import mistakes

DEEPEST = 20  # tables within tables
AT_MOST = f"at most {DEEPEST} tables or lists may lie in one another"
MOST_WHOLE = 10**1000  # longer whole numbers are not even printed


def read_tables(path: str | Path, error: type[BayesSpError] = SpecificationError) -> dict[str, Any]:
    """Read a TOML file, its text in composed letters (NFC).

    ``error`` is raised where the file cannot be read, is not UTF-8 text or not TOML, is nested more than 20 deep, or
    holds a whole number of more than 1,000 digits or a number so close to 0 that it would be read as 0.
    """
    path, text = Path(os.path.expanduser(path)), ""  # Path.expanduser raises for an unknown user
    try:
        raw = path.read_bytes()
        text = unicodedata.normalize("NFC", raw.decode("utf-8-sig"))
        tables = _loads(text)
    except OSError as found:
        raise error(str(path), [f"cannot be read ({found.strerror})"]) from found
    except UnicodeDecodeError as found:
        raise error(str(path), [_not_utf8(raw, found.start)]) from found
    except RecursionError as found:
        raise error(str(path), [f"is nested too deeply; {AT_MOST}"]) from found
    except tomllib.TOMLDecodeError as found:
        if path.suffix.lower() != ".toml":  # perhaps patients' records, whose lines are nobody's to see
            raise error(str(path), ["is not a TOML file; name one that ends in .toml"]) from found
        raise error(str(path), mistakes(text, _loads)) from found
    except ValueError as found:  # a whole number of thousands of digits, one too near to 0, a path with a NUL
        problems = mistakes(text, _loads) if text else [f"cannot be read ({found})"]
        raise error(str(path), problems) from found
    if problems := table_problems(tables):
        raise error(str(path), problems)
    return tables


def _loads(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=read_number)


def _not_utf8(raw: bytes, place: int) -> str:
    """Return what is wrong with a file's bytes, with the line of the first that is no UTF-8."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is not UTF-8 text but UTF-16; save it as UTF-8"
    line = raw[:place].count(b"\n") + 1
    before = raw[raw.rfind(b"\n", 0, place) + 1 : place].decode("utf-8-sig", "replace")
    return f"is not UTF-8 text (byte {place}, line {line}, after {before[-30:]!r}); save it as UTF-8"


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
