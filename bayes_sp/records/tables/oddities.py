"""What is odd in a survey's columns before any model is asked: each in a sentence, with its first cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayes_sp.records.codes import code_words, column_suspects
from bayes_sp.records.persons import long_columns
from bayes_sp.records.tables.alike import alike_rows
from bayes_sp.records.tables.describe import correlation_table, is_number, numbers_of
from bayes_sp.records.tables.waves import Waves
from bayes_sp.records.told import CELLS_SHOWN, RowName, Told, describe_cells

FEWEST = 30  # values, to take a few fractions or values without a label for odd
FEW = 0.02  # share of a column's values
LABELLED = 0.9  # share of a column's values that have a label
MOST_COLUMNS = 60  # that are correlated with one another
CLOSE = 0.98  # correlation of two columns that hold nearly the same


def row_oddities(records: pd.DataFrame, waves: Waves, row_name: RowName) -> Iterator[Told]:
    """Yield what is odd about whole rows: patients entered twice, later waves without the first."""
    groups = alike_rows(records)
    if groups:
        shown = [" and ".join(row_name(row) for row in group[:CELLS_SHOWN]) for group in groups[:CELLS_SHOWN]]
        more = f", and {len(groups) - CELLS_SHOWN} more" if len(groups) > CELLS_SHOWN else ""
        cells = [(row_name(row), "") for group in groups for row in group[1:]][:CELLS_SHOWN]
        yield Told(
            f"rows are alike in all of their {records.shape[1]} columns, more than chance explains: {'; '.join(shown)}"
            f"{more}. Where a patient was entered twice, keep one row.", "", cells,
        )  # fmt: skip
    yield from later_without_first(records, waves, row_name)


def later_without_first(records: pd.DataFrame, waves: Waves, row_name: RowName) -> Iterator[Told]:
    """Yield a sentence on patients with values of a later wave and none of the first, and on single such columns."""
    if len(waves.names) < 2 or not waves.repeated:
        return
    first, *later = waves.names
    nothing = ~records[waves.columns(first)].notna().any(axis=1).to_numpy(dtype=bool)
    for wave in later:
        there = records[waves.columns(wave)].notna().any(axis=1).to_numpy(dtype=bool)
        yield from _found(
            nothing & there, "", f"no value of the first wave, {first}, beside values of {wave}; was the patient's "
            "number written wrongly in one of the two?", row_name)  # fmt: skip
        for when in waves.repeated.values():
            if first in when and wave in when:
                lacks = records[when[first]].isna().to_numpy(dtype=bool) & ~nothing
                lacks &= records[when[wave]].notna().to_numpy(dtype=bool)
                yield from _found(lacks, when[first], f"is missing where {when[wave]} is known", row_name)


def _found(mask: np.ndarray, column: str, what: str, row_name: RowName) -> Iterator[Told]:
    rows = np.flatnonzero(mask)
    if rows.size:
        cells = [(row_name(int(row)), "empty" if column else "") for row in rows[:CELLS_SHOWN]]
        more = f" and {rows.size - CELLS_SHOWN} more" if rows.size > CELLS_SHOWN else ""
        about = f'column "{column}": ' if column else ""
        yield Told(f"{about}{what}; found at {', '.join(row for row, _ in cells)}{more}", column, cells)


def column_oddities(
    records: pd.DataFrame,
    row_name: RowName,
    *,
    known: Sequence[str] = (),
    value_labels: Mapping[str, Mapping[float | str, str]] | None = None,
) -> Iterator[Told]:
    """Yield what is odd about columns of which nothing is said: codes, fractions, one value, values without a label.

    ``known`` are the columns for which a specification or a codebook has rules of its own.
    """
    for name in records.columns:
        if name in known:
            continue
        column = records[name]
        if len(records) > 1 and column.nunique() == 1:
            yield Told(f'column "{name}": has the same value in every row', str(name))
        if is_number(column):
            values = numbers_of(records, name)
            yield from _suspected(str(name), values)
            yield from _fractions(str(name), values, row_name)
            yield from _unlabelled(str(name), values, (value_labels or {}).get(str(name), {}), row_name)
    others = [name for name in records.columns if name not in known]
    for told in long_columns((str(n), ["" if pd.isna(c) else str(c).strip() for c in records[n]]) for n in others):
        yield Told(told, told.split('"')[1])


def _suspected(name: str, values: np.ndarray) -> Iterator[Told]:
    found = list(column_suspects(name, values))
    if found:
        numbers = ", ".join(code_words(suspect.code) for suspect in found)
        yield Told(
            f'column "{name}": {numbers} in {sum(suspect.count for suspect in found)} of {found[0].total} cells is a '
            f"usual code for a missing value, far from the other values ({found[0].low:g} to {found[0].high:g})", name,
        )  # fmt: skip


def _fractions(name: str, values: np.ndarray, row_name: RowName) -> Iterator[Told]:
    known = np.isfinite(values)
    broken = known & (values != np.round(values))
    if known.sum() >= FEWEST and 0 < broken.sum() <= FEW * known.sum():
        rule = "has a fraction, where the other values are whole numbers"
        yield from describe_cells(name, broken, lambda row: f"{values[row]:g}", row_name, rule)


def _unlabelled(name: str, values: np.ndarray, labels: Mapping[float | str, str], row_name: RowName) -> Iterator[Told]:
    codes = [float(code) for code in labels if isinstance(code, int | float)]
    known = np.isfinite(values)
    without = known & ~np.isin(values, codes)
    if len(codes) > 1 and known.sum() >= FEWEST and 0 < without.sum() <= (1 - LABELLED) * known.sum():
        rule = "has no label, where the other values have one"
        yield from describe_cells(name, without, lambda row: f"{values[row]:g}", row_name, rule)


def close_columns(records: pd.DataFrame, names: Sequence[str]) -> Iterator[Told]:
    """Yield pairs of columns that hold nearly the same, by their correlation."""
    table = correlation_table(records, list(names)[:MOST_COLUMNS])
    for row in table[table["r"].abs() >= CLOSE].itertuples():
        yield Told(
            f'columns "{row.column}" and "{row.row}" hold nearly the same: r = {row.r:.3f} (n = {row.n})', row.row
        )
