"""Effective draws per second: `sp.fit` against `pm.sample` with its defaults on the plain model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.figure import Figure, Settings, figure, ratio
from benchmarks.process import call

if TYPE_CHECKING:
    import xarray as xr

WAYS = {"package": "sp.fit", "plain": "pm.sample"}


def figures(settings: Settings) -> list[Figure]:
    """Run both ways in processes of their own, once with an empty compile cache and three times with a filled one.

    Sampling alone is timed with the filled cache: with an empty one, part of the compiling falls into it.
    """
    draws, chains = (100, 2) if settings.quick else (1000, 4)
    warm_runs = 1 if settings.quick else 3
    found: list[Figure] = []
    rates: dict[str, dict[str, Figure]] = {}
    for way, name in WAYS.items():
        cache = settings.folder / f"ess-{way}"
        cold, *warm = [
            call(f"ess:{way}", cache=cache, seed=seed, draws=draws, chains=chains) for seed in range(1, warm_runs + 2)
        ]
        note = f"{chains} chains of {draws} draws, 2 cores; warm-up {warm[0]['tune']:.0f} (default of {name})"
        found.append(figure(f"{name}: smallest bulk ESS", [run["ess"] for run in [cold, *warm]], "draws", note))
        found.append(figure(f"{name}: sampling", [run["sampling"] for run in warm], note=SAMPLING[way]))
        found.append(figure(f"{name}: whole call, filled cache", [run["whole"] for run in warm], note=WHOLE[way]))
        found.append(figure(f"{name}: whole call, empty cache", cold["whole"]))
        by_time = {
            "sampling only": [run["ess"] / run["sampling"] for run in warm],
            "with compiling, filled cache": [run["ess"] / run["whole"] for run in warm],
            "with compiling, empty cache": [cold["ess"] / cold["whole"]],
        }
        rates[way] = {label: figure(f"{name}: ESS/s, {label}", values, "1/s") for label, values in by_time.items()}
        found += rates[way].values()
    for label, rate in rates["package"].items():
        found.append(ratio(f"ESS/s of sp.fit / pm.sample, {label}", rate, rates["plain"][label]))
    return found


SAMPLING = {
    "package": "search for the mode, warm-up and draws; filled cache",
    "plain": "warm-up and draws of nutpie, as pm.sample records them; filled cache",
}
WHOLE = {
    "package": "also checks and pointwise log-likelihood; imports not counted",
    "plain": "building the model, pm.sample with its convergence checks; imports not counted",
}


def package(seed: int, draws: int, chains: int) -> dict[str, float]:
    """Fit with `sp.fit`."""
    from bayes_sp.analysis.fit import fit
    from bayes_sp.inference.options import SamplerOptions
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.published.reconstruct import reconstruct

    model, survey = load_model("primary"), reconstruct(1)
    options = SamplerOptions(draws=draws, chains=chains, cores=2)
    started = time.perf_counter()
    tree = fit(model, survey, seed=seed, options=options).posterior
    whole = time.perf_counter() - started
    sampling = float(tree.attrs["seconds_sampling"])
    return {"whole": whole, "sampling": sampling, "ess": smallest_ess(tree), "tune": options.tune}


def plain(seed: int, draws: int, chains: int) -> dict[str, float]:
    """Fit the plain model with `pm.sample`; nothing of the package's compiling is imported, which sets a flag."""
    import pymc as pm

    from bayes_sp.design.build import design_arrays
    from bayes_sp.inference.reference.build import build_model
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.published.reconstruct import reconstruct

    model, survey = load_model("primary"), reconstruct(1)
    started = time.perf_counter()
    with build_model(model, design_arrays(model, survey)):
        tree = pm.sample(draws=draws, chains=chains, cores=2, random_seed=seed, progressbar=False)
    whole = time.perf_counter() - started
    attrs = tree["posterior"].attrs
    tune = float(attrs["tuning_steps"])
    return {"whole": whole, "sampling": float(attrs["sampling_time"]), "ess": smallest_ess(tree), "tune": tune}


def smallest_ess(tree: xr.DataTree) -> float:
    """Return the smallest bulk ESS over the model's parameters."""
    import arviz as az

    from bayes_sp.model.reading.load import load_model

    names = [*(equation.response for equation in load_model("primary").equations), "sigma", "phi"]
    found = az.ess(tree["posterior"].to_dataset()[names], method="bulk")
    return min(float(found[name].min()) for name in names)
