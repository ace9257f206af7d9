"""A survey: one row for each patient, one column for each variable, and where the rows come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from bayes_sp.records.codebook.parts import Codebook
from bayes_sp.safe_text import html, one_line

type Coded = tuple[str, str, int]  # column, a code for a missing value, how many of its cells held it
Origin = Literal["file", "memory", "reconstruction", "simulation"]

RECONSTRUCTED = "reconstructed from published moments"
SYNTHETIC = "a synthetic table"  # begins what its column of origins says
ORIGIN_COLUMN = "origin"  # in files of reconstructed or synthetic records, so that the mark is not lost on the way
MARKS: dict[str, Origin] = {RECONSTRUCTED: "reconstruction", SYNTHETIC: "simulation"}


def origin_marked(cells: Iterable[str]) -> tuple[Origin, str] | None:
    """Return what a column of origins says that all rows are, and the words for it; None for patients."""
    found = {cell.strip() for cell in cells}
    (mark,) = found if len(found) == 1 else ("",)
    return next(((origin, mark) for start, origin in MARKS.items() if mark.startswith(start)), None)


@dataclass(frozen=True, eq=False)
class Survey:
    """Records of a survey, with their origin.

    Attributes
    ----------
    records
        One row for each patient, one column for each variable: numeric, NaN where a cell is missing, or the names of
        groups. A copy: neither changing it nor changing the table that was given changes the survey, so that what was
        computed from it holds; make a new survey of other records (``dataclasses.replace``).
    origin
        ``"file"``, ``"memory"``, ``"reconstruction"`` (no real patient stands behind a row) or
        ``"simulation"``.
    source
        In words: the file's name, or how the records were made (with the seed).
    coded
        Codes for missing values that were taken out of the records: (column, code, how many cells).
    remarks
        Sentences on the file that a reader of results must know.
    read_as
        What reading recognised in the file: a separator, an encoding, a heading, decimal commas.
    labels, value_labels
        Words that the file has for columns, and for values of columns.
    codebook
        By which the file was read: what each column means, and how those that it does not hold are computed.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayes_sp import Survey
    >>> len(Survey(pd.DataFrame({"walks": [1, 2], "visits": [0, 3]}), "memory", "two patients"))
    2
    """

    records: pd.DataFrame
    origin: Origin
    source: str
    coded: tuple[Coded, ...] = ()
    remarks: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    codebook: Codebook | None = None

    def __post_init__(self) -> None:
        if self.origin not in get_args(Origin):
            raise ValueError(f"origin must be one of {', '.join(get_args(Origin))}, found {self.origin!r}")
        object.__setattr__(self, "source", one_line(self.source))  # the name of a file may hold anything

    def __len__(self) -> int:
        return len(self.records)

    @property
    def reconstructed(self) -> bool:
        """Whether the records were reconstructed from published moments."""
        return self.origin == "reconstruction"

    @property
    def mark(self) -> str:
        """The sentence that every result built on these records carries."""
        return f"{len(self):,} records {'' if self.reconstructed else 'from '}{self.source}"

    @property
    def missing(self) -> pd.DataFrame:
        """Columns with missing cells: their names, how many cells are missing, and which share."""
        count = self.records.isna().sum()
        count = count[count > 0]
        share = count.to_numpy(dtype=float) / max(len(self), 1)
        return pd.DataFrame(
            {"column": [str(name) for name in count.index], "missing": count.to_numpy(), "share": share}
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the columns' names (sorted) and values (float64, rows in order), in hexadecimal.

        Zeros enter without a sign and missing values as one. Columns that are not numbers, which no specification can
        use, enter as text.
        """
        sha = hashlib.sha256()
        for name, column in sorted(((str(name), column) for name, column in self.records.items()), key=lambda c: c[0]):
            sha.update(name.encode("utf-8", "surrogatepass") + b"\0")
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
                values = column.to_numpy(dtype="<f8", na_value=np.nan) + 0.0  # -0.0 is 0.0
                sha.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
            else:
                sha.update("\0".join(map(str, column)).encode("utf-8", "surrogatepass"))
        return sha.hexdigest()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mark}; {self.records.shape[1]} variables; digest {self.digest[:12]})"

    def _repr_html_(self) -> str:
        columns = ", ".join(map(str, self.records.columns))
        return html(f"{self.mark}\nvariables: {columns}\ndigest {self.digest[:12]}", strong="Survey:")


class _OwnTable:
    """A table that nobody else can change: kept and handed out as copies, which share memory until one is changed."""

    def __get__(self, survey: Survey, owner: type) -> pd.DataFrame:
        table: pd.DataFrame = survey.__dict__["_records"]
        return table.copy(deep=False)

    def __set__(self, survey: Survey, table: object) -> None:
        if not isinstance(table, pd.DataFrame):
            raise TypeError(f"records must be a pandas DataFrame, found {type(table).__name__}")
        survey.__dict__["_records"] = table.copy(deep=False)


Survey.records = _OwnTable()  # after the class, whose field has no default
