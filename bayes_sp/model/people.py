"""The people of a specification: their name as it is read and written, and texts that call them by it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.table import Table
from bayes_sp.shown import PATIENTS, people_called


def read_people(top: Table) -> tuple[str, str]:
    """Return singular and plural from ``people = "employees"`` or ``people = ["child", "children"]``."""
    given = top.take("people")
    if given is None:
        return PATIENTS
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        top.report("people", f'must be a text, as in "employees", or two, as in ["child", "children"], found {given!r}')
        return PATIENTS
    names = [top.line("people", name) for name in names]
    if len(names) == 1 and (names[0][-1:] != "s" or len(names[0]) == 1):
        top.report("people", f'must be a plural in -s, or both forms, as in ["child", "children"], found "{names[0]}"')
    elif len(names) == 1:
        names.insert(0, names[0].removesuffix("s"))
    elif len(names) != 2:
        top.report("people", f"must be one of them and several of them, found {len(names)} texts")
    return (names[0], names[-1])


def written_people(people: tuple[str, str]) -> str | list[str]:
    """Return what a specification says of its people; '' for patients."""
    one, several = people
    if people == PATIENTS:
        return ""
    return several if several == f"{one}s" else [one, several]


def speaking_of(model: PathModel, others: Iterable[str] = ()) -> AbstractContextManager[None]:
    """Let texts call the people of a specification by their name, but in its own texts and in ``others``."""
    columns = [*model.columns, *map(model.column_of, model.columns)]
    return people_called(model.people, [*model.own_texts.values(), *columns, *others])
