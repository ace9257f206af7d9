"""Draw from a model's posterior, and keep with the draws how they were made."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.design.build import design_arrays
from bayes_sp.design.checks.estimable import check_responses
from bayes_sp.design.design import Design
from bayes_sp.design.incomplete import incomplete_priors
from bayes_sp.errors import FitError
from bayes_sp.inference.backends import HAS_ENGINE, compile_program, engine_for, unknown_to_engine
from bayes_sp.inference.labels import label_draws
from bayes_sp.inference.options import PARETO_K_LIMIT, SamplerOptions, usual_options
from bayes_sp.inference.pointwise.forward import evaluated, unmeasured_draws
from bayes_sp.inference.pointwise.imputed import imputed_covariates
from bayes_sp.inference.pointwise.log_likelihood import log_likelihood
from bayes_sp.inference.pointwise.thinned import Thin, weigher
from bayes_sp.inference.refusals import check_memory, check_power, check_seed
from bayes_sp.inference.samplers.group_starts import find_start
from bayes_sp.inference.samplers.laplace import GROUPS, laplace_draws, patients_beyond
from bayes_sp.inference.samplers.mode import NoModeError, find_mode
from bayes_sp.inference.samplers.nuts import draws_needed, nuts_draws, target_accept
from bayes_sp.inference.samplers.target import LogPosterior, log_posterior
from bayes_sp.inference.versions import versions
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.write import specification_text
from bayes_sp.names import VARIANCE_FACTOR, observed_name
from bayes_sp.records.survey import Survey

POINTWISE_LIMIT = 20_000_000
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
    likelihood_power: float = 1.0,
    pointwise: bool = True,
    design: Design | None = None,
) -> xr.DataTree:
    """Draw from the joint posterior of a specification given a survey.

    Groups ``posterior`` (chain, draw, ...), ``sample_stats`` (NUTS only), ``observed_data``, ``constant_data`` and
    ``log_likelihood`` (chain, draw, patient); the last is left out above 20 million values. ``imputed`` where
    covariates have missing cells: their draws. With unmeasured confounders there is ``unmeasured``, their draws (chain,
    draw, patient), and no ``log_likelihood``, which then is an integral and computed where it is needed. The root's
    attributes record seed, options, versions, data digest, specification, the records' origin, divergences (or Pareto
    k) and seconds of compiling and sampling. Draws of a Laplace approximation have a coordinate ``variance_factor``
    (chain, draw) that Monte Carlo errors need (`laplace_draws`).

    The same seed gives the same draws, whatever the number of cores and whether anything was compiled before. NUTS
    samples the plain PyMC model where the engine lacks a density; without options they are `usual_options`. ``notify``
    is called with a line at the start of each stage; ``progress`` shows nutpie's bar. The likelihood enters with
    ``likelihood_power``, 1 for the posterior itself. Pointwise log-likelihoods kept with the draws take a fifth of the
    time of a small fit. ``design`` has the survey's arrays, where they are at hand; otherwise they are made here, with
    every check of the survey.

    Raises SurveyError where the survey does not fit the specification; ValueError for a seed that is not a whole number
    of at least 0; for a power of the likelihood that is not above 0; FitError where the posterior has no maximum, or no
    finite value, from which to start; where a Laplace approximation has a Pareto k above 0.7; where the likelihood has
    a power but cells are hidden, whose own densities would need one too; where the draws of patients' values would take
    more than 3 GiB.
    """
    check_seed(seed)
    options = options or usual_options()
    design = design or design_arrays(model, survey)
    check_responses(design, model.name, survey.source)
    started = time.perf_counter()
    if not 0.0 < likelihood_power < np.inf:
        raise ValueError(f"the power of the likelihood must be above 0, found {likelihood_power!r}")
    if not HAS_ENGINE and options.method == "laplace":
        raise FitError(survey.source, ["the method laplace needs the compiled engine, which is not there; use nuts"])
    if options.method == "nuts" and (not HAS_ENGINE or unknown_to_engine(model, design)):
        options = replace(options, method="pymc")  # which the draws' attributes then say
    if options.method == "pymc":
        return _plain(model, survey, design, seed, options, progress, notify, likelihood_power, pointwise)
    posterior = log_posterior(compile_program(model, design, likelihood_power))
    if likelihood_power != 1.0:
        check_power(posterior.program, model, survey)
    check_memory(posterior.program, options, survey)
    engine_for(posterior)
    compiled_at = time.perf_counter()
    notify("finding the mode")
    try:
        strict = options.method == "laplace"
        mode = find_mode(posterior, cores=options.cores) if strict else find_start(posterior, cores=options.cores)
        posterior = posterior.moved(mode.theta, mode.scale, mode.spread, mode.shares)
        if options.method == "nuts":
            target = target_accept(model, posterior.program, options)
            z, stats, found = _nuts(posterior, seed, replace(options, target_accept=target), progress, notify)
        else:
            thin = _thin(model, design, posterior, seed, likelihood_power)
            z, stats, found = _laplace(posterior, design.n, thin, seed, options, notify)
    except (NoModeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise FitError(survey.source, [f'the model "{model.name}" could not be fitted: {reason}']) from error
    times = {"seconds_compiling": compiled_at - started, "seconds_sampling": time.perf_counter() - compiled_at}
    power = {} if likelihood_power == 1.0 else {"likelihood_power": likelihood_power}
    made = {"seed": seed, **options.chosen(), **power, **found, **{name: round(t, 3) for name, t in times.items()}}
    theta = posterior.program.completed(posterior.theta(z), seed)
    labelled = label_draws(model, posterior.program.parameters, theta)
    if options.method == "laplace":
        made |= dict(zip(("least_known", "beyond"), patients_beyond(model, design, labelled), strict=True))
    draws, stats = _with_factors(labelled, stats)
    tree = _complete(draws, stats, model, survey, design, made, pointwise)
    if any(covariate.name in design.missing for covariate in model.covariates):
        own = evaluated(posterior.program, theta)
        imputed = imputed_covariates(posterior.program.joint, design, own, *theta.shape[:2], seed=seed)
        tree["imputed"] = xr.DataTree(imputed)
    if model.confounders:
        tree["unmeasured"] = xr.DataTree(unmeasured_draws(posterior.program, theta))
    return tree


def _with_factors(draws: xr.Dataset, stats: xr.Dataset | None) -> tuple[xr.Dataset, xr.Dataset | None]:
    """Move the variance factors of resampled draws to the draws themselves, as a coordinate."""
    if stats is None or VARIANCE_FACTOR not in stats:
        return draws, stats
    return draws.assign_coords({VARIANCE_FACTOR: stats[VARIANCE_FACTOR]}), None


def _plain(
    model: PathModel,
    survey: Survey,
    design: Design,
    seed: int,
    options: SamplerOptions,
    progress: bool,
    notify: Notify,
    power: float,
    pointwise: bool,
) -> xr.DataTree:
    """Draw from the plain PyMC model; compiling it counts as sampling."""
    from bayes_sp.inference.reference.sample import plain_draws  # imports PyMC, which no other method needs

    notify("compiling and sampling the plain PyMC model")
    started = time.perf_counter()
    drawn = plain_draws(model, design, seed=seed, options=options, progress=progress, likelihood_power=power)
    posterior, unmeasured, imputed, stats = drawn
    chosen = {} if power == 1.0 else {"likelihood_power": power}
    made = {
        "seed": seed,
        **options.chosen(),
        **chosen,
        "divergences": int(stats["diverging"].sum()),
        "seconds_compiling": 0.0,
    }
    made["seconds_sampling"] = round(time.perf_counter() - started, 3)
    tree = _complete(posterior, stats, model, survey, design, made, pointwise)
    if model.confounders:
        tree["unmeasured"] = xr.DataTree(unmeasured)
    if imputed.data_vars:
        tree["imputed"] = xr.DataTree(imputed)
    return tree


def _nuts(
    posterior: LogPosterior, seed: int, options: SamplerOptions, progress: bool, notify: Notify
) -> tuple[Array, xr.Dataset | None, dict[str, Any]]:
    """Draw with NUTS, on the scale of the curvature at the mode: (chain, draw, size), sampler statistics."""
    notify(f"sampling {options.chains} chains of {options.tune} warm-up and {options.draws} kept draws")
    z, stats = nuts_draws(posterior, seed=seed, options=options, progress=progress)
    needed = draws_needed(posterior.theta(z)[..., posterior.program.patient < 0], options)
    if needed > options.draws:
        notify(f"sampling {needed} kept draws of each chain, because {options.draws} say too little of these chains")
        z, stats = nuts_draws(posterior, seed=seed, options=replace(options, draws=needed), progress=progress)
    made = {"draws": needed, "target_accept": options.target_accept, "divergences": int(stats["diverging"].sum())}
    return z, stats, made


def _thin(model: PathModel, design: Design, posterior: LogPosterior, seed: int, power: float) -> Thin | None:
    """Return the posterior of fewer patients; None where patients have parameters or several rows, or with groups."""
    program = posterior.program
    if program.groups or program.size > program.framed or program.rows.count > program.rows.single:
        return None

    def thin(rows: int) -> LogPosterior:
        chosen = np.sort(np.random.default_rng([seed, 2]).choice(design.n, rows, replace=False))
        return log_posterior(compile_program(model, design.taken(chosen), power * design.n / rows))

    return thin


def _laplace(
    posterior: LogPosterior, n: int, thin: Thin | None, seed: int, options: SamplerOptions, notify: Notify
) -> tuple[Array, xr.Dataset | None, dict[str, Any]]:
    """Draw by importance resampling from the Laplace approximation: (group, draw, size), and variance factors."""
    notify(f"weighing {options.draws} draws of the Laplace approximation")
    each = -(-options.draws // GROUPS)
    scales = weigher(posterior, n, thin, seed=seed, cores=options.cores)
    found = laplace_draws(posterior, draws=each * GROUPS, seed=seed, cores=options.cores, weigh=scales.densities)
    weighed = {"weighed_rows": scales.rows, "weighing_error": scales.error} if scales.error else {}
    if not found.pareto_k <= PARETO_K_LIMIT:
        raise RuntimeError(
            f"the Laplace approximation is not close enough (Pareto k {found.pareto_k:.2f}, above {PARETO_K_LIMIT}); "
            "use --method nuts"
        )
    stats = xr.Dataset({VARIANCE_FACTOR: (("chain", "draw"), found.factor.reshape(GROUPS, each))})
    return (
        found.z.reshape(GROUPS, each, -1),
        stats,
        {"pareto_k": found.pareto_k, "importance_ess": found.ess, **weighed},
    )


def _complete(
    posterior: xr.Dataset,
    stats: xr.Dataset | None,
    model: PathModel,
    survey: Survey,
    design: Design,
    made: dict[str, Any],
    pointwise: bool,
) -> xr.DataTree:
    """Name the draws, add what ArviZ expects beside the posterior, and say how it was made."""
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
    values = posterior.sizes["chain"] * posterior.sizes["draw"] * design.y.size
    if pointwise and values <= POINTWISE_LIMIT and not model.confounders:
        groups["log_likelihood"] = log_likelihood(model, design, posterior)
    complete = xr.DataTree.from_dict(groups)
    complete.attrs = {
        **made,
        **_priors_of_incomplete(model, design),
        "model": model.name,
        "specification": specification_text(model),
        "data_digest": survey.digest,
        "data_origin": survey.origin,
        "data_source": survey.mark,
        "reconstructed_from_published_moments": int(survey.reconstructed),
        "versions": json.dumps(versions()),
    }
    return complete


def _priors_of_incomplete(model: PathModel, design: Design) -> dict[str, str]:
    found = incomplete_priors(model, design)
    tables = {name: {key: str(prior) for key, prior in own.items()} for name, own in found.items()}
    return {"incomplete_priors": json.dumps(tables)} if tables else {}
