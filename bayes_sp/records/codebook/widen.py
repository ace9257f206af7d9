"""One row a person and wave -> one row a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Mask
from bayes_sp.records.codebook.parts import Codebook, Waves
from bayes_sp.records.reading.cells import Cells, is_number
from bayes_sp.records.told import CELLS_SHOWN, RowName, describe_cells


@dataclass(frozen=True)
class Persons:
    """Whose each row of a long file is, and from which wave."""

    # person, wave: of each row its person, counted in the order of their first rows, and its wave's place among the
    # waves, (n,).
    person: NDArray[np.intp]
    wave: NDArray[np.intp]
    first: NDArray[np.intp]  # each person's first row

    def spread(self, cells: Sequence[str], wave: int) -> list[str]:
        """Return each person's cell in a wave, '' where the person has no row in it."""
        wide, there = np.full(len(self.first), "", dtype=object), self.wave == wave
        wide[self.person[there]] = np.array(cells, dtype=object)[there]
        return list(wide)

    def constant(self, name: str, cells: Sequence[str], row_name: RowName) -> tuple[list[str], list[str]]:
        """Return each person's one cell of a variable, and what is wrong where a person has several."""
        wide, rows = np.full(len(self.first), "", dtype=object), np.zeros(len(self.first), dtype=int)
        problems = list[str]()
        for row, (person, cell) in enumerate(zip(self.person.tolist(), cells, strict=True)):
            if cell and not wide[person]:
                wide[person], rows[person] = cell, row
            elif cell and not same(cell, wide[person]):
                pair = f"{row_name(int(rows[person]))} ({wide[person]!r}) and {row_name(row)} ({cell!r})"
                problems.append(f'column "{name}": must be the same in every wave of a person (constant); found {pair}')
        more = len(problems) - CELLS_SHOWN
        return list(wide), problems[:CELLS_SHOWN] + (
            [f'column "{name}": and {more} more such rows'] if more > 0 else []
        )


def same(one: str, other: str) -> bool:
    """Return whether two cells hold the same text or the same number."""
    return one == other or (is_number(one) and is_number(other) and float(one) == float(other))


def read_persons(
    book: Codebook, waves: Waves, ids: Cells, said: Cells, row_name: RowName, skip: Mask
) -> tuple[Persons, list[str]]:
    """Return whose each row is, and what is wrong: rows without a person, unknown waves, a wave of a person twice."""
    empty = ids.where(lambda cell: not cell) & ~skip
    rule = "must name the person in every row, because it is the id"
    problems: list[str] = list(describe_cells(book.id, empty, lambda _: "empty", row_name, rule))
    place = {cell: _place(cell, waves.names) for cell in said.distinct}
    wave = np.array([place[cell] for cell in said.distinct], dtype=np.intp)[said.place]
    known = ", ".join(f"{cell!r}" for cell in waves.names)
    rule = f"must be one of the waves of the codebook, {known} (long.waves)"
    problems += describe_cells(waves.column, (wave < 0) & ~skip, said.quoted, row_name, rule)
    _, first, person = np.unique(ids.place, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    person = rank[person]
    seen: dict[tuple[int, int], int] = {}
    for row, key in enumerate(zip(person.tolist(), wave.tolist(), strict=True)):
        if not empty[row] and not skip[row] and key[1] >= 0 and seen.setdefault(key, row) != row:
            pair = f"{row_name(seen[key])} and {row_name(row)}"
            problems.append(f'column "{book.id}": one row a person and wave is read; {pair} are of one person and wave')
    return Persons(person, wave, first[order]), problems[: 4 * CELLS_SHOWN]


def _place(cell: str, names: Mapping[str, str]) -> int:
    """Return which wave a cell names, -1 where none."""
    return next((k for k, known in enumerate(names) if same(cell, known)), -1)
