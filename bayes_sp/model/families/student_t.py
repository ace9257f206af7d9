"""Student-t responses: a normal with heavier tails, of nu degrees of freedom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.model.families.base import Family
from bayes_sp.model.families.digamma import digamma
from bayes_sp.model.families.lazy import np, special

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Generator, PyMC, Tensor

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _log_constant(nu: Array) -> Array:
    """Log Gamma((nu + 1)/2) - log Gamma(nu/2) - log(nu/2)/2: 0 for nu -> infinity, by a series where that is exact."""
    x = 0.5 * nu
    r = 1.0 / np.maximum(x, 50.0) ** 2
    series = (-1 / 8 + r * (1 / 192 - r * (1 / 640 - r * 17 / 14336))) * np.sqrt(r)
    return np.where(x < 50.0, special.gammaln(x + 0.5) - special.gammaln(x) - 0.5 * np.log(x), series)


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log t_nu((y - eta)/sigma) - log sigma."""
    sigma, nu = aux[..., :1], aux[..., 1:2]
    tail = -0.5 * (nu + 1.0) * np.log1p(((y - eta) / sigma) ** 2 / nu)
    return _log_constant(nu) + tail - np.log(sigma) - HALF_LOG_2PI


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y = eta + sigma t, t ~ t_nu."""
    sigma, nu = aux[..., :1], aux[..., 1:2]
    return eta + sigma * rng.standard_t(np.broadcast_to(nu, np.broadcast_shapes(eta.shape, nu.shape)))


def mean(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = eta (for nu > 1)."""
    return eta


def dist(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Tensor:
    """Y ~ StudentT(nu, eta, sigma)."""
    return pm.StudentT.dist(nu=aux[1], mu=eta, sigma=aux[0])


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    nu = aux[1]
    z = (y - eta) / sigma
    q = z * z / nu
    x = 0.5 * nu
    if x < 50.0:
        constant = math.lgamma(x + 0.5) - math.lgamma(x) - 0.5 * math.log(x)
        slope = digamma(x + 0.5) - digamma(x) - 0.5 / x
    else:  # the difference of two large numbers, by its series in 1/x
        r = 1.0 / (x * x)
        constant = (-1 / 8 + r * (1 / 192 - r * (1 / 640 - r * 17 / 14336))) / x
        slope = r * (1 / 8 - r * (3 / 192 - r * (5 / 640 - r * 119 / 14336)))
    log_tail = math.log1p(q)
    out[0] = (nu + 1.0) * z / (sigma * (nu + z * z))
    out[2] = nu * (z * z - 1.0) / (sigma * (nu + z * z))
    out[3] = 0.5 * (slope - log_tail + (nu + 1.0) / nu * q / (1.0 + q))
    return constant - 0.5 * (nu + 1.0) * log_tail - math.log(sigma) - HALF_LOG_2PI


STUDENT_T = Family(
    name="student_t",
    link="identity",
    parameters=("sigma", "nu"),
    response="real",
    mediator=True,
    outcome=True,
    equation="y ~ StudentT(nu, eta, sigma)",
    log_density=log_density,
    simulate=simulate,
    mean=mean,
    dist=dist,
    kernel=kernel,
)
