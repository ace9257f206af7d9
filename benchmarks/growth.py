"""Growth with the number of patients: seconds and memory of NUTS and of the Laplace approximation."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import linear_regression
from typing import TYPE_CHECKING, Any

from benchmarks.figure import LEAST_REPEATS, LONG, Figure, Settings, figure, ratio
from benchmarks.process import call

if TYPE_CHECKING:
    import xarray as xr

    from bayes_sp.inference.options import Method

Found = dict[int, dict[str, Any]]
SIZES = (178, 2_000, 20_000, 200_000, 1_000_000)
NUTS_LIMIT = 20_000
NUTS_LIMIT_FULL = 200_000
LABELS = {"nuts": "NUTS", "laplace": "Laplace"}


def figures(settings: Settings) -> list[Figure]:
    """Fit surveys simulated from the primary model, each size and method in a process of its own."""
    sizes = (178, 400) if settings.quick else SIZES
    limit = NUTS_LIMIT_FULL if settings.full else NUTS_LIMIT
    draws = {"nuts": 100 if settings.quick else 1000, "laplace": 1000}
    # A cache that is filled before anything is measured, so that no size pays for compiling; quick runs use the user's.
    cache = None if settings.quick else settings.folder / "growth-cache"
    if not settings.quick:
        call("growth:measure", cache=cache, n=sizes[0], method="laplace", draws=1000)
    listed: list[Figure] = []
    found: dict[str, Found] = {}
    for method, label in LABELS.items():
        found[method] = {
            n: call("growth:measure", cache=cache, n=n, method=method, draws=draws[method])
            for n in sizes
            if method == "laplace" or n <= limit
        }
        for n, one in found[method].items():
            listed += _of_size(f"{label}, n = {n:,}", one)
        for name, key in (("fit", "fit"), ("effects", "effects")):
            listed += _slope(f"{label}: slope of log {name} seconds on log n", found[method], key)
    for n in found["nuts"]:
        listed += _against(n, found["nuts"][n], found["laplace"][n])
    return listed


def _of_size(name: str, one: Mapping[str, Any]) -> list[Figure]:
    if "failed" in one:
        return [Figure(f"{name}: fit", math.nan, "s", math.nan, math.nan, note=f"failed: {one['failed']}")]
    return [
        figure(f"{name}: fit", one["fit"], note=f"without compiling; smallest ESS {one['ess']:,.0f}"),
        figure(f"{name}: effects", one["effects"], note="every path effect for every draw"),
        figure(f"{name}: peak memory", one["peak"], "MB", "of the process, fit and effects"),
        figure(f"{name}: memory before", one["before"], "MB", "peak after imports and simulating the records"),
    ]


def _slope(name: str, found: Found, key: str) -> list[Figure]:
    """Return the growth's exponent over the upper half of the sizes: 1 where time is in proportion to n."""
    sizes = upper_sizes([n for n, one in found.items() if "failed" not in one])
    if len(sizes) < 2:
        return []
    seconds = [figure("", found[n][key]).value for n in sizes]
    note = f"n = {sizes[0]:,} to {sizes[-1]:,}; 1 is in proportion to n"
    return [figure(name, growth_exponent(sizes, seconds), "slope", note)]


def upper_sizes(sizes: Sequence[int]) -> list[int]:
    """Return the upper half of the sizes, at least two, where fixed costs no longer hide the growth."""
    return sorted(sizes)[-max(2, math.ceil(len(sizes) / 2)) :]


def growth_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the least-squares slope of log seconds on log n."""
    return linear_regression([math.log(n) for n in sizes], [math.log(s) for s in seconds]).slope


def _against(n: int, nuts: Mapping[str, Any], laplace: Mapping[str, Any]) -> list[Figure]:
    """Return how much faster Laplace is, and how far its posterior means are from those of NUTS."""
    if "failed" in nuts or "failed" in laplace:
        return []
    gaps = [abs(a - b) / sd for a, b, sd in zip(nuts["means"], laplace["means"], nuts["sds"], strict=True)]
    expected = math.sqrt(1 / nuts["ess"] + 1 / laplace["ess"])  # in SDs
    note = f"{len(gaps)} parameters; the standard error of one such difference is up to {expected:.2f}"
    return [
        ratio(f"n = {n:,}: NUTS / Laplace, fit", figure("", nuts["fit"]), figure("", laplace["fit"])),
        figure(f"n = {n:,}: largest difference of posterior means", max(gaps), "SD", note),
    ]


def measure(n: int, method: Method, draws: int) -> dict[str, Any]:
    """Fit once, or three times where it takes less than 5 s, and compute the effects as often.

    Peak memory is read after the first fit and its effects, before anything is repeated.
    """
    from bayes_sp.analysis.fit import Fit, fit
    from bayes_sp.errors import FitError
    from bayes_sp.inference.options import SamplerOptions
    from benchmarks.truth import simulated

    model, survey = simulated(n)
    options = SamplerOptions(draws=draws, method=method)
    before = _peak_memory()

    def fit_once() -> tuple[Fit, float]:
        started = time.perf_counter()
        fitted = fit(model, survey, seed=1, options=options)
        return fitted, time.perf_counter() - started - float(fitted.posterior.attrs["seconds_compiling"])

    def effects_once(fitted: Fit) -> float:
        started = time.perf_counter()
        fitted.effects()
        return time.perf_counter() - started

    try:
        fitted, seconds = fit_once()
    except FitError as error:
        return {"failed": str(error)}
    fits, effects = [seconds], [effects_once(fitted)]
    peak = _peak_memory()
    while len(effects) < LEAST_REPEATS and effects[0] < LONG:
        effects.append(effects_once(fitted))
    found = _summary(fitted.posterior["posterior"].to_dataset())
    if method == "laplace":  # draws resampled with ties, which the autocorrelation does not show
        found["ess"] = min(found["ess"], float(fitted.posterior.attrs["importance_ess"]))
    del fitted
    while len(fits) < LEAST_REPEATS and fits[0] < LONG:
        fits.append(fit_once()[1])
    return {"fit": fits, "effects": effects, "before": before, "peak": peak, **found}


def _summary(posterior: xr.Dataset) -> dict[str, Any]:
    """Return means and SDs of every parameter, and the smallest bulk ESS."""
    import arviz as az

    dims = ("chain", "draw")
    names = sorted(str(name) for name in posterior.data_vars)
    ess = az.ess(posterior, method="bulk")
    return {
        "means": [float(m) for name in names for m in posterior[name].mean(dims)],
        "sds": [float(s) for name in names for s in posterior[name].std(dims)],
        "ess": min(float(ess[name].min()) for name in names),
    }


def _peak_memory() -> float:
    """Return the largest resident memory that this process has had, in MB."""
    import resource

    unit = 1.0 if sys.platform == "darwin" else 1024.0  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
