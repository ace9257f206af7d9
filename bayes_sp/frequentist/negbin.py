r"""Negative-binomial regression by maximum likelihood, for many weightings of the same patients at once.

Mean mu = exp(x . beta), variance mu + mu**2 / phi. With weights w_i that count how often a resample holds patient i,
and N_k = sum_i w_i [y_i > k], the log-likelihood needs no gamma function beyond a constant:

.. math:: \ell = \sum_k N_k \log(1 + k / \phi)
                 + \sum_i w_i [y_i \eta_i - (y_i + \phi) \log(1 + \mu_i / \phi) - \log y_i!]

which also stays accurate as phi grows towards the Poisson limit. Newton's method on (beta, t = log phi), with the
exact second derivatives and step-halving; the last axis of small arrays and the first of large ones is replicates.

References
----------
Lawless (1987). Negative binomial and mixed Poisson regression. Canadian Journal of Statistics 15, 209-225.
doi:10.2307/3314912
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_sp.errors import SurveyError
from bayes_sp.frequentist.normal_equations import CrossProducts, cross_products, solve_normal, weighted_gram

Array = NDArray[np.float64]

# Newton decrement g' H^-1 g below which the last step is taken: that step then moves the log-likelihood by less than
# 5e-13 and every parameter by less than 1e-6 standard errors, and leaves an error of about the square of that.
DECREMENT = 1e-12
MAX_ITERATIONS = 100
# Sizes outside are no longer told apart from none (Poisson) by any survey, or from a mass at zero.
PHI_BOUNDS = (1e-6, 1e6)
# A mean below this for a patient in the resample: a group without any events, whose coefficient has no maximum.
SMALLEST_MEAN = 1e-8

CONVERGED = ""
RUNNING = "running"
NO_OVERDISPERSION = "no overdispersion (phi above 1e6)"
ALL_OVERDISPERSION = "phi below 1e-6"
SEPARATION = "a group of patients without any events"
NO_EVENTS = "no events"
SINGULAR = "singular equations"
NO_CONVERGENCE = f"no convergence in {MAX_ITERATIONS} iterations"


@dataclass(frozen=True, eq=False)
class CountData:
    """A count response and its predictors, standardised, with what every weighting of the patients shares.

    Attributes
    ----------
    y
        Counts, (n,).
    cross
        Intercept and standardised predictors, (n, p), and their products.
    centre, scale
        Of the predictors, in their units, (p - 1,).
    order, above
        Patients sorted by count, (n,), and the first place in that order with a count above k, (max y,).
    log_factorial
        log y!, (n,).
    """

    y: Array
    cross: CrossProducts
    centre: Array
    scale: Array
    order: NDArray[np.intp]
    above: NDArray[np.intp]
    log_factorial: Array

    @property
    def x(self) -> Array:
        """Intercept and standardised predictors, (n, p)."""
        return self.cross.z


@dataclass(frozen=True, eq=False)
class CountFits:
    """Maximum-likelihood fits, one for each weighting of the patients.

    Attributes
    ----------
    coefficients
        Intercept and slopes, log rate per unit of the predictor, (R, p); NaN where not converged.
    phi
        Size: variance mu + mu**2 / phi, (R,); NaN where not converged.
    log_likelihood
        At the maximum, (R,); NaN where not converged.
    converged
        (R,).
    iterations
        Newton steps tried, (R,).
    reason
        Why a fit did not converge, empty where it did, (R,).
    """

    coefficients: Array
    phi: Array
    log_likelihood: Array
    converged: NDArray[np.bool_]
    iterations: NDArray[np.int64]
    reason: NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class _Weighted:
    """What Newton's method needs of each replicate: weights (R, n), w y (R, n), X'(w y) (R, p), N_k (R, max y)."""

    w: Array
    wy: Array
    score_y: Array
    exceed: Array

    def take(self, keep: NDArray[np.bool_]) -> _Weighted:
        return _Weighted(self.w[keep], self.wy[keep], self.score_y[keep], self.exceed[keep])


def prepare_counts(y: ArrayLike, predictors: ArrayLike, name: str = "outcome") -> CountData:
    """Check a count response, standardise its predictors and compute what all weightings share.

    Parameters
    ----------
    y
        Counts, (n,).
    predictors
        Predictors without an intercept, in their own units, (n, p - 1).
    name
        Name of the response, for messages.

    Returns
    -------
    CountData
        Ready for `fit_counts`.

    Raises
    ------
    SurveyError
        If the response is not a count or is always zero, or a predictor is constant.
    """
    counts, raw = np.asarray(y, dtype=float), np.asarray(predictors, dtype=float)
    whole = np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))
    if not whole.all():
        found = counts[~whole][0]
        raise SurveyError(name, [f"a count must be a whole number of 0 or more, found {found:g}; check the column"])
    if not counts.any():
        raise SurveyError(name, ["every patient has a count of 0: there is nothing to model"])
    centre, scale = raw.mean(axis=0), raw.std(axis=0)
    if (np.ptp(raw, axis=0) == 0).any():
        raise SurveyError(name, ["a predictor has the same value for every patient; remove it"])
    x = np.column_stack([np.ones(len(counts)), (raw - centre) / scale])
    order = np.argsort(counts, kind="stable")
    above = np.searchsorted(counts[order], np.arange(int(counts.max())), side="right")
    factorials = np.array([lgamma(count + 1.0) for count in counts])
    return CountData(counts, cross_products(x), centre, scale, order, above, factorials)


def fit_counts(data: CountData, weights: ArrayLike | None = None, start: CountFits | None = None) -> CountFits:
    """Maximum-likelihood negative-binomial regressions, one for each row of weights.

    Parameters
    ----------
    data
        Response and predictors, from `prepare_counts`.
    weights
        How often each patient counts, (R, n); None for one fit to every patient once.
    start
        A single converged fit to start from, best the one to all patients; None starts from the mean and variance.

    Returns
    -------
    CountFits
        With a verdict and a reason for each; no failure raises and none is dropped.
    """
    w = np.ones((1, len(data.y))) if weights is None else np.asarray(weights, dtype=float)
    theta = np.tile(_start(data, start), (len(w), 1))
    p = data.x.shape[1]
    final = np.full((len(w), p + 1), np.nan)
    log_likelihood = np.full(len(w), np.nan)
    iterations = np.full(len(w), MAX_ITERATIONS)
    reason = np.full(len(w), NO_CONVERGENCE, dtype=object)
    active, rows = _weighted(data, w), np.arange(len(w))
    step, level = np.zeros_like(theta), np.full(len(w), -np.inf)
    for iteration in range(MAX_ITERATIONS):
        trial = theta + step
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # too long a step is halved below
            value, newton, decrement, smallest = _newton(data, active, trial)
            better = value >= level - 1e-10 * (1.0 + np.abs(level))
        verdict = np.where(better, _verdicts(active, newton, decrement, smallest, trial[:, -1]), RUNNING)
        done, met = verdict != RUNNING, verdict == CONVERGED
        final[rows[met]] = trial[met] + newton[met]
        log_likelihood[rows[met]] = value[met] + 0.5 * decrement[met]
        reason[rows[done]], iterations[rows[done]] = verdict[done], iteration
        if done.all():
            break
        theta = np.where(better[:, None], trial, theta)[~done]
        step = np.where(better[:, None], newton, 0.5 * step)[~done]
        level = np.where(better, value, level)[~done]
        if done.any():
            active, rows = active.take(~done), rows[~done]
    slopes = final[:, 1:p] / data.scale
    intercept = final[:, 0] - slopes @ data.centre
    constant = w @ data.log_factorial
    return CountFits(
        coefficients=np.column_stack([intercept, slopes]),
        phi=np.exp(final[:, p]),
        log_likelihood=log_likelihood - constant,
        converged=np.asarray(reason == CONVERGED),
        iterations=iterations,
        reason=reason,
    )


def _start(data: CountData, start: CountFits | None) -> Array:
    """Standardised starting values (beta, log phi), (p + 1,)."""
    if start is not None:
        intercept, slopes = start.coefficients[0, 0], start.coefficients[0, 1:]
        return np.array([intercept + slopes @ data.centre, *(slopes * data.scale), np.log(start.phi[0])])
    mean, variance = data.y.mean(), data.y.var()
    phi = np.clip(mean**2 / max(variance - mean, 1e-3 * mean), 0.1, 100.0)
    return np.array([np.log(mean), *np.zeros(data.x.shape[1] - 1), np.log(phi)])


def _weighted(data: CountData, w: Array) -> _Weighted:
    """Compute the sums that stay while the parameters move; N_k from the weights summed in the order of the counts."""
    wy = w * data.y
    upto = np.cumsum(w[:, data.order], axis=1)
    return _Weighted(w, wy, wy @ data.x, upto[:, -1:] - upto[:, data.above - 1] * (data.above > 0))


def _newton(data: CountData, active: _Weighted, theta: Array) -> tuple[Array, Array, Array, Array]:
    """Log-likelihood without its constant, Newton step, Newton decrement, and smallest mean of a weighted patient.

    With s_i = mu_i / (phi + mu_i) and z_i = w_i (y_i + phi) s_i the derivatives in (beta, t = log phi) are::

        g_beta =  X'(w y - z)                            A = -H_beta,beta = X' diag(z (1 - s)) X
        g_t    = -sum_k N_k k / (phi + k) + sum_i [z_i - w_i phi log(1 + mu_i / phi)]
        b      = -H_beta,t = -X'((w y - z) s)
        c      = -H_tt = -sum_k N_k k phi / (phi + k)^2 + sum_i [z_i (1 - s_i) + w_i phi (log(1 + mu_i / phi) - 2 s_i)]

    A is positive definite. The curvature left for t, c - b' A^-1 b, need not be far from the maximum; its absolute
    value then keeps the step uphill, and a fit counts as converged only where it is positive.
    """
    beta, phi = theta[:, :-1], np.exp(theta[:, -1:])
    w, wy, k = active.w, active.wy, np.arange(active.exceed.shape[1])
    mu = np.exp(beta @ data.x.T)
    smallest = np.where(w > 0, mu, np.inf).min(axis=1)
    log_1 = np.log1p(mu / phi)
    share = mu / (phi + mu)
    z = (wy + w * phi) * share
    left = z * (1.0 - share)
    w_log_1 = phi[:, 0] * _dot(w, log_1)
    value = _dot(active.exceed, np.log1p(k / phi)) + _dot(beta, active.score_y) - _dot(wy, log_1) - w_log_1
    g_beta = active.score_y - z @ data.x
    g_t = z.sum(axis=1) - w_log_1 - _dot(active.exceed, k / (phi + k))
    a = weighted_gram(data.cross, left)
    b = ((z - wy) * share) @ data.x
    c = left.sum(axis=1) + w_log_1 - 2.0 * phi[:, 0] * _dot(w, share) - _dot(active.exceed, k * phi / (phi + k) ** 2)
    solved, _ = solve_normal(a, np.stack([g_beta.T, b.T], axis=1))
    by_score, by_cross = solved[:, 0].T, solved[:, 1].T
    curvature = c - _dot(b, by_cross)
    rest = g_t - _dot(b, by_score)
    step_t = np.clip(rest / np.abs(curvature), -2.0, 2.0)  # a factor of e^2 in phi
    newton = np.column_stack([by_score - by_cross * step_t[:, None], step_t])
    decrement = np.where(curvature > 0, _dot(g_beta, by_score) + rest**2 / curvature, np.inf)
    return value, newton, decrement, smallest


def _verdicts(
    active: _Weighted, newton: Array, decrement: Array, smallest: Array, log_phi: Array
) -> NDArray[np.object_]:
    """Verdict on each replicate at its present values."""
    verdict = np.full(len(newton), RUNNING, dtype=object)
    verdict[decrement <= DECREMENT] = CONVERGED
    # Half-way to minus infinity the decrement shrinks with the mean: a maximum only in appearance.
    verdict[(decrement <= 1e-4) & (smallest < SMALLEST_MEAN)] = SEPARATION
    verdict[log_phi > np.log(PHI_BOUNDS[1])] = NO_OVERDISPERSION
    verdict[log_phi < np.log(PHI_BOUNDS[0])] = ALL_OVERDISPERSION
    verdict[~np.isfinite(newton).all(axis=1)] = SINGULAR
    verdict[active.score_y[:, 0] == 0] = NO_EVENTS
    return verdict


def _dot(left: Array, right: Array) -> Array:
    """Inner product of each row of two arrays, (R, m) and (R, m) to (R,)."""
    return np.asarray(np.einsum("rm,rm->r", left, right))
