"""How heavy the tails of draws are: Pareto k, many quantities at once.

The same numbers as ArviZ's ``pareto_khat``, which a test holds against it; importing that takes more than a second.
"""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array, unit_of

LEAST_TAIL = 5  # draws
PRIOR_K, PRIOR_SIZE = 0.5, 10  # a weak prior of k, and how many draws it counts for
PRIOR_SCALE = 3.0
NEGLIGIBLE = 10.0 * np.finfo(np.float64).eps


def pareto_k(values: Array, ess_tail: Array) -> Array:
    r"""Return Pareto k of each quantity, the larger one of both tails: E|x|^p exists for p < 1/k, (k,).

    A generalised Pareto distribution is fitted to the :math:`3 \sqrt{S / r}` draws farthest out on each side (to a
    fifth of fewer than 225), r the tail ESS over the number S of draws. From 0.7 on a mean of draws says nothing
    reliable, from 1 on there is none. Infinite where draws are not finite, NaN where a tail has one value only.

    ``values`` are draws, (chain, draw, k).

    Zhang & Stephens (2009). Technometrics 51, 316-325. doi:10.1198/tech.2009.08017; Vehtari, Simpson, Gelman, Yao &
    Gabry (2024), Pareto smoothed importance sampling. JMLR 25(72).
    """
    flat = np.sort(values.reshape(-1, values.shape[-1]).T, axis=1)
    size = flat.shape[1]
    found = np.full(len(flat), np.nan)
    for i, ordered in enumerate(flat):
        if np.isnan(ordered).any() or not ess_tail[i] > 0.0:
            continue
        length = int(3.0 * size / np.sqrt(ess_tail[i])) if ess_tail[i] > 225 else size // 5
        length = max(min(length, size // 2), LEAST_TAIL)
        if length >= size:
            continue
        if np.isinf(ordered[[0, -1]]).any():
            found[i] = np.inf
        else:
            scaled = ordered / unit_of(ordered)
            found[i] = max(_shape(scaled, length), _shape(-scaled[::-1], length))
    return found


def _shape(ordered: Array, length: int) -> float:
    """Shape of the generalised Pareto distribution of the upper tail, by Zhang & Stephens' empirical Bayes."""
    tail = ordered[-length:] - ordered[-length - 1]
    quartile = tail[int(length / 4 + 0.5) - 1]
    if tail[-1] - tail[0] < np.finfo(np.float64).tiny or quartile <= tail[0]:
        return float("nan")
    count = 30 + int(length**0.5)
    b = (1.0 - np.sqrt(count / (np.arange(1, count + 1) - 0.5))) / (PRIOR_SCALE * quartile) + 1.0 / tail[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.log1p(-b[:, None] * tail).mean(axis=1)
        profile = length * (np.log(-b / k) - k - 1.0)
        weight = np.exp(profile - np.nanmax(profile))
        weight /= weight.sum()
        kept = weight >= NEGLIGIBLE
        shape = float(np.log1p(-(b[kept] @ weight[kept]) / weight[kept].sum() * tail).mean())
    if np.isnan(shape):
        return float("inf")
    return (length * shape + PRIOR_SIZE * PRIOR_K) / (length + PRIOR_SIZE)
