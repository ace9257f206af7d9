"""TOML files with a checksum of themselves, and of files beside them: they are believed only as they were written."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from bayes_sp.model.reading.write import digest

CHECKSUM, DIGESTS = "checksum", "digests"


def sealed_text(tables: Mapping[str, Any], files: Iterable[Path] = ()) -> str:
    """Return tables as TOML, with the SHA-256 of each file by its name, and a checksum of all of it.

    The tables have no keys ``checksum`` and ``digests``; the files are written already.
    """
    whole = {**tables, DIGESTS: {path.name: _file_digest(path) for path in files}}
    as_read = tomllib.loads(tomli_w.dumps(whole))  # such as tuples, which come back as lists
    return tomli_w.dumps({CHECKSUM: digest(as_read), **whole})


def sealed_tables(path: Path) -> dict[str, Any]:
    """Return a file's tables; none of one that cannot be read, or is not as it was written."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return tables if is_sealed(tables) else {}
    except (OSError, ValueError, RecursionError):
        return {}


def is_sealed(tables: Mapping[str, Any]) -> bool:
    """Whether tables have their own checksum."""
    try:
        return bool(tables.get(CHECKSUM) == digest({key: value for key, value in tables.items() if key != CHECKSUM}))
    except TypeError:  # dates, which no such file holds
        return False


def changed_files(folder: Path, tables: Mapping[str, Any]) -> list[str]:
    """Return the names of files that are missing or not as they were when the tables were written."""
    return [name for name, kept in tables.get(DIGESTS, {}).items() if _file_digest(folder / name) != kept]


def _file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; '' of one that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
