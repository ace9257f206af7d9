"""Levels that are texts: they are numbered in the order of the specification, and no other text is taken for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import nearest
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.told import RowName, Told, describe_cells

type Places = NDArray[np.intp]
CELL_WIDTH = 30


def text_numbers(distinct: Sequence[str], texts: Sequence[str]) -> Array:
    """Return the place of each cell among the texts of levels, from 0, NaN for one that is none of them."""
    place = {text: float(k) for k, text in enumerate(texts)}
    return np.array([place.get(" ".join(cell.split()), np.nan) for cell in distinct], dtype=float)


def text_problems(
    name: str, distinct: Sequence[str], place: Places, texts: Sequence[str], wrong: Mask, row_name: RowName
) -> Iterator[Told]:
    """Yield a sentence on cells of a column that hold none of its texts, with the text nearest to the first.

    ``distinct`` and ``place`` are the column's cells: every text once, and the place of each row's cell among them.
    """

    def quoted(row: int) -> str:
        cell = distinct[place[row]]
        return repr(cell if len(cell) <= CELL_WIDTH else f"{cell[:CELL_WIDTH]}...")

    rule = f"must be one of its levels {', '.join(map(repr, texts))}"
    for told in describe_cells(name, wrong, quoted, row_name, rule):
        near = nearest(distinct[place[int(np.argmax(wrong))]], texts)
        yield Told(f"{told}{near}", name, list(told.cells)) if "did you mean" in near else told


def frame_problems(name: str, column: pd.Series, texts: Sequence[str], row_name: RowName) -> Iterator[Told]:
    """Yield what is wrong with a data frame's column whose levels are texts; numbers are texts of none."""
    place, distinct = _apart(column)
    wrong = (place >= 0) & np.isnan(np.append(text_numbers(distinct, texts), 0.0))[place]
    yield from text_problems(name, distinct, place, texts, wrong, row_name)


def numbered(model: PathModel, records: pd.DataFrame) -> pd.DataFrame:
    """Return records with the texts of levels as numbers; a column with any other text stays as it is."""
    changed = {}
    for name in model.columns:
        texts = model.texts_of(name)
        if not texts or name not in records or isinstance(records[name], pd.DataFrame):
            continue
        if pd.api.types.is_numeric_dtype(records[name]) and not pd.api.types.is_bool_dtype(records[name]):
            continue
        place, distinct = _apart(records[name])
        values = text_numbers(distinct, texts)
        if not np.isnan(values).any():
            changed[name] = np.append(values, np.nan)[place]
    return records.assign(**changed) if changed else records


def levels_or_numbers(column: pd.Series) -> tuple[Array, list[str]]:
    """Return a column as numbers, (n,), NaN where a cell is missing, and the texts that they stand for, from 0.

    No texts for a column of numbers; else those of its cells in the order of the alphabet.
    """
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan), []
    place, distinct = _apart(column)
    texts = sorted({" ".join(cell.split()) for cell in distinct}, key=lambda text: (text.casefold(), text))
    return np.append(text_numbers(distinct, texts), np.nan)[place], texts


def _apart(column: pd.Series) -> tuple[Places, list[str]]:
    """Return the place of each row's cell among the distinct ones, -1 where one is missing, and those."""
    place, distinct = pd.factorize(column.astype(object))
    return np.asarray(place, dtype=np.intp), [str(cell) for cell in distinct]
