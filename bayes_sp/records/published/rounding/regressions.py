r"""Standardised regressions of a chain as functions of the correlation matrix, with derivatives and error bounds.

.. math:: b = R_{xx}^{-1} r_{xy}, \qquad db = R_{xx}^{-1} (dr_{xy} - dR_{xx}\, b)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.records.published.rounding.feasible import Box

_NEARLY = 1.0 - 1e-7  # of the way to the edge of the cone: on it predictors are collinear


@dataclass(frozen=True)
class Slope:
    """One standardised coefficient: a place of the response, of its predictors, and of the term among them."""

    response: int
    predictors: tuple[int, ...]
    term: int

    @property
    def place(self) -> int:
        """Place of the term among the predictors."""
        return self.predictors.index(self.term)

    def values(self, correlations: Array) -> Array:
        """Return the coefficient of every matrix, (..., p, p) -> (...)."""
        x = list(self.predictors)
        r_xx = correlations[..., x, :][..., :, x]
        solved = np.linalg.solve(r_xx, correlations[..., x, self.response][..., None])
        values: Array = solved[..., self.place, 0]
        return values

    def gradient(self, correlations: Array) -> tuple[float, Array]:
        """Return the coefficient of one matrix and its derivatives by each entry below the diagonal, twice, (p, p)."""
        x = list(self.predictors)
        inverse = np.linalg.inv(correlations[np.ix_(x, x)])
        b = inverse @ correlations[x, self.response]
        row = inverse[self.place]
        by_entry = np.zeros_like(correlations)
        by_entry[np.ix_(x, x)] = -(np.outer(row, b) + np.outer(b, row))
        by_entry[x, self.response] = by_entry[self.response, x] = row
        np.fill_diagonal(by_entry, 0.0)
        return float(b[self.place]), by_entry

    def enclosure(self, box: Box) -> tuple[float, float]:
        """Return an interval that surely holds the coefficient of every matrix of a box.

        With R = R0 + E, r = r0 + e and b0 the coefficients in the middle, R (b - b0) = e - E b0 exactly. So
        |b - b0| <= (I - |R0^-1| D)^-1 |R0^-1| (d + D |b0|) for |E| <= D, |e| <= d, as long as the spectral radius of
        |R0^-1| D is below 1. The first-order part is bounded entry by entry, the rest by |R0^-1| D |b - b0|.
        """
        x = list(self.predictors)
        half, middle = box.half_width, box.middle
        inverse = np.linalg.inv(middle[np.ix_(x, x)])
        b = inverse @ middle[x, self.response]
        wide, off = half[np.ix_(x, x)], half[x, self.response]
        spread = np.abs(inverse) @ wide
        if np.abs(np.linalg.eigvals(spread)).max() >= 1.0:
            return -np.inf, np.inf
        crude = np.linalg.solve(np.eye(len(x)) - spread, np.abs(inverse) @ (off + wide @ np.abs(b)))
        by_entry = np.abs(self.gradient(middle)[1])
        first = 0.5 * float((by_entry * half).sum())
        reach = first + float(spread[self.place] @ crude)
        return float(b[self.place] - reach), float(b[self.place] + reach)


@dataclass(frozen=True)
class Quantity:
    """A sum of products of slopes: a coefficient, the effect along a path, or the total of several paths."""

    name: str  # how it is called
    products: tuple[tuple[Slope, ...], ...]  # each a product of slopes
    unit: tuple[int, int]  # places of the variables whose SDs turn it into units: of the response and of the term

    def values(self, correlations: Array) -> Array:
        """Return the standardised quantity of every matrix, (..., p, p) -> (...)."""
        total = np.zeros(correlations.shape[:-2])
        for product in self.products:
            total = total + np.prod([slope.values(correlations) for slope in product], axis=0)
        return total

    def gradient(self, correlations: Array) -> Array:
        """Return its derivatives by each entry, as `Slope.gradient`."""
        total = np.zeros_like(correlations)
        for product in self.products:
            parts = [slope.gradient(correlations) for slope in product]
            for i, (_, by_entry) in enumerate(parts):
                others = np.prod([value for k, (value, _) in enumerate(parts) if k != i])
                total += others * by_entry
        return total

    def enclosure(self, box: Box) -> tuple[float, float]:
        """Return an interval that surely holds the quantity of every matrix of a box."""
        low, high = 0.0, 0.0
        for product in self.products:
            ends = np.array([1.0, 1.0])
            for slope in product:
                corners = np.outer(ends, slope.enclosure(box))
                ends = np.array([corners.min(), corners.max()])
            low, high = low + ends[0], high + ends[1]
        return float(low), float(high)

    def attained(self, box: Box, inside: Array, sweeps: int = 20) -> tuple[float, float]:
        """Return the least and the largest value found among positive semidefinite matrices of a box.

        Linear programming over the box again and again: at every step each entry goes to the end to which the
        derivative points. A corner beyond the cone of positive semidefinite matrices is drawn back towards ``inside``,
        a positive definite matrix of the box.
        """
        found = []
        for sign in (-1.0, 1.0):
            best, r = float(self.values(inside)), inside
            for _ in range(sweeps):
                corner = np.where(sign * self.gradient(r) > 0, box.high, box.low)
                r = within_cone(corner, inside)
                value = float(self.values(r))
                if sign * (value - best) <= 1e-12 * (1.0 + abs(best)):
                    break
                best = value
            found.append(best)
        return found[0], found[1]


def within_cone(matrix: Array, inside: Array) -> Array:
    """Return the matrix on the way from ``inside`` to another that is as far as positive semidefiniteness goes."""
    root = np.linalg.cholesky(inside)
    half = np.linalg.solve(root, matrix - inside)
    least = float(np.linalg.eigvalsh(np.linalg.solve(root, half.T))[0])
    share = 1.0 if least > -_NEARLY else -_NEARLY / least
    moved: Array = inside + share * (matrix - inside)
    return moved


def slopes_of(response: int, predictors: Sequence[int]) -> dict[int, Slope]:
    """Return the slopes of one regression by their terms."""
    return {term: Slope(response, tuple(predictors), term) for term in predictors}
