"""What is odd in a survey's columns and rows before any model is asked: each in a sentence, with its first cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import pdtrc

from bayes_sp.arrays import Array, Mask
from bayes_sp.records.codes import code_words, column_suspects
from bayes_sp.records.groups import IDENTIFIER, long_columns
from bayes_sp.records.tables.describe import correlation_table, is_number, numbers_of
from bayes_sp.records.tables.waves import Waves
from bayes_sp.records.told import CELLS_SHOWN, RowName, Told, describe_cells

FEWEST_ROWS = 20
RARE = 0.05
TIMES = 3  # as many as chance explains
FEWEST_PAIRS = 20  # that agree in a column, to say how many of them agree in another
MOST_LIKELY = 0.99
ROUNDING = 0.01  # of a column that follows from others, in units of its SD
SOME = 10_000  # records from which that is seen
type Hashes = NDArray[np.uint64]


def alike_rows(records: pd.DataFrame, rare: float = RARE) -> list[tuple[int, ...]]:
    """Return the rows, from 0, that are alike in every column, group by group, where chance does not explain them.

    Rows that are alike by chance have neighbours. For N_j pairs of rows that differ in column j alone, and a chance a_j
    that two rows agree in it, N_j a_j / (1 - a_j) pairs that agree in it too are expected; a_j is the largest that
    agreement in any other column makes it. Pairs are more than chance explains where they are three times as many as
    the sum of these over all columns, and a Poisson number of that mean is as large with a probability below ``rare``.
    Columns that follow from earlier ones, such as sums and differences, are left out, because no row can differ in
    them alone; so are rows without a value.
    """
    there = records.notna().any(axis=1).to_numpy(dtype=bool)
    rows = np.flatnonzero(there)
    if len(rows) < FEWEST_ROWS or not records.shape[1]:
        return []
    kept = _of_their_own(records)
    codes = [pd.factorize(records.iloc[rows, k], use_na_sentinel=False)[0] for k in kept]
    random = np.random.default_rng(0)  # of the hashes: two different rows agree with a chance of 1 in 1e19
    hashes = [random.integers(2**64, size=int(code.max()) + 1, dtype=np.uint64)[code] for code in codes]
    whole = np.zeros(len(rows), dtype=np.uint64)
    for own in hashes:
        whole += own
    alike = _pairs(whole)
    if not alike:
        return []
    neighbours = [_pairs(whole - own) - alike for own in hashes]
    some = max(1, len(rows) // SOME)
    agree = _agreements([own[::some] for own in hashes], whole[::some]) if any(neighbours) else np.zeros(len(hashes))
    expected = float(np.sum(neighbours * agree / (1.0 - agree)))
    if alike < TIMES * expected or pdtrc(alike - 1, expected) >= rare:
        return []
    _, place, counts = np.unique(whole, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    groups = np.split(rows[order], np.cumsum(counts)[:-1])
    return sorted(tuple(map(int, group)) for group in groups if len(group) > 1)


def _agreements(hashes: list[Hashes], whole: Hashes) -> Array:
    """Return by column the chance that two rows agree in it, given that they do in whatever makes it most likely.

    Pairs that agree in everything are not counted: they are what is in question.
    """
    alike, every = _pairs(whole), len(whole) * (len(whole) - 1) / 2
    own = [_pairs(column) - alike for column in hashes]
    chance = np.array([pairs / (every - alike) if every > alike else 0.0 for pairs in own])
    for j, column in enumerate(hashes):
        for k, other in enumerate(hashes[:j]):
            both = _pairs(column + other) - alike
            for one, given in ((j, k), (k, j)):
                if own[given] >= FEWEST_PAIRS:
                    chance[one] = max(chance[one], both / own[given])
    return np.minimum(chance, MOST_LIKELY)


def _of_their_own(records: pd.DataFrame) -> list[int]:
    """Return the places of columns that are no linear combination of earlier ones, up to rounding."""
    numbers = [k for k in range(records.shape[1]) if is_number(records.iloc[:, k])]
    some = records.iloc[:: max(1, len(records) // SOME), numbers].dropna().to_numpy(dtype=float)
    some = some[np.isfinite(some).all(axis=1)]
    if len(some) < len(numbers) + 2 or not numbers:
        return list(range(records.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        centred = some - some.mean(axis=0)
        sd = centred.std(axis=0)
        centred = centred[:, (sd > 0) & np.isfinite(sd)] / sd[(sd > 0) & np.isfinite(sd)]
    varying = [k for k, own in zip(numbers, sd, strict=True) if own > 0 and np.isfinite(own)]
    distance = np.abs(np.diag(np.linalg.qr(centred, mode="r"))) / np.sqrt(len(centred))
    follows = {k for k, apart in zip(varying, distance, strict=True) if apart < ROUNDING}
    return [k for k in range(records.shape[1]) if k not in follows]


def _pairs(hashes: Hashes) -> int:
    """Return how many pairs of rows have the same hash."""
    counts = np.unique(hashes, return_counts=True)[1]
    return int(np.sum(counts * (counts - 1) // 2))


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
