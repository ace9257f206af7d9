"""A file or a data frame as a table of text cells, whatever its format, with what reading it found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bayes_sp.arrays import Mask
from bayes_sp.model.parts import Code
from bayes_sp.records.codebook.parts import Codebook
from bayes_sp.records.survey import ORIGIN_COLUMN, Coded, Origin, origin_marked
from bayes_sp.records.told import RowName


@dataclass(frozen=True, eq=False)
class Table:
    """Cells as text, from which the same values are read back.

    Attributes
    ----------
    path, place
        The file in full for errors, and its name for results.
    origin
        As of a `Survey`.
    header
        The columns' names in composed letters.
    length
        Number of rows.
    column
        ``column(k)``: the cells of the k-th column, '' where one is missing.
    blank
        Which rows have no value at all, (length,).
    row_name
        The name of a row as the program counts that wrote the file.
    fields
        How many fields each row has, where rows of a file can differ in that; () elsewhere.
    coded
        Codes for missing values that the file itself declares, already taken out of the cells.
    remarks, read_as
        As of a `Survey`.
    labels, value_labels
        Words for columns, and for values of columns, where the file has them.
    declared
        Single values that the file declares as missing, by column, whether or not any cell held them.
    codebook
        By which the table was read.
    as_text
        Columns whose cells are text, also where they look like numbers.
    """

    path: str
    place: str
    origin: Origin
    header: list[str]
    length: int
    column: Callable[[int], list[str]]
    blank: Mask
    row_name: RowName
    fields: tuple[int, ...] = ()
    coded: tuple[Coded, ...] = ()
    remarks: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    declared: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    codebook: Codebook | None = None
    as_text: frozenset[str] = frozenset()

    @property
    def origin_said(self) -> tuple[Origin, str]:
        """What the records are and the words for it, as the ``origin`` column says where there is one."""
        marked = origin_marked(self.cells(ORIGIN_COLUMN)) if ORIGIN_COLUMN in self.header else None
        return marked or (self.origin, self.place)

    def cells(self, name: str) -> list[str]:
        """Return the cells of a column by its name."""
        return self.column(self.header.index(name))
