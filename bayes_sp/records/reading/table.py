"""A file or a data frame as a table of text cells, whatever its format, with what reading it found out."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from bayes_sp.arrays import Mask
from bayes_sp.errors import SurveyError
from bayes_sp.model.parts import Code
from bayes_sp.records.codebook.parts import Codebook
from bayes_sp.records.survey import ORIGIN_COLUMN, Coded, Origin, origin_marked
from bayes_sp.records.told import RowName


@dataclass(frozen=True, eq=False)
class Table:
    """Cells as text, from which the same values are read back."""

    # path, place: the file in full for errors, and its name for results.
    path: str
    place: str
    origin: Origin  # as of a `Survey`
    header: list[str]  # the columns' names in composed letters
    length: int  # number of rows
    column: Callable[[int], list[str]]  # ``column(k)``: the cells of the k-th column, '' where one is missing
    blank: Mask  # which rows have no value at all, (length,)
    row_name: RowName  # the name of a row as the program counts that wrote the file
    fields: tuple[int, ...] = ()  # how many fields each row has, where rows of a file can differ in that; () elsewhere
    # Codes for missing values that the file itself declares, already taken out of the cells.
    coded: tuple[Coded, ...] = ()
    # remarks, read_as: as of a `Survey`.
    remarks: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()
    # labels, value_labels: words for columns, and for values of columns, where the file has them.
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    # Single values that the file declares as missing, by column, whether or not any cell held them.
    declared: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    codebook: Codebook | None = None  # by which the table was read
    as_text: frozenset[str] = frozenset()  # columns whose cells are text, also where they look like numbers

    @property
    def origin_said(self) -> tuple[Origin, str]:
        """What the records are and the words for it, as the ``origin`` column says where there is one."""
        marked = origin_marked(self.cells(ORIGIN_COLUMN)) if ORIGIN_COLUMN in self.header else None
        return marked or (self.origin, self.place)

    def cells(self, name: str) -> list[str]:
        """Return the cells of a column by its name."""
        return self.column(self.header.index(name))


def needed(module: str, extra: str, path: Path) -> ModuleType:
    """Import the library that reads a format.

    Raises SurveyError where it is not installed, with what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        todo = f"pip install 'bayes_sp[{extra}]', or save the file as CSV"
        raise SurveyError(str(path), [f"is read by {module}, which is not installed: {todo}"]) from error
