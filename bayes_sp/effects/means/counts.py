r"""Counts as mediators: which values a sum must reach, means as functions of a predictor, and where there is no mean.

The probabilities of a negative binomial count (or of a Poisson one, phi infinite) have ratios

.. math:: p_{k+1} / p_k = \frac{\mu}{\mu + \phi}\,\frac{k + \phi}{k + 1},

so that what a sum of :math:`p_k e^{ck} (1 + k)^g` leaves out from K on is at most its term K divided by 1 - rho, with
rho the largest ratio of two neighbouring terms from K on. It ends where that is below 1e-13. Up to 1023 every count is
a value of its own; beyond, counts stand in blocks no wider than an SD, each with the Gauss rule of eight nodes for sums
of neighbouring whole numbers (Gram polynomials), exact for polynomials of degree 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.effects.chain import Baselines, Chain, number_of_patients
from bayes_sp.effects.means.moderated import single_patients, strata
from bayes_sp.errors import FitError
from bayes_sp.exports import special
from bayes_sp.model.families.counts import each_log_rising, log_rising

EXACT = 1024  # counts below it stand each for itself
LEFT_OUT = 1e-13  # of a sum
MOST = 10**7  # counts beyond it, which no record can hold
LARGEST = 12.0  # of log mu, from which on a mean of a power of the count is one of mu
NODES, ORDERS = 8, (12, 24, 48, 96, 192)
_CELLS = 2**21


@dataclass(frozen=True, eq=False)
class Grid:
    """Values of a mediator, (L,), and what their probabilities need of each draw.

    Cutpoints (B, L - 1); of a count logarithms, ratios and least probabilities (B, 3 L) (`points.count_probabilities`).
    """

    values: Array
    cuts: Array

    @property
    def logs(self) -> Array:
        """Logarithms of a count's coefficients, (B, L)."""
        return self.cuts[:, : len(self.values)]


def count_grid(phi: Array, log_mean: Array, powers: Array, growth: Array) -> Grid:
    """Return counts up to where sums of p_k (1 + k)^powers e^(growth k) may end, all arguments (B,).

    Raises FitError where they end nowhere.
    """
    ends = _ends(phi, log_mean, powers, growth)
    known = np.arange(min(ends.max() + 1.0, EXACT))
    values, weights = [known], [np.ones_like(known)]
    start = float(EXACT)
    while start <= ends.max():
        width = int(min(np.sqrt(start + start**2 / phi.max()), start))
        nodes, shares = _block(width)
        values.append(start + nodes)
        weights.append(shares)
        start += width
    k, logs = np.concatenate(values), np.log(np.concatenate(weights))
    finite = np.isfinite(phi)
    cuts = np.where(finite[:, None], log_rising(np.where(finite, phi, 1.0)[:, None], k), 0.0)
    cuts += logs - special.gammaln(k + 1.0)
    cuts = np.where(k <= ends[:, None], cuts, -np.inf)
    with np.errstate(invalid="ignore"):
        ratios = np.nan_to_num(np.exp(np.diff(cuts, axis=1, append=-np.inf)))
    bound = np.exp(powers[:, None] * np.log1p(k) + growth[:, None] * k)
    least = np.where(np.isfinite(cuts), 0.01 * LEFT_OUT / bound, 1.0)
    return Grid(k, np.concatenate([cuts, ratios, least], axis=1))


@lru_cache(maxsize=256)
def _block(width: int) -> tuple[Array, Array]:
    """Return nodes and weights of sums over 0, ..., width - 1."""
    k = np.arange(1.0, NODES)
    beside = np.sqrt(k**2 * (width**2 - k**2) / (4.0 * (4.0 * k**2 - 1.0)))
    nodes, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    return nodes + 0.5 * (width - 1), width * vectors[0] ** 2


