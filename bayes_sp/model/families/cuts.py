"""Cutpoints of the ordered families: between which two a level lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_sp.model.families.lazy import np

if TYPE_CHECKING:
    from bayes_sp.model.families.base import Array


def bounds(y: Array, cutpoints: Array) -> tuple[Array, Array]:
    """Return the cutpoints below and above each level, (..., n): -inf below the first, inf above the last."""
    ends = np.full((*cutpoints.shape[:-1], 1), np.inf)
    every = np.concatenate([-ends, cutpoints, ends], axis=-1)
    level = y.astype(np.intp)
    return every[..., level], every[..., level + 1]


def levels_below(latent: Array, cutpoints: Array) -> Array:
    """Return how many cutpoints lie below each value, (..., n)."""
    return (latent[..., None] > cutpoints[..., None, :]).sum(axis=-1).astype(float)
