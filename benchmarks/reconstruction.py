"""The time to reconstruct one record set from the published moments."""

from __future__ import annotations

import time

from benchmarks.figure import Figure, Settings, figure
from benchmarks.process import call


def figures(settings: Settings) -> list[Figure]:
    """Time 20 seeds, one record set each."""
    seconds = call("reconstruction:measure", seeds=3 if settings.quick else 20)
    note = f"seeds 1 to {len(seconds)}, 178 records each; min–max over seeds"
    return [figure("seconds per record set", seconds, note=note)]


def measure(seeds: int) -> list[float]:
    """Return the seconds of each seed, after one that is not counted."""
    from bayes_sp.records.published.reconstruct import reconstruct

    reconstruct(0)
    found = []
    for seed in range(1, seeds + 1):
        started = time.perf_counter()
        reconstruct(seed)
        found.append(time.perf_counter() - started)
    return found