def _ends(phi: Array, log_mean: Array, powers: Array, growth: Array) -> Array:
    k, mu = np.full(len(phi), 16.0), np.exp(np.minimum(log_mean, 40.0))
    finite = np.isfinite(phi)
    size = np.where(finite, phi, 1.0)
    share = np.where(finite, mu / (mu + size), 0.0)
    while True:
        unit = np.where(finite, log_mean - np.log(size + mu), log_mean)
        level = np.where(finite, size * np.log1p(mu / size), mu)
        rising = np.where(finite, each_log_rising(size, k), 0.0)
        term = rising - special.gammaln(k + 1.0) + k * unit - level + powers * np.log1p(k) + growth * k
        ratio = np.where(finite, share * np.maximum((k + size) / (k + 1.0), 1.0), mu / (k + 1.0))
        ratio = ratio * np.exp(growth) * ((k + 2.0) / (k + 1.0)) ** powers
        with np.errstate(invalid="ignore", divide="ignore"):
            done = (ratio < 1.0) & (term - np.log1p(-np.minimum(ratio, 1.0)) < np.log(LEFT_OUT))
        if done.all():
            return k
        if (k[~done] > MOST).any():
            raise FitError("effects", [f"a count that is a mediator can lie beyond {MOST:,} in some of the draws"])
        k = np.where(done, k, np.ceil(1.2 * k))


