"""The cells of one variable under its codebook: codes taken out, words read as their numbers, mistakes named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.model.parts import Code
from bayes_sp.records.codebook.parts import WHOLE, Described
from bayes_sp.records.codes import code_words
from bayes_sp.records.groups import HOW_MISSING, may_say_nothing
from bayes_sp.records.reading.cells import LIKE_A_CODE, MISSING, Cells, changed, is_number
from bayes_sp.records.survey import Coded
from bayes_sp.records.told import RowName, describe_cells


@dataclass(frozen=True)
class Found:
    """What the cells of a variable hold."""

    # cells, blank: the cells, words replaced by their numbers, and which of them are missing.
    cells: Cells
    blank: Mask
    coded: tuple[Coded, ...]  # codes for missing values, with how many cells held them
    problems: tuple[str, ...]  # cells that cannot be what the codebook says
    read_as: tuple[str, ...]  # what a reader must know of how cells were read
    text: bool  # whether the variable stays text

    def column(self) -> list[str]:
        """Return the cells as text, '' where one is missing."""
        return [cell or "" for cell in self.cells.labels(self.blank)]

    def values(self) -> Array:
        """Return the cells as numbers, NaN where one is missing or holds none, (n,)."""
        return self.cells.numbers(self.blank)


def read_cells(variable: Described, cells: Cells, codes: Mapping[Code, str], row_name: RowName, skip: Mask) -> Found:
    """Read the cells of a variable.

    ``cells`` are those of its column, decimal commas replaced, and are changed; ``skip`` marks rows that are in the
    list of problems already.
    """
    blank, coded = _taken_out(variable, cells, codes)
    read_as, problems = _words(variable, cells)
    text = variable.kind == "category" and _is_text(cells, blank)
    text = text or any(isinstance(level, str) for level in variable.levels)
    if text:
        rules = _levels(variable, cells.where(lambda cell: cell in variable.levels))
    else:
        numbers = cells.is_number
        for rule, mask in changed(cells):
            problems += describe_cells(variable.column, mask & ~blank & ~skip, cells.quoted, row_name, rule)
        problems += _no_numbers(variable, cells, ~blank & ~numbers & ~skip, row_name)
        values = cells.numbers(blank | ~numbers)
        rules = _rules(variable, values)
        problems += _two_values(variable, values)
    for mask, rule in rules:
        problems += describe_cells(variable.column, mask & ~blank & ~skip, cells.quoted, row_name, rule)
    return Found(cells, blank, tuple(coded), tuple(problems), tuple(read_as), text)


def _is_text(cells: Cells, blank: Mask) -> bool:
    """Return whether a category's cells are more than plain numbers: words, 01, or numbers that floats cannot keep."""
    texts = [cells.distinct[place] for place in np.unique(cells.place[~blank])]
    plain = all(is_number(cell) and not LIKE_A_CODE.fullmatch(cell) for cell in texts)
    return not plain or any((mask & ~blank).any() for _, mask in changed(cells))


def _taken_out(variable: Described, cells: Cells, codes: Mapping[Code, str]) -> tuple[Mask, list[Coded]]:
    """Return which cells are missing, and how many hold each code or its meaning in words."""
    values = {*variable.levels, *variable.labels.values()}
    blank, coded = cells.where(lambda cell: cell in MISSING and cell not in values), list[Coded]()
    for code, meaning in codes.items():
        held = cells.where(partial(_holds, code, "" if meaning in values else meaning))
        if count := int((held & ~blank).sum()):
            coded.append((variable.name, said_code(code_words(code), meaning), count))
        blank |= held
    return blank, coded


def _holds(code: Code, meaning: str, cell: str) -> bool:
    if meaning and " ".join(cell.split()) == meaning:
        return True
    return cell == code if isinstance(code, str) else is_number(cell) and float(cell) == code


def said_code(code: str, meaning: str) -> str:
    """Return a code with its meaning, where there is one."""
    return f'{code} ("{meaning}")' if meaning else code


def _words(variable: Described, cells: Cells) -> tuple[list[str], list[str]]:
    """Replace cells that hold a label by its value; return what was read so, and labels of which that is unclear."""
    values: dict[str, list[float]] = {}
    for value, label in variable.labels.items():
        values.setdefault(label, []).append(value)
    told, problems, numbers = list[str](), list[str](), dict[str, str]()
    for cell in cells.distinct:
        found = values.get(" ".join(cell.split()), [])
        if is_number(cell) or not found or cell in variable.levels:
            continue
        if len(found) > 1:
            several = " and ".join(f"{value:g}" for value in found)
            problems.append(
                f'column "{variable.column}": {cell!r} is the label of {several}, and can be read as neither'
            )
        else:
            numbers[cell] = f"{found[0]:.15g}"
            told = told or [f"{variable.name}: its labels are read as their numbers, {cell!r} as {found[0]:g}"]
    if numbers:
        cells.rewrite(numbers)
    return told, problems


def _no_numbers(variable: Described, cells: Cells, wrong: Mask, row_name: RowName) -> Iterator[str]:
    """Yield what is said of cells that hold no number."""
    nothing = wrong & cells.where_no_number(may_say_nothing)
    hint = HOW_MISSING.replace("specification", "codebook")
    for told in describe_cells(variable.column, nothing, cells.quoted, row_name, "must be a number"):
        yield f"{told}; {hint}"
    rule = "must be a number" + (" or one of its labels" if variable.labels else "")
    yield from describe_cells(variable.column, wrong & ~nothing, cells.quoted, row_name, rule)


def _levels(variable: Described, inside: Mask) -> list[tuple[Mask, str]]:
    """Return which cells are none of a variable's levels, and the rule in words."""
    if not variable.levels:
        return []
    known = ", ".join(repr(level) if isinstance(level, str) else f"{level:g}" for level in variable.levels)
    return [(~inside, f"must be one of the levels {known}")]


def _rules(variable: Described, values: Array) -> list[tuple[Mask, str]]:
    """Return what the numbers of a variable must obey, each with those that do not."""
    known, kind = np.isfinite(values), variable.kind
    rules: list[tuple[Mask, str]] = [(np.isinf(values), "must be a finite number")]
    if kind in WHOLE:
        rules.append((known & (values != np.round(values)), f"must be a whole number, because it is {_a(kind)}"))
    low, high = variable.minimum, variable.maximum
    if kind == "count" and low is None:
        low = 0.0
    if low is not None:
        rules.append((known & (values < low), f"must be at least {low:g}"))
    if high is not None:
        rules.append((known & (values > high), f"must be at most {high:g}"))
    return rules + [(known & mask, rule) for mask, rule in _levels(variable, np.isin(values, variable.levels))]


def _a(kind: str) -> str:
    return {"count": "a count", "ordered": "an answer with an order", "binary": "binary"}[kind]


def _two_values(variable: Described, values: Array) -> list[str]:
    """Return what is wrong with a binary variable that has more than two values."""
    found = np.unique(values[np.isfinite(values)])
    if variable.kind != "binary" or variable.levels or len(found) <= 2:
        return []
    shown = ", ".join(f"{value:g}" for value in found[:5]) + (", ..." if len(found) > 5 else "")
    return [f'column "{variable.column}": must have two values, because it is binary; found {len(found)}: {shown}']
