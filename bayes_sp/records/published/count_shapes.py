"""Shapes that the margins of skewed counts can take where a paper prints their mean and SD only.

Each shape draws its free numbers by a generator and returns weights of the counts 0, 1, 2, ...; whatever the weights
are, the margin is tilted to the printed moments afterwards (`bayes_sp.records.published.margins.tilt`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.records.published.margins import negative_binomial

CountShape = Callable[[Array, float, float, np.random.Generator], Array]

# Ranges from which a shape's free numbers are drawn evenly: share of people who never come; share of heavy users, and
# how often the others come, as a share of the mean.
NEVER, HEAVY, OTHERS = (0.05, 0.40), (0.02, 0.08), (0.5, 0.8)
_OTHERS_SIZE, _HEAVY_SIZE = 1.5, 8.0  # sizes of the negative binomials of the two kinds of users
_NODES = 60
# Extremes: counts end here; share of people who never come; share of heavy users and the count around which they lie.
_SHORT, _FEW_NEVER, _MANY_NEVER, _VERY_HEAVY = 36.0, 0.04, 0.62, (0.012, 62.0)
_FLOOR = 1e-12  # so that a tilt can reach every count


def plain(counts: Array, mean: float, sd: float, _rng: np.random.Generator) -> Array:
    """Return the weights of a negative binomial with this mean and SD."""
    return negative_binomial(counts, mean, sd)


def zero_inflated(counts: Array, mean: float, sd: float, rng: np.random.Generator) -> Array:
    """Return the weights of a share of people who never come beside a negative binomial, with this mean and SD."""
    return _inflated(counts, mean, sd, float(rng.uniform(*NEVER)))


def poisson_lognormal(counts: Array, mean: float, sd: float, _rng: np.random.Generator) -> Array:
    """Return the weights of Poisson counts whose rate is lognormal: s^2 = log(1 + (SD^2 - mean) / mean^2).

    By Gauss-Hermite quadrature over the log rate (Bulmer 1974, doi:10.2307/2529621).
    """
    spread = math.sqrt(math.log1p(max(sd * sd - mean, 0.0) / mean**2))
    x, w = np.polynomial.hermite_e.hermegauss(_NODES)
    log_rate = math.log(mean) - spread**2 / 2.0 + spread * x
    log_density = counts[:, None] * log_rate - np.exp(log_rate) - _log_factorials(counts)[:, None]
    return np.asarray(np.exp(log_density) @ w)


def heavy_users(counts: Array, mean: float, _sd: float, rng: np.random.Generator) -> Array:
    """Return the weights of a few people who come very often, beside others with a short tail."""
    share, fraction = float(rng.uniform(*HEAVY)), float(rng.uniform(*OTHERS))
    low = fraction * mean
    high = (mean - (1.0 - share) * low) / share
    return (1.0 - share) * _of_size(counts, low, _OTHERS_SIZE) + share * _of_size(counts, high, _HEAVY_SIZE) + _FLOOR


def short_tail(counts: Array, mean: float, sd: float, _rng: np.random.Generator) -> Array:
    """Return the weights of a negative binomial of which next to nothing lies above 36."""
    return np.where(counts <= _SHORT, negative_binomial(counts, mean, sd), _FLOOR**2)


def few_zeros(counts: Array, mean: float, sd: float, _rng: np.random.Generator) -> Array:
    """Return the weights of a Poisson-lognormal in which 4 % have a count of 0."""
    return _with_zeros(poisson_lognormal(counts, mean, sd, _rng), _FEW_NEVER)


def many_zeros(counts: Array, mean: float, sd: float, _rng: np.random.Generator) -> Array:
    """Return the weights of a negative binomial beside 62 % who never come."""
    return _inflated(counts, mean, sd, _MANY_NEVER)


def very_heavy_users(counts: Array, mean: float, _sd: float, _rng: np.random.Generator) -> Array:
    """Return the weights of about one person in eighty who comes about sixty times, beside a short tail."""
    share, high = _VERY_HEAVY
    low = (mean - share * high) / (1.0 - share)
    return (1.0 - share) * _of_size(counts, low, _OTHERS_SIZE) + share * _of_size(counts, high, 60.0) + _FLOOR


# From these the members of an ensemble are drawn, each as often as the others.
COUNT_SHAPES: Mapping[str, CountShape] = MappingProxyType(
    {
        "negative_binomial": plain,
        "zero_inflated": zero_inflated,
        "poisson_lognormal": poisson_lognormal,
        "heavy_users": heavy_users,
    }
)
# No more than bounds: shapes at the edge of what the moments allow.
EXTREME_SHAPES: Mapping[str, CountShape] = MappingProxyType(
    {"short_tail": short_tail, "few_zeros": few_zeros, "many_zeros": many_zeros, "very_heavy_users": very_heavy_users}
)
SHAPE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "negative_binomial": "negative binomial",
        "zero_inflated": f"{NEVER[0]:.0%} to {NEVER[1]:.0%} who never come, beside a negative binomial",
        "poisson_lognormal": "Poisson with a lognormal rate",
        "heavy_users": f"{HEAVY[0]:.0%} to {HEAVY[1]:.0%} heavy users, beside a short tail",
        "short_tail": f"nobody above {_SHORT:g}",
        "few_zeros": f"{_FEW_NEVER:.0%} with a count of 0",
        "many_zeros": f"{_MANY_NEVER:.0%} who never come",
        "very_heavy_users": f"one in {1 / _VERY_HEAVY[0]:.0f} with a count near {_VERY_HEAVY[1]:g}",
    }
)


def _inflated(counts: Array, mean: float, sd: float, never: float) -> Array:
    own = mean / (1.0 - never)
    squares = (sd * sd + mean * mean) / (1.0 - never)  # of those who come at all
    spread = math.sqrt(max(squares - own * own, 1.02 * own))
    weights = negative_binomial(counts, own, spread)
    weights *= (1.0 - never) / weights.sum()
    weights[counts == 0] += never
    return weights + _FLOOR


def _with_zeros(weights: Array, share: float) -> Array:
    found = weights * (1.0 - share) / weights[1:].sum()
    found[0] = share
    return found


def _of_size(counts: Array, mean: float, size: float) -> Array:
    weights = negative_binomial(counts, mean, math.sqrt(mean + mean * mean / size))
    return np.asarray(weights / weights.sum())


def _log_factorials(counts: Array) -> Array:
    return np.array([math.lgamma(count + 1.0) for count in counts])
