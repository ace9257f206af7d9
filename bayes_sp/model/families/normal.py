"""Responses with errors round a linear predictor: normal, Student t, and normal with a known measurement error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families.base import NU, SIGMA, Family
from bayes_sp.model.families.special import HALF_LOG_2PI, digamma

FARTHEST = 1e100  # of a value that is not known: no response is likely there

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Derivatives, Generator, PyMC, Tensor, Words


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log N(y | eta, sigma^2)."""
    sigma = aux[..., :1]
    return -0.5 * ((y - eta) / sigma) ** 2 - np.log(sigma) - HALF_LOG_2PI


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ N(eta, sigma^2)."""
    return rng.normal(eta, aux[..., :1])


def identity(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = eta (of a Student t for nu > 1; of a value measured with error that of the true one too)."""
    return eta


def as_is(y: Array) -> tuple[Array, Array]:
    """Return what a response says of eta: itself."""
    return y, np.ones_like(y)


def pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ Normal(eta, sigma)."""
    return "Normal", {"mu": eta, "sigma": aux[0]}


def kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    z = (y - eta) / sigma
    out[0] = z / sigma
    out[2] = (z * z - 1.0) / sigma
    return -0.5 * z * z - math.log(sigma) - HALF_LOG_2PI


def derivatives(y: Array, eta: Array, t: Array) -> Derivatives:
    """Log density and its derivatives by eta and t = log sigma."""
    sigma = np.exp(t)
    z = (y - eta) / sigma
    across = -2.0 * z / sigma
    value = -0.5 * z * z - t - HALF_LOG_2PI
    return value, [z / sigma, z * z - 1.0], [[-1.0 / sigma**2, across], [across, -2.0 * z * z]]


NORMAL = Family(
    name="normal",
    synonyms=("gaussian", "gauss", "linear", "ols"),
    link="identity",
    response="real",
    equation="y ~ Normal(eta, sigma)",
    log_density=log_density,
    simulate=simulate,
    pymc=pymc,
    kernel=kernel,
    mean=identity,
    scalars=(SIGMA,),
    mediator="normal",
    outcome="identity",
    derivatives=derivatives,
    gaussian=True,
    missing="number",
    on_link=as_is,
    precision="sd",
)


def _log_constant(nu: Array) -> Array:
    """Log Gamma((nu + 1)/2) - log Gamma(nu/2) - log(nu/2)/2: 0 for nu -> infinity, by a series where that is exact."""
    x = 0.5 * nu
    r = 1.0 / np.maximum(x, 50.0) ** 2
    series = (-1 / 8 + r * (1 / 192 - r / 640)) * np.sqrt(r)
    return np.where(x < 50.0, special.gammaln(x + 0.5) - special.gammaln(x) - 0.5 * np.log(x), series)


def t_log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log t_nu((y - eta)/sigma) - log sigma."""
    sigma, nu = aux[..., :1], aux[..., 1:2]
    tail = -0.5 * (nu + 1.0) * np.log1p(((y - eta) / sigma) ** 2 / nu)
    return _log_constant(nu) + tail - np.log(sigma) - HALF_LOG_2PI


def t_simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y = eta + sigma t, t ~ t_nu."""
    sigma, nu = aux[..., :1], aux[..., 1:2]
    return eta + sigma * rng.standard_t(np.broadcast_to(nu, np.broadcast_shapes(eta.shape, nu.shape)))


def t_pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ StudentT(nu, eta, sigma)."""
    return "StudentT", {"nu": aux[1], "mu": eta, "sigma": aux[0]}


def t_kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
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
        constant = (-1 / 8 + r * (1 / 192 - r / 640)) / x
        slope = r * (1 / 8 - r * (3 / 192 - r * 5 / 640))
    log_tail = math.log1p(q)
    out[0] = (nu + 1.0) * z / (sigma * (nu + z * z))
    out[2] = nu * (z * z - 1.0) / (sigma * (nu + z * z))
    out[3] = 0.5 * (slope - log_tail + (nu + 1.0) / nu * q / (1.0 + q))
    return constant - 0.5 * (nu + 1.0) * log_tail - math.log(sigma) - HALF_LOG_2PI


def t_residual(pm: PyMC, name: str, aux: Tensor, dims: str) -> Tensor:
    """Standardised residual ~ StudentT(nu, 0, 1)."""
    return pm.StudentT(name, nu=aux[1], mu=0.0, sigma=1.0, dims=dims)


def t_quantile(z: Array, aux: Array) -> Array:
    """Return the quantile of t_nu at a standard normal's; those of heavy tails are not finite."""
    return np.clip(special.stdtrit(aux[..., 1:2], special.ndtr(z)), -FARTHEST, FARTHEST)


STUDENT_T = Family(
    name="student_t",
    synonyms=("t", "student", "students_t"),
    link="identity",
    response="real",
    equation="y ~ StudentT(nu, eta, sigma)",
    log_density=t_log_density,
    simulate=t_simulate,
    pymc=t_pymc,
    kernel=t_kernel,
    mean=identity,
    scalars=(SIGMA, NU),
    mediator="normal",
    outcome="identity",
    residual=t_residual,
    residual_quantile=t_quantile,
    on_link=as_is,
    precision="sd",
)


def latent_log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log N(y | eta, sigma^2 + s^2), the latent value integrated out; aux = (sigma, s)."""
    sd = np.hypot(aux[..., :1], aux[..., 1:2])
    return -0.5 * ((y - eta) / sd) ** 2 - np.log(sd) - HALF_LOG_2PI


def latent_simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw the observed value y ~ N(eta, sigma^2 + s^2)."""
    return rng.normal(eta, np.hypot(aux[..., :1], aux[..., 1:2]))


def latent_pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ Normal(eta, sqrt(sigma^2 + s^2))."""
    return "Normal", {"mu": eta, "sigma": pm.math.sqrt(aux[0] ** 2 + aux[1] ** 2)}


def latent_kernel(y, eta, _zeta, aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient, and its derivatives."""
    sigma = aux[0]
    sd = math.hypot(sigma, aux[1])
    z = (y - eta) / sd
    out[0] = z / sd
    out[2] = (z * z - 1.0) / sd * (sigma / sd)
    return -0.5 * z * z - math.log(sd) - HALF_LOG_2PI


LATENT_NORMAL = Family(
    name="latent_normal",
    link="identity",
    response="real",
    equation="latent ~ Normal(eta, sigma), y ~ Normal(latent, s), s known",
    log_density=latent_log_density,
    simulate=latent_simulate,
    pymc=latent_pymc,
    kernel=latent_kernel,
    latent=True,
    mean=identity,
    scalars=(SIGMA,),
    mediator="normal",
    gaussian=True,
    missing="number",
    on_link=as_is,
    precision="sd",
)
