"""Compile a model, draw from its posterior with nutpie, and keep with the draws how they were made."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr

from bayes_sp.errors import FitError
from bayes_sp.model.build import build_model, observed_name
from bayes_sp.model.compact import structure_of
from bayes_sp.model.compiled import LogPosterior, compile_model
from bayes_sp.model.laplace import GROUPS, laplace_draws
from bayes_sp.model.mode import NoModeError, find_mode
from bayes_sp.model.native import DRAWS, NativeModel, log_densities, native_model
from bayes_sp.model.options import PARETO_K_LIMIT, SamplerOptions
from bayes_sp.model.pointwise import log_likelihood
from bayes_sp.spec.dump import specification_text
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.arrays import design_arrays
from bayes_sp.survey.design import Array, Design
from bayes_sp.survey.records import Survey

POINTWISE_LIMIT = 20_000_000
PACKAGES = ("bayes_sp", "pymc", "nutpie", "pytensor", "numba", "numpy", "arviz", "xarray", "pandas", "scipy")
Notify = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing of the progress."""


def sample_posterior(
    model: PathModel,
    survey: Survey,
    *,
    seed: int,
    options: SamplerOptions | None = None,
    progress: bool = False,
    notify: Notify = silent,
) -> xr.DataTree:
    """Draw from the joint posterior of a specification given a survey.

    Parameters
    ----------
    model, survey
        What to fit, to which records.
    seed
        The same seed gives the same draws, whatever the number of cores and whether anything was compiled before.
    options
        Method, draws, warm-up, chains and cores.
    progress
        Show nutpie's progress bar.
    notify
        Called with a line at the start of each stage.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior`` (chain, draw, ...), ``sample_stats`` (NUTS only), ``observed_data``, ``constant_data`` and
        ``log_likelihood`` (chain, draw, patient); the last is left out above 20 million values. The root's
        attributes record seed, options, versions, data digest, specification, the records' origin, divergences (or
        Pareto k) and seconds of compiling and sampling.

    Raises
    ------
    SurveyError
        Where the survey does not fit the specification.
    FitError
        Where the posterior has no maximum, or no finite value, from which to start; where a Laplace approximation
        has a Pareto k above 0.7.
    """
    options = options or SamplerOptions()
    design = design_arrays(model, survey)
    notify("compiling the model")
    started = time.perf_counter()
    compiled = compile_model(model)
    native = native_model(compiled)
    origin = posterior = compiled.posterior(model, design)
    compiled_at = time.perf_counter()
    try:
        strict = options.method == "laplace"
        mode = find_mode(posterior, lambda p: log_densities(origin, native, p, options.cores)[1], strict=strict)
        posterior = posterior.moved(mode.theta, mode.scale)
        draw = _nuts if options.method == "nuts" else _laplace
        z, stats, found = draw(posterior, native, seed, options, progress, notify)
    except (NoModeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise FitError(survey.source, [f'the model "{model.name}" could not be fitted: {reason}']) from error
    seconds = {"seconds_compiling": compiled_at - started, "seconds_sampling": time.perf_counter() - compiled_at}
    made = {"seed": seed, **asdict(options), **found, **{name: round(value, 3) for name, value in seconds.items()}}
    return _complete(posterior.variables(z), stats, model, survey, design, made)


def _nuts(
    posterior: LogPosterior, native: NativeModel, seed: int, options: SamplerOptions, progress: bool, notify: Notify
) -> tuple[Array, xr.Dataset | None, dict[str, Any]]:
    """Draw with NUTS, on the scale of the curvature at the mode: (chain, draw, size), sampler statistics."""
    notify(f"sampling {options.chains} chains of {options.tune} warm-up and {options.draws} kept draws")
    tree = nutpie.sample(
        native.sampler(posterior, lambda chain_seed: _spread_start(chain_seed, posterior.size)),
        draws=options.draws, tune=options.tune, chains=options.chains, cores=options.cores, seed=seed,
        target_accept=options.target_accept, save_warmup=False, progress_bar=progress,
    )  # fmt: skip
    stats = tree["sample_stats"].to_dataset().drop_vars(["divergence_message"], errors="ignore")
    return tree["posterior"][DRAWS].to_numpy(), stats, {"divergences": int(stats["diverging"].sum())}


def _laplace(
    posterior: LogPosterior, native: NativeModel, seed: int, options: SamplerOptions, _progress: bool, notify: Notify
) -> tuple[Array, xr.Dataset | None, dict[str, Any]]:
    """Draw by importance resampling from the Laplace approximation: (group, draw, size), no sampler statistics."""
    notify(f"weighing {options.draws} draws of the Laplace approximation")
    each = -(-options.draws // GROUPS)
    found = laplace_draws(posterior, native, draws=each * GROUPS, seed=seed, cores=options.cores)
    if not found.pareto_k <= PARETO_K_LIMIT:
        raise RuntimeError(
            f"the Laplace approximation is not close enough (Pareto k {found.pareto_k:.2f}, above {PARETO_K_LIMIT}); "
            "use --method nuts"
        )
    return found.z.reshape(GROUPS, each, -1), None, {"pareto_k": found.pareto_k, "importance_ess": found.ess}


def _spread_start(chain_seed: int, size: int) -> Array:
    """Return a chain's start, twice as spread as the normal approximation at the mode."""
    return 2.0 * np.random.default_rng(chain_seed).standard_normal(size)


def prior_predictive(model: PathModel, survey: Survey, *, seed: int, draws: int = 1000) -> xr.DataTree:
    """Draw parameters from the priors and responses from the likelihoods, for the survey's own covariates.

    Returns
    -------
    xarray.DataTree
        Groups ``prior`` and ``prior_predictive``, each (chain = 1, draw, ...), and ``observed_data``.

    Raises
    ------
    FitError
        Where a prior is improper (flat), so that nothing can be drawn from it.
    """
    flat = sorted({str(prior) for _, _, prior in model.priors if prior.dist in ("flat", "half_flat")})
    if flat:
        raise FitError(model.name, [f"the priors {', '.join(flat)} are improper; nothing can be drawn from them"])
    logger = logging.getLogger("pymc.sampling.forward")
    level = logger.level
    logger.setLevel(logging.WARNING)  # it would announce the variables' names on standard error
    try:
        with build_model(model, design_arrays(model, survey)):
            return pm.sample_prior_predictive(draws=draws, random_seed=seed)
    finally:
        logger.setLevel(level)


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and the packages that draws depend on."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "platform": f"{sys.platform} {platform.machine()}", **found}


def _complete(
    draws: Mapping[str, Array],
    stats: xr.Dataset | None,
    model: PathModel,
    survey: Survey,
    design: Design,
    made: dict[str, Any],
) -> xr.DataTree:
    """Name the draws, add what ArviZ expects beside the posterior, and say how it was made."""
    posterior = label_draws(model, draws)
    patients = {"patient": np.arange(design.n)}
    observed = {observed_name(r): ("patient", design.y[:, j]) for j, r in enumerate(design.responses)}
    constant = {design.exposure: ("patient", design.x)}
    constant |= {name: ("patient", design.w[:, j]) for j, name in enumerate(design.covariate_terms)}
    groups = {
        "posterior": posterior,
        "observed_data": xr.Dataset(observed, coords=patients),
        "constant_data": xr.Dataset(constant, coords=patients),
    }
    if stats is not None:
        groups["sample_stats"] = stats
    if posterior.sizes["chain"] * posterior.sizes["draw"] * design.y.size <= POINTWISE_LIMIT:
        groups["log_likelihood"] = log_likelihood(model, design, posterior)
    complete = xr.DataTree.from_dict(groups)
    complete.attrs = {
        **made,
        "model": model.name,
        "specification": specification_text(model),
        "data_digest": survey.digest,
        "data_origin": survey.origin,
        "data_source": survey.mark,
        "reconstructed_from_published_moments": int(survey.reconstructed),
        "versions": json.dumps(versions()),
    }
    return complete


def label_draws(model: PathModel, draws: Mapping[str, Array]) -> xr.Dataset:
    """Return draws (chain, draw, element) with the posterior's names, dims and coordinates."""
    labels = dict(structure_of(model).labels)
    dims = {name: f"{name}_{'response' if name in ('sigma', 'phi') else 'term'}" for name in labels}
    chains, count = next(iter(draws.values())).shape[:2]
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(count)}
    coords |= {dims[name]: list(names) for name, names in labels.items()}
    return xr.Dataset({name: (("chain", "draw", dims[name]), draws[name]) for name in labels}, coords=coords)
