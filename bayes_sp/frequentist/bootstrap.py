"""Percentile bootstrap of patients for the effects of a chain, by the same formulas as for a posterior's draws."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayes_sp.effects.formulas import ChainCoefficients, Path, enumerate_paths, path_products
from bayes_sp.effects.shapley import identity_link_effects, log_link_effects, with_totals
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.frequentist.chain import Chain, chain_least_squares
from bayes_sp.frequentist.negbin import SINGULAR, CountData, CountFits, fit_counts, prepare_counts
from bayes_sp.frequentist.percentile import percentile_interval
from bayes_sp.frequentist.regression import Moments
from bayes_sp.frequentist.resample import LinearChain, by_place, predictor_places, prepare_chain, refit_chain, resamples
from bayes_sp.survey.design import Design

Array = NDArray[np.float64]

DECOMPOSITIONS = ("alone", "average")
INFINITE = "an infinite mean"


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """Estimates from all patients, replicates from resampled patients, and percentile intervals.

    The axis *effect* holds the paths in order, then total_indirect, then total. A failed replicate is NaN everywhere
    and enters no interval.

    Attributes
    ----------
    paths
        Tuples of mediators, P of them.
    scales
        ``"coefficient"`` (product of coefficients per unit of exposure, and sums of them), ``"rate_ratio"`` (count
        outcomes only) and ``"difference"`` (in the outcome's unit), both for the design's contrast.
    decompositions
        ``"alone"`` and ``"average"`` (over the orders of switching); equal where the order does not matter.
    estimate
        From all patients, (effect, scale, decomposition).
    values
        From each resample, (replicates, effect, scale, decomposition).
    lower, upper
        Limits of the intervals, (effect, scale, decomposition).
    lower_mcse, upper_mcse
        Monte Carlo standard errors of the limits: how far they would move with another seed, in their own unit.
    ci_kind, ci_prob
        Equal-tailed percentile interval, and its nominal probability.
    replicates, seed
        Resamples drawn, failed ones among them, and the seed they were drawn with.
    failed, reasons
        Number of failed replicates, and how many for each reason, most frequent first.
    coefficients, replicate_coefficients
        Of all patients, and of each resample (leading axis replicates).
    phi, replicate_phi
        Negative-binomial size of the outcome (variance mu + mu**2 / phi); None for a normal outcome.
    """

    paths: tuple[Path, ...]
    scales: tuple[str, ...]
    decompositions: tuple[str, ...]
    estimate: Array
    values: Array
    lower: Array
    upper: Array
    lower_mcse: Array
    upper_mcse: Array
    ci_kind: Literal["percentile"]
    ci_prob: float
    replicates: int
    seed: int
    failed: int
    reasons: tuple[tuple[str, int], ...]
    coefficients: ChainCoefficients
    replicate_coefficients: ChainCoefficients
    phi: float | None
    replicate_phi: Array | None


@dataclass(frozen=True, eq=False)
class _Problem:
    """A design made ready for refitting."""

    design: Design
    paths: tuple[Path, ...]
    linear: LinearChain
    count: CountData | None
    start: CountFits | None


@dataclass(frozen=True, eq=False)
class _Fits:
    """Refits to one block of resamples; leading axis replicates."""

    coefficients: ChainCoefficients
    phi: Array
    values: Array
    reason: NDArray[np.object_]


def bootstrap(
    design: Design, *, seed: int, replicates: int = 5000, ci_prob: float = 0.95, batch_bytes: int = 2**26
) -> BootstrapResult:
    """Refit a chain to resampled patients and take percentiles of its effects.

    Normal equations are fitted by least squares, a negative-binomial outcome by maximum likelihood; then residual
    variances are RSS / n and effects are standardised over each resample's own patients (with kappa = 1).

    Parameters
    ----------
    design
        Arrays of the survey; mediators normal, outcome normal or negative_binomial.
    seed
        Of the resampling.
    replicates
        Number of resamples.
    ci_prob
        Nominal probability of the intervals.
    batch_bytes
        Memory for the resampled patients drawn at a time. It changes no digit: one stream is drawn in the order of
        the replicates, and what is computed together depends on the number of patients alone.

    Returns
    -------
    BootstrapResult
        Estimates, replicates, intervals, and the number of failed replicates with the reasons.

    Raises
    ------
    SpecificationError
        If a family has no maximum-likelihood fit here.
    SurveyError
        If the equations cannot be fitted to all patients, or no resample could be fitted.
    """
    if replicates < 1 or not 0.0 < ci_prob < 1.0:
        raise ValueError(f"replicates >= 1 and 0 < ci_prob < 1 are needed, found {replicates} and {ci_prob}")
    problem = _prepare(design)
    whole = _fit_whole(problem)
    draws = resamples(design.n, seed, replicates, block=_block_size(problem), batch_bytes=batch_bytes)
    blocks = [_refit(problem, counts) for counts in draws]
    values = np.concatenate([block.values for block in blocks])
    reason = np.concatenate([block.reason for block in blocks])
    fitted = reason == ""
    if not fitted.any():
        raise SurveyError(design.outcome, [f"none of {replicates} resamples could be fitted: {reason[0]}"])
    lower, upper, lower_mcse, upper_mcse = percentile_interval(values[fitted], ci_prob)
    is_count = problem.count is not None
    return BootstrapResult(
        paths=problem.paths,
        scales=("coefficient", "rate_ratio", "difference") if is_count else ("coefficient", "difference"),
        decompositions=DECOMPOSITIONS,
        estimate=whole.values[0],
        values=values,
        lower=lower,
        upper=upper,
        lower_mcse=lower_mcse,
        upper_mcse=upper_mcse,
        ci_kind="percentile",
        ci_prob=ci_prob,
        replicates=replicates,
        seed=seed,
        failed=int((~fitted).sum()),
        reasons=tuple(Counter(reason[~fitted].tolist()).most_common()),
        coefficients=_select(whole.coefficients, 0),
        replicate_coefficients=_concatenate([block.coefficients for block in blocks]),
        phi=float(whole.phi[0]) if is_count else None,
        replicate_phi=np.concatenate([block.phi for block in blocks]) if is_count else None,
    )


def point_estimates(design: Design) -> Array:
    """Effects of the maximum-likelihood fit to all patients, (effect, scale, decomposition); errors as `bootstrap`."""
    return _fit_whole(_prepare(design)).values[0]


def _fit_whole(problem: _Problem) -> _Fits:
    """Fit to all patients, or say why there is none."""
    whole = _refit(problem, np.ones((1, problem.design.n)))
    if whole.reason[0]:
        raise SurveyError(problem.design.outcome, [f"no maximum-likelihood fit to all patients: {whole.reason[0]}"])
    return whole


def _prepare(design: Design) -> _Problem:
    """Check that every equation can be fitted to all patients, and compute what the resamples share."""
    *mediators, outcome = design.families
    problems = [
        f"equation {name!r}: family {family!r} of a mediator has no bootstrap; use 'normal'"
        for name, family in zip(design.mediators, mediators, strict=True)
        if family != "normal"
    ]
    if outcome not in ("normal", "negative_binomial"):
        problems.append(
            f"equation {design.outcome!r}: family {outcome!r} of the outcome has no bootstrap; "
            "use 'normal' or 'negative_binomial'"
        )
    if problems:
        raise SpecificationError("bootstrap", problems)
    columns = np.column_stack([design.w, design.x, design.y])
    names = (*design.covariate_terms, design.exposure, *design.responses)
    chain_least_squares(Moments.from_records(names, columns), Chain.from_design(design))  # names what is collinear
    paths = enumerate_paths(design.edges_exposure, design.edges_mediators)
    if outcome == "normal":
        return _Problem(design, paths, prepare_chain(design, len(design.families)), None, None)
    last = len(design.mediators)
    places = predictor_places(design, last)[1:] - 1
    count = prepare_counts(design.y[:, last], columns[:, places], design.outcome)
    start = fit_counts(count)
    return _Problem(design, paths, prepare_chain(design, last), count, start if start.converged[0] else None)


def _block_size(problem: _Problem) -> int:
    """Resamples computed together: at most 2 MiB of numbers for each step's result (more beyond 32,768 patients).

    Blocks depend on the data alone. A matrix product of another shape may differ in the last digit, so this is what
    makes the results independent of `batch_bytes` bit by bit.
    """
    width = max(problem.design.n, 1 if problem.count is None else len(problem.count.above))
    return int(np.clip(2**18 // width, 8, 1024))


def _refit(problem: _Problem, counts: Array) -> _Fits:
    """Refit every equation to a block of resamples, (R, n), and compute the effects."""
    rows, variance = refit_chain(problem.linear, counts)
    reason = np.where(np.isfinite(rows).all(axis=(1, 2)), "", SINGULAR).astype(object)
    phi = np.full(len(counts), np.nan)
    last = len(problem.design.mediators)
    if problem.count is not None:
        fitted = np.flatnonzero(reason == "")
        fits = fit_counts(problem.count, counts[fitted], problem.start)
        outcome = np.zeros((len(counts), 1, rows.shape[-1]))
        outcome[np.ix_(fitted, [0], predictor_places(problem.design, last))] = fits.coefficients[:, None]
        rows = np.concatenate([rows, outcome], axis=1)
        phi[fitted], reason[fitted] = fits.phi, fits.reason
    kept = reason == ""
    rows[~kept], variance[~kept] = np.nan, np.nan
    coefficients = by_place(rows, variance[:, :last], problem.design.w.shape[1])
    scales = 2 if problem.count is None else 3
    values = np.full((len(counts), len(problem.paths) + 2, scales, len(DECOMPOSITIONS)), np.nan)
    values[kept] = _effects(problem, _select(coefficients, kept), counts[kept])
    infinite = kept & ~np.isfinite(values).all(axis=(1, 2, 3))
    values[infinite], reason[infinite] = np.nan, INFINITE
    return _Fits(coefficients, phi, values, reason)


def _effects(problem: _Problem, coefficients: ChainCoefficients, counts: Array) -> Array:
    """Effects on every scale, (R, effect, scale, decomposition)."""
    paths, contrast = problem.paths, problem.design.contrast
    products = with_totals(path_products(coefficients, paths), paths)
    if problem.count is None:
        differences = identity_link_effects(coefficients, paths, contrast)
        return np.repeat(np.stack([products, differences], axis=-1)[..., None], 2, axis=-1)
    effects = log_link_effects(coefficients, paths, contrast, problem.design.w, weights=counts)
    alone = np.stack([products, effects.rate_ratio_alone, effects.difference_alone], axis=-1)
    average = np.stack([products, effects.rate_ratio_average, effects.difference_average], axis=-1)
    return np.stack([alone, average], axis=-1)


def _select(coefficients: ChainCoefficients, chosen: int | NDArray[np.bool_]) -> ChainCoefficients:
    """Coefficients of some replicates."""
    c = coefficients
    return ChainCoefficients(
        c.intercept[chosen], c.exposure[chosen], c.mediators[chosen], c.covariates[chosen], c.variance[chosen]
    )


def _concatenate(parts: list[ChainCoefficients]) -> ChainCoefficients:
    """Coefficients of several blocks of replicates as one."""
    return ChainCoefficients(
        intercept=np.concatenate([part.intercept for part in parts]),
        exposure=np.concatenate([part.exposure for part in parts]),
        mediators=np.concatenate([part.mediators for part in parts]),
        covariates=np.concatenate([part.covariates for part in parts]),
        variance=np.concatenate([part.variance for part in parts]),
    )
