"""What is odd in a survey's columns before any model is asked: each in a sentence, with its first cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.records.codes import code_words, column_suspects
from bayes_sp.records.groups import IDENTIFIER, long_columns
from bayes_sp.records.tables.alike import alike_rows
from bayes_sp.records.tables.describe import correlation_table, is_number, numbers_of
from bayes_sp.records.tables.waves import Waves
from bayes_sp.records.told import CELLS_SHOWN, RowName, Told, describe_cells

FEWEST = 30  # values, to take a few fractions or values without a label for odd
FEW_COLUMNS = 3  # of which each has a sentence of its own
FEW = 0.02  # share of a column's values
LABELLED = 0.9  # share of a column's values that have a label
MOST_COLUMNS = 60  # that are correlated with one another
MOSTLY = 0.75  # share of different identifiers, from which on repeated ones are mistakes
CLOSE = 0.98  # correlation of two columns that hold nearly the same


def row_oddities(records: pd.DataFrame, waves: Waves, row_name: RowName) -> Iterator[Told]:
    """Yield what is odd about whole rows: patients entered twice, later waves without the first."""
    names = [name for name in records if not identifies(str(name), records[name])]
    yield from _repeated(records, row_name)
    if groups := alike_rows(records[names]):
        shown = [" and ".join(row_name(row) for row in group[:CELLS_SHOWN]) for group in groups[:CELLS_SHOWN]]
        more = f", and {len(groups) - CELLS_SHOWN} more" if len(groups) > CELLS_SHOWN else ""
        cells = [(row_name(row), "") for group in groups for row in group[1:]][:CELLS_SHOWN]
        yield Told(
            f"rows are alike in all {len(names)} columns, which chance does not explain: {'; '.join(shown)}{more}. "
            "Where a patient was entered twice, keep one row.", "", cells,
        )  # fmt: skip
    yield from later_without_first(records, waves, row_name)


def identifies(name: str, column: pd.Series) -> bool:
    """Return whether a column numbers or names patients, or is a text of its own in most rows."""
    known, distinct = int(column.notna().sum()), column.nunique()
    named = IDENTIFIER.fullmatch(name.strip().casefold()) is not None and distinct > known / 2
    return named or (not is_number(column) and distinct > max(known / 2, 1))


def _repeated(records: pd.DataFrame, row_name: RowName) -> Iterator[Told]:
    """Yield a sentence on each column of identifiers in which a few stand twice; many are those of a long file."""
    for name in records:
        column = records[name]
        if IDENTIFIER.fullmatch(str(name).strip().casefold()) and column.nunique() > MOSTLY * column.notna().sum():
            again = (column.notna() & column.duplicated()).to_numpy(dtype=bool)
            what = "stands in an earlier row already; where it names the patient, keep one row of each"
            yield from _found(again, str(name), what, row_name, cell="repeated")


def later_without_first(records: pd.DataFrame, waves: Waves, row_name: RowName) -> Iterator[Told]:
    """Yield a sentence on patients with values of a later wave and none of the first, and on single such columns."""
    if len(waves.names) < 2 or not waves.repeated:
        return
    first, *later = waves.names
    nothing = ~records[waves.columns(first)].notna().any(axis=1).to_numpy(dtype=bool)
    for wave in later:
        there = records[waves.columns(wave)].notna().any(axis=1).to_numpy(dtype=bool)
        what = f"rows have values of {wave} and none of the first wave, {first}; look whether the two are one patient's"
        yield from _found(nothing & there, "", what, row_name)
        lacking = []
        for when in waves.repeated.values():
            if first in when and wave in when:
                lacks = records[when[first]].isna().to_numpy(dtype=bool) & ~nothing
                lacks &= records[when[wave]].notna().to_numpy(dtype=bool)
                lacking += [(when[first], when[wave], lacks)] if lacks.any() else []
        if len(lacking) > FEW_COLUMNS:
            words = ", ".join(f"{column} ({int(lacks.sum())})" for column, _, lacks in lacking)
            yield Told(f"columns of {first} are missing in rows in which those of {wave} are known (how many): {words}")
        else:
            for column, later_one, lacks in lacking:
                yield from _found(lacks, column, f"is missing where {later_one} is known", row_name, "empty")


def _found(mask: Mask, column: str, what: str, row_name: RowName, cell: str = "") -> Iterator[Told]:
    rows = np.flatnonzero(mask)
    if rows.size:
        cells = [(row_name(int(row)), cell) for row in rows[:CELLS_SHOWN]]
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
            yield from _suspected(str(name), values, row_name)
            yield from _fractions(str(name), values, row_name)
            yield from _unlabelled(str(name), values, (value_labels or {}).get(str(name), {}), row_name)
    persons = [n for n in records if n not in known and IDENTIFIER.fullmatch(str(n).strip().casefold())]
    for told in long_columns((str(n), records[n].dropna().astype(str).str.strip().tolist()) for n in persons):
        yield Told(told, told.split('"')[1])


def _suspected(name: str, values: Array, row_name: RowName) -> Iterator[Told]:
    for suspect in column_suspects(name, values, count=False):
        rule = (
            f"holds {code_words(suspect.code)}, a usual code for a missing value, far from the other values "
            f"({suspect.low:g} to {suspect.high:g})"
        )
        yield from describe_cells(name, values == suspect.code, lambda row: f"{values[row]:g}", row_name, rule)


def _fractions(name: str, values: Array, row_name: RowName) -> Iterator[Told]:
    known = np.isfinite(values)
    broken = known & (values != np.round(values))
    if known.sum() >= FEWEST and 0 < broken.sum() <= FEW * known.sum():
        rule = "has a fraction, where the other values are whole numbers"
        yield from describe_cells(name, broken, lambda row: f"{values[row]:g}", row_name, rule)


def _unlabelled(name: str, values: Array, labels: Mapping[float | str, str], row_name: RowName) -> Iterator[Told]:
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
