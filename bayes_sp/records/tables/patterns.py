"""Which cells are missing together: by wave, and by pattern of columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

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
