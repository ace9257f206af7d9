"""How well chains determine a quantity: R-hat, effective sample sizes and Monte Carlo error, many quantities at once.

The same numbers as ArviZ's, which a test holds against it. ArviZ takes one quantity at a time, and importing it brings
`scipy.stats` and `matplotlib.pyplot`, together more than a second.

References
----------
Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), Bayesian Analysis 16(2). doi:10.1214/20-BA1221
Geyer (1992), Statistical Science 7(4), 473-483. doi:10.1214/ss/1177011137
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from bayes_sp.arrays import Array, sd_of, unit_of

TAILS = (0.05, 0.95)  # quantiles of the tail ESS (Vehtari et al. 2021): ArviZ's for 95 % intervals
ONE_SD = (0.1586553, 0.8413447)  # of a normal distribution: half their distance is a standard error
MEASURES = ("ess_bulk", "ess_tail", "r_hat", "mcse_mean", "mcse_median")
LEAST_DRAWS = 4
BLOCK = 2**17  # draws looked at together: arrays of 1 MiB


def convergence_measures(values: Array, factor: Array | None = None) -> dict[str, Array]:
    r"""Return what `MEASURES` names of draws (chain, draw, k), (k,) each.

    NaN for a quantity with a draw that is NaN, for fewer than 4 draws, and in ``r_hat`` for one chain.

    ``factor`` is, of draws resampled from weighted ones (`bayes_sp.inference.samplers.laplace`), v_s, (chain, draw):
    the error of a mean x of S draws is then :math:`\sqrt{\sum_s v_s (x_s - \bar x)^2} / S`, and the effective number of
    draws the number of independent ones with that error.
    """
    chains, draws, count = values.shape
    found = {name: np.full(count, np.nan) for name in MEASURES}
    usable = np.flatnonzero(~np.isnan(values).any(axis=(0, 1)))
    if draws < LEAST_DRAWS:
        return found
    step = max(1, BLOCK // (chains * draws))
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 for a quantity that never varies: NaN says so
        for begin in range(0, len(usable), step):
            block = usable[begin : begin + step]
            x = np.ascontiguousarray(np.moveaxis(values[..., block], -1, 0))
            unit = np.maximum(unit_of(x, axis=(1, 2)), 1.0)  # as ArviZ, which takes what varies by 1e-15 for constant
            x, unit = x / unit, unit[:, 0, 0]
            scores = _normal_scores(_split(x))
            found["ess_bulk"][block] = _ess(scores) if factor is None else _size(_normal_scores(x), factor)
            low, high = (_size(x <= limit, factor) for limit in np.quantile(x, TAILS, axis=(1, 2))[..., None, None])
            found["ess_tail"][block] = np.minimum(low, high)
            found["mcse_mean"][block] = unit * sd_of(x, axis=(1, 2), ddof=1) / np.sqrt(_size(x, factor))
            found["mcse_median"][block] = unit * _median_error(x, factor)
            if chains > 1:
                found["r_hat"][block] = _rank_r_hat(_split(x), scores)
    return found


def energy_bfmi(energy: Array) -> Array:
    """Estimated Bayesian fraction of missing information of each chain, from energies (chain, draw)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # a chain that stands still has none
        return np.square(np.diff(energy, axis=1)).mean(axis=1) / energy.var(axis=1, ddof=1)


def _size(x: Array | NDArray[np.bool_], factor: Array | None) -> Array:
    """Effective sample size of chains, or of resampled draws with their variance factors, (k, chain, draw) -> (k,)."""
    if factor is None:
        return _ess(_split(x))
    flat = x.reshape(len(x), -1).astype(np.float64)
    squares = (flat - flat.mean(axis=1, keepdims=True)) ** 2
    size = float(flat.shape[1])
    constant = np.ptp(flat, axis=1) < np.finfo(np.float64).resolution
    return np.where(constant, size, size**2 / (size - 1.0) * squares.sum(axis=1) / (squares @ factor.ravel()))


def _median_error(x: Array, factor: Array | None) -> Array:
    """Monte Carlo standard error of the median, (k, chain, draw) -> (k,).

    With E the ESS of the share of draws at or below it, that share is Beta(E / 2 + 1, E / 2 + 1); the error is half the
    distance between the order statistics one SD to either side.
    """
    ordered = np.sort(x.reshape(len(x), -1), axis=1)
    size = ordered.shape[1]
    ess = _size(x <= np.median(ordered, axis=1)[:, None, None], factor)
    half = np.nan_to_num(ess, nan=0.0) / 2.0 + 1.0
    low, high = (betaincinv(half, half, p) * size - 1.0 for p in ONE_SD)
    place = np.arange(len(x))
    above = ordered[place, np.minimum(np.ceil(high), size - 1).astype(int)]
    below = ordered[place, np.maximum(np.floor(low), 0).astype(int)]
    return np.where(np.isnan(ess), np.nan, (above - below) / 2.0)


