"""The mean outcome given its linear predictors, in NumPy."""

from __future__ import annotations

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.effects.chain import Outcome
from bayes_sp.exports import special


def outcome_mean(outcome: Outcome, here: slice, eta: Array, zeta: Array | None = None) -> Array:
    """Mean outcome on its family's scale given linear predictors (B, n) of the draws `here`."""
    if outcome.rule == "identity":
        return eta
    if outcome.rule in ("logit", "probit"):
        above = special.expit if outcome.rule == "logit" else special.ndtr
        total = np.zeros_like(eta)
        for k in range(outcome.cuts.shape[1]):
            total += above(eta - outcome.cuts[here, k, None])
        return total
    with np.errstate(over="ignore"):  # a wild prior draw has an infinite mean, and says so
        mu = np.exp(eta + outcome.shift[here, None])
    if outcome.rule == "hurdle":
        phi = outcome.phi[here, None]
        mu = np.where(mu > 0.0, mu / -np.expm1(-phi * np.log1p(mu / phi)), 1.0)
    return mu if zeta is None else mu * special.expit(-zeta)
