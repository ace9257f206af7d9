"""The log-posterior of one survey under one specification, as numbers that the engine reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.joint import Confounder, JointModel
from bayes_sp.design.parameters import Parameters
from bayes_sp.design.rows import Rows


class Program(Protocol):
    """A joint model with its records and priors, packed for a backend; see `engine.lower.Program`."""

    @property
    def ints(self) -> NDArray[np.int64]:
        """Whole numbers of the packed model."""

    @property
    def floats(self) -> Array:
        """Numbers of the packed model."""

    @property
    def joint(self) -> JointModel:
        """The joint model that was packed."""

    @property
    def parameters(self) -> Parameters:
        """Names and places of the parameters."""

    @property
    def parts(self) -> tuple[JointEquation, ...]:
        """The joint model's equations."""

    @property
    def rows(self) -> Rows:
        """Which rows are which patient."""

    @property
    def confounders(self) -> tuple[Confounder, ...]:
        """Unmeasured ones."""

    @property
    def links(self) -> tuple[Any, ...]:
        """Equations that hidden values depend on."""

    @property
    def start(self) -> Array:
        """Where a search for the mode can begin, (P,)."""

    @property
    def size(self) -> int:
        """Number of parameters that are sampled, P."""

    @property
    def framed(self) -> int:
        """Number of parameters on the scale of their joint curvature."""

    @property
    def integrated(self) -> bool:
        """Whether hidden values are integrated out."""

    @property
    def deferred(self) -> bool:
        """Whether any equation's gradient waits for other equations."""

    @property
    def standardised(self) -> NDArray[np.int64]:
        """Places of the standardised hidden values that are sampled."""

    @property
    def groups(self) -> tuple[tuple[int, int, int], ...]:
        """Place of the SD of each equation's groups, first place of their standardised intercepts, and their number."""

    @property
    def patient(self) -> NDArray[np.int64]:
        """Patient whose own each parameter is, (P,), -1 for shared ones."""

    def starting(self, start: Array) -> Program:
        """Return the same program with another start."""

    def completed(self, theta: Array, seed: int) -> Array:
        """Return draws with draws of what is integrated out after them."""


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class LogPosterior:
    """The log-posterior density on unconstrained parameters, seen from a frame of its own."""

    program: Program  # model, records and priors, packed
    # Parameters are theta = origin + L z for the first F of them (coefficients and what belongs to equations) and
    # origin + spread z for the others (one for each hidden value): origin (P,), spread (P,), L row by row (F, F).
    # Standardised intercepts of groups are that / sqrt(1 - share + share (tau / tau at the origin)^2), after it: the
    # place of each one's log tau (P,), and its share (P,), 0 for all other parameters. The share is what the records
    # know of an intercept at the origin's tau; its spread given tau is then the same for every tau, nearly so where its
    # response is not normal.
    frame: Array

    @property
    def size(self) -> int:
        """Number of parameters that are sampled, P."""
        return self.program.size

    @property
    def scale(self) -> Array:
        """L of the frame, (F, F)."""
        framed = self.program.framed
        return self.frame[2 * self.size :][: framed**2].reshape(framed, framed)

    def moved(
        self, origin: Array, scale: Array, spread: Array | None = None, shares: Array | None = None
    ) -> LogPosterior:
        """Return the same posterior in another frame.

        At its origin, (P,), with lower triangular L, (F, F), scales of the other parameters, (P - F,), 1 by default,
        and shares of standardised intercepts of groups, (P,), 0 by default.
        """
        size, framed = self.size, self.program.framed
        if scale.shape != (framed, framed) or np.triu(scale, 1).any():
            raise ValueError(f"the scale must be lower triangular, ({framed}, {framed}), found {scale.shape}")
        spreads, owners = np.ones(size), np.zeros(size)
        if spread is not None:
            spreads[framed:] = spread
        for tau, first, count in self.program.groups:
            owners[first : first + count] = tau
        own = np.zeros(size) if shares is None else shares
        return replace(self, frame=np.concatenate([origin, spreads, scale.ravel(), owners, own]))

    def theta(self, z: Array) -> Array:
        """Return the sampled parameters of draws z, (..., P)."""
        size, framed = self.size, self.program.framed
        origin, spread = self.frame[:size], self.frame[size : 2 * size]
        owner, share = self.frame[-2 * size :].reshape(2, size)
        scale = self.scale
        theta = origin + z * spread
        theta[..., :framed] = origin[:framed] + z[..., :framed] @ scale.T
        own = np.flatnonzero(share)
        tau = owner[own].astype(np.intp)
        theta[..., own] /= np.sqrt(1.0 - share[own] + share[own] * np.exp(2.0 * (theta[..., tau] - origin[tau])))
        return theta


def log_posterior(program: Program) -> LogPosterior:
    """Return the log-posterior of a program in the frame theta = z."""
    size, framed = program.size, program.framed
    frame = np.concatenate([np.zeros(size), np.ones(size), np.eye(framed).ravel(), np.zeros(2 * size)])
    return LogPosterior(program, frame)
