"""The model family: what compiling the engine costs, each family's own part, and a fit of each specification."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figure import Figure, Settings, figure
from benchmarks.process import call


def figures(settings: Settings) -> list[Figure]:
    """Compile in fresh processes with empty and filled caches, then fit every shipped specification in one process."""
    found: list[Figure] = []
    described = {
        "basic": "normal and negative binomial",
        "correlated": "normal and negative binomial, correlated errors",
        "all": "all families",
    }
    for engine, name in described.items():
        cache: Path = settings.folder / f"engine-{engine}"
        cold = call("families:compile_engine", cache=cache, name=engine)
        warm = [call("families:compile_engine", cache=cache, name=engine) for _ in range(1 if settings.quick else 3)]
        found.append(figure(f"engine of {name}, empty cache", cold, note="once on a machine"))
        found.append(figure(f"engine of {name}, filled cache", warm, note="once in a process"))
    kernels = call("families:compile_kernels", names=["normal", "poisson"] if settings.quick else [])
    found += [
        figure(f"{family}: its loop over rows", seconds, note="compiling alone") for family, seconds in kernels.items()
    ]
    fits = call("families:fit_all", draws=50 if settings.quick else 1000)
    for name, one in fits.items():
        note = f"imports and compiling not counted; smallest bulk ESS {one['ess']:,.0f}"
        found.append(figure(f"{name}: fit", one["fit"], note=note))
        found.append(figure(f"{name}: effects", one["effects"], note="every path effect for every draw"))
    return found


def compile_engine(name: str) -> float:
    """Return the seconds until the engine can be called."""
    from bayes_sp.inference.engine.native import engine

    started = time.perf_counter()
    engine(name)
    return time.perf_counter() - started


def compile_kernels(names: list[str]) -> dict[str, float]:
    """Return the seconds that compiling each family's loop over rows takes by itself; every family for no names."""
    import numba

    from bayes_sp.inference.engine.families import densities_of
    from bayes_sp.model.families.registry import FAMILIES

    ints, floats = numba.types.int64[::1], numba.types.float64[::1]
    number = numba.types.int64
    signature = (number, ints, floats, number, floats, numba.types.float64[:, ::1], floats, floats, *[number] * 7)
    numba.njit(lambda x: x + 1.0)(1.0)  # numba's own start is not the first family's
    found = {}
    for name in names or FAMILIES:
        densities = densities_of([name])
        started = time.perf_counter()
        densities.compile(signature)
        found[name] = time.perf_counter() - started
    return found


def fit_all(draws: int) -> dict[str, dict[str, float]]:
    """Fit every shipped specification once to the embedded records."""
    from bayes_sp.analysis.fit import fit
    from bayes_sp.inference.engine.native import ENGINES, engine
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.model.reading.load import shipped_models
    from bayes_sp.records.published.reconstruct import reconstruct

    survey, options, found = reconstruct(1), SamplerOptions(draws=draws), {}
    for name in ENGINES:
        engine(name)
    few = SamplerOptions(draws=100, tune=200, chains=1, cores=1)
    for name in shipped_models():  # compiles what effects of this specification need
        fit(name, survey, seed=1, options=few).effects()
    for name in shipped_models():
        started = time.perf_counter()
        fitted = fit(name, survey, seed=1, options=options)
        sampled = time.perf_counter()
        fitted.effects()
        ended = time.perf_counter()
        verdict = fitted.diagnose()
        found[name] = {"fit": sampled - started, "effects": ended - sampled, "ess": float(verdict.numbers["ess_bulk"])}
    return found
