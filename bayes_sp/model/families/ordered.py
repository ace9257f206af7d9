"""Ordered answers: P(y > k) = F(eta - cut_k), F logistic or normal, y the number of the level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.special import HALF_LOG_2PI

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor, Words


def bounds(y: Array, cutpoints: Array) -> tuple[Array, Array]:
    """Return the cutpoints below and above each level, (..., n): -inf below the first, inf above the last."""
    ends = np.full((*cutpoints.shape[:-1], 1), np.inf)
    every = np.concatenate([-ends, cutpoints, ends], axis=-1)
    level = y.astype(np.intp)
    return every[..., level], every[..., level + 1]


def levels_below(latent: Array, cutpoints: Array) -> Array:
    """Return how many cutpoints lie below each value, (..., n)."""
    return (latent[..., None] > cutpoints[..., None, :]).sum(axis=-1).astype(float)


def logit_log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log P(y) = log[F(u) - F(l)] = log F(u) + log F(-l) + log(1 - e^(l - u)), F logistic, l and u the cuts - eta."""
    lower, upper = bounds(y, aux)
    width = np.log(-np.expm1(lower - upper))
    return width - np.logaddexp(0.0, eta - upper) - np.logaddexp(0.0, lower - eta)


def logit_simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw the number of cutpoints below eta plus logistic noise."""
    return levels_below(rng.logistic(eta), aux)


def logit_mean(eta: Array, _zeta: Array, aux: Array) -> Array:
    """E y = sum_k P(y > k), of the number of the level."""
    return special.expit(eta[..., None] - aux[..., None, :]).sum(axis=-1)


def logit_pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ OrderedLogistic(eta, cutpoints)."""
    return "OrderedLogistic", {"eta": eta, "cutpoints": aux, "compute_p": False}


def logit_kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    count = len(aux)
    for i in range(count):
        out[2 + i] = 0.0
    k = int(y)
    value = 0.0
    above = 0.0  # P(y > level): 1 - F(u)
    below = 0.0  # P(y < level): F(l)
    if k < count:
        t = eta - aux[k]
        e = math.exp(-abs(t))
        value -= max(t, 0.0) + math.log1p(e)
        above = (1.0 if t >= 0.0 else e) / (1.0 + e)
        out[2 + k] = above
    if k > 0:
        t = aux[k - 1] - eta
        e = math.exp(-abs(t))
        value -= max(t, 0.0) + math.log1p(e)
        below = (1.0 if t >= 0.0 else e) / (1.0 + e)
        out[1 + k] = -below
    if 0 < k < count:
        width = aux[k] - aux[k - 1]
        if width <= 0.0:
            return -math.inf
        share = -math.expm1(-width)
        odds = math.exp(-width) / share
        value += math.log(share)
        out[2 + k] += odds
        out[1 + k] -= odds
    out[0] = below - above
    return value


ORDERED_LOGIT = Family(
    name="ordered_logit",
    synonyms=(
        "ordinal",
        "ordered",
        "ordinal_logit",
        "ordinal_logistic",
        "ordered_logistic",
        "ologit",
        "cumulative",
        "cumulative_logit",
        "proportional_odds",
        "polr",
    ),
    link="logit",
    response="integer",
    equation="P(y > k) = logistic(eta - cut_k)",
    log_density=logit_log_density,
    simulate=logit_simulate,
    mean=logit_mean,
    pymc=logit_pymc,
    kernel=logit_kernel,
    ordered=True,
    mediator="logit",
    outcome="logit",
    missing="levels",
    latent_sd=math.pi / math.sqrt(3.0),
)


ROOT_HALF = math.sqrt(0.5)
NARROW = 0.02  # an interval so narrow (times its distance from 0) is measured at its middle


