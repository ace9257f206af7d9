"""What effects know of a response given its linear predictors: how a mediator is distributed, an outcome's mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.exports import special
from bayes_sp.model.families.base import EXPONENTIAL, MediatorRule, OutcomeRule


def above(rule: str, eta: Array) -> Array:
    """Return F(eta) of a rule with cutpoints."""
    return np.asarray(special.expit(eta) if rule == "logit" else special.ndtr(eta))


@dataclass(frozen=True, eq=False)
class Mediator:
    """The distribution of one mediator given its linear predictor eta."""

    # ``normal``: eta + error. ``logit`` and ``probit``: levels with P(above level k) = F(eta - cut_k); a binary
    # mediator has one cutpoint, 0. ``beta``: ``origin + unit * Beta(mu precision, (1 - mu) precision)`` with
    # mu = logistic(eta). ``count``: negative binomial of mean exp(eta) and size phi, Poisson where that is infinite.
    rule: MediatorRule
    sigma: Array = field(default_factory=lambda: np.zeros(0))  # SD of a normal mediator's errors in its own unit, (S,)
    cuts: Array = field(default_factory=lambda: np.zeros((0, 0)))  # cutpoints, (S, L - 1)
    values: Array = field(default_factory=lambda: np.zeros(0))  # the levels' values, (L,)
    # precision, origin, unit: of a beta mediator: (S,), and the interval from ``origin`` to ``origin + unit``.
    precision: Array = field(default_factory=lambda: np.zeros(0))
    origin: float = 0.0
    unit: float = 1.0
    phi: Array = field(default_factory=lambda: np.zeros(0))  # of a count, (S,)
    # Whether nothing but the mean may be used: the errors' tails (Student t) leave exp(eta) without a mean.
    mean_only: bool = False

    @property
    def normal(self) -> bool:
        """Whether its errors are normal."""
        return self.rule == "normal"

    @property
    def count(self) -> bool:
        """Whether it is a count."""
        return self.rule == "count"

    @property
    def beta(self) -> bool:
        """Whether it is a beta variable on an interval."""
        return self.rule == "beta"

    def shares(self, here: slice, eta: Array) -> Array:
        """Return the probabilities of its levels given predictors (B, n) of the draws `here`, (B, n, L)."""
        tail = above(self.rule, eta[..., None] - self.cuts[here, None, :])
        ends = (np.ones((*eta.shape, 1)), tail, np.zeros((*eta.shape, 1)))
        return np.asarray(-np.diff(np.concatenate(ends, axis=-1), axis=-1))


@dataclass(frozen=True, eq=False)
class Outcome:
    r"""The mean of the outcome given its linear predictor eta (and zeta of a zero part): origin + unit * mean."""

    # ``identity``: eta. ``exp``: exp(eta + shift). ``logit`` and ``probit``: sum_k F(eta - cut_k), the mean number of
    # the level (one cutpoint 0 for a binary outcome or one on a bounded interval). ``zero_inflated``:
    # exp(eta) / (1 + exp(zeta)). ``hurdle``: exp(eta) / (1 - P_0(eta)) / (1 + exp(zeta)) with
    # P_0 = (1 + exp(eta) / phi)^(-phi).
    rule: OutcomeRule
    cuts: Array  # (S, L - 1)
    phi: Array  # size of the negative binomial, (S,)
    shift: Array  # half the residual variance of a lognormal outcome's logarithm, else 0: (S,)
    # origin, unit: from the family's scale to the outcome's own.
    origin: float = 0.0
    unit: float = 1.0
    ratio: str = ""  # name of the ratio of two means, '' where it is not given

    @property
    def linear(self) -> bool:
        """Whether the mean is linear in eta."""
        return self.rule == "identity"

    @property
    def exponential(self) -> bool:
        """Whether the mean is exponential in eta, so that normal terms in it multiply the mean."""
        return self.rule == "exp"

    @property
    def closed(self) -> bool:
        """Whether the mean over normal terms of eta has a closed form."""
        return self.linear or self.exponential

    @property
    def grows(self) -> bool:
        """Whether the mean grows like exp(eta)."""
        return self.rule in EXPONENTIAL

    @property
    def zero_part(self) -> bool:
        """Whether it has a second linear predictor."""
        return self.grows and not self.exponential

    def mean(self, here: slice, eta: Array, zeta: Array | None = None) -> Array:
        """Return the mean on its family's scale given linear predictors (B, n) of the draws `here`."""
        if self.linear:
            return eta
        if self.rule in ("logit", "probit"):
            total = np.zeros_like(eta)
            for k in range(self.cuts.shape[1]):
                total += above(self.rule, eta - self.cuts[here, k, None])
            return total
        with np.errstate(over="ignore"):  # a wild prior draw has an infinite mean, and says so
            mu = np.exp(eta + self.shift[here, None])
        if self.rule == "hurdle":
            phi = self.phi[here, None]
            mu = np.where(mu > 0.0, mu / -np.expm1(-phi * np.log1p(mu / phi)), 1.0)
        return mu if zeta is None else mu * special.expit(-zeta)
