"""Nodes and weights: a standard normal variable, its coupling with itself in another world, a beta variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array

LEAST_NODES = 6
MOST_NODES = 192
HERMITE = 24  # beyond it the trapezoidal rule is as good and gains more from every further node
_REACH = 8.0  # of the trapezoidal rule, in standard deviations; left out: 1e-15


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

    Trefethen & Weideman (2014). SIAM Review 56, 385-458. doi:10.1137/130932132
    """
    if hermite or count <= HERMITE:
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


def beta_nodes(count: int) -> tuple[Array, Array]:
    r"""Return nodes in (0, 1) and the table that gives their weights for any beta variable B ~ Beta(a, b).

    .. math:: E f(B) = \sum_j w_j f(t_j), \qquad
              w_j = \frac1N \Bigl[1 + 2 \sum_{n=1}^{N-1} E[T_n(2B - 1)] \cos(n \theta_j)\Bigr],
              \qquad t_j = \tfrac12 (1 + \cos \theta_j)

    with Chebyshev points theta_j: exact for polynomials of degree below N whatever a and b, so that the nodes are the
    same for all patients and draws. Integration by parts gives the moments one after the other, with p = a + b,

    .. math:: (p + n)\,t_{n+1} = 2 (a - b)\,t_n - (p - n)\,t_{n-1}, \quad t_0 = 1, \quad t_1 = (a - b) / p.

    Returns t (N,), N = count + 4, and the table (N, N): rows n hold 1/N for n = 0, else 2 cos(n theta_j) / N.
    """
    nodes = count + 4
    theta = np.pi * (np.arange(nodes) + 0.5) / nodes
    table = 2.0 * np.cos(np.arange(nodes)[:, None] * theta) / nodes
    table[0] *= 0.5
    return 0.5 * (1.0 + np.cos(theta)), table
