"""Newton steps of count regressions, for many weightings of the same patients at once; equations as in `negbin`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.likelihood.counts import CountData
from bayes_sp.inference.likelihood.normal_equations import Flags, solve_normal, weighted_gram

# Predictors are independent before any step; on the way of a rate to 0 the weights of some patients vanish.
LEAST = 1e-14


@dataclass(frozen=True, eq=False)
class Weighted:
    """What Newton's method needs of each replicate.

    Weights (R, n), w y (R, n), X'(w y) (R, p), N_k for k < K (R, K), which coefficients there are (p, R) or
    None for all.
    """

    w: Array
    wy: Array
    score_y: Array
    exceed: Array
    keep: Flags | None

    def take(self, chosen: Flags) -> Weighted:
        """Return what some replicates need."""
        keep = None if self.keep is None else self.keep[:, chosen]
        return Weighted(self.w[chosen], self.wy[chosen], self.score_y[chosen], self.exceed[chosen], keep)


type Step = Callable[[CountData, Weighted, Array], tuple[Array, Array, Array]]


def weighted(data: CountData, w: Array, keep: Flags | None) -> Weighted:
    """Compute the sums that stay while the parameters move; N_k from the weights summed in the order of the counts."""
    wy = w * data.y
    upto = np.cumsum(w[:, data.order], axis=1)
    exceed = upto[:, -1:] - upto[:, data.above - 1] * (data.above > 0)
    return Weighted(w, wy, wy @ data.x, exceed, keep)


def free_size(data: CountData, active: Weighted, theta: Array, *, fixed: bool = False) -> tuple[Array, Array, Array]:
    """Log-likelihood without its constant, Newton step and Newton decrement.

    With phi free, or held where it is.
    With s_i = mu_i / (phi + mu_i), z_i = w_i (y_i + phi) s_i, and the sums over k from `size_sums`, the derivatives in
    (beta, t = log phi) are::

        g_beta =  X'(w y - z)                            A = -H_beta,beta = X' diag(z (1 - s)) X
        g_t    = -sum_k N_k k / (phi + k) + sum_i [z_i - w_i phi log(1 + mu_i / phi)]
        b      = -H_beta,t = -X'((w y - z) s)
        c      = -H_tt = -sum_k N_k k phi / (phi + k)^2 + sum_i [z_i (1 - s_i) + w_i phi (log(1 + mu_i / phi) - 2 s_i)]

    A is positive definite. The curvature left for t, c - b' A^-1 b, need not be far from the maximum; its absolute
    value then keeps the step uphill, and a fit counts as converged only where it is positive.
    """
    beta, phi = theta[:, :-1], np.exp(theta[:, -1:])
    w, wy = active.w, active.wy
    steps, by_t, by_tt = size_sums(data, active, phi)
    mu = np.exp(beta @ data.x.T + data.offset)
    log_1 = np.log1p(mu / phi)
    share = mu / (phi + mu)
    z = (wy + w * phi) * share
    left = z * (1.0 - share)
    w_log_1 = phi[:, 0] * dot_rows(w, log_1)
    value = steps + dot_rows(beta, active.score_y) - dot_rows(wy, log_1) - w_log_1 + wy @ data.offset
    g_beta = active.score_y - z @ data.x
    g_t = z.sum(axis=1) - w_log_1 - by_t
    a = weighted_gram(data.cross, left)
    b = ((z - wy) * share) @ data.x
    c = left.sum(axis=1) + w_log_1 - 2.0 * phi[:, 0] * dot_rows(w, share) - by_tt
    solved, _ = solve_normal(a, np.stack([g_beta.T, b.T], axis=1), active.keep, LEAST)
    by_score, by_cross = solved[:, 0].T, solved[:, 1].T
    if fixed:
        newton = np.column_stack([by_score, np.zeros(len(beta))])
        return value, newton, dot_rows(g_beta, by_score)
    curvature = c - dot_rows(b, by_cross)
    rest = g_t - dot_rows(b, by_score)
    step_t = np.clip(rest / np.abs(curvature), -2.0, 2.0)  # a factor of e^2 in phi
    newton = np.column_stack([by_score - by_cross * step_t[:, None], step_t])
    decrement = np.where(curvature > 0, dot_rows(g_beta, by_score) + rest**2 / curvature, np.inf)
    return value, newton, decrement


def size_sums(data: CountData, active: Weighted, phi: Array) -> tuple[Array, Array, Array]:
    """Return sum_k N_k log(1 + k/phi), sum_k N_k k/(phi + k) and sum_k N_k k phi/(phi + k)^2, (R,) each."""
    k = np.arange(active.exceed.shape[1])
    sums = [dot_rows(active.exceed, part) for part in (np.log1p(k / phi), k / (phi + k), k * phi / (phi + k) ** 2)]
    if len(data.beyond):
        w = active.w[:, data.beyond]
        sums = [
            s + dot_rows(w, more) for s, more in zip(sums, beyond_table(phi, data.y[data.beyond], len(k)), strict=True)
        ]
    return sums[0], sums[1], sums[2]


def beyond_table(phi: Array, y: Array, first: int) -> tuple[Array, Array, Array]:
    r"""Return sums of log(1 + k/phi), k/(phi + k) and k phi/(phi + k)^2 over k from K to y - 1, in closed form.

    They are differences of log Gamma, psi and psi' between a = phi + K and b = phi + y. With x = b/a - 1, Stirling's
    series and lambda(x) = log(1 + x) - x, which leaves no differences of large numbers as phi grows::

        a lambda(x) - log(1 + x)/2 + (y - K) log(1 + y/phi) + (1/b - 1/a)/12 - (1/b^3 - 1/a^3)/360
        -a lambda(x) + K log(1 + x) + phi [(1/b - 1/a)/2 + (1/b^2 - 1/a^2)/12 - (1/b^4 - 1/a^4)/120]
        phi [lambda(x) + x y/b - (1/b - 1/a)/2 - (1/b^2 - 1/a^2)/12 + (1/b^4 - 1/a^4)/120]
            + phi^2 [(1/b^2 - 1/a^2)/2 + (1/b^3 - 1/a^3)/6 - (1/b^5 - 1/a^5)/30]

    With sizes phi (R, 1), counts y above K (m,), arrays (R, m); what the series leaves out is below K^-5 / 1260, 7e-16
    for 256.

    Abramowitz & Stegun (1964). Handbook of Mathematical Functions, 6.1.41, 6.3.18 and 6.4.12.
    """
    a, b, more = phi + first, phi + y, y - first
    p, q, x = 1.0 / a, 1.0 / b, more / a
    log_x, curved = np.log1p(x), log1p_minus(x)
    d1 = -more * p * q
    d2, d3, d4 = d1 * (p + q), d1 * (p * p + p * q + q * q), d1 * (p + q) * (p * p + q * q)
    d5 = d1 * (p**4 + p**3 * q + p * p * q * q + p * q**3 + q**4)
    by_psi = d1 / 2.0 + d2 / 12.0 - d4 / 120.0
    return (
        a * curved - log_x / 2.0 + more * np.log1p(y / phi) + d1 / 12.0 - d3 / 360.0,
        -a * curved + first * log_x + phi * by_psi,
        phi * (curved + x * y * q - by_psi) + phi**2 * (d2 / 2.0 + d3 / 6.0 - d5 / 30.0),
    )


def log1p_minus(x: Array) -> Array:
    """Return log(1 + x) - x for x >= 0, for small x from log(1 + x) = 2 atanh(x / (2 + x))."""
    near = np.minimum(x, 0.5)
    r = near / (2.0 + near)
    series = sum(r ** (2 * j) / (2 * j + 3) for j in range(12))
    return np.where(x <= 0.5, 2.0 * r**3 * series - near * r, np.log1p(x) - x)


def fixed_size(data: CountData, active: Weighted, theta: Array) -> tuple[Array, Array, Array]:
    """Return what `free_size` returns, with phi held."""
    return free_size(data, active, theta, fixed=True)


def poisson_step(data: CountData, active: Weighted, theta: Array) -> tuple[Array, Array, Array]:
    """Return what `free_size` returns in the limit of phi, sum_i w_i [y_i eta_i - mu_i]: g = X'(w y - w mu)."""
    beta, w = theta[:, :-1], active.w
    mu = np.exp(beta @ data.x.T + data.offset)
    z = w * mu
    value = dot_rows(beta, active.score_y) + active.wy @ data.offset - z.sum(axis=1)
    score = active.score_y - z @ data.x
    solved, _ = solve_normal(weighted_gram(data.cross, z), score.T[:, None], active.keep, LEAST)
    by_score = solved[:, 0].T
    return value, np.column_stack([by_score, np.zeros(len(beta))]), dot_rows(score, by_score)


def dot_rows(left: Array, right: Array) -> Array:
    """Inner product of each row of two arrays, (R, m) and (R, m) to (R,)."""
    return np.asarray(np.einsum("rm,rm->r", left, right))
