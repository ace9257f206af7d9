"""What Newton's method needs of a likelihood: predictors that are linear in the parameters, and derivatives by them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.inference.likelihood.normal_equations import Flags

# The longest steps, in units of a linear predictor (a zero part can be a step function) and of a shared parameter.
LONGEST, LONGEST_SHARED = 1000.0, 2.0
_MOST_PRODUCTS = 2**23


@dataclass(frozen=True, eq=False)
class Part:
    """Columns of one linear predictor."""

    terms: tuple[str, ...]  # names of the columns
    x: Array  # columns, standardised but for an intercept, (n, p)
    # centre, scale: of the columns, in their units, (p,); 0 and 1 for an intercept.
    centre: Array
    scale: Array
    # Whether a column may be left out of a resample that does not determine it: covariates and steps, not exposure and
    # mediators, (p,).
    spare: Flags
    offset: Array  # what the predictor has beside coefficients, (n,)


class Predictors(ABC):
    """A likelihood of patients that depends on parameters through predictors, each columns times its parameters."""

    @property
    @abstractmethod
    def beginning(self) -> Array:
        """Starting values, (P,)."""

    @property
    @abstractmethod
    def columns(self) -> tuple[Array, ...]:
        """Columns of every predictor, (n, p_l) each."""

    @property
    @abstractmethod
    def places(self) -> tuple[slice, ...]:
        """Place of every predictor's parameters among all of them; two predictors can share parameters."""

    @property
    @abstractmethod
    def longest(self) -> tuple[float, ...]:
        """Longest step of every predictor."""

    @abstractmethod
    def derivatives(self, theta: Array, w: Array) -> tuple[Array, Array, Array]:
        """Return weighted log-likelihoods (R,), and derivatives by the predictors, (L, R, n) and (L, L, R, n)."""

    @cached_property
    def products(self) -> dict[tuple[int, int], Array | None]:
        """Products of the columns of two predictors, (n, p_l p_m); None where they would take too much memory."""
        found: dict[tuple[int, int], Array | None] = {}
        for first, one in enumerate(self.columns):
            for second, other in enumerate(self.columns[first:], start=first):
                small = len(one) * one.shape[1] * other.shape[1] <= _MOST_PRODUCTS
                both = (one[:, :, None] * other[:, None]).reshape(len(one), -1) if small else None
                found[first, second] = both
        return found

    def gram(self, first: int, second: int, weights: Array) -> Array:
        """C_l' diag(weights_r) C_m for each row of the weights, (p_l, p_m, R)."""
        one, other, products = self.columns[first], self.columns[second], self.products[first, second]
        if products is None:
            return np.stack([(one.T * row) @ other for row in weights], axis=-1)
        return np.asarray((products.T @ weights.T).reshape(one.shape[1], other.shape[1], len(weights)))

    def curvature(self, weights_of: Callable[[int, int], Array], count: int) -> Array:
        """Sum the parameters' matrix from the weights of each pair of predictors, (P, P, R)."""
        size = len(self.beginning)
        out = np.zeros((size, size, count))
        for first, second in self.products:
            block = self.gram(first, second, weights_of(first, second))
            out[self.places[first], self.places[second]] += block
            if first != second:
                out[self.places[second], self.places[first]] += block.transpose(1, 0, 2)
        return out

    def score(self, first: Array) -> Array:
        """Sum the parameters' derivatives from the predictors', (L, R, n) to (R, P)."""
        out = np.zeros((first.shape[1], len(self.beginning)))
        for own, columns, place in zip(first, self.columns, self.places, strict=True):
            out[:, place] += own @ columns
        return out
