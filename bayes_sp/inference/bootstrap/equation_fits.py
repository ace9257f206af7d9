"""One equation's fits to resamples: what each determines, steps of one sign, and the boundaries on which fits lie."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.inference.bootstrap import boundary as at
from bayes_sp.inference.likelihood.equations import boundary_names
from bayes_sp.inference.likelihood.latent import Together
from bayes_sp.inference.likelihood.maximum import Fits, Regression, determined, fit_regression
from bayes_sp.model.families.registry import FAMILIES

_FEASIBLE = 1e-9


def enough(regression: Regression, counts: Array, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether a resample determines the coefficients of exposure and mediators, and what its patients need."""
    spare = np.concatenate([part.spare for part in regression.parts])
    found = keep[:, : len(spare)][:, ~spare].all(axis=1)
    if FAMILIES[regression.family].zero_part == "hurdle":  # a level that only patients with a count of 0 have
        everyone = determined(regression, counts, zeros=True)
        found &= (keep == everyone).all(axis=1)
    return found


def fit_with_steps(
    regression: Regression | Together, counts: Array, keep: NDArray[np.bool_], start: Array | None
) -> Fits:
    """Fit a regression whose monotonic effects have steps of one sign each.

    The maximum lies where some of the steps are 0 and the others unconstrained; of all such sets whose steps agree in
    sign it is the one with the largest likelihood.
    """
    fits = fit_regression(regression, counts, keep, start)
    if not regression.steps:
        return fits
    wrong = np.flatnonzero((fits.reason == "") & ~_agree(regression, fits.theta))
    if not len(wrong):
        return fits
    steps = np.concatenate(regression.steps)
    best = np.full(len(wrong), -np.inf)
    for size in range(1, len(steps) + 1):
        for zeros in combinations(steps, size):
            fewer = keep[wrong].copy()
            fewer[:, list(zeros)] = False
            tried = fit_regression(regression, counts[wrong], fewer, start)
            better = (tried.reason == "") & _agree(regression, tried.theta) & (tried.log_likelihood > best)
            best[better] = tried.log_likelihood[better]
            for name in ("theta", "direction", "log_likelihood", "kept", "reason"):
                getattr(fits, name)[wrong[better]] = getattr(tried, name)[better]
    return fits


def _agree(regression: Regression | Together, theta: Array) -> NDArray[np.bool_]:
    """Whether the steps of each monotonic effect have one sign."""
    found = np.ones(len(theta), dtype=bool)
    for steps in regression.steps:
        values = theta[:, steps]
        found &= (values >= -_FEASIBLE).all(axis=1) | (values <= _FEASIBLE).all(axis=1)
    return found


def boundaries_of(regression: Regression, fits: Fits, keep: NDArray[np.bool_]) -> at.Bits:
    """Return the boundaries on which fits lie, (R,)."""
    bits = np.zeros(len(keep), dtype=np.int64)
    spare = np.concatenate([part.spare for part in regression.parts])
    bits[~keep[:, : len(spare)].all(axis=1)] |= at.EMPTY_LEVEL
    if regression.steps:
        steps = np.concatenate(regression.steps)
        bits[(keep & ~fits.kept)[:, steps].any(axis=1)] |= at.NO_STEP
    for name, moves in boundary_names(fits, regression).items():
        if regression.ordered and name:
            bits[moves < 0] |= at.EMPTY_ANSWER
        elif not name:
            bits[moves > 0] |= at.SEPARATION
        elif name == "phi":
            bits[moves > 0] |= at.NO_OVERDISPERSION
            bits[moves < 0] |= at.ALL_OVERDISPERSION
        else:
            bits[moves != 0] |= at.NORMAL_TAILS if name == "nu" else at.NO_ERROR
    return bits
