"""A chain exposure -> mediators -> outcome of any families, as draws of everything that its mean outcomes need.

J counts linear predictors: the K mediators', the outcome's and, for a family with a zero part, that part's. S counts
draws, n patients, L_k the levels of mediator k. Variables are uncentred: fixed centres have moved into the intercepts
(which the baselines hold) and, for interactions, into the exposure's coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bayes_sp.arrays import Array, Codes
from bayes_sp.effects.means.responses import Mediator, Outcome

type Baselines = Callable[[int, int], Array]
"""``(start, stop) -> (J, stop - start, n)``: what the linear predictors of draws start to stop hold for each patient
beside exposure and mediators: intercept, covariates, the intercept of the patient's group. A batch at a time, so that
no array of all draws x patients is needed."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Baselines that depend on a patient's covariates alone: ``intercept + slopes . w``."""

    # intercept, slopes: of each linear predictor and draw, (J, S) and (J, S, q).
    intercept: Array
    slopes: Array
    w: Array  # covariates, (n, q)

    def __call__(self, start: int, stop: int) -> Array:
        """Return the baselines of some draws, (J, stop - start, n)."""
        out = self.slopes[:, start:stop] @ self.w.T
        out += self.intercept[:, start:stop, None]
        return np.asarray(out)

    def covariates(self, start: int, stop: int) -> Array:
        """Return the covariates, the same for all draws: (1, n, q)."""
        return self.w[None]

    def taken(self, draws: Codes) -> Linear:
        """Return the baselines of some draws."""
        return Linear(self.intercept[:, draws], self.slopes[:, draws], self.w)


@dataclass(frozen=True, eq=False)
class Batched:
    """Baselines that are made a batch of draws at a time, with the covariates of those draws."""

    make: Baselines  # ``(start, stop) -> (J, stop - start, n)``
    # ``(start, stop) -> (stop - start, n, q)``, or (1, n, q) where all draws have the same.
    covariates: Callable[[int, int], Array]
    # Place of a column -> the value that it has for every patient and draw.
    held: Mapping[int, float] = field(default_factory=dict)

    def __call__(self, start: int, stop: int) -> Array:
        """Return the baselines of some draws, (J, stop - start, n)."""
        return self.make(start, stop)


def number_of_patients(baselines: Baselines) -> int:
    """Return over how many patients baselines are, n."""
    return len(baselines.w) if isinstance(baselines, Linear) else baselines(0, 1).shape[-1]


def covariates_of(baselines: Baselines, start: int, stop: int) -> Array:
    """Return the covariates of some draws, (stop - start, n, q), or (1, n, q) where all have the same.

    Raises TypeError for baselines that do not say which covariates they were made of.
    """
    if not isinstance(baselines, Linear | Batched):
        raise TypeError("slopes depend on covariates, and these baselines come without them")
    return baselines.covariates(start, stop)


@dataclass(frozen=True, eq=False)
class Moderation:
    """What a unit of a covariate's column, or of the product of two, adds to slopes."""

    columns: tuple[int, ...]  # places of the moderators' columns among the covariates', (c,)
    # Those of the c columns that are multiplied with each other, for each of t products: one, or two.
    products: tuple[tuple[int, ...], ...]
    # exposure, slopes: what a unit of a product adds to the coefficients of the same name, (S, J, t) and (S, J, K, t).
    exposure: Array
    slopes: Array

    def units(self, values: Array) -> Array:
        """Return the products, (..., t), of values of the columns, (..., c)."""
        return np.stack([values[..., list(product)].prod(axis=-1) for product in self.products], axis=-1)


@dataclass(frozen=True, eq=False)
class Chain:
    """Draws of a chain of any families."""

    # mediators, outcome: distributions in order.
    mediators: tuple[Mediator, ...]
    outcome: Outcome
    exposure: Array  # coefficients of the exposure, (S, J); 0 for a removed edge
    # Mediator k -> linear predictor j per unit of its own, (S, J, K); 0 for a removed edge and where j <= k.
    slopes: Array
    interactions: Array  # coefficients of exposure * mediator k in linear predictor j, (S, J, K)
    # (j, k) -> what each level of mediator k adds to linear predictor j, (S, L_k), where that is not
    # ``slopes * values``: monotonic effects.
    tables: dict[tuple[int, int], Array]
    # (j, k, l) -> coefficient of mediator k * mediator l in linear predictor j, (S,).
    products: dict[tuple[int, int, int], Array] = field(default_factory=dict)
    moderation: Moderation | None = None  # where slopes differ between patients; None where they are alike
    # (j, k) of the counts k that enter linear predictor j as log(1 + value).
    logs: frozenset[tuple[int, int]] = frozenset()
    rho: Array | None = None  # correlations of the mediators' errors in one world, (S, K, K); None where there are none

    def at(self, values: Array) -> Chain:
        """Return the chain of patients with these values of the moderators' columns, (c,), or one for each draw."""
        if self.moderation is None:
            return self
        units = self.moderation.units(np.broadcast_to(values, (self.draws, len(self.moderation.columns))))
        return replace(
            self,
            exposure=self.exposure + np.einsum("sjt,st->sj", self.moderation.exposure, units),
            slopes=self.slopes + np.einsum("sjkt,st->sjk", self.moderation.slopes, units),
            moderation=None,
        )

    def taken(self, chosen: Codes) -> Chain:
        """Return the chain with some of its draws."""

        def pick(values: Array) -> Array:
            return values[chosen] if len(values) else values

        mediators = tuple(
            replace(m, sigma=pick(m.sigma), cuts=pick(m.cuts), precision=pick(m.precision), phi=pick(m.phi))
            for m in self.mediators
        )
        outcome = self.outcome
        by = self.moderation
        return Chain(
            mediators,
            replace(outcome, cuts=pick(outcome.cuts), phi=pick(outcome.phi), shift=pick(outcome.shift)),
            pick(self.exposure),
            pick(self.slopes),
            pick(self.interactions),
            {place: pick(table) for place, table in self.tables.items()},
            {place: pick(product) for place, product in self.products.items()},
            None if by is None else replace(by, exposure=pick(by.exposure), slopes=pick(by.slopes)),
            self.logs,
            None if self.rho is None else pick(self.rho),
        )

    @property
    def draws(self) -> int:
        """Number of draws, S."""
        return len(self.exposure)

    @property
    def zero_part(self) -> bool:
        """Whether the outcome has a second linear predictor."""
        return self.outcome.zero_part

    @property
    def bent(self) -> bool:
        """Whether a mediator's slope depends on the exposure, on another mediator or on the patient."""
        return bool(self.interactions.any()) or bool(self.products) or self.moderation is not None

    @property
    def all_normal(self) -> bool:
        """Whether every mediator is normal, so that linear predictors are normal in every world."""
        return all(mediator.normal for mediator in self.mediators)

    def slope(self, j: int, k: int, u: float) -> Array:
        """Return the slope of mediator k in linear predictor j where that sees the exposure u, (S,)."""
        return self.slopes[:, j, k] + u * self.interactions[:, j, k]

    def steps(self, j: int, k: int, u: float, values: Array) -> Array:
        """Return what mediator k adds to linear predictor j at each of its values, where that sees u: (S, L)."""
        if (j, k) in self.tables:
            return self.tables[j, k] + u * self.interactions[:, j, k, None] * values
        return self.slope(j, k, u)[:, None] * self.seen(j, k, values)

    def seen(self, j: int, k: int, values: Array) -> Array:
        """Return values of mediator k as linear predictor j has them: themselves, or log(1 + value)."""
        return np.log1p(values) if (j, k) in self.logs else values
