"""One row for each person: identifiers that stand more than once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

PERSON = r"id|pid|sid|uid|patient|person|participant|subject|respondent|proband|case|client|caseid|personid|patientid"
NUMBERED = r"id|ids|nr|no|num|number|code|key"
IDENTIFIER = re.compile(rf"(?:{PERSON})(?:[_. -]?(?:{NUMBERED}))?|(?:study|record|survey|user)[_. -]?(?:{NUMBERED})")
MOST_ROWS = 20  # of one person, on average; with more, a column names groups
LEAST_PERSONS = 3
SHOWN = 5


def repeated(name: str, cells: Sequence[str], row_name: Callable[[int], str]) -> list[str]:
    """Return what is wrong with the cells of a column that must differ in every row: empty or repeated ones."""
    empty = [i for i, cell in enumerate(cells) if not cell]
    first: dict[str, int] = {}
    again = [i for i, cell in enumerate(cells) if cell and first.setdefault(cell, i) != i]
    problems = []
    for rows, rule in ((empty, "must name the person in every row, because it is the id"),
                       (again, "must differ in every row, because it is the id")):  # fmt: skip
        if rows:
            shown = ", ".join(row_name(i) for i in rows[:SHOWN])
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            extra = "; one row a person is analysed" if rows is again else ""
            found = "repeated" if rows is again else "empty"
            problems.append(f'column "{name}": {rule}; {found} at {shown}{more}{extra}')
    return problems


def long_columns(columns: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Yield a sentence on each column that looks like an identifier of persons and has repeats."""
    for name, cells in columns:
        if not IDENTIFIER.fullmatch(name.strip().casefold()):
            continue
        counts = Counter(cell for cell in cells if cell)
        rows, persons = sum(counts.values()), len(counts)
        if LEAST_PERSONS <= persons < rows <= MOST_ROWS * persons:
            yield (
                f'column "{name}" has {persons} values in {rows} rows: one row a person is assumed, and rows of one '
                f'person are taken as independent. Where it names the person, keep one row of each; id = "{name}" in '
                "the specification refuses repeats."
            )