def mean_curves(
    phi: Array, grid: Grid, slopes: Array, low: Array, high: Array, logarithmic: bool
) -> tuple[Array, Array]:
    r"""Return log E (1 + M)^b, or b E log(1 + M), as functions of the predictor: Chebyshev coefficients.

    Both are analytic near the real line. So many are taken that the last of
    them are below 1e-11 of the largest. Beyond `LARGEST` the functions go on as straight lines of slope b.

    ``phi``, ``low`` and ``high`` are (B,), the slopes b (B, 2). Returns coefficients, (B, 2, N), and middle and half
    width of the intervals of predictors, (B, 2).
    """
    span = np.stack([0.5 * (high + low), np.maximum(0.5 * (high - low), 1e-3)], axis=1)
    for count in ORDERS:
        theta = np.pi * (np.arange(count) + 0.5) / count
        eta = span[:, :1] + span[:, 1:] * np.cos(theta)
        values = np.empty((len(phi), 2, count))
        size = max(1, _CELLS // (count * len(grid.values)))
        for start in range(0, len(phi), size):
            here = slice(start, start + size)
            values[here] = _means(phi[here], grid.values, grid.logs[here], slopes[here], eta[here], logarithmic)
        found = values @ np.cos(np.arange(count)[:, None] * theta).T * (2.0 / count)
        found[..., 0] *= 0.5
        if np.abs(found[..., -3:]).max() <= 1e-11 * max(np.abs(found).max(), 1.0):
            break
    return np.ascontiguousarray(found), span


def _means(phi: Array, k: Array, cuts: Array, slopes: Array, eta: Array, logarithmic: bool) -> Array:
    """Return the functions of `mean_curves` at predictors (B, N): (B, 2, N)."""
    finite = np.isfinite(phi)[:, None]
    size, mu = np.where(finite, phi[:, None], 1.0), np.exp(eta)
    unit = np.where(finite, eta - np.log(size + mu), eta)
    level = np.where(finite, size * np.log1p(mu / size), mu)
    p = np.exp(cuts[:, None] + unit[..., None] * k - level[..., None])
    if logarithmic:
        return np.stack([np.log((p @ ((1.0 + k) ** slopes[:, d, None])[..., None])[..., 0]) for d in range(2)], axis=1)
    return slopes[:, :, None] * (p @ np.log1p(k))[:, None]


@dataclass(frozen=True, eq=False)
class Growth:
    """Bounds (1 + m)^power e^(exponent m) of what follows from a count m, 0 where it falls in m."""

    own: Array  # what the outcome's own equation adds, by its exposure: power and exponent, (2, S, 2)
    # What goes on through the second mediator, by the exposures of the outcome's and of that one's, (2, S, 2, 2).
    later: Array

    def most(self, apart: bool) -> tuple[Array, Array]:
        """Return the largest power and exponent of all worlds, (S,); both add up in one copy of the count."""
        own, later = self.own.max(axis=2), self.later.max(axis=(2, 3))
        power, exponent = np.maximum(own, later) if apart else own + later
        return power, exponent


def growth_of(chain: Chain, contrast: tuple[float, float], k: int) -> Growth:
    """Return the bounds for count k of a chain."""
    count = len(chain.mediators)
    own, later = np.zeros((2, chain.draws, 2)), np.zeros((2, chain.draws, 2, 2))
    outcome = chain.outcome
    if outcome.grows:
        own[int((count, k) not in chain.logs)] = _by_exposure(chain, count, k, contrast)
    elif outcome.linear:
        own[0] = 1.0
    if k == 0 and count == 2:
        second, slope = chain.mediators[1], _by_exposure(chain, 1, 0, contrast)[:, None]
        place = int((1, 0) not in chain.logs)
        itself = (2, 1) not in chain.logs
        if outcome.grows and (second.normal or (second.count and not itself)):
            later[place] = _by_exposure(chain, 2, 1, contrast)[:, :, None] * slope
        elif outcome.linear and second.count and itself:
            later[place] = slope
        elif outcome.linear:
            later[0] = 1.0
    return Growth(np.maximum(own, 0.0), np.maximum(later, 0.0))


def _by_exposure(chain: Chain, j: int, k: int, contrast: tuple[float, float]) -> Array:
    return np.stack([chain.slope(j, k, u) for u in contrast], axis=1)


def without_mean(chain: Chain, baselines: Baselines, contrast: tuple[float, float]) -> Mask:
    r"""Return in which draws some patient's mean outcome does not exist, (S,).

    The tail of a negative binomial count falls by :math:`\mu / (\mu + \phi)` with each, so that e^(cm) has a mean where
    :math:`c < \log(1 + \phi / \mu)` only. Of two factors of one copy, or of copies with equal ranks, the sum of
    c over that bound must stay below 1.
    """
    gone = np.zeros(chain.draws, dtype=bool)
    for k, mediator in enumerate(chain.mediators):
        if not mediator.count or not np.isfinite(mediator.phi).any():
            continue
        growth = growth_of(chain, contrast, k)
        if not growth.own[1].any() and not growth.later[1].any():
            continue
        top = _largest_predictors(chain, baselines, contrast, k)
        bound = np.logaddexp(0.0, np.log(mediator.phi)[:, None] - top)  # log(1 + phi / mu), by the count's exposure
        own = growth.own[1][:, :, None] / bound[:, None]
        later = (growth.later[1][..., None] / bound[:, None, None]).max(axis=2)
        gone |= (own[..., :, None] + later[..., None, :]).max(axis=(1, 2, 3)) >= 1.0
    return gone


def _largest_predictors(chain: Chain, baselines: Baselines, contrast: tuple[float, float], k: int) -> Array:
    """Return the largest predictor of count k among patients, and values of the levels before it: (S, 2)."""
    added = chain.exposure[:, k, None] * np.array(contrast)
    if k == 1 and len(chain.mediators[0].values):
        values = chain.mediators[0].values
        added = added + np.stack([chain.steps(1, 0, u, values).max(axis=1) for u in contrast], axis=1)
    n = baselines(0, 1).shape[-1]
    size = max(1, _CELLS // max(n, 1))
    tops = [baselines(s, min(s + size, chain.draws))[k].max(axis=1) for s in range(0, chain.draws, size)]
    return np.asarray(np.concatenate(tops)[:, None] + added)


def refuse_without_mean(gone: Mask, names: Sequence[str]) -> None:
    """Refuse effects whose means do not exist in some draws.

    Raises FitError with the share of these draws.
    """
    if gone.any():
        counts = " and ".join(names)
        raise FitError(
            "effects",
            [
                f"in {_percent(gone.mean())} of the draws the mean outcome does not exist: {counts} enters a log link "
                f"as itself, and the rate grows faster with it than its probabilities fall; let it enter as "
                f'log(1 + {names[0]}): log1p = ["{names[0]}"] in the equations that it is a parent of'
            ],
        )


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g} %"


def means_missing(chain: Chain, baselines: Baselines, contrast: tuple[float, float]) -> Mask:
    """Return in which draws the mean outcome of some patient does not exist, (S,) (`counts.without_mean`)."""
    gone = np.zeros(chain.draws, dtype=bool)
    if not any(mediator.count for mediator in chain.mediators):
        return gone
    if chain.moderation is None:
        return without_mean(chain, baselines, contrast)
    parts = strata(chain, baselines, None)
    if parts is not None:
        return np.any([without_mean(part.chain, part.baselines, contrast) for part in parts], axis=0)
    n = number_of_patients(baselines)
    for start, stop, each, alone in single_patients(chain, baselines):
        gone[start:stop] = without_mean(each, alone, contrast).reshape(stop - start, n).any(axis=1)
    return gone
