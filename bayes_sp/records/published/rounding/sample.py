"""A uniform sample of the correlation matrices that round to a printed one."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError
from bayes_sp.records.published.rounding.feasible import Box, feasibility

_THIN = 3  # steps for each entry and draw of the walk
_BURN = 20  # draws of each walker that are thrown away
_WALKERS = 64  # walk side by side, each from the same matrix


def inner_point(box: Box) -> Array:
    """Return a positive definite matrix of a box.

    Raises SurveyError if none is found.
    """
    for matrix in (box.middle, feasibility(box, 1e-9).witness):
        if np.linalg.eigvalsh(matrix)[0] > 1e-12:
            return matrix
    raise SurveyError("correlations", ["no positive definite matrix rounds to the printed one; see the audit"])


def sample_box(box: Box, draws: int, rng: np.random.Generator) -> Array:
    """Draw matrices uniformly from those of a box that are positive semidefinite, (draws, p, p).

    Where all of the box is positive definite every entry is drawn on its own. Else the draws are those of hit-and-run
    walks: along a random direction the matrices R + t D of the box are positive definite for
    -1 / mu_max < t < -1 / mu_min, mu the eigenvalues of L^-1 D L^-T with R = L L', and t is uniform over what is left
    (Smith 1984).

    Raises SurveyError as `inner_point`.
    """
    p = len(box.low)
    rows, columns = np.tril_indices(p, -1)
    low, high = box.low[rows, columns], box.high[rows, columns]
    if box.inside_the_cone:
        return _matrices(rng.uniform(low, high, size=(draws, len(rows))), p)
    walkers = min(draws, _WALKERS)
    r = np.broadcast_to(inner_point(box), (walkers, p, p)).copy()
    kept = []
    for sweep in range(-_BURN, -(-draws // walkers)):
        for step in range(_THIN * len(rows)):
            # All entries in one step and a single one in the next: both keep the uniform distribution.
            direction = (high - low) * rng.standard_normal((walkers, len(rows)))
            if step % 2:
                direction *= np.arange(len(rows)) == rng.integers(len(rows), size=(walkers, 1))
            r = _step(r, direction, (low, high), rng)
        if sweep >= 0:
            kept.append(r)
    return np.concatenate(kept)[:draws]


def _step(r: Array, direction: Array, ends: tuple[Array, Array], rng: np.random.Generator) -> Array:
    """Return a uniform point of the line through each matrix within the box and the cone, (walkers, p, p)."""
    rows, columns = np.tril_indices(r.shape[-1], -1)
    moving = direction != 0
    safe = np.where(moving, direction, 1.0)
    bounds = np.stack([np.where(moving, (end - r[:, rows, columns]) / safe, np.inf) for end in ends])
    last = bounds.max(axis=0).min(axis=1)
    first = np.where(moving, bounds.min(axis=0), -np.inf).max(axis=1)
    d = _matrices(direction, r.shape[-1]) - np.eye(r.shape[-1])
    root = np.linalg.cholesky(r)
    half = np.linalg.solve(root, d)
    mu = np.linalg.eigvalsh(np.linalg.solve(root, np.swapaxes(half, -1, -2)))
    first = np.maximum(first, -1.0 / np.maximum(mu[:, -1], 1e-300))
    last = np.minimum(last, -1.0 / np.minimum(mu[:, 0], -1e-300))
    still = ~moving.any(axis=1)
    t = np.where(still, 0.0, first + (last - first) * rng.uniform(1e-9, 1.0 - 1e-9, size=len(r)))
    moved: Array = r + t[:, None, None] * d
    return moved


def _matrices(entries: Array, p: int) -> Array:
    """Return symmetric matrices with ones on the diagonal from their entries below it, (draws, p, p)."""
    rows, columns = np.tril_indices(p, -1)
    found = np.broadcast_to(np.eye(p), (len(entries), p, p)).copy()
    found[:, rows, columns] = found[:, columns, rows] = entries
    return found
