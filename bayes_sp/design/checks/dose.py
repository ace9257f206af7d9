r"""An exposure of few levels that enters as a number: what a step of it means, and whether levels' means lie on a line.

**Departure from a line.** Each equation with the exposure among its parents is fitted with the exposure as a number,
and with a mean of its own for each level that at least 5 records have (q more parameters), both with the equation's
other parents and covariates, by quasi-likelihood with the family's link: identity, log or logit, and the variance
V(mu) of the second row. At the fit with a line, with weights w = (d mu / d eta)^2 / V and working residuals r,

.. math:: F = \frac{(RSS_{line} - RSS_{levels}) / q}{RSS_{levels} / (n - p - q)}

is the score test's F of the working model r ~ columns, which for an identity link is that of least squares.

========================  ========================================================================
identity                  normal, latent_normal, student_t, ordered answers, beta; V = 1
log                       counts: V = mu + a mu^2, a by moments; gamma: V = mu^2; lognormal: log(y) with identity
logit                     bernoulli_logit: V = mu (1 - mu)
========================  ========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from bayes_sp.arrays import Array, least_squares
from bayes_sp.design.build import equation_matrix
from bayes_sp.design.design import Design
from bayes_sp.model.families.base import Family
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

FEWEST, MOST = 3, 7  # levels of an exposure that may be names of groups
LEAST_RECORDS = 5  # at a level with a mean of its own
RARE = 1e-3
STEPS = 50
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Departure:
    """How far the levels' means of a response are from a line: F on q and ``df`` degrees of freedom, its tail area."""

    response: str
    f: float
    q: int
    df: int
    tail: float


def exposure_levels(design: Design) -> tuple[float, ...]:
    """Return the exposure's values where they are few enough to be names of groups, else ()."""
    values = np.unique(design.x[~np.isnan(design.x)])
    return tuple(float(value) for value in values) if FEWEST <= len(values) <= MOST else ()


def departures(model: PathModel, design: Design) -> list[Departure]:
    """Return how far the levels' means are from a line, for each response that the exposure is a parent of."""
    levels = () if model.levels(model.exposure) else exposure_levels(design)
    found = []
    for j, equation in enumerate(model.equations):
        if levels and model.exposure in equation.parents:
            departure = _departure(model, design, j, levels)
            found += [departure] if departure else []
    return found


def _departure(model: PathModel, design: Design, j: int, levels: tuple[float, ...]) -> Departure | None:
    equation = model.equations[j]
    line, y = equation_matrix(model, design, j), design.coded(j)
    if FAMILIES[equation.family].ordered:
        line = np.column_stack([np.ones(design.n), line])
    offset = design.offsets.get(equation.response, np.zeros(design.n))
    whole = ~(np.isnan(line).any(axis=1) | np.isnan(y))
    line, y, x, offset = line[whole], y[whole], design.x[whole], offset[whole]
    own = [level for level in levels if (x == level).sum() >= LEAST_RECORDS]
    if len(own) < FEWEST:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        middle = line.mean(axis=0)
    line = np.where((np.ptp(line, axis=0) > 0) & np.isfinite(middle), line - middle, line)  # beside the intercept
    line, more = _basis(line), np.column_stack([x == level for level in own]).astype(float)
    both = _basis(np.column_stack([line, more]))
    q, df = both.shape[1] - line.shape[1], len(y) - both.shape[1]
    if q < 1 or df < 1:
        return None
    family = FAMILIES[equation.family]
    weight, residual = _working(family, line, family.to_link(y), offset)
    apart = [_rss(columns, weight, residual) for columns in (line, both)]
    if not apart[1] > 0:
        return None
    f = max(apart[0] - apart[1], 0.0) / q / (apart[1] / df)
    return Departure(equation.response, float(f), q, df, float(fdtrc(q, df, f)))


def _basis(columns: Array) -> Array:
    """Return an orthonormal basis of what the columns span, each column in its own unit."""
    size = np.abs(columns).max(axis=0)
    left, values, _ = np.linalg.svd(columns / np.where(size > 0, size, 1.0), full_matrices=False)
    return np.asarray(left[:, values > 1e-9 * values[0]])


def _working(family: Family, columns: Array, y: Array, offset: Array) -> tuple[Array, Array]:
    """Return the weights and working residuals of a quasi-likelihood fit, (n,)."""
    link = family.link
    if family.variance == "1":
        y = y / (float(np.abs(y).max()) or 1.0)  # first of all: sums of the largest numbers are none
        y = (y - y.mean()) / (float(np.abs(y - y.mean()).max()) or 1.0)
        return np.ones(len(y)), y - columns @ (columns.T @ y)
    count = family.variance == "mu"
    spread, weight, residual = 0.0, np.ones(len(y)), y
    for _ in range(2 if count else 1):  # counts: first V = mu, then with the a that its residuals have
        eta = _start(link, y, offset)
        for _ in range(STEPS):
            mean, slope, variance = _moments(link, eta, spread, gamma=family.variance == "mu^2")
            weight = slope**2 / variance
            residual = (y - mean) / slope
            root = np.sqrt(weight)[:, None]
            moved = offset + columns @ least_squares(columns * root, root[:, 0] * (eta - offset + residual))
            done = np.abs(moved - eta).max() < TOLERANCE
            eta = np.clip(moved, -30.0, 30.0) if link == "logit" else np.clip(moved, eta - 5, eta + 5)
            if done:
                break
        mean, slope, variance = _moments(link, eta, spread, gamma=family.variance == "mu^2")
        weight, residual = slope**2 / variance, (y - mean) / slope
        spread = max(float(((y - mean) ** 2 - mean).sum() / (mean**2).sum()), 0.0) if count else 0.0
    return weight, residual


def _start(link: str, y: Array, offset: Array) -> Array:
    mean = float(y.mean())
    if link == "logit":
        low = float(y.min())
        share = min(max(mean - low, 0.02), 0.98)
        return np.full(len(y), np.log(share / (1 - share)))
    return np.log(max(mean, 1e-300)) + offset - float(offset.mean())


def _moments(link: str, eta: Array, spread: float, *, gamma: bool) -> tuple[Array, Array, Array]:
    """Return the mean, its derivative in the predictor, and the variance up to a constant."""
    if link == "logit":
        mean = 1.0 / (1.0 + np.exp(-eta))
        return mean, mean * (1 - mean), mean * (1 - mean)
    mean = np.exp(eta)
    return mean, mean, mean**2 if gamma else mean + spread * mean**2


def _rss(columns: Array, weight: Array, residual: Array) -> float:
    root = np.sqrt(weight)
    q = _basis(columns * root[:, None])
    z = root * residual
    return float(z @ z - (q.T @ z) @ (q.T @ z))
