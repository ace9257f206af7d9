"""Power-scaling by importance weights: a posterior with one part of its density to a power, from draws without."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from bayes_sp.analysis.criticism.psis import CONSTANT, weighted_quantile
from bayes_sp.arrays import Array
from bayes_sp.effects.convergence import convergence_measures
from bayes_sp.inference.options import PARETO_K_LIMIT
from bayes_sp.inference.smoothing import smoothed_log_weights

LEAST_DRAWS = 100  # fewer have no tail to smooth
TAIL = 0.05  # where the effective number of draws of a log-density is taken, as ArviZ does


@dataclass(frozen=True, eq=False, repr=False)
class PowerWeights:
    """Weights of the draws."""

    weights: Array  # smoothed; they add up to 1, (chain, draw)
    pareto_k: float  # shape of the tail of the importance ratios; minus infinity where all are equal

    @property
    def reliable(self) -> bool:
        """Whether Pareto k is at most min(0.7, 1 - 1 / log10(S)), S draws; 0.7 from 2,200 draws on."""
        return bool(self.pareto_k <= min(PARETO_K_LIMIT, 1.0 - 1.0 / math.log10(self.weights.size)))

    @property
    def equal(self) -> bool:
        """Whether the weights are equal, because the density is constant."""
        return self.pareto_k == -np.inf


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Mean, median, equal-tailed interval and Monte Carlo standard errors of its limits, (k,) each."""

    mean: Array
    median: Array
    lower: Array
    upper: Array
    mcse_lower: Array
    mcse_upper: Array


def power_weights(log_p: Array, alpha: float) -> PowerWeights:
    r"""Weigh draws theta_s by p(theta_s)^(alpha - 1), Pareto smoothed: the posterior in which p has the power alpha.

    ``log_p`` is the log-density of a part of the posterior at each draw, up to a constant, (chain, draw).

    Kallioinen, Paananen, Buerkner & Vehtari (2024), Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5;
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling. JMLR 25(72).
    """
    from arviz_stats.base import array_stats  # slow to import, and a fit does not need it

    if np.ptp(log_p) <= CONSTANT:
        return equal_weights(log_p)
    flat = log_p.ravel()
    ratio = (alpha - 1.0) * flat
    with warnings.catch_warnings():  # too few draws in a tail
        warnings.simplefilter("ignore")
        efficiency = array_stats.ess(flat, chain_axis=None, draw_axis=-1, method="tail", prob=TAIL, relative=True)  # type: ignore[no-untyped-call]  # arviz_stats has no types
    log_weights, pareto_k = smoothed_log_weights(ratio, float(efficiency))
    return PowerWeights(np.exp(log_weights).reshape(log_p.shape), pareto_k)


def sensitivity(values: Array, lower: PowerWeights, upper: PowerWeights, alphas: tuple[float, float]) -> Array:
    r"""Return how fast the distribution of each quantity moves with the logarithm of the power, (k,).

    The mean of :math:`D(\alpha) / |\log_2 \alpha|` over two powers close to 1, with D the square root of the normalised
    cumulative Jensen-Shannon divergence between the draws' distribution functions P and, weighted, Q::

        D^2 = [ int P (log2 P - log2 M) + int Q (log2 Q - log2 M) ] / int (P + Q),   M = (P + Q) / 2

    over the range of the draws, and the larger of that of x and of -x. From 0.05 on a quantity counts as sensitive.
    ``values`` are draws, (chain, draw, k); ``lower`` and ``upper`` weights for a power below and one above 1,
    ``alphas``.

    Kallioinen, Paananen, Buerkner & Vehtari (2024), Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5
    """
    from arviz_stats.base import array_stats

    found = np.zeros(values.shape[-1])
    if lower.equal and upper.equal:
        return found
    for i in range(values.shape[-1]):
        if np.ptp(values[..., i]) > 0.0:
            found[i] = array_stats.power_scale_sense(values[..., i], lower.weights, upper.weights, *alphas)  # type: ignore[no-untyped-call]  # arviz_stats has no types
    return found


def weighted_summary(values: Array, weights: PowerWeights, ci_prob: float, ess_tail: Array) -> Summary:
    r"""Return means, medians and intervals of weighted draws.

    The limit is the weighted quantile q at p. With E the draws' own tail ESS of S, the share of weight below q varies
    by :math:`V = (S / E) \sum_s w_s^2 (1[x_s \le q] - p)^2`; the limit's error is half the distance between the
    quantiles at :math:`p \pm \sqrt V`.

    ``values`` are draws, (chain, draw, k); ``ess_tail`` is that without weights, (k,).
    """
    flat, weight = values.reshape(-1, values.shape[-1]), weights.weights.ravel()
    tails = np.array([(1.0 - ci_prob) / 2.0, (1.0 + ci_prob) / 2.0])
    found = np.empty((6, values.shape[-1]))
    for i, column in enumerate(flat.T):
        median, *limits = _quantiles(column, weights, np.array([0.5, *tails]))
        below = (column[:, None] <= limits) - tails
        error = np.sqrt(weight.size / ess_tail[i] * (weight**2 @ below**2))
        around = _quantiles(column, weights, np.clip([tails - error, tails + error], 0.0, 1.0).ravel())
        found[:, i] = weight @ column, median, *limits, *(np.diff(around.reshape(2, 2), axis=0)[0] / 2.0)
    return Summary(*found)


def equal_weights(values: Array) -> PowerWeights:
    """Return the weights of a posterior's own draws (chain, draw, ...)."""
    return PowerWeights(np.full(values.shape[:2], 1.0 / (values.shape[0] * values.shape[1])), -np.inf)


def tail_sizes(values: Array, factor: Array | None = None) -> Array:
    """Return the tail ESS of each quantity, (k,), from draws (chain, draw, k), resampled ones with their factors."""
    return convergence_measures(values, factor)["ess_tail"]


def _quantiles(values: Array, weights: PowerWeights, probabilities: Array) -> Array:
    """Return quantiles of weighted draws; NaN for a probability that is not known."""
    known = np.nan_to_num(probabilities, nan=0.5)
    flat = weights.weights.ravel()
    found = np.quantile(values, known) if weights.equal else weighted_quantile(values, flat, known)
    return np.where(np.isnan(probabilities), np.nan, found)