def probit_log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log P(y) = log[Phi(u) - Phi(l)], l and u the cuts - eta, mirrored to the lower tail where Phi is exact."""
    lower, upper = bounds(y, aux)
    mirrored = lower + upper > 2.0 * eta
    low = np.where(mirrored, eta - upper, lower - eta)
    high = np.where(mirrored, eta - lower, upper - eta)
    log_high = special.log_ndtr(high)
    wide = log_high + np.log(-np.expm1(np.minimum(special.log_ndtr(low) - log_high, -1e-300)))
    width = upper - lower
    middle = np.where(np.isfinite(width), 0.5 * (low + high), high)
    narrow = width * (1.0 + np.abs(middle)) < NARROW
    size = np.where(narrow, width, 1.0)
    s, m = (0.5 * size) ** 2, middle**2
    curvature = np.log1p(s * (m - 1.0) / 6.0 + s * s * ((m - 6.0) * m + 3.0) / 120.0)
    return np.where(narrow, np.log(size) - 0.5 * m - HALF_LOG_2PI + curvature, wide)


def probit_simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw the number of cutpoints below eta plus standard normal noise."""
    return levels_below(rng.normal(eta), aux)


def probit_mean(eta: Array, _zeta: Array, aux: Array) -> Array:
    """E y = sum_k P(y > k), of the number of the level."""
    return special.ndtr(eta[..., None] - aux[..., None, :]).sum(axis=-1)


def probit_pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ Categorical(differences of Phi), each taken in the tail where it is exact.

    PyMC's OrderedProbit takes the square root of 2 in single precision, and is right to seven digits only.
    """
    above = (eta[:, None] - aux[None, :]) * ROOT_HALF
    upper, lower = 0.5 * pm.math.erfc(-above), 0.5 * pm.math.erfc(above)  # P(y > k), P(y <= k)
    inner = pm.math.where(
        above[:, 1:] + above[:, :-1] < 0.0, upper[:, :-1] - upper[:, 1:], lower[:, 1:] - lower[:, :-1]
    )
    p = pm.math.concatenate([lower[:, :1], inner, upper[:, -1:]], axis=1)
    return "Categorical", {"p": p}


def probit_kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    count = len(aux)
    for i in range(count):
        out[2 + i] = 0.0
    k = int(y)
    inner = 0 < k < count
    # the interval (low, high) that holds the noise, mirrored so that it lies in the lower tail
    mirrored = k == count or (inner and aux[k] + aux[k - 1] > 2.0 * eta)
    high = eta - aux[k - 1] if mirrored else aux[k] - eta
    width = aux[k] - aux[k - 1] if inner else 0.0
    if inner and width <= 0.0:
        return -math.inf
    middle = high - 0.5 * width
    value = 0.0
    log_high = 0.0
    for side in range(2 if inner else 1):
        t = high - side * width
        if t > 0.0:
            log_tail = math.log1p(-0.5 * math.erfc(t * ROOT_HALF))
        elif t > -25.0:
            log_tail = math.log(0.5 * math.erfc(-t * ROOT_HALF))
        else:
            r = 1.0 / (t * t)
            series = -r * (1.0 - r * (3.0 - r * (15.0 - r * (105.0 - r * (945.0 - r * 10395.0)))))
            log_tail = -0.5 * t * t - HALF_LOG_2PI - math.log(-t) + math.log1p(series)
        if side == 0:
            log_high = log_tail
            value = log_tail
        elif width * (1.0 + abs(middle)) < NARROW:
            s = 0.25 * width * width
            m = middle * middle
            curvature = s * (m - 1.0) / 6.0 + s * s * ((m - 6.0) * m + 3.0) / 120.0
            value = math.log(width) - 0.5 * m - HALF_LOG_2PI + math.log1p(curvature)
        else:
            value = log_high + math.log(-math.expm1(log_tail - log_high))
    at_high = math.exp(-0.5 * high * high - HALF_LOG_2PI - value)
    at_low = at_high * math.exp(width * middle) if inner else 0.0
    out[0] = -at_high * math.expm1(width * middle) if inner else at_high
    if mirrored:
        out[1 + k] = -at_high
        if inner:
            out[2 + k] = at_low
    else:
        out[0] = -out[0]
        out[2 + k] = at_high
        if inner:
            out[1 + k] = -at_low
    return value


ORDERED_PROBIT = Family(
    name="ordered_probit",
    synonyms=("ordinal_probit", "cumulative_probit", "oprobit"),
    link="probit",
    response="integer",
    equation="P(y > k) = Phi(eta - cut_k)",
    log_density=probit_log_density,
    simulate=probit_simulate,
    mean=probit_mean,
    pymc=probit_pymc,
    kernel=probit_kernel,
    ordered=True,
    mediator="probit",
    outcome="probit",
    missing="levels",
    latent_sd=1.0,
)
