"""Files with a million rows: read whole, read and checked for a specification, against the bare readers."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figure import Figure, Settings, figure, ratio
from benchmarks.process import call

ROWS, FEW_ROWS, REPEATS = 1_000_000, 2_000, 3
FORMATS = {".csv": "pandas.read_csv", ".sav": "pyreadstat.read_sav"}


def figures(settings: Settings) -> list[Figure]:
    """Read each format in a process of its own, and once more by the library alone."""
    rows = FEW_ROWS if settings.quick else ROWS
    listed = []
    for suffix, bare in FORMATS.items():
        found = call("reading:measure", rows=rows, suffix=suffix, repeats=REPEATS)
        alone = figure(f"{suffix}: {bare}", found["bare"])
        whole = figure(f"{suffix}: read_survey, every column", found["whole"], note=f"{rows:,} rows, 16 columns")
        checked = figure(f"{suffix}: read_survey for a specification, checked", found["checked"], note="11 columns")
        memory = figure(f"{suffix}: peak memory", found["megabytes"], "MB")
        listed += [alone, whole, checked, ratio(f"{suffix}: every column against {bare}", whole, alone), memory]
    return listed


def measure(rows: int, suffix: str, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each way to read one file, and the peak memory in megabytes."""
    import numpy as np
    import pandas as pd
    import pyreadstat

    import bayes_sp as sp

    rng = np.random.default_rng(1)
    drawn = sp.reconstruct(seed=1).records
    frame = pd.DataFrame({name: rng.choice(drawn[name], rows) for name in drawn})  # no row twice but by chance
    frame["id"], frame["income"] = np.arange(rows), np.round(rng.lognormal(10, 1, rows), 2)
    frame["region"] = rng.choice(["North", "South", "East", "West"], rows)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        path = Path(folder) / f"large{suffix}"
        if suffix == ".sav":
            pyreadstat.write_sav(frame, path)
        else:
            frame.to_csv(path, index=False)
        read = pyreadstat.read_sav if suffix == ".sav" else pd.read_csv
        ways = {
            "bare": lambda: read(path),
            "whole": lambda: sp.read_survey(path),
            "checked": lambda: sp.read_survey(path, "primary"),
        }
        found = {name: [_seconds(run) for _ in range(repeats)] for name, run in ways.items()}
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return found | {"megabytes": [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit]}


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
