"""Resamples in sentences: which lie on a boundary, which have no value, and which records a column rests on."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bayes_sp.analysis.comparison.table import POSTERIOR
from bayes_sp.records.small_counts import share_words


def resample_sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield what a reader must know of each likelihood's resamples; from the table behind ``bootstrap.csv``."""
    for likelihood, rows in table.groupby("likelihood", sort=False):
        family, first = str(likelihood).replace("_", " "), rows.iloc[0]
        of = f"of {first['replicates']} bootstrap samples"
        if first["boundary"]:
            yield (
                f"{family}: in {first['boundary']} {of} the likelihood has its maximum on a boundary "
                f"({first['boundaries']}); each enters with the limits of its effects."
            )
        if first["failed"]:
            yield f"{family}: {first['failed']} {of} failed ({first['reasons']}); they enter no interval."
        most = int(rows["undefined"].max())
        if most > first["failed"]:
            yield f"{family}: up to {most} {of} give an effect no value, not even infinity; they do not enter it."
        if rows[["lower", "upper"]].isna().any(axis=None):
            yield (
                f"{family}: there is no limit where samples without a value are as many as the interval leaves out on "
                "a side, or where it falls between minus and plus infinity."
            )


def rows_used(table: pd.DataFrame, inference: str) -> str:
    """Return on how many records a column of the comparison rests, where columns differ in that; '' otherwise."""
    known = table.dropna(subset=["patients"])
    if known["patients"].nunique() < 2:
        return ""
    counts = sorted(set(known.loc[known["inference"] == inference, "patients"]))
    if not counts:
        return ""
    kind = "all" if inference == POSTERIOR else "complete"
    most = int(known["patients"].max())
    words = [share_words(int(count), most).removesuffix(f" of {most:,}") for count in counts]
    return f" ({kind} records, n = {' and '.join(words)})"
