"""Ordered answers with logistic cutpoints: P(y > k) = logistic(eta - cut_k), y the number of the level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.cuts import bounds, levels_below
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log P(y) = log[F(u) - F(l)] = log F(u) + log F(-l) + log(1 - e^(l - u)), F logistic, l and u the cuts - eta."""
    lower, upper = bounds(y, aux)
    width = np.log(-np.expm1(lower - upper))
    return width - np.logaddexp(0.0, eta - upper) - np.logaddexp(0.0, lower - eta)


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw the number of cutpoints below eta plus logistic noise."""
    return levels_below(rng.logistic(eta), aux)


def mean(eta: Array, _zeta: Array, aux: Array) -> Array:
    """E y = sum_k P(y > k), of the number of the level."""
    return special.expit(eta[..., None] - aux[..., None, :]).sum(axis=-1)


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ OrderedLogistic(eta, cutpoints)."""
    return pm.OrderedLogistic.dist(eta=eta, cutpoints=aux)


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
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
    link="logit",
    parameters=(),
    response="integer",
    mediator=True,
    outcome=True,
    equation="P(y > k) = logistic(eta - cut_k)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
    ordered=True,
)
