"""Resamples of the patients, and the least-squares equations of a chain refitted to many of them at once.

A resample is a row of counts: how often it holds each patient. Its normal equations are the counts times the products
of the patients' variables, so one matrix product makes the normal equations of every resample and every equation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.effects.formulas import ChainCoefficients
from bayes_sp.inference.likelihood.normal_equations import (
    CrossProducts,
    cross_products,
    definite,
    independent,
    solve_normal,
    weighted_gram,
)


@dataclass(frozen=True, eq=False)
class LinearChain:
    """Variables of a chain, standardised by all patients, with what every resample shares.

    Variables are in the order intercept, covariates, exposure, responses; v of them.
    """

    # mediator_count, covariate_count: K and q.
    mediator_count: int
    covariate_count: int
    # Places of the predictors of each equation that is fitted here, the intercept first.
    predictors: tuple[NDArray[np.intp], ...]
    # centre, scale: of every variable in its own unit; 0 and 1 for the intercept, (v,).
    centre: Array
    scale: Array
    cross: CrossProducts  # products of the standardised variables


def resamples(n: int, seed: int, replicates: int, *, block: int, batch_bytes: int) -> Iterator[Array]:
    """Yield how often each resample of n patients holds each patient, in blocks of resamples: (block, n) each.

    One stream of random numbers in the order of the replicates: neither `block` nor `batch_bytes`, the memory for
    what is drawn at a time, changes a count.
    """
    batch = block * max(1, batch_bytes // (block * n * 24))  # 24 bytes: place, count, and count as a float
    rng = np.random.default_rng(seed)
    for begin in range(0, replicates, batch):
        size = min(batch, replicates - begin)
        chosen = rng.integers(n, size=(size, n))
        chosen += np.arange(size)[:, None] * n
        counts = np.bincount(chosen.ravel(), minlength=size * n).reshape(size, n).astype(float)
        for first in range(0, size, block):
            yield counts[first : first + block]


def predictor_places(design: Design, equation: int) -> NDArray[np.intp]:
    """Places of an equation's predictors among intercept, covariates, exposure and responses, ascending."""
    q = design.w.shape[1]
    exposure = [q + 1] if design.edges_exposure[equation] else []
    mediators = q + 2 + np.flatnonzero(design.edges_mediators[equation])
    return np.array([*range(q + 1), *exposure, *mediators], dtype=np.intp)


def prepare_chain(design: Design, equations: int) -> LinearChain:
    """Standardise the variables of the first `equations` equations of a design and take their products.

    Standardising by all patients keeps the normal equations well conditioned; coefficients come back in the
    variables' own units.
    """
    columns = np.column_stack([design.w, design.x, design.y[:, :equations]])
    largest = np.abs(columns).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)  # squares stay finite in any unit
    centre, scale = columns.mean(axis=0), (columns / unit).std(axis=0) * unit
    z = np.column_stack([np.ones(design.n), (columns - centre) / scale])
    return LinearChain(
        mediator_count=len(design.mediators),
        covariate_count=design.w.shape[1],
        predictors=tuple(predictor_places(design, j) for j in range(equations)),
        centre=np.array([0.0, *centre]),
        scale=np.array([1.0, *scale]),
        cross=cross_products(z),
    )


def refit_chain(chain: LinearChain, counts: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    r"""Least squares of every prepared equation in every resample.

    .. math:: \beta = (Z_x' D Z_x)^{-1} Z_x' D z_y, \qquad D = \mathrm{diag}(counts)

    ``counts`` is how often each resample holds each patient, (R, n). Returns coefficients (R, J, 2 + q + K) in the
    order intercept, covariates, exposure, mediators, in units of the variables: zero for what is not a predictor and
    for a covariate that the resample's other ones determine, NaN where it does not determine the exposure's or a
    mediator's; residual variances RSS / n, (R, J); and whether a covariate was left out, (R,).
    """
    total = counts.sum(axis=1)
    gram = weighted_gram(chain.cross, counts)
    width = chain.covariate_count + 2 + chain.mediator_count
    coefficients = np.zeros((len(counts), len(chain.predictors), width))
    variance = np.empty((len(counts), len(chain.predictors)))
    left_out = np.zeros(len(counts), dtype=bool)
    for j, x in enumerate(chain.predictors):
        y = chain.covariate_count + 2 + j
        cross = gram[x, y]
        solution, unexplained = solve_normal(gram[np.ix_(x, x)], cross[:, None])
        beta = solution[:, 0]
        if (singular := ~definite(unexplained)).any():
            own = gram[np.ix_(x, x, np.flatnonzero(singular))]
            keep = independent(own)
            beta[:, singular] = solve_normal(own, cross[:, None, singular], keep)[0][:, 0]
            left_out[singular] |= ~keep[: chain.covariate_count + 1].all(axis=0)
            beta[:, np.flatnonzero(singular)[~keep[chain.covariate_count + 1 :].all(axis=0)]] = np.nan
        rss = np.maximum(gram[y, y] - (beta * cross).sum(axis=0), 0.0)
        variance[:, j] = chain.scale[y] ** 2 * rss / total
        slopes = chain.scale[y] * beta / chain.scale[x][:, None]
        slopes[0] += chain.centre[y] - (slopes[1:] * chain.centre[x[1:], None]).sum(axis=0)
        coefficients[:, j, x] = slopes.T
    return coefficients, variance, left_out


def by_place(rows: Array, variance: Array, covariate_count: int) -> ChainCoefficients:
    """Rows of `refit_chain`, one for each of the K + 1 equations, as the coefficients of a chain."""
    q = covariate_count
    return ChainCoefficients(
        intercept=rows[..., 0],
        exposure=rows[..., q + 1],
        mediators=rows[..., q + 2 :],
        covariates=rows[..., 1 : q + 1],
        variance=variance,
    )


def taken(coefficients: ChainCoefficients, chosen: int | NDArray[np.bool_]) -> ChainCoefficients:
    """Return the coefficients of some replicates."""
    c = coefficients
    return ChainCoefficients(
        c.intercept[chosen], c.exposure[chosen], c.mediators[chosen], c.covariates[chosen], c.variance[chosen]
    )


def joined(parts: list[ChainCoefficients]) -> ChainCoefficients | None:
    """Return the coefficients of several blocks of replicates as one; None for no blocks."""
    if not parts:
        return None
    return ChainCoefficients(
        intercept=np.concatenate([part.intercept for part in parts]),
        exposure=np.concatenate([part.exposure for part in parts]),
        mediators=np.concatenate([part.mediators for part in parts]),
        covariates=np.concatenate([part.covariates for part in parts]),
        variance=np.concatenate([part.variance for part in parts]),
    )
