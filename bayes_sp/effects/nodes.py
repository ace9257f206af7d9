"""Nodes and weights: a standard normal variable, its coupling with itself in another world, a beta variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_sp.effects.chain import Array
from bayes_sp.families.lazy import special

LEAST_NODES = 6
MOST_NODES = 192
_HERMITE = 24  # beyond it the trapezoidal rule is as good and gains more from every further node
_REACH = 8.0  # of the trapezoidal rule, in standard deviations; left out: 1e-15
_TAIL = 23.0  # a beta's nodes end where the density is exp(-23) of its mode, and what lies beyond is a series
_FLAT = 25.0  # or where logistic(z) is 0 or 1 to 1e-11: beyond, weights are powers and their sum is a series
_FINEST = 1e5  # a beta variable with a larger precision is taken for one with this precision: SD below 0.002


@dataclass(frozen=True)
class Rule:
    """How to average: coupling of one mediator's worlds, nodes, and whether every route has a copy of its own."""

    kappa: float = 1.0
    nodes: int = 12
    apart: bool = False


def normal_nodes(count: int, hermite: bool = False) -> tuple[Array, Array]:
    """Return nodes and weights, (Q,) each, with E f(Z) = sum_q w_q f(x_q) for a standard normal Z.

    Gauss-Hermite up to 24 nodes, exact for polynomials of degree 2 Q - 1; beyond that the trapezoidal rule, which
    converges geometrically for functions analytic in a strip, such as a logistic curve however steep. `hermite` asks
    for Gauss-Hermite in any case.

    References
    ----------
    Trefethen & Weideman (2014). SIAM Review 56, 385-458. doi:10.1137/130932132
    """
    if hermite or count <= _HERMITE:
        x, w = np.polynomial.hermite_e.hermegauss(count)
        return x, w / w.sum()
    x = np.linspace(-_REACH, _REACH, count)
    w = np.exp(-0.5 * x**2)
    return x, w / w.sum()


def cross_world_factor(kappa: float, x: Array, w: Array) -> Array:
    r"""Return A (J, Q) with A'A the joint weights of two standard normal variables correlated by kappa.

    .. math:: P_{qr} = \sum_j \kappa^j \, w_q h_j(x_q) \, w_r h_j(x_r)

    with orthonormal Hermite polynomials h_j (Mehler's formula), exact for products of polynomials of degree below Q
    each. For kappa = 1 the weights are w_q on the diagonal and nothing is returned: J = 0.
    """
    if kappa == 1.0:
        return np.empty((0, len(x)))
    rows = [np.ones_like(x), x]
    for j in range(2, len(x)):
        rows.append((x * rows[-1] - np.sqrt(j - 1.0) * rows[-2]) / np.sqrt(j))
    sizes = kappa ** (0.5 * np.arange(len(x)))
    keep = sizes > 1e-8
    return (sizes[:, None] * w * np.array(rows[: len(x)]))[keep]


def beta_nodes(precision: Array, lowest: Array, highest: Array, count: int) -> tuple[Array, Array, Array]:
    r"""Return nodes for Beta(mu p, (1 - mu) p) variables whose logit(mu) lies between `lowest` and `highest`.

    With z = logit(position) the density is proportional to exp(a z) (1 + exp(z))^(-p), a = mu p, on the whole line; the
    trapezoidal rule in z converges geometrically in the step h, at the rate that the poles at +-i pi set:
    about min_y cos(y/2)^(-p) exp(-2 pi y / h).

    Parameters
    ----------
    precision
        p, (B,).
    lowest, highest
        Ends of logit(mu) over patients and worlds, (B,).
    count
        How fine: h = 0.6 sqrt(6 / count) min(1, SD of z at mu = 1/2).

    Returns
    -------
    tuple of Array
        Grid (B, 2): step and precision; ratio (B, R, 2): each node z, and its base weight over the one before, as the
        kernel wants them; positions (B, R) in (0, 1).
    """
    p = np.minimum(precision, _FINEST)
    sd = np.sqrt(2.0 * special.polygamma(1, 0.5 * p))
    step = 0.6 * np.sqrt(LEAST_NODES / count) * np.minimum(1.0, sd)
    low = np.maximum(_end(p, lowest, -1.0), -_FLAT)
    high = np.minimum(_end(p, highest, 1.0), _FLAT)
    total = int(np.ceil(((high - low) / step).max())) + 1
    z = low[:, None] + step[:, None] * np.arange(total)
    before = z - step[:, None]
    ratio = np.exp(-p[:, None] * (np.logaddexp(0.0, z) - np.logaddexp(0.0, before) - 0.5 * step[:, None]))
    return np.stack([step, p], axis=-1), np.stack([z, ratio], axis=-1), special.expit(z)


def _end(p: Array, eta: Array, side: float) -> Array:
    """Where the log density of z has fallen by `_TAIL` from its mode at eta, by Newton's steps from outside."""
    eta = np.clip(eta, -_FLAT, _FLAT)
    a = p * special.expit(eta)
    top = a * eta - p * np.logaddexp(0.0, eta)
    z = side * (_FLAT + _TAIL / np.minimum(a, p - a).clip(1e-3))
    for _ in range(60):  # concave: steps from outside never pass the root
        drop = top - _TAIL - (a * z - p * np.logaddexp(0.0, z))
        z = z + drop / (a - p * special.expit(z))
    return z
