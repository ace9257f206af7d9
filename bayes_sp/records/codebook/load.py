"""A codebook's file -> Codebook: strict, with all mistakes of the file at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bayes_sp.errors import CodebookError
from bayes_sp.model.parts import Code
from bayes_sp.model.reading.table import Table, read_number
from bayes_sp.model.reading.toml_text import read_tables, table_problems
from bayes_sp.records.codebook.derived import read_derived
from bayes_sp.records.codebook.parts import KINDS, Codebook, Derived, Described, Waves
from bayes_sp.records.codebook.rules import codebook_problems
from bayes_sp.records.codebook.widen import same
from bayes_sp.records.groups import NUMBER

type Source = Codebook | Mapping[str, Any] | str | Path
NAME = re.compile(r"[^\W\d]\w*")
TABLES = "the codebook"


def read_codebook(source: Source) -> Codebook:
    """Read a codebook's TOML file, or tables made in Python.

    Raises CodebookError with every mistake of the file: unknown keys, kinds and rules, limits that contradict each
    other, names that stand twice, derived variables of items that there are not.

    Examples
    --------
    >>> book = read_codebook({"variables": {"walks": {"column": "Q1", "kind": "count"}}})
    >>> book.described("walks").column
    'Q1'
    """
    if isinstance(source, Codebook):
        return source
    path = TABLES if isinstance(source, Mapping) else str(source)
    tables = source if isinstance(source, Mapping) else read_tables(source, CodebookError)
    if problems := table_problems(tables):
        raise CodebookError(path, problems)
    top = Table(tables, "", problems)
    waves = _waves(top)
    book = Codebook(
        path,
        tuple(_variables(top.take_table("variables", required=True), long=waves is not None)),
        tuple(_derived(top.take_table("derived"))),
        title=top.take_text("title"),
        id=_column(top, "id"),
        waves=waves,
        missing=read_codes(top),
    )
    top.finish()
    problems += codebook_problems(book)
    if problems:
        raise CodebookError(path, list(dict.fromkeys(problems)))
    return book


def _waves(top: Table) -> Waves | None:
    """Read ``[long]``: the column that names the wave of a row, and the waves' names."""
    if "long" not in top.names():
        return None
    table = top.take_table("long")
    column = _column(table, "wave", required=True)
    names = table.take_table("waves", required=True)
    found: dict[str, str] = {}
    for cell in names.names():
        name = names.take_text(cell, required=True)
        if name and not NAME.fullmatch(f"v{name}"):
            names.report(cell, f"must be letters, digits and underscores, because it ends variables' names: {name!r}")
        if any(same(cell.strip(), other) for other in found):
            names.report(cell, "is the same as another value")
        if name in found.values():
            names.report(cell, f"names the wave {name!r} a second time")
        found[cell.strip()] = name
    if not found and isinstance(names, Table):
        table.report("waves", 'must name each wave, such as waves = { 0 = "t0", 1 = "t1" }')
    table.finish()
    return Waves(column, found)


def _variables(tables: Table, *, long: bool) -> Iterator[Described]:
    """Read ``[variables]``."""
    if not tables.names():
        tables.problems.append("variables: must hold a table for each variable, such as x = { kind = 'count' }")
    for name, table in _named(tables):
        yield Described(
            name,
            _column(table, "column") or name,
            table.take_choice("kind", KINDS, "") if "kind" in table.names() else "",
            table.take_text("label"),
            table.take_text("unit"),
            table.take_text("wave"),
            table.take_number("min"),
            table.take_number("max"),
            _levels(table),
            _labels(table),
            read_codes(table),
            constant=table.take_flag("constant") if long else False,
        )
        table.finish()


def _derived(tables: Table) -> Iterator[Derived]:
    """Read ``[derived]``."""
    for name, table in _named(tables):
        if found := read_derived(name, table):
            yield found
        table.finish()


def _named(tables: Table) -> Iterator[tuple[str, Table]]:
    """Yield the tables of variables; what is no table, and names that no variable can have, are reported."""
    for name in tables.names():
        if not NAME.fullmatch(name):
            rule = "must be letters, digits and underscores, and begin with a letter"
            tables.report(name, f"{rule}; column = gives the file's own name for it")
        value = tables.take(name)
        if isinstance(value, dict):
            yield name, Table(value, tables.key(name), tables.problems)
        else:
            tables.report(name, f"must be a table, such as {{ kind = 'count' }}, found {value!r}")


def _column(table: Table, key: str, *, required: bool = False) -> str:
    """Read the name of a column, with the white space within it, as spreadsheets have it."""
    value = table.take(key, required=required)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        table.report(key, f"must be the name of a column, found {value!r}")
        return ""
    return (value or "").strip()


def _levels(table: Table) -> tuple[Code, ...]:
    """Read ``levels``: different numbers, or different texts."""
    value = table.take("levels")
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        table.report("levels", f"must be a list of numbers or of texts, found {value!r}")
        return ()
    texts = all(isinstance(item, str) for item in value)
    read = [table.line("levels", item) if texts else table.number("levels", item) for item in value]
    found = tuple(item for item in read if item is not None)
    if len(set(found)) < len(found):
        table.report("levels", f"holds a level twice: {value!r}")
    return found


def _labels(table: Table) -> dict[float, str]:
    """Read ``labels``: a word for each of some numbers."""
    labels = table.take_table("labels")
    found: dict[float, str] = {}
    for key in labels.names():
        label = labels.take_text(key, required=True)
        value = _number(labels, key)
        if value is None:
            labels.report(key, 'must be a number on the left and its word on the right, such as 1 = "never"')
        elif value in found:
            labels.report(key, "is labelled twice")
        else:
            found[value] = label
    return found


def read_codes(table: Table) -> dict[Code, str]:
    """Read ``missing_codes``: codes with their meaning as a table, or without as a list."""
    value = table.take("missing_codes")
    if value is None:
        return {}
    if not isinstance(value, list | dict):
        reason = 'must be a table such as { -99 = "not answered" }, or a list of numbers and texts'
        table.report("missing_codes", f"{reason}, found {value!r}")
        return {}
    items = list(value.items()) if isinstance(value, dict) else [(item, "") for item in value]
    inner = Table({}, table.key("missing_codes"), table.problems)
    found: dict[Code, str] = {}
    for item, meaning in items:
        code = _code(inner, item)
        if not isinstance(meaning, str):
            hint = '; a code with a point needs quotation marks, as in "-9.5"' if isinstance(meaning, dict) else ""
            inner.report(str(item), f"must be the meaning of the code as a text, found {meaning!r}{hint}")
        elif code is not None and code in found:
            table.report("missing_codes", f"holds the code {item!r} twice")
        elif code is not None:
            found[code] = inner.line(str(item), meaning)
    return found


def _code(table: Table, item: object) -> Code | None:
    """Return a code as a number where it is one, else as a text."""
    if not isinstance(item, str):
        return table.number(str(item), item)
    text = table.line(item, item)
    if not text:
        table.report("''", "is empty; an empty cell is missing without being named")
    return (_number(table, text) if NUMBER.fullmatch(text) else text) if text else None


def _number(table: Table, text: str) -> float | None:
    """Return the number that a key writes, None where it writes none."""
    if not NUMBER.fullmatch(text.strip()):
        return None
    try:
        return table.number(text, read_number(text))
    except ValueError as error:
        table.report(text, str(error))
        return None
