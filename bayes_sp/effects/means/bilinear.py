r"""Mean outcomes where the outcome's predictor has a product of two mediators: e m1 m2.

**Both normal, mean linear or exponential.** M1 on its own route and M2 are jointly normal, with means m, variances and
a covariance s12 = rho d sigma1^2, where rho is 1 where M1 is in one world, else kappa. With
:math:`g = (b_1 + e m_2, b_2 + e m_1)` and :math:`c = 1 - e\,s_{12}`,

.. math:: E\,\eta = \eta(m) + e\,s_{12}, \qquad
    E\,e^\eta = D^{-1/2} \exp\Bigl[\eta(m) +
        \frac{g_1^2 s_{11} + g_2^2 s_{22} + 2 g_1 g_2 (s_{12} c + e\,s_{11} s_{22})}{2 D}\Bigr],
    \qquad D = c^2 - e^2 s_{11} s_{22},

and the mean does not exist where :math:`c \le |e| \sqrt{s_{11} s_{22}}`.

**Others.** A sum over the levels of m1, or over nodes of its errors, and within it over those of m2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Chain
from bayes_sp.effects.means.nodes import Rule, normal_nodes
from bayes_sp.errors import FitError

type Work = Callable[[int, int, Array], Array]


@dataclass(frozen=True)
class _World:
    """Exposures of the routes: direct, m1, m2, the m1 that m2 sees; and the correlation of m1's errors in both."""

    direct: float
    first: float
    second: float
    within: float
    rho: float


def product_batch(chain: Chain, contrast: tuple[float, float], rule: Rule, counts: Array | None) -> Work:
    """Return the work on a batch: mean outcomes of the 16 worlds (u_D, u_1, u_2, u_3), (16, B).

    Raises FitError where a mean does not exist in some of the draws.
    """
    closed = chain.all_normal and chain.outcome.closed

    def mean(values: Array) -> Array:
        return values.mean(axis=-1) if counts is None else values @ counts / len(counts)

    def work(start: int, stop: int, baseline: Array) -> Array:
        here = slice(start, stop)
        out = np.empty((16, stop - start))
        for place, (d, one, two, three) in enumerate(product(contrast, repeat=4)):
            rho = 0.0 if rule.apart else 1.0 if one == three else rule.kappa
            world = _World(d, one, two, three, rho)
            if closed:
                out[place] = mean(_closed(chain, world, baseline, here))
            else:
                out[place] = mean(_summed(chain, world, rule, baseline, here))
        return out

    return work


def _closed(chain: Chain, world: _World, baseline: Array, here: slice) -> Array:
    """Mean outcome of each patient, (B, n), both mediators normal and the mean linear or exponential."""
    e = chain.products[2, 0, 1][here, None]
    s1, s2 = (mediator.sigma[here, None] for mediator in chain.mediators)
    b1, b2 = (chain.slope(2, k, world.direct)[here, None] for k in range(2))
    d = chain.slope(1, 0, world.second)[here, None]
    a1 = chain.exposure[here, 0, None]
    m1 = baseline[0] + a1 * world.first
    m2 = baseline[1] + chain.exposure[here, 1, None] * world.second + d * (baseline[0] + a1 * world.within)
    eta = baseline[2] + chain.exposure[here, 2, None] * world.direct + b1 * m1 + b2 * m2 + e * m1 * m2
    s11, s22, s12 = s1**2, d**2 * s1**2 + s2**2, world.rho * d * s1**2
    if chain.outcome.linear:
        return np.asarray(eta + e * s12)
    c = 1.0 - e * s12
    if (gone := c <= np.abs(e) * np.sqrt(s11 * s22)).any():
        raise FitError(
            "effects",
            [
                f"in {100.0 * gone.mean():.2g} % of some draws the mean outcome does not exist: the product of two "
                "mediators under a log link grows faster than their errors fall; give the product a tighter prior"
            ],
        )
    g1, g2, determinant = b1 + e * m2, b2 + e * m1, c**2 - e**2 * s11 * s22
    quadratic = g1**2 * s11 + g2**2 * s22 + 2.0 * g1 * g2 * (s12 * c + e * s11 * s22)
    shift = chain.outcome.shift[here, None]
    return np.asarray(np.exp(eta + shift + 0.5 * quadratic / determinant) / np.sqrt(determinant))


