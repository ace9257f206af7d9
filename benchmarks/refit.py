"""Refits: what a further fit costs once the structure is compiled in the process."""

from __future__ import annotations

import time

from benchmarks.figure import LEAST_REPEATS, LONG, Figure, Settings, figure, ratio
from benchmarks.process import call


def figures(settings: Settings) -> list[Figure]:
    """Time the first fit of a process with an empty cache, and then 1, 10 and 100 fits of other records."""
    counts = [1, 2] if settings.quick else [1, 10, 100]
    found = call(
        "refit:measure", cache=settings.folder / "refit-cache", counts=counts, draws=50 if settings.quick else 1000
    )
    first = figure("first fit, with compiling", found["first"], note="sp.fit in a fresh process, imports not counted")
    listed = [first, figure("of it compiling", found["compiling"], note="empty cache")]
    for count in counts:
        batches = found["batches"][str(count)]
        note = f"sp.fit, record set{'s' * (count > 1)} of other seeds; a repeat is the whole batch"
        listed.append(figure(f"cost per fit of {count}", [seconds / count for seconds in batches], note=note))
    return [*listed, ratio(f"first fit / each of {counts[-1]} refits", first, listed[-1])]


def measure(counts: list[int], draws: int) -> dict[str, object]:
    """Return the seconds of the first fit, of compiling, and of batches of refits by their size."""
    from bayes_sp.analysis.fit import fit
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.published.reconstruct import reconstruct

    model, options = load_model("primary"), SamplerOptions(draws=draws)
    surveys = [reconstruct(seed) for seed in range(1, max(counts) + 2)]
    started = time.perf_counter()
    attrs = fit(model, surveys[0], seed=1, options=options).posterior.attrs
    first = time.perf_counter() - started
    batches: dict[int, list[float]] = {}
    for count in counts:
        found: list[float] = []
        while not found or (len(found) < LEAST_REPEATS and found[0] < LONG):
            started = time.perf_counter()
            for survey in surveys[1 : count + 1]:
                fit(model, survey, seed=1, options=options)
            found.append(time.perf_counter() - started)
        batches[count] = found
    return {"first": first, "compiling": attrs["seconds_compiling"], "batches": batches}
