"""The families' log densities in decimal arithmetic of many digits, as in a textbook, regardless of rounding.

Derivatives are central differences with steps of 1e-25, exact for every purpose here. Counts leave out -log y!.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import comb, prod

DIGITS = 80
DIGITS_OF_TAILS = 400  # the normal distribution function at -38 is left over from 314 digits that cancel
STEP = Decimal("1e-25")
ONE, HALF = Decimal(1), Decimal("0.5")


def arc_tangent(n: int) -> Decimal:
    """Arc tangent of 1/n by its series."""
    term = total = ONE / n
    k = 1
    while abs(term) > Decimal(10) ** (-DIGITS_OF_TAILS - 10):
        k += 2
        term /= -n * n
        total += term / k
    return total


with localcontext(Context(prec=DIGITS_OF_TAILS + 20)):
    PI = 16 * arc_tangent(5) - 4 * arc_tangent(239)  # Machin


@cache
def bernoulli(n: int) -> Fraction:
    return Fraction(1) if n == 0 else -sum((comb(n + 1, k) * bernoulli(k) for k in range(n)), Fraction(0)) / (n + 1)


def log_gamma(x: Decimal) -> Decimal:
    """Stirling's series beyond 40, the recurrence below."""
    product = ONE
    while x < 40:
        product *= x
        x += 1
    total = (x - HALF) * x.ln() - x + HALF * (2 * PI).ln() - product.ln()
    for k in range(1, 31):
        b = bernoulli(2 * k)
        total += Decimal(b.numerator) / Decimal(b.denominator) / (2 * k * (2 * k - 1)) / x ** (2 * k - 1)
    return total


def cdf_logistic(t: Decimal) -> Decimal:
    return ONE / (ONE + (-t).exp())


def cdf_normal(t: Decimal) -> Decimal:
    """Phi(t) = 1/2 + phi(t) (t + t^3/3 + t^5/15 + ...); the digits outlast its cancellation up to |t| = 38."""
    term, total, k = t, t, 1
    while abs(term) > Decimal(10) ** (-DIGITS_OF_TAILS):
        k += 2
        term *= t * t / k
        total += term
    return HALF + total * (-HALF * t * t).exp() / (2 * PI).sqrt()


def log_normal_density(z: Decimal, sigma: Decimal) -> Decimal:
    return -HALF * z * z - sigma.ln() - HALF * (2 * PI).ln()


def student_t(y, eta, _zeta, aux):
    sigma, nu = aux
    constant = log_gamma(HALF * (nu + 1)) - log_gamma(HALF * nu) - HALF * (nu * PI).ln() - sigma.ln()
    return constant - HALF * (nu + 1) * (1 + ((y - eta) / sigma) ** 2 / nu).ln()


def latent_normal(y, eta, _zeta, aux):
    sd = (aux[0] ** 2 + aux[1] ** 2).sqrt()
    return log_normal_density((y - eta) / sd, sd)


def ordered(cdf: Callable[[Decimal], Decimal]):
    def density(y, eta, _zeta, aux):
        k = int(y)
        upper = cdf(aux[k] - eta) if k < len(aux) else ONE
        lower = cdf(aux[k - 1] - eta) if k > 0 else Decimal(0)
        return (upper - lower).ln()

    return density


def beta(y, eta, _zeta, aux):
    mu = cdf_logistic(eta)
    a, b = mu * aux[0], (1 - mu) * aux[0]
    return log_gamma(a + b) - log_gamma(a) - log_gamma(b) + (a - 1) * y.ln() + (b - 1) * (1 - y).ln()


def negative_binomial(y, eta, _zeta, aux):
    phi, mu = aux[0], eta.exp()
    rising = prod(phi + k for k in range(int(y)))
    return Decimal(rising).ln() + y * eta + phi * phi.ln() - (y + phi) * (phi + mu).ln()


def zero_inflated(y, eta, zeta, aux):
    pi, count = cdf_logistic(zeta), negative_binomial(y, eta, zeta, aux)
    return (1 - pi).ln() + count if y > 0 else (pi + (1 - pi) * count.exp()).ln()


def hurdle(y, eta, zeta, aux):
    pi, zero = cdf_logistic(zeta), negative_binomial(Decimal(0), eta, zeta, aux).exp()
    return (1 - pi).ln() + negative_binomial(y, eta, zeta, aux) - (1 - zero).ln() if y > 0 else pi.ln()


def gamma(y, eta, _zeta, aux):
    shape = aux[0]
    rate = shape / eta.exp()
    return shape * rate.ln() + (shape - 1) * y.ln() - rate * y - log_gamma(shape)


DENSITIES = {
    "normal": lambda y, eta, _zeta, aux: log_normal_density((y - eta) / aux[0], aux[0]),
    "student_t": student_t,
    "latent_normal": latent_normal,
    "ordered_logit": ordered(cdf_logistic),
    "ordered_probit": ordered(cdf_normal),
    "beta": beta,
    "bernoulli_logit": lambda y, eta, _zeta, _aux: cdf_logistic(eta if y > 0 else -eta).ln(),
    "poisson": lambda y, eta, _zeta, _aux: y * eta - eta.exp(),
    "negative_binomial": negative_binomial,
    "zero_inflated_negative_binomial": zero_inflated,
    "hurdle_negative_binomial": hurdle,
    "gamma": gamma,
    "lognormal": lambda y, eta, _zeta, aux: log_normal_density((y.ln() - eta) / aux[0], aux[0]) - y.ln(),
}


def exact(name: str, y: float, eta: float, zeta: float, aux) -> tuple[float, list[float]]:
    """Return a family's log density and its derivatives with respect to eta, zeta and each of aux."""
    assert name in DENSITIES, f"{name}: a family needs its density with many digits in DENSITIES of exact_densities.py"
    with localcontext(Context(prec=DIGITS_OF_TAILS if name == "ordered_probit" else DIGITS, Emin=-(10**8), Emax=10**8)):
        at = [Decimal(float(v)) for v in (eta, zeta, *aux)]

        def density(values: list[Decimal]) -> Decimal:
            return DENSITIES[name](Decimal(y), values[0], values[1], values[2:])

        slopes = []
        places = {0, *({1} if "_negative_" in name else ()), *range(2, len(at))}
        for i in range(len(at)):
            if i not in places:
                slopes.append(0.0)
                continue
            up, down = [list(at) for _ in range(2)]
            up[i] += STEP
            down[i] -= STEP
            slopes.append(float((density(up) - density(down)) / (2 * STEP)))
        return float(density(at)), slopes