def _summed(chain: Chain, world: _World, rule: Rule, baseline: Array, here: slice) -> Array:
    """Mean outcome of each patient, (B, n), by sums over levels and nodes."""
    total = np.zeros(baseline.shape[1:])
    for weight, own, level, seen in _first(chain, world, rule, baseline, here):
        for share, value in _second(chain, world, rule, baseline, here, seen):
            parts = []
            for j in range(2, 3 + chain.zero_part):
                eta = baseline[j] + chain.exposure[here, j, None] * world.direct
                eta = eta + _adds(chain, j, 0, world.direct, own, level, here)
                eta = eta + _adds(chain, j, 1, world.direct, value[0], value[1], here)
                if (j, 0, 1) in chain.products:
                    eta = eta + chain.products[j, 0, 1][here, None] * own * value[0]
                parts.append(np.broadcast_to(eta, total.shape))
            total += weight * share * chain.outcome.mean(here, *parts)
    return total


type Point = tuple[Array, int]
"""Value of a mediator, (B, n), (B, 1) or (1, 1), and the number of its level, -1 for none."""


def _adds(chain: Chain, j: int, k: int, u: float, value: Array, level: int, here: slice) -> Array:
    """Return what a value of mediator k adds to linear predictor j."""
    if level >= 0:
        return np.asarray(chain.steps(j, k, u, chain.mediators[k].values)[here, level, None])
    return np.asarray(chain.slope(j, k, u)[here, None] * value)


def _first(
    chain: Chain, world: _World, rule: Rule, baseline: Array, here: slice
) -> Iterator[tuple[Array | float, Array, int, tuple[Array | float, Array, int, float]]]:
    """Yield weights of m1, its value on its own route, the level, and what m2 sees of it.

    The last: a weight that is 1, the mean of m1 as m2 sees it, its level, and the SD that is left of its errors.
    """
    first = chain.mediators[0]
    if first.normal:
        x, w = normal_nodes(rule.nodes)
        sigma, a = first.sigma[here, None], chain.exposure[here, 0, None]
        for node, weight in zip(x, w, strict=True):
            own = baseline[0] + a * world.first + sigma * node
            seen = baseline[0] + a * world.within + world.rho * sigma * node
            yield weight, own, -1, (1.0, seen, -1, float(np.sqrt(1.0 - world.rho**2)))
        return
    shares = [first.shares(here, baseline[0] + chain.exposure[here, 0, None] * u)
              for u in (world.first, world.within)]  # fmt: skip
    together = _comonotone(*shares)
    for k, m in np.ndindex(together.shape[-2:]):
        joint = world.rho * together[..., k, m] + (1.0 - world.rho) * shares[0][..., k] * shares[1][..., m]
        if joint.any():
            yield joint, first.values[k].reshape(1, 1), k, (1.0, first.values[m].reshape(1, 1), m, 0.0)


def _second(
    chain: Chain, world: _World, rule: Rule, baseline: Array, here: slice, seen: tuple[Array | float, Array, int, float]
) -> Iterator[tuple[Array | float, Point]]:
    """Yield weights of m2 and its points, given what it sees of m1."""
    second = chain.mediators[1]
    _, value, level, left = seen
    eta = baseline[1] + chain.exposure[here, 1, None] * world.second
    eta = eta + _adds(chain, 1, 0, world.second, value, level, here)
    x, w = normal_nodes(rule.nodes)
    slope = chain.slope(1, 0, world.second)[here, None]
    spread = slope * left * chain.mediators[0].sigma[here, None] if left else np.zeros_like(slope)
    if second.normal:
        sd = np.sqrt(spread**2 + second.sigma[here, None] ** 2)
        for node, weight in zip(x, w, strict=True):
            yield weight, (eta + sd * node, -1)
        return
    if left:
        shares = sum(weight * second.shares(here, eta + spread * node) for node, weight in zip(x, w, strict=True))
    else:
        shares = second.shares(here, eta)
    for r, own in enumerate(second.values):
        yield shares[..., r], (own.reshape(1, 1), r)


def _comonotone(first: Array, second: Array) -> Array:
    """Joint probabilities of equal ranks, (B, n, L, L): overlaps of the intervals of cumulative probabilities."""
    upper = [np.cumsum(shares, axis=-1) for shares in (first, second)]
    lower = [top - shares for top, shares in zip(upper, (first, second), strict=True)]
    high = np.minimum(upper[0][..., :, None], upper[1][..., None, :])
    low = np.maximum(lower[0][..., :, None], lower[1][..., None, :])
    return np.asarray(np.maximum(high - low, 0.0))
