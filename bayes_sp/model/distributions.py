"""Priors as data: a named distribution with checked constants and the reason for it. Never evaluated as code.

Each distribution is one object with all that is known of it. The log-density is written out, because compiled code and
millions of draws need it; quantiles, moments and tail areas come from SciPy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bayes_sp.exports import np, stats
from bayes_sp.model import densities

if TYPE_CHECKING:
    from bayes_sp.arrays import Array

Support = Literal["real", "positive", "simplex", "correlation"]
COEFFICIENTS = ("intercept", "slope", "covariate", "interaction", "cutpoint", "zero_intercept", "zero_slope")
SHARES = "simplex"  # of the steps of a monotonic effect


@dataclass(frozen=True)
class Distribution:
    """A prior distribution: its constants, its density, and what follows from them.

    Every function takes the constants one by one, in the order of ``arguments``.
    """

    name: str  # in a specification
    # arguments, positive: names of the constants, which are PyMC's too, and which of them must be > 0.
    arguments: tuple[str, ...]
    positive: tuple[str, ...]
    support: Support  # where it puts mass
    display: str  # name for readers, and PyMC's
    # ``(x, *constants) -> (log-density less its constant, derivative)`` of a number or an array, in NumPy's functions
    # of numbers, so that numba compiles it; None for a constant density.
    kernel: Callable[..., Any] | None = None
    # What the kernel leaves out; None for an improper distribution, whose log-density is 0.
    log_constant: Callable[..., float] | None = None
    draw: Callable[..., Array] | None = None  # ``(rng, size, *constants) -> draws``; None where nothing can be drawn
    # ``(*constants)`` -> SciPy's distribution; None for an improper one and for shares.
    frozen: Callable[..., Any] | None = None
    # ``(a, *constants)`` -> the constants of the density to the power a; one that must be > 0 and is not says that the
    # power has no finite integral.
    power: Callable[..., tuple[float, ...]] = lambda _a, *constants: constants
    scale: str = ""  # name of the constant that is its scale, '' for none
    # ``(*constants)`` -> a moderate value of a number with this prior on the positive numbers.
    moderate: Callable[..., float] | None = None

    @property
    def improper(self) -> bool:
        """Whether its density has no finite integral."""
        return self.draw is None


DISTRIBUTIONS: dict[str, Distribution] = {
    known.name: known
    for known in (
        Distribution(
            "normal", ("mu", "sigma"), ("sigma",), "real", "Normal", densities.normal,
            log_constant=lambda mu, sigma: -math.log(sigma) - densities.HALF_LOG_2PI,
            draw=lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
            frozen=lambda *constants: stats.norm(*constants),  # noqa: PLW0108 - the call imports SciPy
            power=lambda a, mu, sigma: (mu, sigma / math.sqrt(a)),
            scale="sigma",
        ),
        Distribution(
            "student_t", ("nu", "mu", "sigma"), ("nu", "sigma"), "real", "StudentT", densities.student_t,
            log_constant=lambda nu, mu, sigma: densities.student_constant(nu, sigma),
            draw=lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
            frozen=lambda *constants: stats.t(*constants),  # noqa: PLW0108 - the call imports SciPy
            power=densities.student_t_power,
            scale="sigma",
        ),
        Distribution(
            "laplace", ("mu", "b"), ("b",), "real", "Laplace", densities.laplace,
            log_constant=lambda mu, b: -math.log(2.0 * b),
            draw=lambda rng, size, mu, b: rng.laplace(mu, b, size),
            frozen=lambda *constants: stats.laplace(*constants),  # noqa: PLW0108 - the call imports SciPy
            power=lambda a, mu, b: (mu, b / a),
            scale="b",
        ),
        Distribution("flat", (), (), "real", "Flat"),
        Distribution("half_flat", (), (), "positive", "HalfFlat"),
        Distribution(
            "half_normal", ("sigma",), ("sigma",), "positive", "HalfNormal", densities.half_normal,
            log_constant=lambda sigma: math.log(2.0) - math.log(sigma) - densities.HALF_LOG_2PI,
            draw=lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
            frozen=lambda sigma: stats.halfnorm(scale=sigma),
            power=lambda a, sigma: (sigma / math.sqrt(a),),
            scale="sigma",
            moderate=lambda sigma: 0.5 * sigma,
        ),
        Distribution(
            "half_student_t", ("nu", "sigma"), ("nu", "sigma"), "positive", "HalfStudentT", densities.half_student_t,
            log_constant=lambda nu, sigma: densities.student_constant(nu, sigma) + math.log(2.0),
            draw=lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size)),
            frozen=densities.HalfStudentT,
            power=densities.student_power,
            scale="sigma",
            moderate=lambda nu, sigma: 0.5 * sigma,
        ),
        Distribution(
            "exponential", ("scale",), ("scale",), "positive", "Exponential", densities.exponential,
            log_constant=lambda scale: -math.log(scale),
            draw=lambda rng, size, scale: rng.exponential(scale, size),
            frozen=lambda scale: stats.expon(scale=scale),
            power=lambda a, scale: (scale / a,),
            scale="scale",
            moderate=lambda scale: 0.5 * scale,
        ),
        Distribution(
            "gamma", ("alpha", "beta"), ("alpha", "beta"), "positive", "Gamma", densities.gamma,
            log_constant=densities.gamma_constant,
            draw=lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size),
            frozen=lambda alpha, beta: stats.gamma(alpha, scale=1.0 / beta),
            power=lambda a, alpha, beta: (a * (alpha - 1.0) + 1.0, a * beta),
            moderate=lambda alpha, beta: alpha / beta,
        ),
        Distribution(
            "inverse_gamma", ("alpha", "beta"), ("alpha", "beta"), "positive", "InverseGamma", densities.inverse_gamma,
            log_constant=densities.gamma_constant,
            draw=lambda rng, size, alpha, beta: beta / rng.gamma(alpha, 1.0, size),
            frozen=lambda alpha, beta: stats.invgamma(alpha, scale=beta),
            power=lambda a, alpha, beta: (a * (alpha + 1.0) - 1.0, a * beta),
            moderate=lambda alpha, beta: beta / (alpha + 1.0),
        ),
        Distribution(
            "lognormal", ("mu", "sigma"), ("sigma",), "positive", "LogNormal", densities.lognormal,
            log_constant=lambda mu, sigma: -math.log(sigma) - densities.HALF_LOG_2PI,
            draw=lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
            frozen=lambda mu, sigma: stats.lognorm(sigma, scale=math.exp(mu)),
            power=densities.lognormal_power,
            moderate=lambda mu, sigma: math.exp(mu),
        ),
        Distribution(
            "lkj", ("eta",), ("eta",), "correlation", "LKJ", densities.lkj,
            log_constant=densities.lkj_constant,
            draw=lambda rng, size, eta: 2.0 * rng.beta(eta, eta, size) - 1.0,
            frozen=lambda eta: stats.beta(eta, eta, loc=-1.0, scale=2.0),
            power=lambda a, eta: (a * (eta - 1.0) + 1.0,),
        ),
        Distribution(
            "dirichlet", ("alpha",), ("alpha",), "simplex", "Dirichlet",
            draw=lambda rng, size, alpha: rng.dirichlet(alpha, size),
            power=lambda a, alpha: (a * (alpha - 1.0) + 1.0,),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Prior:
    """A prior distribution with its constants and its reason.

    Attributes
    ----------
    dist
        Name in ``DISTRIBUTIONS``.
    constants
        (name, value) in the order of the distribution's arguments.
    why
        The reason, printed in reports.

    Examples
    --------
    >>> from bayes_sp.model.distributions import Prior
    >>> print(Prior("normal", (("mu", 0.0), ("sigma", 0.5)), why="small"))
    Normal(mu=0, sigma=0.5)
    """

    dist: str
    constants: tuple[tuple[str, float], ...]
    why: str

    @property
    def distribution(self) -> Distribution:
        """What is known of the distribution."""
        return DISTRIBUTIONS[self.dist]

    @property
    def values(self) -> dict[str, float]:
        """Constants by name."""
        return dict(self.constants)

    @property
    def numbers(self) -> tuple[float, ...]:
        """Constants in the order of the distribution's arguments."""
        return tuple(value for _, value in self.constants)

    @property
    def support(self) -> Support:
        """Where the distribution puts mass."""
        return self.distribution.support

    @property
    def improper(self) -> bool:
        """Whether the density has no finite integral."""
        return self.distribution.improper

    def with_numbers(self, numbers: Sequence[float], why: str) -> Prior:
        """Return the same distribution with other constants."""
        return Prior(self.dist, tuple(zip(self.values, numbers, strict=True)), why)

    def scipy(self) -> Any:  # noqa: ANN401 - SciPy's own types
        """Return SciPy's distribution, for quantiles, moments and tail areas; of a proper prior of one number."""
        if self.distribution.frozen is None:
            raise ValueError(f"{self} is no proper distribution of one number")
        return self.distribution.frozen(*self.numbers)

    def log_density(self, x: Array) -> Array:
        """Return the log-density without any transform, 0 for an improper one.

        Of numbers of any shape, where the prior has mass; shares stand along the last axis, which is summed over.
        """
        known = self.distribution
        if self.support == "simplex":
            shares, (alpha,) = x.shape[-1], self.numbers
            constant = math.lgamma(shares * alpha) - shares * math.lgamma(alpha)
            return np.asarray((alpha - 1.0) * np.log(x).sum(axis=-1) + constant)
        if known.kernel is None:
            return np.zeros_like(x)
        return np.asarray(known.kernel(x, *self.numbers)[0]) + self.log_constant

    @property
    def log_constant(self) -> float:
        """What the kernel leaves out of the log-density; 0 for an improper prior."""
        constant = self.distribution.log_constant
        return 0.0 if constant is None else constant(*self.numbers)

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={value:g}" for name, value in self.constants)
        return f"{self.distribution.display}({inner})"


DEFAULT_CORRELATION = Prior("lkj", (("eta", 2.0),), "the default: any correlation of errors, those near -1 and 1 less")
