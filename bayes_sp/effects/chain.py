"""A chain exposure -> mediators -> outcome of any families, as draws of everything that its mean outcomes need.

J counts linear predictors: the K mediators', the outcome's and, for a family with a zero part, that part's. S counts
draws, n patients, L_k the levels of mediator k. Variables are uncentred: fixed centres have moved into the intercepts
(which the baselines hold) and, for interactions, into the exposure's coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.model.families.base import MediatorRule, OutcomeRule

type Baselines = Callable[[int, int], Array]
"""``(start, stop) -> (J, stop - start, n)``: what the linear predictors of draws start to stop hold for each patient
beside exposure and mediators: intercept, covariates, the intercept of the patient's group. A batch at a time, so that
no array of all draws x patients is needed."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Baselines that depend on a patient's covariates alone: ``intercept + slopes . w``.

    Attributes
    ----------
    intercept, slopes
        Of each linear predictor and draw, (J, S) and (J, S, q).
    w
        Covariates, (n, q).
    """

    intercept: Array
    slopes: Array
    w: Array

    def __call__(self, start: int, stop: int) -> Array:
        """Return the baselines of some draws, (J, stop - start, n)."""
        out = self.slopes[:, start:stop] @ self.w.T
        out += self.intercept[:, start:stop, None]
        return np.asarray(out)


@dataclass(frozen=True, eq=False)
class Mediator:
    """The distribution of one mediator given its linear predictor eta.

    Attributes
    ----------
    rule
        ``normal``: eta + error. ``logit`` and ``probit``: levels with P(above level k) = F(eta - cut_k); a binary
        mediator has one cutpoint, 0. ``beta``: ``origin + unit * Beta(mu precision, (1 - mu) precision)`` with
        mu = logistic(eta).
    sigma
        SD of a normal mediator's errors in its own unit, (S,).
    cuts
        Cutpoints, (S, L - 1).
    values
        The levels' values, (L,).
    precision, origin, unit
        Of a beta mediator: (S,), and the interval from ``origin`` to ``origin + unit``.
    mean_only
        Whether nothing but the mean may be used: the errors' tails (Student t) leave exp(eta) without a mean.
    """

    rule: MediatorRule
    sigma: Array = field(default_factory=lambda: np.zeros(0))
    cuts: Array = field(default_factory=lambda: np.zeros((0, 0)))
    values: Array = field(default_factory=lambda: np.zeros(0))
    precision: Array = field(default_factory=lambda: np.zeros(0))
    origin: float = 0.0
    unit: float = 1.0
    mean_only: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    r"""The mean of the outcome given its linear predictor eta (and zeta of a zero part): origin + unit * mean.

    Attributes
    ----------
    rule
        ``identity``: eta. ``exp``: exp(eta + shift). ``logit`` and ``probit``: sum_k F(eta - cut_k), the mean number of
        the level (one cutpoint 0 for a binary outcome or one on a bounded interval). ``zero_inflated``:
        exp(eta) / (1 + exp(zeta)). ``hurdle``: exp(eta) / (1 - P_0(eta)) / (1 + exp(zeta)) with
        P_0 = (1 + exp(eta) / phi)^(-phi).
    cuts
        (S, L - 1).
    phi
        Size of the negative binomial, (S,).
    shift
        Half the residual variance of a lognormal outcome's logarithm, else 0: (S,).
    origin, unit
        From the family's scale to the outcome's own.
    ratio
        Name of the ratio of two means, '' where it is not given.
    """

    rule: OutcomeRule
    cuts: Array
    phi: Array
    shift: Array
    origin: float = 0.0
    unit: float = 1.0
    ratio: str = ""


@dataclass(frozen=True, eq=False)
class Chain:
    """Draws of a chain of any families.

    Attributes
    ----------
    mediators, outcome
        Distributions in order.
    exposure
        Coefficients of the exposure, (S, J); 0 for a removed edge.
    slopes
        Mediator k -> linear predictor j per unit of its own, (S, J, K); 0 for a removed edge and where j <= k.
    interactions
        Coefficients of exposure * mediator k in linear predictor j, (S, J, K).
    tables
        (j, k) -> what each level of mediator k adds to linear predictor j, (S, L_k), where that is not
        ``slopes * values``: monotonic effects.
    """

    mediators: tuple[Mediator, ...]
    outcome: Outcome
    exposure: Array
    slopes: Array
    interactions: Array
    tables: dict[tuple[int, int], Array]

    @property
    def draws(self) -> int:
        """Number of draws, S."""
        return len(self.exposure)

    @property
    def zero_part(self) -> bool:
        """Whether the outcome has a second linear predictor."""
        return self.outcome.rule in ("zero_inflated", "hurdle")

    @property
    def all_normal(self) -> bool:
        """Whether every mediator is normal, so that linear predictors are normal in every world."""
        return all(mediator.rule == "normal" for mediator in self.mediators)

    def slope(self, j: int, k: int, u: float) -> Array:
        """Return the slope of mediator k in linear predictor j where that sees the exposure u, (S,)."""
        return self.slopes[:, j, k] + u * self.interactions[:, j, k]

    def steps(self, j: int, k: int, u: float, values: Array) -> Array:
        """Return what mediator k adds to linear predictor j at each of its values, where that sees u: (S, L)."""
        if (j, k) in self.tables:
            return self.tables[j, k] + u * self.interactions[:, j, k, None] * values
        return self.slope(j, k, u)[:, None] * values
