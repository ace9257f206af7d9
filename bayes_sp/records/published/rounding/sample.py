"""A uniform sample of the correlation matrices that round to a printed one."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError
from bayes_sp.records.published.rounding.box import Box
from bayes_sp.records.published.rounding.feasible import feasibility

_THIN = 3  # steps for each entry and draw of the walk
_BURN = 20  # draws that are thrown away


def inner_point(box: Box) -> Array:
    """Return a positive definite matrix of a box.

    Raises
    ------
    SurveyError
        If none is found.
    """
    for matrix in (box.middle, feasibility(box, 1e-9).witness):
        if np.linalg.eigvalsh(matrix)[0] > 1e-12:
            return matrix
    raise SurveyError("correlations", ["no positive definite matrix rounds to the printed one; see the audit"])


def sample_box(box: Box, draws: int, rng: np.random.Generator) -> Array:
    """Draw matrices uniformly from those of a box that are positive semidefinite, (draws, p, p).

    Where all of the box is positive definite every entry is drawn on its own. Else the draws are those of a hit-and-run
    walk: along a random direction the matrices R + t D of the box are positive definite for
    -1 / mu_max < t < -1 / mu_min, mu the eigenvalues of L^-1 D L^-T with R = L L', and t is uniform over what is left
    (Smith 1984).

    Raises
    ------
    SurveyError
        As `inner_point`.
    """
    p = len(box.low)
    rows, columns = np.tril_indices(p, -1)
    low, high = box.low[rows, columns], box.high[rows, columns]
    if box.inside_the_cone:
        return _matrices(rng.uniform(low, high, size=(draws, len(rows))), p)
    r = inner_point(box)
    kept = np.empty((draws, len(rows)))
    # One entry in a step and all of them in the next: both keep the uniform distribution, and they mix well together.
    steps = max(_THIN * len(rows), 1)
    for draw in range(-_BURN, draws):
        for step in range(steps):
            direction = (high - low) * rng.standard_normal(len(rows))
            if step % 2:
                direction *= np.arange(len(rows)) == rng.integers(len(rows))
            r = _step(r, _matrices(direction[None], p)[0] - np.eye(p), (low, high), rng)
        if draw >= 0:
            kept[draw] = r[rows, columns]
    return _matrices(kept, p)


def _step(r: Array, direction: Array, ends: tuple[Array, Array], rng: np.random.Generator) -> Array:
    """Return a uniform point of the line through ``r`` within the box and the cone."""
    rows, columns = np.tril_indices(len(r), -1)
    d, entries = direction[rows, columns], r[rows, columns]
    moving = d != 0
    if not moving.any():
        return r
    bounds = np.stack([(end - entries)[moving] / d[moving] for end in ends])
    first, last = float(bounds.min(axis=0).max()), float(bounds.max(axis=0).min())
    root = np.linalg.cholesky(r)
    half = np.linalg.solve(root, direction)
    mu = np.linalg.eigvalsh(np.linalg.solve(root, half.T))
    if mu[-1] > 0:
        first = max(first, -1.0 / float(mu[-1]))
    if mu[0] < 0:
        last = min(last, -1.0 / float(mu[0]))
    t = first + (last - first) * rng.uniform(1e-9, 1.0 - 1e-9)
    moved: Array = r + t * direction
    return moved


def _matrices(entries: Array, p: int) -> Array:
    """Return symmetric matrices with ones on the diagonal from their entries below it, (draws, p, p)."""
    rows, columns = np.tril_indices(p, -1)
    found = np.broadcast_to(np.eye(p), (len(entries), p, p)).copy()
    found[:, rows, columns] = found[:, columns, rows] = entries
    return found