def _split(x: Array | NDArray[np.bool_]) -> Array:
    """Every chain in two halves, without the middle draw of an odd number: (k, 2 chains, half)."""
    half = x.shape[-1] // 2
    return np.concatenate([x[..., :half], x[..., -half:]], axis=1).astype(np.float64, copy=False)


def _normal_scores(x: Array) -> Array:
    """Return normal scores of the ranks among all draws of a quantity, ties at their average rank (Blom 1958)."""
    flat = x.reshape(len(x), -1)
    size = flat.shape[1]
    order = np.argsort(flat, axis=1)
    ascending = np.take_along_axis(flat, order, axis=1)
    begins = np.ones(flat.shape, dtype=bool)
    begins[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    ranks = np.arange(1.0, size + 1.0)[None]
    if not begins.all():
        first = np.maximum.accumulate(np.where(begins, ranks, 0.0), axis=1)
        ends = np.roll(begins, -1, axis=1)
        last = np.minimum.accumulate(np.where(ends, ranks, size)[:, ::-1], axis=1)[:, ::-1]
        ranks = 0.5 * (first + last)
    scores = np.empty(flat.shape)
    np.put_along_axis(scores, order, ndtri((ranks - 3 / 8) / (size - 2 * 3 / 8 + 1)), axis=1)
    return scores.reshape(x.shape)


def _rank_r_hat(halves: Array, scores: Array) -> Array:
    """R-hat of the rank-normalised draws, or of their distances from the median where that is larger."""
    bulk = _r_hat(scores)
    tail = _r_hat(_normal_scores(np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True))))
    return np.where(np.isnan(tail), bulk, np.maximum(bulk, tail))


def _r_hat(x: Array) -> Array:
    n = x.shape[-1]
    between = n * x.mean(axis=2).var(axis=1, ddof=1)
    within = x.var(axis=2, ddof=1).mean(axis=1)
    return np.sqrt((between / within + n - 1) / n)


def _ess(x: Array) -> Array:
    """Effective sample size of each quantity, (k, chain, draw) -> (k,)."""
    _, chains, n = x.shape
    covariance = _autocovariance(x)
    within = covariance[:, 0] * n / (n - 1.0)
    total = within * (n - 1.0) / n
    if chains > 1:
        total += x.mean(axis=2).var(axis=1, ddof=1)
    correlation = 1.0 - (within[:, None] - covariance) / total[:, None]
    correlation[:, 0] = 1.0
    size = chains * n
    least = 1 / np.log10(size)
    found = np.array([size / np.maximum(_autocorrelation_time(rho), least) for rho in correlation])
    constant = np.ptp(x, axis=(1, 2)) < np.finfo(np.float64).resolution
    return np.where(constant, float(size), found)


def _autocovariance(x: Array) -> Array:
    """Autocovariance at every lag, the mean of all chains, (k, lag): one transform back, of their mean spectrum."""
    n = x.shape[-1]
    length = _fast_length(2 * n)
    spectrum = np.fft.rfft(x - x.mean(axis=-1, keepdims=True), n=length)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.fft.irfft(power, n=length)[..., :n] / n


def _fast_length(least: int) -> int:
    """Smallest product of twos, threes and fives that is at least this: what a Fourier transform is fast at."""
    length = least
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def _autocorrelation_time(rho: Array) -> float:
    """Sum of the autocorrelations over both directions, by Geyer's initial monotone sequence of pairs.

    Pairs of lags (0, 1), (2, 3), ... are kept as long as their sums are positive, and cut to the sum of the pair
    before where they are larger; the even lag of the first pair left out is added where it is positive.
    """
    n = len(rho)
    kept = np.zeros(n)
    kept[:2] = rho[:2]
    lag = 1
    even, odd = rho[0], rho[1]
    while lag < n - 3 and even + odd > 0.0:
        even, odd = rho[lag + 1], rho[lag + 2]
        if even + odd >= 0.0:
            kept[lag + 1], kept[lag + 2] = even, odd
        lag += 2
    last = lag - 2
    if even > 0.0:
        kept[last + 1] = even
    for t in range(1, last - 1, 2):
        if kept[t + 1] + kept[t + 2] > kept[t - 1] + kept[t]:
            kept[t + 1] = kept[t + 2] = (kept[t - 1] + kept[t]) / 2.0
    if np.isnan(kept).any():
        return float("nan")
    return float(-1.0 + 2.0 * kept[: last + 1].sum() + kept[last + 1 : last + 2].sum())
