"""Strict reading of one TOML table: typed values, every mistake collected with its key path."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bayes_sp.errors import nearest
from bayes_sp.safe_text import control_problem


def read_number(text: str) -> float:
    """Return the number that a text writes.

    Raises ValueError where it is so close to 0 that it would be read as 0.
    """
    value = float(text)
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ValueError(f"{text} is so close to 0 that it would be read as 0")
    return value


class Table:
    """A TOML table being read: each ``take_*`` removes a key, ``finish`` reports the keys nobody asked for.

    ``path`` is its key path, for messages; ``problems`` is the list that all tables of a file share.
    """

    def __init__(self, values: Mapping[str, Any], path: str, problems: list[str]) -> None:
        self._values = dict(values)
        self._known: list[str] = []
        self.path = path
        self.problems = problems

    def key(self, name: str) -> str:
        """Return the full key path of a key of this table."""
        return f"{self.path}.{name}" if self.path else name

    def report(self, name: str, message: str) -> None:
        """Record a mistake at a key of this table."""
        self.problems.append(f"{self.key(name)}: {message}")

    def names(self) -> list[str]:
        """Return the keys that have not been taken."""
        return list(self._values)

    def take(self, name: str, *, required: bool = False) -> Any:  # noqa: ANN401 - TOML values are of any type
        """Remove and return a value of any type; ``None`` where there is none."""
        self._known.append(name)
        if name not in self._values and required:
            self.report(name, "is missing")
        return self._values.pop(name, None)

    def take_text(self, name: str, *, required: bool = False, default: str = "") -> str:
        """Remove and return a text with its white space folded, so that it is one line wherever it is printed."""
        value = self.take(name, required=required)
        if value is None:
            return default
        if not isinstance(value, str) or (required and not value.strip()):
            self.report(name, f"must be a {'non-empty ' if required else ''}text, found {value!r}")
            return default
        return self.line(name, value)

    def line(self, name: str, text: str) -> str:
        """Return a text as one line, and report a control character in it, which would act on a terminal."""
        line = " ".join(text.split())
        if problem := control_problem(line):
            self.report(name, problem)
        return line

    def take_number(self, name: str, default: float | None = None, *, required: bool = False) -> float | None:
        """Remove and return a finite number."""
        value = self.take(name, required=required)
        return default if value is None else self.number(name, value, default)

    def number(self, name: str, value: object, default: float | None = None) -> float | None:
        """Return ``value`` if it is a finite number, else report it."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            self.report(name, f"must be a finite number, found {value!r}")
            return default
        if isinstance(value, int) and int(float(value)) != value:
            self.report(name, f"must be a number that can be kept exactly, found a whole one beyond 2^53: {value}")
            return default
        return float(value)

    def take_positive(self, name: str, default: float | None = None) -> float | None:
        """Remove and return a finite number above 0; the default where there is none."""
        value = self.take_number(name, default)
        if value is not None and value <= 0 and value != default:
            self.report(name, f"must be > 0, found {value:g}")
            return default
        return value

    def take_flag(self, name: str) -> bool:
        """Remove and return true or false; false where there is none."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.report(name, f"must be true or false, found {value!r}")
        return value is True

    def take_numbers(self, name: str, *, least: int) -> tuple[float, ...]:
        """Remove and return a list of at least ``least`` different finite numbers, empty where there is none."""
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.report(name, f"must be a list of numbers, found {value!r}")
            return ()
        numbers = [self.number(name, item) for item in value]
        found = tuple(number for number in numbers if number is not None)
        if len(found) == len(value) and (len(found) < least or len(set(found)) < len(found)):
            self.report(name, f"must be {least} or more different numbers, found {value!r}")
        return found

    def take_texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Remove and return a list of texts, each with its white space folded; the default where there is none."""
        value = self.take(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.report(name, f"must be a list of texts, found {value!r}")
            return ()
        return tuple(self.line(name, item) for item in value)

    def holds_texts(self, name: str) -> bool:
        """Return whether a key holds a list of nothing but texts."""
        value = self._values.get(name)
        return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)

    def take_optional_texts(self, name: str) -> tuple[str, ...] | None:
        """Remove and return a list of texts; ``None`` where there is none, which is not the same as an empty one."""
        return self.take_texts(name) if name in self._values else self.take(name)

    def take_choice(
        self, name: str, choices: Sequence[str], default: str | None = None, *, spelled: Callable[[str], str] = str
    ) -> str:
        """Remove and return one of the known words; without a default it is required.

        ``spelled`` gives the known word for another that means the same.
        """
        value = self.take(name, required=default is None)
        if value is None:
            return default or ""
        value = spelled(value) if isinstance(value, str) else value
        if not isinstance(value, str) or value not in choices:
            hint = nearest(value, choices) if isinstance(value, str) else f"; known: {', '.join(choices)}"
            self.report(name, f"unknown {name} {value!r}{hint}")
            return default or ""
        return value

    def take_table(self, name: str, *, required: bool = False) -> Table:
        """Remove and return a table below this one; where there is none, an empty one whose problems are not kept."""
        value = self.take(name, required=required)
        if isinstance(value, dict):
            return Table(value, self.key(name), self.problems)
        if value is not None:
            self.report(name, f"must be a table, found {value!r}")
        return Table({}, self.key(name), [])  # what is missing in it is no mistake of its own

    def take_tables(self, name: str, *, required: bool = False) -> list[Table]:
        """Remove and return an array of tables."""
        value = self.take(name, required=required)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.report(name, f"must be written as [[{name}]] tables")
            return []
        return [Table(item, f"{self.key(name)}[{i}]", self.problems) for i, item in enumerate(value, start=1)]

    def finish(self) -> None:
        """Report every key that was not taken, with the nearest known one."""
        for name in self._values:
            self.report(name, f"unknown key{nearest(name, self._known)}")
