"""Log-densities of priors in functions that NumPy and numba share, and what of them is more than a line."""

# ruff: noqa: ANN001, ANN201 - numba finds the types
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import math
from dataclasses import dataclass

from bayes_sp.exports import np, stats

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class HalfStudentT:
    """The absolute value of a Student t round 0, which SciPy has not."""

    nu: float
    sigma: float

    def ppf(self, p: float) -> float:
        """Return a quantile."""
        return float(stats.t.ppf(0.5 + p / 2.0, self.nu, scale=self.sigma))

    def mean(self) -> float:
        """Return the mean; infinite for nu <= 1."""
        if self.nu <= 1.0:
            return math.inf
        ratio = math.exp(math.lgamma((self.nu + 1.0) / 2.0) - math.lgamma(self.nu / 2.0))
        return 2.0 * self.sigma * math.sqrt(self.nu / math.pi) * ratio / (self.nu - 1.0)

    def std(self) -> float:
        """Return the SD; infinite for nu <= 2."""
        if self.nu <= 2.0:
            return math.inf
        return math.sqrt(self.sigma**2 * self.nu / (self.nu - 2.0) - self.mean() ** 2)


def normal(x, mu, sigma):
    """Log N(x | mu, sigma^2) less its constant, and its derivative."""
    z = (x - mu) / sigma
    return -0.5 * z * z, -z / sigma


def student_t(x, nu, mu, sigma):
    """Log t_nu((x - mu)/sigma) less its constant, and its derivative."""
    z = (x - mu) / sigma
    return -0.5 * (nu + 1.0) * np.log1p(z * z / nu), -(nu + 1.0) * z / (sigma * (nu + z * z))


def laplace(x, mu, b):
    """Log Laplace(x | mu, b) less its constant, and its derivative."""
    return -np.abs(x - mu) / b, -np.copysign(1.0 / b, x - mu)


def half_normal(x, sigma):
    """Log N(x | 0, sigma^2) on x > 0 less its constant, and its derivative."""
    return -0.5 * x * x / (sigma * sigma), -x / (sigma * sigma)


def half_student_t(x, nu, sigma):
    """Log t_nu(x/sigma) on x > 0 less its constant, and its derivative."""
    z = x / sigma
    return -0.5 * (nu + 1.0) * np.log1p(z * z / nu), -(nu + 1.0) * z / (sigma * (nu + z * z))


def exponential(x, scale):
    """Log Exponential(x | mean scale) less its constant, and its derivative."""
    return -x / scale, -1.0 / scale


def gamma(x, alpha, beta):
    """Log Gamma(x | shape alpha, rate beta) less its constant, and its derivative."""
    return (alpha - 1.0) * np.log(x) - beta * x, (alpha - 1.0) / x - beta


def inverse_gamma(x, alpha, beta):
    """Log InverseGamma(x | shape alpha, scale beta) less its constant, and its derivative."""
    return -(alpha + 1.0) * np.log(x) - beta / x, -(alpha + 1.0) / x + beta / (x * x)


def lognormal(x, mu, sigma):
    """Log N(log x | mu, sigma^2) - log x less its constant, and its derivative."""
    z = (np.log(x) - mu) / sigma
    return -0.5 * z * z - np.log(x), -(z / sigma + 1.0) / x


def student_constant(nu: float, sigma: float) -> float:
    """Return what the Student t's density leaves out."""
    return math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - 0.5 * math.log(nu * math.pi) - math.log(sigma)


def gamma_constant(alpha: float, beta: float) -> float:
    """Return what the Gamma's and the inverse Gamma's densities leave out."""
    return alpha * math.log(beta) - math.lgamma(alpha)


def student_power(a: float, nu: float, sigma: float) -> tuple[float, float]:
    """Return nu' = a (nu + 1) - 1 and sigma' with nu' sigma'^2 = nu sigma^2."""
    new = a * (nu + 1.0) - 1.0
    return new, sigma * math.sqrt(nu / new) if new > 0.0 else math.nan


def student_t_power(a: float, nu: float, mu: float, sigma: float) -> tuple[float, float, float]:
    """Return the same round mu."""
    new_nu, new_sigma = student_power(a, nu, sigma)
    return new_nu, mu, new_sigma


def lognormal_power(a: float, mu: float, sigma: float) -> tuple[float, float]:
    """Return mu' = mu + (1 - a) sigma'^2 and sigma' = sigma / sqrt(a)."""
    return mu + (1.0 - a) * sigma**2 / a, sigma / math.sqrt(a)


def lkj(x, eta):
    """(1 - x^2)^(eta - 1) of a correlation (Lewandowski, Kurowicka & Joe 2009)."""
    left = 1.0 - x * x
    return (eta - 1.0) * np.log(left), -2.0 * (eta - 1.0) * x / left


def lkj_constant(eta: float) -> float:
    """Return what `lkj` leaves out."""
    return math.lgamma(2.0 * eta) - 2.0 * math.lgamma(eta) - (2.0 * eta - 1.0) * math.log(2.0)
