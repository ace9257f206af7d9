"""A table read by its codebook -> the table of its variables, in which everything is named, checked and computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import SurveyError
from bayes_sp.records.codebook.cells import Found, read_cells, said_code
from bayes_sp.records.codebook.derived import compute, off_answers, turn, turned_items
from bayes_sp.records.codebook.parts import Codebook, Derived, Described
from bayes_sp.records.codebook.rules import widened
from bayes_sp.records.codebook.widen import read_persons
from bayes_sp.records.codes import code_words
from bayes_sp.records.groups import repeated
from bayes_sp.records.reading.cells import Cells, with_points
from bayes_sp.records.reading.heading import check_rows
from bayes_sp.records.reading.table import Table
from bayes_sp.records.scoring.reliability import against_others
from bayes_sp.records.told import RowName, describe_cells, near_column


def apply_codebook(book: Codebook, table: Table) -> Table:
    """Read a table by its codebook: its columns are the codebook's variables, one row a person.

    Columns that the codebook does not name are left out.

    Raises SurveyError with every column that is missing, cell that its variable cannot hold, person without a name or
    with two rows, and answer that a derived variable cannot take.
    """
    named = [variable.column for variable in book.variables]
    asked = [*named, *([book.id] if book.id else []), *([book.waves.column] if book.waves else [])]
    problems = _columns(book, table, asked)
    if not table.length:
        problems.append("there is no row of values below the columns' names")
    if problems:
        raise SurveyError(table.path, problems)
    rows, skip = check_rows(table, 1 + max(map(table.header.index, asked)))
    problems += rows
    cells = {name: Cells(table.cells(name)) for name in dict.fromkeys(asked)}
    read_as = list(with_points({v.column: cells[v.column] for v in book.variables if v.kind != "category"}))
    found = {
        v.name: read_cells(v, Cells(cells[v.column].text()) if v.column in asked[len(named) :] else cells[v.column],
                           {**book.missing, **v.missing}, table.row_name, skip)
        for v in book.variables
    }  # fmt: skip
    for variable in book.variables:
        problems += found[variable.name].problems
    ids = cells[book.id] if book.id else None
    columns, row_name, of_persons = _one_row_each(book, found, cells, ids, table.row_name, skip)
    problems += of_persons
    wide, lost = widened(book), {name for name, each in found.items() if each.problems}
    waves = tuple(book.waves.names.values()) if book.waves else ()
    lost |= {f"{name}_{wave}" for name in lost for wave in waves}
    values, of_derived, remarks = _derived(wide, columns, lost, row_name)
    problems += of_derived
    if problems:
        raise SurveyError(table.path, problems)
    columns |= values
    done = _table(wide, table, found, columns, row_name, tuple(read_as))
    return replace(done, remarks=(*done.remarks, *remarks))


def _columns(book: Codebook, table: Table, asked: Sequence[str]) -> list[str]:
    """Return which columns of the codebook the table lacks or has twice."""
    counts = Counter(table.header)
    free = [name for name in table.header if name and name not in asked]
    keys = {v.column: f"variables.{v.name}" for v in book.variables} | ({book.id: "id"} if book.id else {})
    keys |= {book.waves.column: "long.wave"} if book.waves else {}
    missing = [name for name in dict.fromkeys(asked) if name not in counts]
    twice = [name for name in dict.fromkeys(asked) if counts[name] > 1]
    where = f"in {book.source}"
    return [f'column "{name}" is missing ({keys[name]} {where}){near_column(name, free)}' for name in missing] + [
        f'column "{name}" stands {counts[name]} times ({keys[name]} {where})' for name in twice
    ]


def _one_row_each(
    book: Codebook, found: Mapping[str, Found], cells: Mapping[str, Cells], ids: Cells | None, row_name: RowName,
    skip: Mask,
) -> tuple[dict[str, list[str]], RowName, list[str]]:  # fmt: skip
    """Return the columns of a table with one row a person, how its rows are called, and what is wrong with persons."""
    if book.waves is None:
        columns = {name: each.column() for name, each in found.items()}
        names = ids.text() if ids else []
        problems = repeated(book.id, names, row_name) if ids else []
        return columns | ({book.id: names} if ids else {}), row_name, problems
    assert ids is not None  # noqa: S101 - a rule of codebooks
    persons, problems = read_persons(book, book.waves, ids, cells[book.waves.column], row_name, skip)
    names = ids.text()
    columns = {book.id: [names[row] for row in persons.first.tolist()]}
    for variable in book.variables:
        column = found[variable.name].column()
        if variable.constant:
            columns[variable.name], several = persons.constant(variable.name, column, row_name)
            problems += several
            continue
        for k, wave in enumerate(book.waves.names.values()):
            columns[f"{variable.name}_{wave}"] = persons.spread(column, k)
    return columns, lambda row: f"{row_name(int(persons.first[row]))}, the person's first", problems


def _derived(
    book: Codebook, columns: Mapping[str, list[str]], lost: set[str], row_name: RowName
) -> tuple[dict[str, list[str]], list[str], list[str]]:
    """Return the computed columns as text, what is wrong with items, and what a reader must know of them."""
    values: dict[str, Array] = {}
    text, problems, remarks = dict[str, list[str]](), list[str](), list[str]()
    for derived in book.derived:
        if lost.intersection(derived.items):
            lost.add(derived.name)
            continue
        for item in derived.items:
            if item not in values:
                cells = Cells(columns[item])
                values[item] = cells.numbers(~cells.is_number)
        wrong = _wrong_answers(derived, values, row_name)
        problems += wrong
        ends = {item: turn(derived, book.described(item)) for item in derived.reversed}
        known = {item: pair for item, pair in ends.items() if pair}
        values[derived.name] = compute(derived, values, known)
        if derived.empty_is_unticked:
            remarks += _all_empty(derived, turned_items(derived, values, known))
        if derived.rule in ("mean", "sum"):
            remarks += _against(derived, turned_items(derived, values, known))
        text[derived.name] = _as_text(values[derived.name])
        if wrong:
            lost.add(derived.name)
    return text, problems, remarks


def _against(derived: Derived, items: Array) -> list[str]:
    """Return a sentence on items that go against the others, as those do that are turned round twice or not at all."""
    places = against_others(items)
    which = ", ".join(derived.items[k] for k in places)
    what = f"{which} {'goes' if len(places) == 1 else 'go'} against the other items as they enter"
    why = "turned round in the file already, or to be turned round here?"
    return [f"{derived.name}: {what}: {why} (derived.{derived.name}.reversed)"] if places else []


def _all_empty(derived: Derived, items: Array) -> list[str]:
    """Return a sentence on rows without any answer, which count as nothing ticked."""
    rows = int(np.isnan(items).all(axis=1).sum())
    what = "none of its items has a cell that is filled, and the count is 0"
    who = "who ticked nothing cannot be told from who did not answer"
    return [f'{derived.name}: in {rows} of {len(items)} rows {what} (empty = "unticked"): {who}'] if rows else []


def _wrong_answers(derived: Derived, values: Mapping[str, Array], row_name: RowName) -> list[str]:
    problems = list[str]()
    for item in dict.fromkeys(derived.items):
        mask, rule = off_answers(derived, values[item])
        problems += describe_cells(item, mask, lambda row: f"{values[item][row]:g}", row_name, rule)  # noqa: B023 - used at once
    return problems


def _as_text(values: Array) -> list[str]:
    """Return numbers as text from which the same numbers are read, '' where one is missing."""
    distinct, place = np.unique(values, return_inverse=True)
    words = np.array(["" if np.isnan(value) else repr(float(value)) for value in distinct], dtype=object)
    return list(words[place])


def _table(
    book: Codebook, table: Table, found: Mapping[str, Found], columns: dict[str, list[str]], row_name: RowName,
    read_as: tuple[str, ...],
) -> Table:  # fmt: skip
    """Return the columns as a table, with what the codebook and the file say of them."""
    header = list(columns)
    known = {variable.column: variable for variable in book.variables}
    coded = [(known[at].name, _with_meaning(code, book, known[at]), n) for at, code, n in table.coded if at in known]
    coded += [each for one in found.values() for each in one.coded]
    labels = {v.name: v.label or table.labels.get(v.column, "") for v in book.variables}
    labels |= {derived.name: derived.label for derived in book.derived}
    words = {v.name: _words(v) or table.value_labels.get(v.column, {}) for v in book.variables}
    text = {v.name for v in book.variables if any(found[name].text for name in (v.name, _bare(v)) if name in found)}
    return replace(
        table, header=header, length=len(columns[header[0]]), column=lambda k: columns[header[k]],
        blank=np.array([not any(row) for row in zip(*columns.values(), strict=True)], dtype=bool), row_name=row_name,
        fields=(), coded=tuple(coded),
        read_as=(*table.read_as, *read_as, *(told for each in found.values() for told in each.read_as)),
        labels={name: label for name, label in labels.items() if label},
        value_labels={name: found for name, found in words.items() if found},
        codebook=book, as_text=frozenset(text),
    )  # fmt: skip


def _with_meaning(text: str, book: Codebook, variable: Described) -> str:
    """Return a code that the file declares, with the meaning that the codebook gives it."""
    meanings = {code_words(code): meaning for code, meaning in {**book.missing, **variable.missing}.items()}
    return said_code(text, meanings.get(text, ""))


def _words(variable: Described) -> Mapping[float | str, str]:
    """Return the words for a variable's values."""
    return {value: word for value, word in variable.labels.items()}  # noqa: C416 - a mapping of another type


def _bare(variable: Described) -> str:
    """Return a variable's name without its wave."""
    return variable.name.removesuffix(f"_{variable.wave}") if variable.wave else variable.name
