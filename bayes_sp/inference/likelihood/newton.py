"""Newton's method for many replicates at once, each of which ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array

Flags = NDArray[np.bool_]

# Newton decrement g' H^-1 g below which the last step is taken: that step then moves the log-likelihood by less than
# 5e-13 and every parameter by less than 1e-6 standard errors, and leaves an error of about the square of that.
DECREMENT = 1e-12
MAX_ITERATIONS = 100

CONVERGED = ""
RUNNING = "running"
SINGULAR = "singular equations"
NO_CONVERGENCE = f"no convergence in {MAX_ITERATIONS} iterations"


class Takeable(Protocol):
    """Sums of replicates, of which some can be taken."""

    def take(self, chosen: Flags) -> Self:
        """Return those of some replicates."""
        ...


type Newton[Sums] = Callable[[Sums, Array], tuple[Array, Array, Array]]
type Verdicts[Sums] = Callable[[Sums, Array, Array, Array], NDArray[np.object_]]


@dataclass(frozen=True, eq=False)
class Climbs:
    """Where Newton's method ended: standardised parameters and last step (R, p), log-likelihood, steps, verdict."""

    theta: Array
    step: Array
    value: Array
    iterations: NDArray[np.int64]
    verdict: NDArray[np.object_]

    def put(self, places: NDArray[np.intp], other: Climbs) -> None:
        """Put the climbs of some replicates in place of these."""
        for name in ("theta", "step", "value", "verdict"):
            getattr(self, name)[places] = getattr(other, name)
        self.iterations[places] += other.iterations


def climb[Sums: "Takeable"](active: Sums, theta: Array, newton_of: Newton[Sums], verdicts_of: Verdicts[Sums]) -> Climbs:
    """Climb to the maximum by Newton's method with step-halving.

    From ``theta``, (R, p), ``newton_of(active, theta)`` gives log-likelihood (R,), Newton's step (R, p) and decrement
    (R,), and ``verdicts_of(active, theta, step, decrement)`` verdicts (R,): `RUNNING` to go on; `CONVERGED` after one
    more step; `SINGULAR` where there is no step; any other word where the climb ends without one.
    """
    count = len(theta)
    found = Climbs(
        np.full(theta.shape, np.nan),
        np.zeros_like(theta),
        np.full(count, np.nan),
        np.full(count, MAX_ITERATIONS),
        np.full(count, NO_CONVERGENCE, dtype=object),
    )
    rows, step, level = np.arange(count), np.zeros_like(theta), np.full(count, -np.inf)
    for iteration in range(MAX_ITERATIONS):
        trial = theta + step
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # too long a step is halved below
            value, newton, decrement = newton_of(active, trial)
            better = value >= level - 1e-10 * (1.0 + np.abs(level))
            verdict = np.where(better, verdicts_of(active, trial, newton, decrement), RUNNING)
        done = verdict != RUNNING
        met = done & (verdict != SINGULAR)
        found.theta[rows[met]] = trial[met] + np.where(verdict[met, None] == CONVERGED, newton[met], 0.0)
        found.step[rows[met]] = newton[met]
        found.value[rows[met]] = value[met] + 0.5 * decrement[met]
        found.verdict[rows[done]], found.iterations[rows[done]] = verdict[done], iteration
        if done.all():
            break
        theta = np.where(better[:, None], trial, theta)[~done]
        step = np.where(better[:, None], newton, 0.5 * step)[~done]
        level = np.where(better, value, level)[~done]
        if done.any():
            active, rows = active.take(~done), rows[~done]
    return found
