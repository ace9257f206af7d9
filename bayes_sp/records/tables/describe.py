"""Table 2 of any survey: moments and correlations with their n, and which cells are missing together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr

from bayes_sp.arrays import Array
from bayes_sp.records.tables.waves import Waves

ANY_TIME = "any time"


def missing_by_wave(records: pd.DataFrame, names: Sequence[str], waves: Waves) -> pd.DataFrame:
    """Return a row for each wave, and for columns of none.

    Columns ``wave``, ``columns`` (how many), ``complete``, ``some`` and ``none``: patients with all of its cells, with
    some of them, and with none.
    """
    wave_of = waves.wave_of
    rows = []
    for wave in (*waves.names, ANY_TIME):
        own = [name for name in names if wave_of.get(name, ANY_TIME) == wave]
        if own:
            there = records[own].notna().to_numpy(dtype=bool)
            every, no = there.all(axis=1), ~there.any(axis=1)
            counts = {"complete": int(every.sum()), "some": int((~every & ~no).sum()), "none": int(no.sum())}
            rows.append({"wave": wave, "columns": len(own), **counts})
    return pd.DataFrame(rows, columns=["wave", "columns", "complete", "some", "none"])


def missing_patterns(records: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return how many patients lack which columns together, the most frequent pattern first.

    Columns ``missing`` (names joined by commas, '' for complete records), ``columns`` (how many) and ``patients``.
    """
    gone = records[list(names)].isna().to_numpy(dtype=bool)
    if not gone.size:
        return pd.DataFrame(columns=["missing", "columns", "patients"])
    packed = np.ascontiguousarray(np.packbits(gone, axis=1))
    _, first, counts = np.unique(
        packed.view(np.dtype((np.void, packed.shape[1]))).ravel(), return_index=True, return_counts=True
    )
    patterns = gone[first]
    rows = [
        {
            "missing": ", ".join(np.asarray(names, dtype=object)[pattern]),
            "columns": int(pattern.sum()),
            "patients": int(n),
        }
        for pattern, n in zip(patterns, counts, strict=True)
    ]
    return pd.DataFrame(rows).sort_values(["patients", "columns"], ascending=[False, True], ignore_index=True)


LEAST = 4  # records that have both values, to give a correlation with its interval
CI_PROB = 0.95


def is_number(column: pd.Series) -> bool:
    """Return whether a column holds real numbers; true and false are none."""
    types = pd.api.types
    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column) and not types.is_complex_dtype(column)


def numbers_of(records: pd.DataFrame, name: str) -> Array:
    """Return a column's numbers as floats, (n,), NaN where a cell is missing."""
    return records[name].to_numpy(dtype=float, na_value=np.nan)


def moments_table(
    records: pd.DataFrame, names: Sequence[str] | None = None, *, labels: Sequence[str] = (), least: int = 1
) -> pd.DataFrame:
    """Return a row for each variable (all without ``names``): what is known of its values, each by itself.

    Columns ``variable``, ``n`` (cells that are there), ``missing``, ``mean``, ``sd`` (n - 1 in the denominator),
    ``minimum`` and ``maximum``, where ``least`` patients have them, and ``levels``, the number of distinct values. A
    column of text has NaN for moments, and so have ``labels``, whose numbers are names, as of groups.

    Examples
    --------
    >>> moments_table(pd.DataFrame({"walks": [1.0, 2.0, 4.0, None]}))[["n", "missing", "maximum"]].iloc[0].tolist()
    [3.0, 1.0, 4.0]
    """
    rows = []
    for name in list(records.columns) if names is None else names:
        there = int(records[name].notna().sum())
        row = {"variable": str(name), "n": there, "missing": len(records) - there}
        row |= dict.fromkeys(("mean", "sd", "minimum", "maximum"), np.nan)
        if there and name not in labels and is_number(records[name]):
            values = numbers_of(records, name)
            known = values[~np.isnan(values)]
            with np.errstate(over="ignore", invalid="ignore"):  # values near the ends of floats
                sd = float(np.std(known, ddof=1)) if there > 1 else np.nan
                row |= {"mean": float(known.mean()), "sd": sd}
            ends = {"minimum": known.min(), "maximum": known.max()}
            row |= {end: float(value) for end, value in ends.items() if (known == value).sum() >= least}
        rows.append(row | {"levels": int(records[name].nunique())})
    columns = ["variable", "n", "missing", "mean", "sd", "minimum", "maximum", "levels"]
    return pd.DataFrame(rows, columns=columns)


def correlation_table(records: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    r"""Return Pearson correlations of every two columns of numbers, over the records that have both values.

    t = r sqrt((n - 2) / (1 - r^2)) on n - 2 degrees of freedom; the 95 % interval by Fisher's z = artanh r, whose
    standard error is 1 / sqrt(n - 3).

    Columns ``row``, ``column`` (the earlier one), ``n``, ``r``, ``lower``, ``upper``, ``p``: below the diagonal, row by
    row. NaN where fewer than four records have both, or one does not vary among those.
    """
    values = np.column_stack([numbers_of(records, name) for name in names]) if names else np.empty((len(records), 0))
    values[np.isinf(values)] = np.nan
    place = [(i, j) for i in range(len(names)) for j in range(i)]
    r, n = _pairwise(values)
    rows, columns = np.array([i for i, _ in place], dtype=int), np.array([j for _, j in place], dtype=int)
    found, counts = r[rows, columns], n[rows, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = found * np.sqrt((counts - 2) / np.maximum(1.0 - found**2, 0.0))
        half = ndtri(0.5 + CI_PROB / 2) / np.sqrt(np.where(counts > 3, counts - 3, np.nan))
        p = 2.0 * stdtr(np.maximum(counts - 2, 1), -np.abs(t))
        lower, upper = np.tanh(np.arctanh(found) - half), np.tanh(np.arctanh(found) + half)
    return pd.DataFrame(
        {
            "row": [names[i] for i in rows], "column": [names[j] for j in columns], "n": counts.astype(int),
            "r": found, "lower": lower, "upper": upper, "p": np.where(np.isnan(found), np.nan, p),
        }
    )  # fmt: skip


def _pairwise(values: Array) -> tuple[Array, Array]:
    """Return correlations over complete pairs and their numbers of records, each (q, q)."""
    there = (~np.isnan(values)).astype(float)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        centre = np.nansum(values, axis=0) / np.maximum(there.sum(axis=0), 1.0)
        spread = np.nanmax(np.abs(values - centre), axis=0, initial=0.0, where=there > 0)
        z = np.where(there > 0, (values - centre) / np.where(spread > 0, spread, 1.0), 0.0)
        n = there.T @ there
        sums = z.T @ there  # of column i over the records that have i and j
        squares = (z**2).T @ there
        cross = z.T @ z - sums * sums.T / np.maximum(n, 1.0)
        own = squares - sums**2 / np.maximum(n, 1.0)
        rounding = 1e-12 * np.maximum(squares, 1e-300)
        varies = (own > rounding) & (own.T > rounding.T) & (n >= LEAST)
        r = np.where(varies, cross / np.sqrt(np.where(varies, own * own.T, 1.0)), np.nan)
    return np.clip(r, -1.0, 1.0), n
