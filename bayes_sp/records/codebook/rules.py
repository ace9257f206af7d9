"""Rules between the keys of a codebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from bayes_sp.errors import nearest
from bayes_sp.records.codebook.derived import turn
from bayes_sp.records.codebook.parts import WHOLE, Codebook, Derived, Described
from bayes_sp.records.codes import code_words


def codebook_problems(book: Codebook) -> list[str]:
    """Return what contradicts itself in a codebook, each with its key."""
    problems = [problem for variable in book.variables for problem in _variable(variable)]
    problems += [
        f"missing_codes: {code_words(level)} is also a value of variables.{variable.name}"
        for variable in book.variables
        for level in dict.fromkeys([*variable.levels, *variable.labels])
        if level in book.missing
    ]
    if book.waves and not book.id:
        problems.append("id: is missing; a long file needs the column that names the person of each row")
    wide = widened(book)
    names = Counter([*(v.name for v in wide.variables), *(d.name for d in wide.derived)])
    problems += [f'variables: "{name}" stands {n} times' for name, n in names.items() if n > 1]
    columns = Counter(variable.column for variable in book.variables)
    problems += [f'variables: the column "{name}" is given to {n} variables' for name, n in columns.items() if n > 1]
    if book.id and book.id in names and not any(v.name == v.column == book.id for v in wide.variables):
        problems.append(f'id: "{book.id}" is the name of another variable')
    if book.id and book.waves and book.id == book.waves.column:
        problems.append(f'long.wave: "{book.id}" is the id already')
    return problems + list(_all_derived(wide))


def widened(book: Codebook) -> Codebook:
    """Return the codebook of the wide table that a long file becomes: a variable for each wave.

    A derived variable of items without a wave is computed in each.
    """
    if book.waves is None or not book.waves.names:
        return book
    waves = tuple(book.waves.names.values())
    variables = list[Described]()
    for variable in book.variables:
        if variable.constant:
            variables.append(variable)
            continue
        variables += [replace(variable, name=f"{variable.name}_{wave}", wave=wave) for wave in waves]
    moving = {variable.name for variable in book.variables if not variable.constant}
    derived = list[Derived]()
    for each in book.derived:
        if not set(each.items) & moving:
            derived.append(each)
            continue
        moving.add(each.name)
        for wave in waves:
            names = {item: f"{item}_{wave}" if item in moving else item for item in (*each.items, *each.reversed)}
            items, turned = (tuple(names[item] for item in group) for group in (each.items, each.reversed))
            derived.append(replace(each, name=f"{each.name}_{wave}", items=items, reversed=turned))
    return replace(book, variables=tuple(variables), derived=tuple(derived), waves=None)


def _variable(variable: Described) -> Iterator[str]:
    key, low, high = f"variables.{variable.name}", variable.minimum, variable.maximum
    if low is not None and high is not None and low > high:
        yield f"{key}.min: must not be above max, found {low:g} and {high:g}"
    if variable.kind == "bounded" and (low is None or high is None):
        yield f"{key}: a bounded variable needs min and max"
    if variable.kind == "count" and low is not None and low < 0:
        yield f"{key}.min: a count is at least 0, found {low:g}"
    if variable.kind == "category" and (low is not None or high is not None):
        yield f"{key}: a category has no min and max; levels = [...] lists its values"
    if variable.kind == "binary" and variable.levels and len(variable.levels) != 2:
        yield f"{key}.levels: must be two values of a binary variable, found {len(variable.levels)}"
    if any(isinstance(level, str) for level in variable.levels) and variable.kind != "category":
        yield f"{key}.levels: texts are levels of a category; number them with labels = {{ 1 = ..., 2 = ... }}"
    for level in [*variable.levels, *variable.labels]:
        if isinstance(level, str):
            continue
        if variable.kind in WHOLE and level != round(level):
            yield f"{key}: must have whole numbers for values of its kind, found {level:g}"
        if (low is not None and level < low) or (high is not None and level > high):
            yield f"{key}: its value {level:g} lies outside min and max; missing_codes = names codes for missing values"
    for level in [*variable.levels, *variable.labels]:
        if level in variable.missing:
            yield f"{key}.missing_codes: {level!r} is also one of the variable's values"


def _all_derived(book: Codebook) -> Iterator[str]:
    known = {variable.name: variable for variable in book.variables}
    later = {derived.name for derived in book.derived}
    there = set(known)
    for derived in book.derived:
        key = f"derived.{derived.name}"
        for item, count in Counter(derived.items).items():
            if count > 1:
                yield f'{key}.items: "{item}" stands {count} times'
            if item in there:
                if item in known and known[item].kind == "category":
                    yield f'{key}.items: "{item}" is a category, and no number can be computed from it'
            elif item in later:
                yield f'{key}.items: "{item}" must be computed above it in the file'
            else:
                yield f'{key}.items: "{item}" is no variable of the codebook{nearest(item, there)}'
        for item in derived.reversed:
            if item not in derived.items:
                yield f'{key}.reversed: "{item}" is none of its items{nearest(item, derived.items)}'
            elif turn(derived, known.get(item)) is None:
                yield f'{key}.reversed: "{item}" has no ends to be turned round; write answers = [lowest, highest]'
        there.add(derived.name)
