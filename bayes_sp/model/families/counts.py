"""Counts with mean mu = exp(eta): Poisson, and negative binomial of size phi, var = mu + mu^2/phi."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayes_sp.exports import np, special
from bayes_sp.model.families.base import PHI, Family
from bayes_sp.model.families.special import rising

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array, Derivatives, Generator, PyMC, Tensor, Words


def poisson_log_density(y: Array, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Log Poisson(y | mu = exp(eta))."""
    return y * eta - np.exp(eta) - special.gammaln(y + 1)


def poisson_simulate(rng: Generator, eta: Array, _zeta: Array, _aux: Array) -> Array:
    """Draw y ~ Poisson(exp(eta))."""
    return rng.poisson(np.exp(eta)).astype(float)


def poisson_pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, _aux: Tensor) -> Words:
    """Y ~ Poisson(exp(eta))."""
    return "Poisson", {"mu": pm.math.exp(eta)}


def poisson_kernel(y, eta, _zeta, _aux, _table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient without -log y!, and its derivatives."""
    mu = math.exp(eta)
    out[0] = y - mu
    return y * eta - mu


def poisson_derivatives(y: Array, eta: Array, _t: Array) -> Derivatives:
    """Log density without -log y!, and its derivatives by eta."""
    mu = np.exp(eta)
    return y * eta - mu, [y - mu], [[-mu]]


def exponential(eta: Array, _zeta: Array, _aux: Array) -> Array:
    """E y = exp(eta)."""
    return np.exp(eta)


def log_count(y: Array) -> tuple[Array, Array]:
    """Return what a count says of eta, and its weight there."""
    return np.log(y + 0.5), y + 0.5


POISSON = Family(
    name="poisson",
    synonyms=("pois", "poisson_log"),
    link="log",
    response="count",
    equation="y ~ Poisson(exp(eta))",
    log_density=poisson_log_density,
    simulate=poisson_simulate,
    pymc=poisson_pymc,
    kernel=poisson_kernel,
    mean=exponential,
    mediator="count",
    outcome="exp",
    derivatives=poisson_derivatives,
    on_link=log_count,
    variance="mu",
    light_tailed=True,
    disperses=False,
)


LARGE = 1e3  # a size from which on log Gamma differences cancel


def log_zero(eta: Array, aux: Array) -> Array:
    """Log P(y = 0) = -phi log(1 + mu/phi), exact for a large phi too."""
    phi = aux[..., :1]
    return -phi * np.logaddexp(0.0, eta - np.log(phi))


def log_rising(phi: Array, y: Array) -> Array:
    """Log Gamma(phi + y) - log Gamma(phi), (..., n): each count of y once, as log Gamma takes most of the time."""
    counts, place = np.unique(y, return_inverse=True)
    return each_log_rising(phi, counts)[..., place]


def each_log_rising(phi: Array, y: Array) -> Array:
    """Log Gamma(phi + y) - log Gamma(phi); by Stirling's series where both are large and would cancel."""
    if np.all(phi < LARGE):
        return special.gammaln(phi + y) - special.gammaln(phi)
    size = np.maximum(phi, LARGE)
    total = size + y
    series = 1 / (12 * total) - 1 / (360 * total**3) - 1 / (12 * size) + 1 / (360 * size**3)
    stirling = (size - 0.5) * np.log1p(y / size) + y * (np.log(total) - 1.0) + series
    return np.where(phi < LARGE, special.gammaln(phi + y) - special.gammaln(phi), stirling)


def log_density(y: Array, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Log NB(y | mu = exp(eta), var = mu + mu^2/phi)."""
    phi = aux[..., :1]
    log_ratio = eta - np.log(phi)
    spread = np.logaddexp(0.0, log_ratio)  # log(1 + mu/phi)
    return log_rising(phi, y) - special.gammaln(y + 1.0) + y * log_ratio - (y + phi) * spread


def simulate(rng: Generator, eta: Array, _zeta: Array, aux: Array) -> Array:
    """Draw y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)."""
    phi = aux[..., :1]
    return rng.negative_binomial(phi, phi / (phi + np.exp(eta))).astype(float)


def pymc(pm: PyMC, eta: Tensor, _zeta: Tensor, aux: Tensor) -> Words:
    """Y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)."""
    return "NegativeBinomial", {"mu": pm.math.exp(eta), "alpha": aux[0]}


def kernel(y, eta, _zeta, aux, table, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - numba's
    """Log density of one patient without -log y!, and its derivatives."""
    phi = aux[0]
    log_rise, slope = rising(phi, y, table)
    mu = math.exp(eta)
    spread = math.log1p(mu / phi)
    out[0] = phi * (y - mu) / (phi + mu)
    out[2] = slope - spread + (mu - y) / (phi + mu)
    return log_rise + y * (eta - math.log(phi) - spread) - phi * spread


def derivatives(y: Array, eta: Array, t: Array) -> Derivatives:
    """Log density without -log y!, and its derivatives by eta and t = log phi; zeta(2, x) is psi'(x)."""
    phi, mu = np.exp(t), np.exp(eta)
    both = phi + mu
    value = log_rising(phi, y) + y * (eta - np.log(both)) - phi * np.log1p(mu / phi)
    counts, place = np.unique(y, return_inverse=True)  # each count once: these functions take most of the time
    by_phi = (special.psi(counts + phi) - special.psi(phi))[..., place] - np.log1p(mu / phi) + (mu - y) / both
    across = phi * (y - mu) * mu / both**2
    bend = (special.zeta(2.0, counts + phi) - special.zeta(2.0, phi))[..., place]
    bend = bend + mu / (phi * both) + (y - mu) / both**2
    second = [[-phi * mu * (y + phi) / both**2, across], [across, phi * by_phi + phi**2 * bend]]
    return value, [phi * (y - mu) / both, phi * by_phi], second


NEGATIVE_BINOMIAL = Family(
    name="negative_binomial",
    synonyms=("negbin", "negbinomial", "neg_binomial", "nb", "nb2", "nbinom", "nbreg", "negative_binomial_2"),
    link="log",
    response="count",
    equation="y ~ NegativeBinomial(mean mu = exp(eta), variance mu + mu^2/phi)",
    log_density=log_density,
    simulate=simulate,
    pymc=pymc,
    kernel=kernel,
    sized=True,
    mean=exponential,
    scalars=(PHI,),
    mediator="count",
    outcome="exp",
    derivatives=derivatives,
    on_link=log_count,
    precision="size",
    variance="mu",
)
