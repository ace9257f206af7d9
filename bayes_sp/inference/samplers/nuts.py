"""Draws by NUTS through nutpie, and what the sampler says of them."""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import Any

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.inference.backends import DRAWS, sampler
from bayes_sp.inference.options import (
    ESS_LIMIT,
    LEAST_RELIABILITY,
    R_HAT_LIMIT,
    TARGET_ACCEPT,
    TARGET_GROUPED,
    TARGET_INTEGRATED,
    TARGET_OF_MANY,
    SamplerOptions,
)
from bayes_sp.inference.samplers.nutpie_import import nutpie
from bayes_sp.inference.samplers.target import LogPosterior, Program
from bayes_sp.model.path_model import PathModel

# What the draws of a chain say one by one; the rest is positions and gradients, or whether it was warm-up.
STATISTICS = (
    "diverging", "energy", "energy_error", "max_energy_error", "depth", "maxdepth_reached", "n_steps", "step_size",
    "step_size_bar", "mean_tree_accept", "mean_tree_accept_sym", "logp", "fisher_distance", "index_in_trajectory",
)  # fmt: skip


def nuts_draws(
    posterior: LogPosterior, *, seed: int, options: SamplerOptions, progress: bool = False
) -> tuple[Array, xr.Dataset]:
    """Draw with NUTS from a posterior whose frame is that of its mode; chains start twice as spread as the frame.

    Returns draws of z, (chain, draw, size), and nutpie's statistics.

    Raises KeyboardInterrupt where sampling was interrupted: a part of the draws is not returned; RuntimeError where a
    thread of the sampler came to grief, as it can on a posterior without an integral.
    """
    try:
        trace = nutpie.sample(
            # starts twice as spread as the normal approximation at the mode
            sampler(posterior, lambda chain: 2.0 * np.random.default_rng(chain).standard_normal(posterior.size)),
            draws=options.draws, tune=options.tune, chains=options.chains, cores=options.cores, seed=seed,
            target_accept=options.target_accept, save_warmup=False, progress_bar=progress,
            return_raw_trace=True,
        )  # fmt: skip
    except _panics() as error:
        raise RuntimeError(f"the sampler stopped: {error}") from error
    draws, statistics = trace.get_arrow_trace()
    kept = [~_column(batch, "tuning") for batch in statistics]
    if any(int(chain.sum()) != options.draws for chain in kept):
        raise KeyboardInterrupt  # nutpie takes an interrupt for itself and hands on what there is so far
    z = np.stack([_column(b, DRAWS).reshape(b.num_rows, -1)[k] for b, k in zip(draws, kept, strict=True)])
    found = {
        name: (("chain", "draw"), np.stack([_column(b, name)[k] for b, k in zip(statistics, kept, strict=True)]))
        for name in STATISTICS
    }
    attrs = {"inference_library": "nutpie", "inference_library_version": importlib.metadata.version("nutpie")}
    coords = {"chain": np.arange(z.shape[0]), "draw": np.arange(z.shape[1])}
    return z, xr.Dataset(found, coords=coords, attrs=attrs)


def draws_needed(theta: Array, options: SamplerOptions) -> int:
    """Return how many draws each chain needs: those that it has, or ``most_draws`` where those are too few.

    ``theta`` are draws of the parameters that all patients share, (chain, draw, P). The excess of R-hat over 1 falls
    and the ESS grows in proportion to draws. Where ``most_draws`` would not do either, something else is wrong, and
    the draws are left as they are, for the diagnostics to say so.
    """
    if options.most_draws is None or options.most_draws <= options.draws or options.chains < 2:
        return options.draws
    found = convergence_measures(theta)
    r_hat, ess = found["r_hat"].max(), min(found["ess_bulk"].min(), found["ess_tail"].min())
    times = options.most_draws / options.draws
    if r_hat <= R_HAT_LIMIT and ess >= ESS_LIMIT:
        return options.draws
    within_reach = (r_hat - 1.0) / times <= R_HAT_LIMIT - 1.0 and ess * times >= ESS_LIMIT
    return options.most_draws if within_reach else options.draws


def target_accept(model: PathModel, program: Program, options: SamplerOptions) -> float:
    """Return the mean acceptance to tune the step size to: see `SamplerOptions`."""
    if options.target_accept is not None:
        return options.target_accept
    if program.integrated:
        return TARGET_INTEGRATED
    if program.groups:
        return TARGET_GROUPED
    reliable = all(e.reliability is None or e.reliability >= LEAST_RELIABILITY for e in model.equations)
    return TARGET_OF_MANY if reliable and len(program.standardised) > program.framed else TARGET_ACCEPT


def _panics() -> tuple[type[BaseException], ...]:
    """Return the class of what nutpie raises where one of its threads fails; it derives from no other class."""
    return tuple(kind for kind in BaseException.__subclasses__() if kind.__name__ == "PanicException")


def _column(batch: Any, name: str) -> Any:  # noqa: ANN401 - an Arrow table's column
    """Return a column as NumPy, lists one after the other; NaN where there is no value."""
    array = importlib.import_module("pyarrow").array(batch.column(name))
    if hasattr(array, "flatten"):
        array = array.flatten()
    return array.to_numpy(zero_copy_only=False)
