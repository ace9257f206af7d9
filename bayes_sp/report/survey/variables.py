"""The variables of a survey in lines: n, missing, mean, SD, minimum, maximum."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_sp.report.text.layout import within


def moments_lines(table: pd.DataFrame, *, with_ends: bool = True) -> list[str]:
    """Return n, missing, mean, SD, minimum and maximum of each variable as lines; a text has its number of levels."""
    rows = [["", "n", "missing", "mean", "SD", *(["min", "max"] if with_ends else []), ""]]
    for row in table.to_dict("records"):
        ends = [short(row["minimum"]), short(row["maximum"])] if with_ends else []
        levels = f"{row['levels']} levels" if np.isnan(row["mean"]) and row["n"] else ""
        rows.append(
            [
                row["variable"],
                f"{row['n']:,}",
                f"{row['missing']:,}",
                short(row["mean"]),
                short(row["sd"]),
                *ends,
                levels,
            ]
        )
    if not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return within(rows, "l" + "r" * (len(rows[0]) - 1))


def short(value: float) -> str:
    """Return a number with four digits, whole ones with all of theirs; '' for none."""
    if np.isnan(value):
        return ""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"
